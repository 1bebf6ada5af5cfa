package sim

import (
	"strconv"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// verb is what happened to a machine: the first word of a journal line.
type verb string

// The verbs. verbState is what compaction leaves of a machine's past, and how it is
// after something was done to its snapshots.
const (
	verbNone     verb = ""
	verbDefine   verb = "define"
	verbStart    verb = "start"       // runs from here on
	verbStartP   verb = "startpaused" // is in memory, its clock stands
	verbPause    verb = "pause"
	verbResume   verb = "resume"
	verbReboot   verb = "reboot"
	verbOff      verb = "off"
	verbSave     verb = "save"
	verbCrash    verb = "crash"
	verbUndefine verb = "undefine"
	verbResize   verb = "resize"
	verbMigrate  verb = "migrate" // to another host
	verbState    verb = "state"
)

// machine is all that a simulated host keeps of one machine.
type machine struct {
	spec      uint64 // digest of what was defined, without the shape
	shape     workspace.Shape
	whole     bool // spec is of all that was defined: a journal of before says so
	starts    uint32
	reboots   uint32
	condition byte  // index into conditions
	since     int64 // when it began to run, in Unix milliseconds, as far as we saw it
	snaps     snaps
}

// conditions numbers the conditions, so that a machine takes few bytes.
var conditions = [...]workspace.Condition{
	workspace.ConditionAbsent, workspace.ConditionOff, workspace.ConditionRunning,
	workspace.ConditionPaused, workspace.ConditionSaved, workspace.ConditionCrashed,
}

// The numbers of the conditions.
const (
	absent byte = iota
	off
	running
	paused
	saved
	crashed
)

// inMemory reports whether the machine takes memory of its host.
func (m machine) inMemory() bool { return m.condition == running || m.condition == paused }

// defined is the machine as it is when it has just been defined.
func defined(m workspace.Machine) machine {
	return machine{spec: digest(m.FixedPrint()), shape: m.Shape()}.after(verbDefine)
}

// is reports whether the machine is that of the definition.
func (m machine) is(d workspace.Machine) bool {
	if m.whole {
		return m.spec == digest(d.Fingerprint())
	}
	return m.spec == digest(d.FixedPrint()) && m.shape == d.Shape()
}

// digest is as much of a machine's fingerprint as is worth keeping.
func digest(print string) uint64 {
	const digits = 16
	n, err := strconv.ParseUint(print[:digits], 16, 64)
	if err != nil {
		panic("a fingerprint is not hexadecimal: " + err.Error())
	}
	return n
}

// after returns the machine as the verb leaves it. Replay and live calls share
// it: what a journal says is what happened.
func (m machine) after(v verb) machine {
	switch v {
	case verbStart:
		m.condition = running
		m.starts++
	case verbStartP:
		m.condition = paused
		m.starts++
	case verbPause:
		m.condition = paused
	case verbResume:
		m.condition = running
	case verbReboot:
		m.condition = running
		m.reboots++
	case verbOff, verbDefine:
		m.condition = off
	case verbSave:
		m.condition = saved
	case verbCrash:
		m.condition = crashed
	}
	return m
}

// wish is a column of the table of what each operation does in each condition.
type wish byte

// The wishes.
const (
	wishStart wish = iota
	wishStartPaused
	wishOff
	wishSave
	wishPause
	wishResume
	wishReboot
	wishPowerOff // the guest does it itself
	wishCrash
)

// illegal marks a wish that the condition forbids; verbNone marks one that is
// already fulfilled.
const illegal verb = "illegal"

// effects is the table: what a wish does to a machine that is
// absent, off, running, paused, saved, crashed (a missing machine is NotFound
// before the table is asked).
var effects = [...][6]verb{
	wishStart:       {illegal, verbStart, verbNone, illegal, verbStart, verbStart},
	wishStartPaused: {illegal, verbStartP, illegal, verbNone, verbStartP, verbStartP},
	wishOff:         {illegal, verbNone, verbOff, verbOff, verbOff, verbOff},
	wishSave:        {illegal, illegal, verbSave, verbSave, verbNone, illegal},
	wishPause:       {illegal, illegal, verbPause, verbNone, illegal, illegal},
	wishResume:      {illegal, illegal, verbNone, verbResume, illegal, illegal},
	wishReboot:      {illegal, illegal, verbReboot, verbReboot, illegal, illegal},
	wishPowerOff:    {illegal, verbNone, verbOff, illegal, illegal, illegal},
	wishCrash:       {illegal, illegal, verbCrash, illegal, illegal, verbNone},
}
