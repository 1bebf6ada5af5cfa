package manager

import (
	"context"
	"slices"
	"time"

	"github.com/philoxenia/philoxenia/service/change"
	"github.com/philoxenia/philoxenia/service/manager/account"
	"github.com/philoxenia/philoxenia/service/manager/agenda"
	"github.com/philoxenia/philoxenia/service/manager/image"
	"github.com/philoxenia/philoxenia/service/manager/vmm"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// FirstDeployTask is the task with which a recorded deployment goes on: the
// two before it, reserve and allocate, are done in the transaction that
// accepts the request.
const FirstDeployTask = agenda.FirstDeployTask

// How often a task is tried again when a host or a repository stumbles.
const (
	tries   = 5
	forever = -1
)

// Upkeep is what is noted while changes are carried out.
type Upkeep struct {
	Charge   time.Duration   // unit to which used time is rounded up
	Accounts *account.Keeper // who is charged; nil: nobody
}

// Plans returns what each kind of change is made of. The tasks of a start are
// those of a deployment: where the workspace stands says which are needed.
func Plans(
	images *image.Images, machines *vmm.VMM, a *agenda.Agenda, u Upkeep,
) []change.Plan {
	h := hooks{a, u}
	up := []change.Task{
		{Name: "stage in", Handler: images.StageIn(), Retries: tries, Needs: stagesIn},
		{Name: "propagate", Handler: h.there(images.Propagate()), Retries: tries, Needs: arriving},
		{Name: "customise", Handler: h.there(images.Customise()), Retries: tries, Needs: arriving},
		onHost(change.Task{Name: "define", Handler: h.held(machines.Define()), Needs: wantsGuest}),
		onHost(change.Task{Name: "start", Handler: machines.Start(), Needs: goesUp}),
		onHost(change.Task{Name: "confirm", Handler: h.noted(machines.Confirm()), Needs: goesUp}),
	}
	deploy := append([]change.Task{
		{Name: "reserve", Handler: change.Handler{Undo: h.release}},
		{Name: "allocate"},
	}, up...)
	stop := onHost(change.Task{
		Name: "stop", Handler: machines.Stop(), Needs: in(workspace.ShuttingDown),
	})
	undefine := change.Task{Name: "undefine", Handler: machines.Undefine(), Retries: forever}
	discard := change.Task{Name: "discard", Handler: images.Discard(), Retries: forever}
	leave := change.Task{Name: "leave", Handler: machines.Leave(), Retries: forever, Needs: moved}
	serialize := one(workspace.ChangeSerialize, machines.Serialize(), workspace.Serializing)
	serialize.Tasks, serialize.Failed = append(serialize.Tasks, h.yield()), notSerialized
	return append([]change.Plan{
		{Kind: workspace.ChangeDeploy, Failed: corrupted, Tasks: deploy},
		{Kind: workspace.ChangeStart, Failed: notStarted,
			Tasks: append([]change.Task{begin(workspace.ChangeStart)}, keepingDisk(up)...)},
		one(workspace.ChangePause, machines.Pause(), workspace.Pausing),
		one(workspace.ChangeReboot, machines.Reboot(), workspace.Rebooting),
		serialize,
		{Kind: workspace.ChangeShutdown, Failed: corrupted,
			Tasks: []change.Task{begin(workspace.ChangeShutdown), stop, h.yield()}},
		{Kind: workspace.ChangeSave, Failed: notSaved, Tasks: []change.Task{
			begin(workspace.ChangeSave), stop,
			{Name: "ready", Handler: moves(workspace.TriggerSave), Needs: in(workspace.Propagated)},
			{Name: "unpropagate", Handler: images.Return(), Retries: tries},
			{Name: "stage out", Handler: images.StageOut(), Retries: tries, Needs: stagesOut},
			frees(undefine, always), discard,
			{Name: "settle", Handler: change.Handler{Do: h.saved}},
		}},
		{Kind: workspace.ChangeDestroy, Tasks: []change.Task{
			frees(undefine, stays), discard,
			frees(leave, always),
			{Name: "leave home", Handler: images.Leave(), Retries: forever, Needs: moved},
			{Name: "release", Handler: change.Handler{Do: h.gone()}, Retries: forever},
		}},
	}, h.scheduled(images, machines)...)
}

// onHost is a task of a deployment adapter: a host that is out of reach is
// waited for, since the guest on it may be well; other stumbling has an end.
func onHost(t change.Task) change.Task {
	t.Retries, t.Patient = tries, true
	return t
}

// keepingDisk returns the tasks without the undos that would cost an owner the
// disk: a start that fails leaves it where it was.
func keepingDisk(tasks []change.Task) []change.Task {
	kept := slices.Clone(tasks)
	for i := range kept {
		if kept[i].Name != "start" {
			kept[i].Undo = nil
		}
	}
	return kept
}

// one is a plan of a single effect behind its beginning.
func one(kind workspace.ChangeKind, h change.Handler, from workspace.State) change.Plan {
	return change.Plan{Kind: kind, Failed: corrupted, Tasks: []change.Task{
		begin(kind),
		onHost(change.Task{Name: string(kind), Handler: h, Needs: in(from)}),
	}}
}

// stagesIn reports whether a file has to be brought before the images are.
func stagesIn(r *change.Run) bool { return arriving(r) && r.Workspace.Spec.StageIn.Due() }

// stagesOut reports whether a file has to be brought away after the root disk.
func stagesOut(r *change.Run) bool {
	return r.Workspace.State == workspace.ReadyingForTransport && r.Workspace.Spec.StageOut.Due()
}

var arriving = in(workspace.Propagating)

func in(state workspace.State) func(*change.Run) bool {
	return func(r *change.Run) bool { return r.Workspace.State == state }
}

// wantsGuest reports whether the workspace is to go beyond its image.
func wantsGuest(r *change.Run) bool {
	w := r.Workspace
	if w.State == workspace.Starting {
		return true
	}
	deploysDisk := r.Change.Kind == workspace.ChangeDeploy && w.Initial == workspace.Propagated
	return w.State == workspace.Propagated && !deploysDisk
}

func goesUp(r *change.Run) bool {
	return r.Workspace.State == workspace.Starting || r.Workspace.State == workspace.Resuming
}

// firstSteps says by which trigger a change begins, from where it finds the
// workspace at rest.
var firstSteps = map[workspace.ChangeKind]map[workspace.State]workspace.Trigger{
	workspace.ChangeStart: {
		workspace.Unpropagated: workspace.TriggerPropagate,
		workspace.Propagated:   workspace.TriggerStart,
		workspace.Serialized:   workspace.TriggerStart,
		workspace.Paused:       workspace.TriggerResume,
	},
	workspace.ChangePause: {workspace.Running: workspace.TriggerPause},
	workspace.ChangeReboot: {
		workspace.Running: workspace.TriggerReboot, workspace.Paused: workspace.TriggerReboot,
	},
	workspace.ChangeShutdown: {
		workspace.Running: workspace.TriggerShutdown, workspace.Paused: workspace.TriggerShutdown,
		workspace.Serialized: workspace.TriggerShutdown,
	},
	workspace.ChangeSerialize: {
		workspace.Running: workspace.TriggerSerialize, workspace.Paused: workspace.TriggerSerialize,
	},
	workspace.ChangeSave: {
		workspace.Running: workspace.TriggerShutdown, workspace.Paused: workspace.TriggerShutdown,
	},
	workspace.ChangeSuspend: {
		workspace.Running: workspace.TriggerSerialize, workspace.Paused: workspace.TriggerSerialize,
	},
	workspace.ChangeResume: {workspace.Serialized: workspace.TriggerStart},
}

// begin is the first task of an operation: it records the intent by moving
// the workspace on its way. Where the workspace is not where the operation
// could begin (it failed, or the guest went off meanwhile) nothing moves, and
// the tasks that follow find nothing to do.
func begin(kind workspace.ChangeKind) change.Task {
	return change.Task{Name: "begin", Handler: change.Handler{
		Do: func(_ context.Context, r *change.Run) (change.Commit, error) {
			on, ok := firstSteps[kind][r.Workspace.State]
			if !ok {
				return nil, nil
			}
			return vmm.Moved(r.Workspace.ID, on), nil
		},
	}}
}

func moves(on workspace.Trigger) change.Handler {
	return change.Handler{Do: func(_ context.Context, r *change.Run) (change.Commit, error) {
		return vmm.Moved(r.Workspace.ID, on), nil
	}}
}

// leaveGroup removes the group that its last member has left.
func leaveGroup(tx workspace.Tx, id workspace.GroupID) error {
	g, err := tx.Group(id)
	if err != nil || len(g.Members) > 0 {
		return err
	}
	return tx.RemoveGroup(id)
}

// corrupted is how a change ends that could not be carried out: the owner
// sees the state and the reason.
func corrupted(r *change.Run, cause error) change.Commit {
	return failed(r, workspace.TriggerFail, cause)
}

// notSaved ends a save whose image could not be returned: it is still on the
// host, and the save can be asked for again.
func notSaved(r *change.Run, cause error) change.Commit {
	if r.Workspace != nil && r.Workspace.State == workspace.ReadyingForTransport {
		return failed(r, workspace.TriggerKept, cause)
	}
	return corrupted(r, cause)
}

// notStarted is how a start ends that failed with the disk in place: back
// where it began, with the reason.
func notStarted(r *change.Run, cause error) change.Commit {
	if r.Workspace != nil && r.Workspace.State == workspace.Starting {
		return failed(r, workspace.TriggerOff, cause)
	}
	return corrupted(r, cause)
}

func failed(r *change.Run, on workspace.Trigger, cause error) change.Commit {
	if r.Workspace == nil {
		return nil
	}
	return func(tx workspace.Tx) error {
		_, err := workspace.Move(tx, r.Workspace.ID, on, cause.Error())
		if workspace.KindOf(err) == workspace.Conflict {
			return nil // it is past failing
		}
		return err
	}
}
