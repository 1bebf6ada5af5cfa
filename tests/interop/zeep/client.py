"""The common script of tests/interop, carried out by zeep.

Usage: client.py BASE FACE SOAP EXAMPLES
"""

import datetime
import sys
import time

from lxml import etree
from steps import Listener, step
from zeep import Client, Plugin
from zeep.exceptions import Fault

W = "http://www.globus.org/2008/06/workspace"
T = W + "/types"
SIMPLE = "http://docs.oasis-open.org/wsn/2004/06/TopicExpression/Simple"
P = "urn:philoxenia:2026:workspace"
NT2 = "http://docs.oasis-open.org/wsn/b-2"
CONCRETE = "http://docs.oasis-open.org/wsn/t-1/TopicExpression/Concrete"
XPATH = "http://www.w3.org/TR/1999/REC-xpath-19991116"

STATE = etree.QName(T, "currentState")


class Mixed(Plugin):
    """Writes text into elements of mixed content, of which zeep knows only the elements."""

    def __init__(self):
        self.texts = {}

    def egress(self, envelope, headers, operation, options):
        for name, text in self.texts.items():
            for element in envelope.iter("{*}" + name):
                element.text = text
        return envelope, headers


def parse(client, element):
    """Makes a typed value of an element that the WSDL's schemas declare."""
    return client.get_element(etree.QName(element)).parse(element, client.wsdl.types)


def document(client, path):
    return parse(client, etree.parse(path, etree.XMLParser(remove_comments=True)).getroot())


def refused(client, call):
    """Returns the type and the words of the fault that a call must end in."""
    try:
        call()
    except Fault as fault:
        value = parse(client, fault.detail[0])
        words = " ".join(d["_value_1"] for d in value.Description)
        # The final BaseFaultType begins with an xs:any for other namespaces than
        # its own, and zeep lets that take everything.
        rest = getattr(value, "_value_1", None) or []
        words += " ".join(e.text for e in rest if etree.QName(e).localname == "Description")
        return {"type": etree.QName(fault.detail[0]).text, "description": words}
    sys.exit("a fault was expected")


class Face:
    """What is the same on both faces."""

    def __init__(self, consumer):
        self.mixed = Mixed()
        self.consumer = Client(consumer)
        self.headers = []

    def load(self, url):
        return Client(url, plugins=[self.mixed])

    def bind(self, address, key):
        """Aims calls at a workspace."""
        self.key = key
        self.service = self.workspace.create_service(self.binding, address)
        header = etree.Element(etree.QName(W, "WorkspaceKey"))
        header.text = key
        self.headers = [header]

    def call(self, name, *args, **kwargs):
        return getattr(self.service, name)(*args, _soapheaders=self.headers, **kwargs)

    def query(self, service):
        self.mixed.texts = {"QueryExpression": "/"}
        return service.QueryResourceProperties({"Dialect": XPATH}, _soapheaders=self.headers)[0]

    def state(self):
        return self.call("GetResourceProperty", STATE)[0].state

    def until(self, state):
        for _ in range(6000):
            if self.state() == state:
                return state
            time.sleep(0.05)
        sys.exit(f"the workspace is {self.state()}, not {state}")

    def notified(self, envelope, state):
        """What a Notify tells of a state, as the consumer's WSDL types it."""
        body = etree.fromstring(envelope).find("{*}Body")[0]
        for message in parse(self.consumer, body).NotificationMessage:
            told, key = self.told(message)
            if told == state:
                return {"state": told, "key": key}
        return None


class One(Face):
    """The first face: the drafts, SOAP 1.1."""

    binding = "{%s}WorkspacePortTypeSOAPBinding" % W

    def __init__(self, base, soap):
        super().__init__(base + "/wsrf/services/NotificationConsumerService?wsdl")
        self.factory = self.load(base + "/wsrf/services/WorkspaceFactoryService?wsdl")
        self.workspace = self.load(base + "/wsrf/services/WorkspaceService?wsdl")
        self.port = self.factory.service

    def create(self, metadata, request):
        answer = self.port.create(metadata=metadata, resourceRequest=request)
        return answer.CreatedWorkspace[0]

    def bind_to(self, made):
        epr = made.epr
        self.bind(epr.Address["_value_1"], epr.ReferenceProperties["_value_1"][0])

    def shutdown(self, how):
        self.call("shutdown", shutdownType=how)

    def start(self):
        self.call("start")

    def subscribe(self, url):
        self.mixed.texts = {"TopicExpression": STATE}
        epr = self.call("Subscribe", ConsumerReference={"Address": url},
                        TopicExpression={"Dialect": SIMPLE})
        return epr.ReferenceProperties["_value_1"][0].text

    def told(self, message):
        change = message.Message.ResourcePropertyValueChangeNotification
        return (change.NewValue["_value_1"][0].state,
                message.ProducerReference.ReferenceProperties["_value_1"][0].text)


class Two(Face):
    """The second face: the standards, SOAP 1.1 and 1.2."""

    def __init__(self, base, soap):
        super().__init__(base + "/ws/NotificationConsumer?wsdl")
        self.binding = "{%s}WorkspacePortSOAP%sBinding" % (P, soap.replace(".", ""))
        self.factory = self.load(base + "/ws/WorkspaceFactory?wsdl")
        self.workspace = self.load(base + "/ws/Workspace?wsdl")
        self.port = self.factory.bind(
            "WorkspaceFactory", "WorkspaceFactorySOAP" + soap.replace(".", ""))

    def create(self, metadata, request):
        answer = self.port.Create(VirtualWorkspace=metadata, WorkspaceDeployment=request)
        return answer.Workspace[0]

    def bind_to(self, made):
        self.bind(made.Reference.Address["_value_1"], made.Key)

    def shutdown(self, how):
        self.call("Shutdown", Type=how)

    def start(self):
        self.call("Start")

    def subscribe(self, url):
        topic = etree.Element(etree.QName(NT2, "TopicExpression"), Dialect=CONCRETE)
        topic.text = STATE
        answer = self.call("Subscribe", ConsumerReference={"Address": url},
                           Filter={"_value_1": [topic]})
        return answer.SubscriptionReference.ReferenceParameters["_value_1"][0].text

    def told(self, message):
        change = message.Message["_value_1"]
        return (change.NewValues["_value_1"][0].state,
                message.ProducerReference.ReferenceParameters["_value_1"][0])


def main(base, face, soap, examples):
    f = {"one": One, "two": Two}[face](base, soap)
    offer = f.query(f.port)
    step("factory", default=int(offer.DefaultRunningTime.total_seconds()),
         maximum=int(offer.MaximumRunningTime.total_seconds()),
         networks=",".join(sorted(offer.Associations.association)))
    metadata = document(f.factory, examples + "/metadata.xml")
    request = document(f.factory, examples + "/request.xml")
    made = f.create(metadata, request)
    f.bind_to(made)
    step("create", key=f.key, ip=made.networking.nic[0].ipConfig.ipAddress)
    step("state", state=f.until("Running"))
    whole = f.query(f.service)
    step("document", state=whole.currentState.state,
         memory=int(whole.ResourceAllocation.IndividualPhysicalMemory.Exact[0]["_value_1"]),
         duration=int(whole.schedule.Duration.total_seconds()),
         ip=whole.logistics.networking.nic[0].ipConfig.ipAddress)
    listener = Listener()
    step("subscribe", key=f.subscribe(listener.url))
    f.shutdown("Pause")
    step("pause", state=f.until("Paused"))
    step("notification", **listener.until(lambda envelope: f.notified(envelope, "Paused")))
    f.start()
    step("start", state=f.until("Running"))
    request.DeploymentTime.minDuration = datetime.timedelta(days=1000)
    step("denied", **refused(f.factory, lambda: f.create(metadata, request)))
    f.call("Destroy")
    step("destroy")
    step("gone", **refused(f.workspace, f.state))


main(*sys.argv[1:])
