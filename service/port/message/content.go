package message

import (
	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/schema/wsn"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/wsdl"
)

// The elements that messages are made of, as WS-ResourceProperties 1.2 and
// WS-ResourceLifetime 1.2 have them.
var (
	properties2 = xmlstrict.In(schema.Properties2)
	lifetime2   = xmlstrict.In(schema.Lifetime2)

	valueChange2 = properties2("ResourcePropertyValueChangeNotification")
	newValues    = properties2("NewValues")

	termination2     = lifetime2("TerminationNotification")
	terminationTime2 = lifetime2("TerminationTime")

	// termination1 is the wrapper that the draft has for a message that GT4
	// sends without it, where the message travels bare.
	termination1 = xmlstrict.Name{Space: wsrf.LifetimeSpace, Local: "TerminationNotification"}
)

// Content returns what a message about the event says on a face. What GT4
// wants to know of the element around it is in its Type.
func Content(face wsdl.Face, e workspace.Event) wsn.Content {
	switch {
	case face == wsdl.Two && e.Topic == workspace.TopicTermination:
		return wsn.Content{Write: func(enc *xmlstrict.Encoder) {
			enc.Start(termination2)
			enc.Element(terminationTime2, wsrf.FormatTime(e.At))
			enc.End()
		}}
	case face == wsdl.Two:
		return wsn.Content{Write: func(enc *xmlstrict.Encoder) {
			enc.Start(valueChange2)
			enc.Start(newValues)
			stateOf(e).Write(enc)
			enc.End()
			enc.End()
		}}
	case e.Topic == workspace.TopicTermination:
		return wsn.Termination(e.At)
	}
	return wsn.ValueChange(stateOf(e).Write)
}

// bare writes the message as an element of its own, without Notify around it,
// and returns its name.
func bare(face wsdl.Face, e workspace.Event) (xmlstrict.Name, func(*xmlstrict.Encoder)) {
	content := Content(face, e)
	ends := e.Topic == workspace.TopicTermination
	switch {
	case face == wsdl.Two && ends:
		return termination2, content.Write
	case face == wsdl.Two:
		return valueChange2, content.Write
	case ends:
		return termination1, func(enc *xmlstrict.Encoder) {
			enc.Start(termination1)
			content.Write(enc)
			enc.End()
		}
	}
	return xmlstrict.Name{
		Space: wsrf.PropertiesSpace, Local: valueChange2.Local,
	}, content.Write
}

// stateOf returns the property whose new value the event tells.
func stateOf(e workspace.Event) report.CurrentState {
	s := report.CurrentState{State: e.State.Wire()}
	if e.Fault != "" {
		s.Fault = &wsrf.BaseFault{Timestamp: e.At, Description: []string{e.Fault}}
	}
	return s
}
