package message

import (
	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/wsdl"
)

// A named topic is one that workspaces publish, by its names on the faces; face
// one has no name for those that came after it. All are root topics without
// children.
type named struct {
	topic    workspace.Topic
	one, two xmlstrict.Name
}

// topics are all there are, in the order of the property documents: changes of
// t:currentState, the end of the resource (WS-ResourceLifetime 1.2 draft 1 and
// 1.2, on notification of resource termination), what the scheduler tells, and how
// far transfers are.
var topics = [...]named{
	{workspace.TopicState, report.PropertyState, report.PropertyState},
	{workspace.TopicTermination, wsrf.Draft.Names().ResourceTermination,
		wsrf.Final.Names().ResourceTermination},
	{workspace.TopicWarning, xmlstrict.Name{}, report.LeaseWarning},
	{workspace.TopicLease, xmlstrict.Name{}, report.LeaseStatus},
	{workspace.TopicTransfer, xmlstrict.Name{}, report.TransferProgress},
}

// on returns the topic's name on a face.
func (n named) on(face wsdl.Face) xmlstrict.Name {
	if face == wsdl.Two {
		return n.two
	}
	return n.one
}

// Topics returns the names of all topics on a face.
func Topics(face wsdl.Face) []xmlstrict.Name {
	var names []xmlstrict.Name
	for _, n := range topics {
		if name := n.on(face); name != (xmlstrict.Name{}) {
			names = append(names, name)
		}
	}
	return names
}

// Usual returns the names of those that both faces have: what all clients know.
func Usual(face wsdl.Face) []xmlstrict.Name {
	return Topics(face)[:len(Topics(wsdl.One))]
}

// TopicName returns what a topic is called on a face; zero for one that is not
// published.
func TopicName(face wsdl.Face, topic workspace.Topic) xmlstrict.Name {
	for _, n := range topics {
		if n.topic == topic {
			return n.on(face)
		}
	}
	return xmlstrict.Name{}
}

// TopicOf returns the topic of that name on a face; false when there is none.
func TopicOf(face wsdl.Face, name xmlstrict.Name) (workspace.Topic, bool) {
	for _, n := range topics {
		if n.on(face) == name && name != (xmlstrict.Name{}) {
			return n.topic, true
		}
	}
	return "", false
}
