package workspace

import "fmt"

// State is a state of the life of a workspace as the service sees it. What a
// client sees is coarser: State.Wire.
type State uint8

// The states. Those ending in -ing are on the way; the others are at rest.
const (
	Unpropagated State = iota + 1
	Propagating
	Propagated
	Starting
	Running
	Pausing
	Paused
	Resuming
	Rebooting
	ShuttingDown
	Serializing
	Serialized
	ReadyingForTransport
	TransportReady
	Destroying
	Cancelled
	Corrupted
)

// A stateInfo is one row of what is known of a state.
type stateInfo struct {
	name string
	wire string // word of the schema's currentState_Enumeration
	ops  bool   // start, pause, reboot, shutdown are accepted
	runs bool   // the guest holds memory on its host
}

// states is the table behind the methods of State. The wire words follow the
// original's mapping (contract, section 4.1).
var states = [...]stateInfo{
	Unpropagated:         {"Unpropagated", "Unpropagated", true, false},
	Propagating:          {"Propagating", "Unpropagated", true, false},
	Propagated:           {"Propagated", "Propagated", true, false},
	Starting:             {"Starting", "Propagated", true, true},
	Running:              {"Running", "Running", true, true},
	Pausing:              {"Pausing", "Running", true, true},
	Paused:               {"Paused", "Paused", true, true},
	Resuming:             {"Resuming", "Paused", true, true},
	Rebooting:            {"Rebooting", "Running", true, true},
	ShuttingDown:         {"ShuttingDown", "Running", true, true},
	Serializing:          {"Serializing", "Running", true, true},
	Serialized:           {"Serialized", "Propagated", true, false},
	ReadyingForTransport: {"ReadyingForTransport", "Propagated", false, false},
	TransportReady:       {"TransportReady", "TransportReady", false, false},
	Destroying:           {"Destroying", "Cancelled", false, false},
	Cancelled:            {"Cancelled", "Cancelled", false, false},
	Corrupted:            {"Corrupted", "Corrupted", false, false},
}

// States returns every state, in the order of the table.
func States() []State {
	all := make([]State, 0, len(states)-1)
	for s := Unpropagated; int(s) < len(states); s++ {
		all = append(all, s)
	}
	return all
}

// String returns the state's own name.
func (s State) String() string {
	if s >= Unpropagated && int(s) < len(states) {
		return states[s].name
	}
	return fmt.Sprintf("State(%d)", uint8(s))
}

// Wire returns the word of the schema for the state.
func (s State) Wire() string {
	if s >= Unpropagated && int(s) < len(states) {
		return states[s].wire
	}
	return "Corrupted"
}

// OpsEnabled reports whether start and the shutdown family are accepted.
// It is false for good from ReadyingForTransport on (contract, section 4.2).
func (s State) OpsEnabled() bool { return int(s) < len(states) && states[s].ops }

// Runs reports whether a guest in this state may exist on its host.
func (s State) Runs() bool { return int(s) < len(states) && states[s].runs }

// ParseState reads a state's own name, as String writes it.
func ParseState(name string) (State, error) {
	for _, s := range States() {
		if states[s].name == name {
			return s, nil
		}
	}
	return 0, Errorf(Invalid, "read the state", name, "no such state")
}

// Trigger is what moves a workspace from one state to the next.
type Trigger string

// The triggers: what a user or the lease asks for, and what comes back from a host.
const (
	TriggerPropagate Trigger = "propagate"            // image goes to the host
	TriggerArrived   Trigger = "image arrived"        // image complete and verified
	TriggerStart     Trigger = "start"                // boot, or restore what was serialized
	TriggerUp        Trigger = "guest runs"           // host confirms
	TriggerUpPaused  Trigger = "guest is paused"      // host confirms
	TriggerPause     Trigger = "pause"                // keep in memory, stop the clock
	TriggerResume    Trigger = "resume"               // go on from a pause
	TriggerReboot    Trigger = "reboot"               //
	TriggerShutdown  Trigger = "shutdown"             // graceful, then forced
	TriggerOff       Trigger = "guest is off"         // host confirms, or the guest did it itself
	TriggerSerialize Trigger = "serialize"            // memory to disk
	TriggerSerOff    Trigger = "memory saved"         //
	TriggerSave      Trigger = "ready for transport"  // shutdown-save: image back to a repository
	TriggerSaved     Trigger = "image returned"       //
	TriggerKept      Trigger = "image not returned"   // it is still on the host
	TriggerEvicted   Trigger = "nothing is on a host" // its scheduler took the host away
	TriggerDestroy   Trigger = "destroy"              //
	TriggerGone      Trigger = "nothing remains"      //
	TriggerFail      Trigger = "failure"              // cannot go on
)

// Transition is one row of the state machine.
type Transition struct {
	From State
	On   Trigger
	To   State
}

// transitions is the state machine: what is not here is illegal.
// docs/states.md is generated from it.
var transitions = []Transition{
	{Unpropagated, TriggerPropagate, Propagating},
	{Propagating, TriggerArrived, Propagated},
	{Propagated, TriggerStart, Starting},
	{Serialized, TriggerStart, Starting},
	{Starting, TriggerUp, Running},
	{Starting, TriggerUpPaused, Paused},
	{Running, TriggerPause, Pausing},
	{Pausing, TriggerUpPaused, Paused},
	{Paused, TriggerResume, Resuming},
	{Resuming, TriggerUp, Running},
	{Running, TriggerReboot, Rebooting},
	{Paused, TriggerReboot, Rebooting},
	{Rebooting, TriggerUp, Running},
	{Running, TriggerShutdown, ShuttingDown},
	{Paused, TriggerShutdown, ShuttingDown},
	{Serialized, TriggerShutdown, ShuttingDown},
	{Starting, TriggerOff, Propagated},
	{Starting, TriggerSerOff, Serialized},
	{ShuttingDown, TriggerOff, Propagated},
	{ShuttingDown, TriggerUp, Running},
	{ShuttingDown, TriggerUpPaused, Paused},
	{ShuttingDown, TriggerSerOff, Serialized},
	{Running, TriggerOff, Propagated},
	{Paused, TriggerOff, Propagated},
	{Running, TriggerSerialize, Serializing},
	{Paused, TriggerSerialize, Serializing},
	{Serializing, TriggerSerOff, Serialized},
	{Serializing, TriggerUp, Running},
	{Serializing, TriggerUpPaused, Paused},
	{Serializing, TriggerOff, Propagated},
	{Propagated, TriggerSave, ReadyingForTransport},
	{ReadyingForTransport, TriggerSaved, TransportReady},
	{ReadyingForTransport, TriggerKept, Propagated},
	{Propagating, TriggerEvicted, Unpropagated},
	{Propagated, TriggerEvicted, Unpropagated},
	{Starting, TriggerEvicted, Unpropagated},
	{Running, TriggerEvicted, Unpropagated},
	{Paused, TriggerEvicted, Unpropagated},
	{Serializing, TriggerEvicted, Unpropagated},
	{Serialized, TriggerEvicted, Unpropagated},
	{Pausing, TriggerEvicted, Unpropagated},
	{Resuming, TriggerEvicted, Unpropagated},
	{Rebooting, TriggerEvicted, Unpropagated},
	{ShuttingDown, TriggerEvicted, Unpropagated},
	{Destroying, TriggerGone, Cancelled},
}

// Transitions returns the whole table, the edges that every state has
// (destroy and failure) included.
func Transitions() []Transition {
	all := append([]Transition(nil), transitions...)
	for _, s := range States() {
		if s != Destroying && s != Cancelled {
			all = append(all, Transition{s, TriggerDestroy, Destroying})
		}
		if s != Cancelled && s != Corrupted && s != Destroying {
			all = append(all, Transition{s, TriggerFail, Corrupted})
		}
	}
	return all
}

// An edge is the left side of a transition.
type edge struct {
	from State
	on   Trigger
}

// next is the table as a lookup, built once.
var next = func() map[edge]State {
	m := make(map[edge]State)
	for _, t := range Transitions() {
		m[edge{t.From, t.On}] = t.To
	}
	return m
}()

// Next returns the state that on leads to, or an error of kind Conflict when
// the table has no such row.
func (s State) Next(on Trigger) (State, error) {
	if to, ok := next[edge{s, on}]; ok {
		return to, nil
	}
	return s, Errorf(Conflict, string(on)+" the workspace", "",
		"it is %s, which does not allow it", s)
}
