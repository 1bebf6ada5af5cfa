#!/usr/bin/python3
"""The main job by zeep, a SOAP stack of Python: lease a machine, hear of a change
through a pull point, give the machine back.

usage: lease.py http://127.0.0.1:8080 METADATA REQUEST     (Debian: apt install python3-zeep)
"""
import sys

from lxml import etree
from zeep import Client

base, metadata, request = sys.argv[1:]
factory, workspace, pullpoints, pullpoint = (
    Client(f"{base}/ws/{name}?wsdl")
    for name in ("WorkspaceFactory", "Workspace", "PullPoints", "PullPoint"))


def document(path):
    """What a file holds, as zeep's typed value. Comments it cannot take."""
    root = etree.parse(path, etree.XMLParser(remove_comments=True)).getroot()
    return factory.get_element(etree.QName(root)).parse(root, factory.wsdl.types)


def key(reference):
    """The header blocks that aim a request at what the reference names."""
    return reference.ReferenceParameters["_value_1"]


made = factory.service.Create(document(metadata), document(request)).Workspace[0]
machine = key(made.Reference)
print("leased", made.Key, made.networking.nic[0].ipConfig.ipAddress)

point = pullpoints.service.CreatePullPoint().PullPoint
workspace.service.Subscribe(ConsumerReference=point, _soapheaders=machine)


def state():
    name = etree.QName("http://www.globus.org/2008/06/workspace/types", "currentState")
    return workspace.service.GetResourceProperty(name, _soapheaders=machine)[0].state


def hear():
    """What the pull point has been told; waits up to ten seconds for the first message."""
    wait = etree.Element("{urn:philoxenia:2026:workspace}Wait")
    wait.text = "PT10S"
    told = pullpoint.service.GetMessages(_value_1=[wait], _soapheaders=key(point))
    states = [m.Message["_value_1"].findtext(".//{*}state") for m in told.NotificationMessage]
    print("told", *states)
    return states


while state() != "Running":
    hear()
workspace.service.Shutdown(Type="Pause", _soapheaders=machine)
while "Paused" not in hear():
    pass

workspace.service.Destroy(_soapheaders=machine)
pullpoint.service.DestroyPullPoint(_soapheaders=key(point))
print("destroyed")
