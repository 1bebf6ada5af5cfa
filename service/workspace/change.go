package workspace

import "time"

// ChangeKind names what a durable operation does to its workspace.
type ChangeKind string

// The kinds of change.
const (
	ChangeDeploy    ChangeKind = "deploy"
	ChangeStart     ChangeKind = "start"
	ChangePause     ChangeKind = "pause"
	ChangeReboot    ChangeKind = "reboot"
	ChangeShutdown  ChangeKind = "shutdown"
	ChangeSerialize ChangeKind = "serialize"
	ChangeSave      ChangeKind = "save"
	ChangeDestroy   ChangeKind = "destroy"
	ChangeResize    ChangeKind = "resize"   // live: Workspace.Demand is the shape wanted
	ChangeSuspend   ChangeKind = "suspend"  // by the scheduler: memory to disk, host given back
	ChangeResume    ChangeKind = "resume"   // by the scheduler: on Workspace.Host, wherever it was
	ChangeMigrate   ChangeKind = "migrate"  // to another host while it runs: Course is its Argument
	ChangeSnapshot  ChangeKind = "snapshot" // Argument: create NAME, delete NAME or revert NAME
	ChangeEvict     ChangeKind = "evict"    // by the scheduler: off the host, to begin again later
)

// ChangeStatus is where a change stands.
type ChangeStatus uint8

// The statuses. Doing and Undoing mean that the effect of the task at Step may
// or may not have happened: after a restart it is done (or undone) again.
const (
	ChangeQueued  ChangeStatus = iota + 1 // behind another change of the same workspace
	ChangeDoing                           // task Step is being done
	ChangeUndoing                         // task Step is being undone
)

// Change is a durable operation on one workspace: what was asked for, made of
// tasks in a fixed order that its kind determines. Ended changes are removed.
// Changes of one workspace run one after the other, in the order of ID.
type Change struct {
	ID        ChangeID
	Kind      ChangeKind
	Workspace ID
	Status    ChangeStatus
	Step      int       // index of the task under way
	Attempt   int       // failed tries of that task so far
	NotBefore time.Time // earliest time of the next try; zero: at once
	Argument  string    // a save's target; a resume's home, or a destroy's; a resize's old shape
	Fault     string    // why it is being undone
	Created   time.Time
}
