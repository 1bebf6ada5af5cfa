"""The common script of tests/interop, carried out by suds.

Usage: client.py BASE FACE SOAP EXAMPLES
"""

import sys
import time

from steps import Listener, seconds, step
from suds import WebFault
from suds.client import Client
from suds.plugin import MessagePlugin
from suds.sax.element import Element
from suds.sax.parser import Parser
from suds.sudsobject import Property

W = "http://www.globus.org/2008/06/workspace"
T = W + "/types"
NT2 = "http://docs.oasis-open.org/wsn/b-2"
CONCRETE = "http://docs.oasis-open.org/wsn/t-1/TopicExpression/Concrete"
XPATH = "http://www.w3.org/TR/1999/REC-xpath-19991116"
SIMPLE = "http://docs.oasis-open.org/wsn/2004/06/TopicExpression/Simple"


class Prefix(MessagePlugin):
    """Declares the prefix of names in content, of which suds sees but text."""

    def marshalled(self, context):
        context.envelope.addPrefix("t", T)


class Raw(MessagePlugin):
    """Keeps the last reply."""

    def received(self, context):
        self.reply = context.reply


def values(element):
    """A document's element as the dictionary that suds writes by the schema."""
    if not element.children:
        return element.getText()
    found = {}
    for child in element.children:
        if child.name in found:
            if not isinstance(found[child.name], list):
                found[child.name] = [found[child.name]]
            found[child.name].append(values(child))
        else:
            found[child.name] = values(child)
    return found


def document(path):
    return values(Parser().parse(file=path).root())


def mixed(text, dialect):
    value = Property(text)
    value._Dialect = dialect
    return value


def one(value):
    """A value of an xs:any, in which suds makes a list of everything."""
    return value[-1] if isinstance(value, list) else value


def refused(raw, call):
    """The type and the words of the fault that a call must end in."""
    try:
        call()
    except WebFault as fault:
        detail = fault.fault.detail
        name, value = next(iter(detail))
        detail = Parser().parse(string=raw.reply).root().childAtPath("Body/Fault/detail")
        return {"type": "{%s}%s" % (detail.getChild(name).namespace()[1], name),
                "description": str(one(value.Description))}
    sys.exit("a fault was expected")


class Face:
    """What is the same on both faces."""

    def __init__(self):
        self.raw = Raw()

    def load(self, url, **options):
        # Without prettyxml elements that are given whole are sent empty.
        return Client(url, cache=None, plugins=[Prefix(), self.raw], prettyxml=True, **options)

    def bind(self, address, key):
        """Aims calls at a workspace."""
        self.key = key
        header = Element("WorkspaceKey", ns=("w", W)).setText(key)
        self.workspace.set_options(location=address, soapheaders=[header])

    def query(self, client):
        return client.service.QueryResourceProperties(mixed("/", XPATH))[0]

    def state(self):
        return one(self.workspace.service.GetResourceProperty("t:currentState")[0].state)

    def until(self, state):
        for _ in range(6000):
            if self.state() == state:
                return state
            time.sleep(0.05)
        sys.exit(f"the workspace is {self.state()}, not {state}")

    def notified(self, envelope, state):
        """What a Notify tells of a state, read with the parser of suds alone."""
        for message in Parser().parse(string=envelope).root().childAtPath("Body/Notify").children:
            change = message.childAtPath("Message/ResourcePropertyValueChangeNotification")
            if change and change.childAtPath(self.told).getText() == state:
                return {"state": state, "key": message.childAtPath(self.producer).getText()}
        return None


class One(Face):
    """The first face: the drafts, SOAP 1.1."""

    producer = "ProducerReference/ReferenceProperties/WorkspaceKey"
    told = "NewValue/currentState/state"

    def __init__(self, base):
        super().__init__()
        self.factory = self.load(base + "/wsrf/services/WorkspaceFactoryService?wsdl")
        self.workspace = self.load(base + "/wsrf/services/WorkspaceService?wsdl")

    def create(self, metadata, request):
        return self.factory.service.create(metadata, request).CreatedWorkspace[0]

    def bind_to(self, made):
        self.bind(made.epr.Address, one(made.epr.ReferenceProperties.WorkspaceKey))

    def shutdown(self, how):
        self.workspace.service.shutdown(how)

    def start(self):
        self.workspace.service.start()

    def subscribe(self, url):
        epr = self.workspace.service.Subscribe({"Address": url}, mixed("t:currentState", SIMPLE))
        return one(epr.ReferenceProperties.SubscriptionKey)


class Two(Face):
    """The second face: the standards. Of SOAP, suds knows 1.1."""

    producer = "ProducerReference/ReferenceParameters/WorkspaceKey"
    told = "NewValues/currentState/state"

    def __init__(self, base):
        super().__init__()
        self.factory = self.load(base + "/ws/WorkspaceFactory?wsdl", port="WorkspaceFactorySOAP11")
        self.workspace = self.load(base + "/ws/Workspace?wsdl", port="WorkspaceSOAP11")

    def create(self, metadata, request):
        return self.factory.service.Create(metadata, request).Workspace[0]

    def bind_to(self, made):
        self.bind(one(made.Reference.Address), made.Key)

    def shutdown(self, how):
        self.workspace.service.Shutdown(how)

    def start(self):
        self.workspace.service.Start()

    def subscribe(self, url):
        topic = Element("TopicExpression", ns=("b", NT2)).setText("t:currentState")
        topic.set("Dialect", CONCRETE)
        whole = Element("Filter", ns=("b", NT2)).append(topic)  # for an xs:any there is no name
        answer = self.workspace.service.Subscribe({"Address": url}, whole)
        return one(answer.SubscriptionReference.ReferenceParameters.SubscriptionKey)


def main(base, face, soap, examples):
    f = {"one": One, "two": Two}[face](base)
    offer = f.query(f.factory)
    step("factory", default=seconds(one(offer.DefaultRunningTime)),
         maximum=seconds(one(offer.MaximumRunningTime)),
         networks=",".join(sorted(one(offer.Associations).association)))
    metadata, request = document(examples + "/metadata.xml"), document(examples + "/request.xml")
    made = f.create(metadata, request)
    f.bind_to(made)
    step("create", key=f.key, ip=made.networking.nic[0].ipConfig.ipAddress)
    step("state", state=f.until("Running"))
    whole = f.query(f.workspace)
    memory = one(one(whole.ResourceAllocation).IndividualPhysicalMemory)
    nic = one(one(one(whole.logistics).networking).nic)
    step("document", state=one(one(whole.currentState).state), memory=int(float(one(memory.Exact))),
         duration=seconds(one(one(whole.schedule).Duration)), ip=one(one(nic.ipConfig).ipAddress))
    listener = Listener()
    step("subscribe", key=f.subscribe(listener.url))
    f.shutdown("Pause")
    step("pause", state=f.until("Paused"))
    step("notification", **listener.until(lambda envelope: f.notified(envelope, "Paused")))
    f.start()
    step("start", state=f.until("Running"))
    request["DeploymentTime"]["minDuration"] = "P1000D"
    step("denied", **refused(f.raw, lambda: f.create(metadata, request)))
    f.workspace.service.Destroy()
    step("destroy")
    step("gone", **refused(f.raw, f.state))


main(*sys.argv[1:])
