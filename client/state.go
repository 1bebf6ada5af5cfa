package client

import (
	"strings"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// The states of the schema's currentState_Enumeration.
const (
	Unstaged       = "Unstaged"
	Unpropagated   = "Unpropagated"
	Propagated     = "Propagated"
	Running        = "Running"
	Paused         = "Paused"
	TransportReady = "TransportReady"
	StagedOut      = "StagedOut"
	Corrupted      = "Corrupted"
	Cancelled      = "Cancelled"
)

// Gone stands for the state of a workspace that no longer exists. It is not on
// the wire: there, the resource is unknown.
const Gone = "Gone"

// States lists the states of the schema in its order.
var States = []string{
	Unstaged, Unpropagated, Propagated, Running, Paused, TransportReady, StagedOut,
	Corrupted, Cancelled,
}

// State is the state of a workspace as the service tells it.
type State struct {
	Name  string // one of States, or Gone
	Fault string // why it is Corrupted; may be empty
}

// Kind is a word of the schema's shutdownEnumeration.
type Kind string

// The kinds of shutdown.
const (
	Normal            Kind = "Normal"            // power off, keep the disks
	Pause             Kind = "Pause"             // keep in memory
	Serialize         Kind = "Serialize"         // memory to disk
	Reboot            Kind = "Reboot"            //
	Trash             Kind = "Trash"             // as Destroy
	ReadyForTransport Kind = "ReadyForTransport" // image back to a repository
)

// ParseState reads a t:currentState element.
func ParseState(doc *xmlstrict.Document, e *etree.Element) (*State, error) {
	v, err := report.DecodeState(doc, e)
	if err != nil {
		return nil, err
	}
	s := NewState(*v)
	return &s, nil
}

// NewState returns the state that a report tells.
func NewState(v report.CurrentState) State {
	s := State{Name: v.State}
	if v.Fault != nil {
		s.Fault = strings.Join(append(v.Fault.Description, causes(v.Fault.Cause)...), ": ")
	}
	return s
}
