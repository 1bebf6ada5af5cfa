package message

import (
	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/schema/wsn"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/port"
	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/wsdl"
)

// Content returns what a message about the event says on a face.
func Content(face wsdl.Face, e workspace.Event) wsn.Content {
	edition := port.Notification(face)
	switch e.Topic {
	case workspace.TopicTermination:
		return edition.Termination(e.At)
	case workspace.TopicWarning:
		return edition.ValueChange(report.Standing{End: e.End}.Write)
	case workspace.TopicLease:
		return edition.ValueChange(report.Standing{Status: string(e.Lease), End: e.End}.Write)
	case workspace.TopicTransfer:
		return edition.ValueChange(report.Transfer(e.Transfer).Write)
	}
	return edition.ValueChange(stateOf(face, e).Write)
}

// bare returns the message as an element of its own, without Notify around it,
// and its name. That GT4 leaves the element out is so inside Notify alone.
func bare(face wsdl.Face, e workspace.Event) (xmlstrict.Name, func(*xmlstrict.Encoder)) {
	names, content := port.Edition(face).Names(), Content(face, e)
	switch {
	case e.Topic != workspace.TopicTermination:
		return names.ValueChange, content.Write
	case face == wsdl.Two:
		return names.TerminationNotification, content.Write
	}
	return names.TerminationNotification, func(enc *xmlstrict.Encoder) {
		enc.Start(names.TerminationNotification)
		content.Write(enc)
		enc.End()
	}
}

// stateOf returns the property whose new value the event tells.
func stateOf(face wsdl.Face, e workspace.Event) report.CurrentState {
	s := report.CurrentState{State: e.State.Wire()}
	if e.Fault != "" {
		s.Fault = &wsrf.BaseFault{
			Edition: port.Edition(face), Timestamp: e.At, Description: []string{e.Fault},
		}
	}
	return s
}
