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
L = W + "/metadata/logistics"
WSA = "http://schemas.xmlsoap.org/ws/2004/03/addressing"
RP = "http://docs.oasis-open.org/wsrf/2004/06/wsrf-WS-ResourceProperties-1.2-draft-01.xsd"
NT = "http://docs.oasis-open.org/wsn/2004/06/wsn-WS-BaseNotification-1.2-draft-01.xsd"
SIMPLE = "http://docs.oasis-open.org/wsn/2004/06/TopicExpression/Simple"
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
        return {"type": etree.QName(fault.detail[0]).text, "description": words}
    sys.exit("a fault was expected")


class One:
    """The first face."""

    def __init__(self, base):
        at = base + "/wsrf/services/"
        self.mixed = Mixed()
        self.factory = Client(at + "WorkspaceFactoryService?wsdl", plugins=[self.mixed])
        self.workspace = Client(at + "WorkspaceService?wsdl", plugins=[self.mixed])
        self.consumer = Client(base + "/wsrf/schema/notification_consumer_service.wsdl")
        self.headers = []

    def bind(self, epr):
        """Aims calls at the resource that an endpoint reference names."""
        self.service = self.workspace.create_service(
            "{%s}WorkspacePortTypeSOAPBinding" % W, epr.Address["_value_1"])
        self.key = epr.ReferenceProperties["_value_1"][0]
        header = etree.Element(etree.QName(W, "WorkspaceKey"))
        header.text = self.key
        self.headers = [header]

    def call(self, name, *args, **kwargs):
        return getattr(self.service, name)(*args, _soapheaders=self.headers, **kwargs)

    def query(self, service):
        self.mixed.texts = {"QueryExpression": "/"}
        answer = service.QueryResourceProperties(
            {"Dialect": XPATH}, _soapheaders=self.headers)
        return answer[0]

    def create(self, metadata, request):
        answer = self.factory.service.create(metadata=metadata, resourceRequest=request)
        return answer.CreatedWorkspace[0]

    def state(self):
        return self.call("GetResourceProperty", STATE)[0].state

    def until(self, state):
        for _ in range(400):
            if self.state() == state:
                return state
            time.sleep(0.05)
        sys.exit(f"the workspace is {self.state()}, not {state}")

    def subscribe(self, url):
        self.mixed.texts = {"TopicExpression": STATE}
        epr = self.call("Subscribe", ConsumerReference={"Address": url},
                        TopicExpression={"Dialect": SIMPLE})
        return epr.ReferenceProperties["_value_1"][0].text

    def notified(self, envelope, state):
        """What a Notify tells of a state, as the consumer's WSDL types it."""
        body = etree.fromstring(envelope).find("{*}Body")[0]
        for message in parse(self.consumer, body).NotificationMessage:
            change = message.Message.ResourcePropertyValueChangeNotification
            told = change.NewValue["_value_1"][0].state
            key = message.ProducerReference.ReferenceProperties["_value_1"][0].text
            if told == state:
                return {"state": told, "key": key}
        return None


def main(base, face, soap, examples):
    f = One(base)
    offer = f.query(f.factory.service)
    step("factory", default=int(offer.DefaultRunningTime.total_seconds()),
         maximum=int(offer.MaximumRunningTime.total_seconds()),
         networks=",".join(sorted(offer.Associations.association)))
    metadata = document(f.factory, examples + "/metadata.xml")
    request = document(f.factory, examples + "/request.xml")
    made = f.create(metadata, request)
    f.bind(made.epr)
    step("create", key=f.key, ip=made.networking.nic[0].ipConfig.ipAddress)
    step("state", state=f.until("Running"))
    whole = f.query(f.service)
    step("document", state=whole.currentState.state,
         memory=int(whole.ResourceAllocation.IndividualPhysicalMemory.Exact[0]["_value_1"]),
         duration=int(whole.schedule.Duration.total_seconds()),
         ip=whole.logistics.networking.nic[0].ipConfig.ipAddress)
    listener = Listener()
    step("subscribe", key=f.subscribe(listener.url))
    f.call("shutdown", shutdownType="Pause")
    step("pause", state=f.until("Paused"))
    step("notification", **listener.until(lambda envelope: f.notified(envelope, "Paused")))
    f.call("start")
    step("start", state=f.until("Running"))
    request.DeploymentTime.minDuration = datetime.timedelta(days=1000)
    step("denied", **refused(f.factory, lambda: f.create(metadata, request)))
    f.call("Destroy")
    step("destroy")
    step("gone", **refused(f.workspace, f.state))


main(*sys.argv[1:])
