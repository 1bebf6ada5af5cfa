// Package vmm holds the tasks that bring machines up and down on their hosts
// through a deployment adapter.
//
// It must not know which hypervisor it drives, nor where images come from.
package vmm

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/philoxenia/philoxenia/service/change"
	"github.com/philoxenia/philoxenia/service/lease/learn"
	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/manager/image"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Options are what VMM is made of.
type Options struct {
	Pool *host.Pool
	// Boot says what a workspace boots.
	Boot func(*workspace.Workspace) (workspace.Boot, error)
	// Patience is how long a guest may take over a graceful shutdown before it
	// is forced; 0: a minute.
	Patience time.Duration
	// CallTimeout bounds each other call to a host; 0: two minutes.
	CallTimeout time.Duration
	// Took is told how long boots, saves, restorations and shutdowns take; may be nil.
	Took host.Took
	// Links connects guests to their networks; nil: the adapter alone does.
	Links Links
	// Seeds tell guests who they are; nil: they are not told.
	Seeds Seeds
}

// Seeds tell guests who they are.
type Seeds interface {
	// Disk returns a volume for the guest to read; nil: it gets none.
	Disk(w *workspace.Workspace) []byte
	// Parameters returns what its kernel is told; may be empty.
	Parameters(w *workspace.Workspace) string
}

// Links connects guests to networks of their hosts. All calls are idempotent.
type Links interface {
	// NICs returns the workspace's NICs as its machine has them on the host.
	NICs(n *host.Node, w *workspace.Workspace) []workspace.NIC
	// Probes reports whether Probe has anything to ask.
	Probes(n *host.Node, w *workspace.Workspace) bool
	// Probe asks before a machine is made whether its addresses are free.
	Probe(ctx context.Context, n *host.Node, w *workspace.Workspace) error
	// Connect readies the host; without it no guest comes up there.
	Connect(ctx context.Context, n *host.Node, w *workspace.Workspace) error
	// Disconnect removes what Connect made.
	Disconnect(ctx context.Context, n *host.Node, w *workspace.Workspace) error
}

// silent are Seeds that say nothing.
type silent struct{}

func (silent) Disk(*workspace.Workspace) []byte { return nil }

func (silent) Parameters(*workspace.Workspace) string { return "" }

// none are Links that leave all to the adapter.
type none struct{}

func (none) NICs(_ *host.Node, w *workspace.Workspace) []workspace.NIC { return w.NICs }

func (none) Probes(*host.Node, *workspace.Workspace) bool { return false }

func (none) Probe(context.Context, *host.Node, *workspace.Workspace) error { return nil }

func (none) Connect(context.Context, *host.Node, *workspace.Workspace) error { return nil }

func (none) Disconnect(context.Context, *host.Node, *workspace.Workspace) error { return nil }

// VMM makes the task handlers.
type VMM struct{ o Options }

// New returns a VMM over the options.
func New(o Options) *VMM {
	if o.Patience == 0 {
		o.Patience = time.Minute
	}
	if o.CallTimeout == 0 {
		o.CallTimeout = 2 * time.Minute
	}
	if o.Seeds == nil {
		o.Seeds = silent{}
	}
	if o.Links == nil {
		o.Links = none{}
	}
	return &VMM{o: o}
}

// Define makes the machine known to its host. When it is going to start, the
// intent to start is recorded with it.
func (v *VMM) Define() change.Handler {
	return change.Handler{Do: v.call(v.define), Undo: v.call(v.undefine)}
}

// Undefine forces the machine off and removes it.
func (v *VMM) Undefine() change.Handler { return change.Handler{Do: v.call(v.undefine)} }

// Start boots the machine, or lets it go on from a pause or from memory on disk.
// The way back is to pull the plug.
func (v *VMM) Start() change.Handler {
	return change.Handler{Do: v.call(v.boot), Undo: v.call(unplug)}
}

// Confirm asks the host whether the machine is as it was to be, and records it.
func (v *VMM) Confirm() change.Handler { return change.Handler{Do: v.call(confirm)} }

// Pause stops the machine's clock and keeps it in memory.
func (v *VMM) Pause() change.Handler {
	return v.simple(workspace.TriggerUpPaused, func(
		ctx context.Context, n *host.Node, w *workspace.Workspace,
	) error {
		return n.Pause(ctx, w.ID)
	})
}

// Reboot restarts the guest; a paused one goes on first, for it could not
// hear the request.
func (v *VMM) Reboot() change.Handler {
	return v.simple(workspace.TriggerUp, func(
		ctx context.Context, n *host.Node, w *workspace.Workspace,
	) error {
		if err := n.Resume(ctx, w.ID); err != nil {
			return err
		}
		return n.Reboot(ctx, w.ID)
	})
}

// Stop shuts the guest down, by force when it does not do it itself in time.
func (v *VMM) Stop() change.Handler {
	return v.simple(workspace.TriggerOff, v.stop, learn.Shutdown)
}

// Serialize writes the guest's memory to disk. Where that fails the workspace is what
// its guest is.
func (v *VMM) Serialize() change.Handler {
	h := v.simple(workspace.TriggerSerOff, func(
		ctx context.Context, n *host.Node, w *workspace.Workspace,
	) error {
		return n.Stop(ctx, w.ID, workspace.StopSerialize)
	}, learn.Suspend)
	h.Undo = v.call(truth)
	return h
}

// found are the triggers by which a workspace becomes what its guest is found to be.
var found = map[workspace.Condition]workspace.Trigger{
	workspace.ConditionRunning: workspace.TriggerUp, workspace.ConditionOff: workspace.TriggerOff,
	workspace.ConditionPaused: workspace.TriggerUpPaused,
	workspace.ConditionSaved:  workspace.TriggerSerOff,
}

// truth records what has become of a guest that something could not be done with: it
// may be as it was, or half way. What the state does not allow is left to who ends the
// change.
func truth(ctx context.Context, n *host.Node, r *change.Run) (change.Commit, error) {
	now, err := n.Inspect(ctx, r.Workspace.ID)
	if err != nil {
		return nil, err
	}
	on := found[now]
	if _, err := r.Workspace.State.Next(on); err != nil || !Halting(r.Workspace.State) {
		return nil, nil //nolint:nilerr // as said
	}
	return Moved(r.Workspace.ID, on), nil
}

// Halting reports whether a guest is on its way out of memory.
func Halting(s workspace.State) bool {
	return s == workspace.ShuttingDown || s == workspace.Serializing
}

// stop halts the machine. One whose memory is on disk has nothing to halt: the memory
// goes, and what else the host keeps of it stays.
func (v *VMM) stop(ctx context.Context, n *host.Node, w *workspace.Workspace) error {
	now, err := n.Inspect(ctx, w.ID)
	switch {
	case err != nil:
		return err
	case now == workspace.ConditionSaved:
		return n.Stop(ctx, w.ID, workspace.StopForced)
	case now == workspace.ConditionAbsent || now == workspace.ConditionOff:
		return nil
	}
	if now == workspace.ConditionPaused { // it could not hear the request
		if err := n.Resume(ctx, w.ID); err != nil {
			return err
		}
	}
	patient, cancel := context.WithTimeout(ctx, v.o.Patience)
	defer cancel()
	return n.Stop(patient, w.ID, workspace.StopGraceful)
}

func (v *VMM) define(
	ctx context.Context, n *host.Node, r *change.Run,
) (change.Commit, error) {
	if err := v.probe(ctx, n, r); err != nil {
		return nil, err
	}
	m, err := v.machine(ctx, n, r.Workspace)
	if err != nil {
		return nil, err
	}
	if err := v.sow(ctx, n, r.Workspace); err != nil {
		return nil, err
	}
	if err := n.Define(ctx, m); err != nil {
		return nil, err
	}
	if r.Workspace.State != workspace.Propagated {
		return nil, nil
	}
	return Moved(r.Workspace.ID, workspace.TriggerStart), nil
}

// probe asks whether the addresses are free, of a machine that is about to be made.
func (v *VMM) probe(ctx context.Context, n *host.Node, r *change.Run) error {
	if r.Workspace.State != workspace.Propagated || !v.o.Links.Probes(n, r.Workspace) {
		return nil
	}
	now, err := n.Inspect(ctx, r.Workspace.ID)
	if err != nil || now != workspace.ConditionAbsent {
		return err
	}
	return v.o.Links.Probe(ctx, n, r.Workspace)
}

// seed is the disk that tells the workspace's guest who it is; nil: there is none.
func (v *VMM) seed(n *host.Node, w *workspace.Workspace) []byte {
	if n.Inert || n.Access == nil {
		return nil
	}
	return v.o.Seeds.Disk(w)
}

// sow writes the workspace's seed to the host, if it has one.
func (v *VMM) sow(ctx context.Context, n *host.Node, w *workspace.Workspace) error {
	seed := v.seed(n, w)
	if seed == nil {
		return nil
	}
	return n.Access.Write(ctx, n.SeedPath(w), seed, 0o644)
}

// cutOff reports whether the change removes a workspace that was on its way from one host
// to another, so that either may have things of it and no machine to find them by.
func cutOff(r *change.Run) bool {
	ends := r.Change.Kind == workspace.ChangeDestroy || r.Change.Kind == workspace.ChangeEvict
	return ends && image.Home(r) != r.Workspace.Host
}

func (v *VMM) undefine(
	ctx context.Context, n *host.Node, r *change.Run,
) (change.Commit, error) {
	if err := n.Undefine(ctx, r.Workspace.ID); err != nil {
		return nil, err
	}
	if cutOff(r) {
		if err := host.Sweep(ctx, n, r.Workspace, true); err != nil {
			return nil, err
		}
	}
	return nil, v.o.Links.Disconnect(ctx, n, r.Workspace)
}

// boot is start with its time taken, where it is sure to be a boot.
func (v *VMM) boot(
	ctx context.Context, n *host.Node, r *change.Run,
) (change.Commit, error) {
	if r.Change.Kind != workspace.ChangeDeploy {
		return v.start(ctx, n, r)
	}
	return v.timed(learn.Boot, v.start)(ctx, n, r)
}

// before are the conditions in which a machine has something still before it.
var before = map[learn.What][]workspace.Condition{
	learn.Boot:     {workspace.ConditionOff},
	learn.Suspend:  {workspace.ConditionRunning},
	learn.Resume:   {workspace.ConditionSaved},
	learn.Shutdown: {workspace.ConditionRunning},
}

// timed tells how long a task took that succeeded, unless an earlier try had
// done it already: then it took no time, of which nothing is to be learned.
func (v *VMM) timed(what learn.What, do step) step {
	if v.o.Took == nil {
		return do
	}
	return func(ctx context.Context, n *host.Node, r *change.Run) (change.Commit, error) {
		now, err := n.Inspect(ctx, r.Workspace.ID)
		begun := time.Now()
		commit, failed := do(ctx, n, r)
		if err == nil && failed == nil && slices.Contains(before[what], now) {
			v.o.Took.Tell(what, n.ID, r.Workspace.Demand.MemoryMB, time.Since(begun))
		}
		return commit, failed
	}
}

func (v *VMM) start(
	ctx context.Context, n *host.Node, r *change.Run,
) (change.Commit, error) {
	if r.Workspace.State == workspace.Resuming {
		return nil, n.Resume(ctx, r.Workspace.ID)
	}
	if err := v.o.Links.Connect(ctx, n, r.Workspace); err != nil {
		return nil, err
	}
	return nil, n.Start(ctx, r.Workspace.ID, startsPaused(r))
}

func unplug(ctx context.Context, n *host.Node, r *change.Run) (change.Commit, error) {
	err := n.Stop(ctx, r.Workspace.ID, workspace.StopForced)
	if workspace.KindOf(err) == workspace.NotFound {
		return nil, nil
	}
	return nil, err
}

// startsPaused reports whether the change is to end with a paused guest.
func startsPaused(r *change.Run) bool {
	return r.Change.Kind == workspace.ChangeDeploy && r.Workspace.Initial == workspace.Paused
}

func confirm(ctx context.Context, n *host.Node, r *change.Run) (change.Commit, error) {
	id := r.Workspace.ID
	now, err := n.Inspect(ctx, id)
	if err != nil {
		return nil, err
	}
	want, on := workspace.ConditionRunning, workspace.TriggerUp
	if startsPaused(r) {
		want, on = workspace.ConditionPaused, workspace.TriggerUpPaused
	}
	if now != want {
		return nil, workspace.Errorf(workspace.Internal, "start workspace", id.String(),
			"host %s reports the guest %s soon after its start", n.ID, now)
	}
	return Moved(id, on), nil
}

// step is a task on a host.
type step = func(context.Context, *host.Node, *change.Run) (change.Commit, error)

// simple makes a handler that does one thing on the host and then moves the
// workspace by the trigger. Its time is told as the thing it is, if it is one.
func (v *VMM) simple(
	on workspace.Trigger,
	do func(context.Context, *host.Node, *workspace.Workspace) error,
	what ...learn.What,
) change.Handler {
	done := func(ctx context.Context, n *host.Node, r *change.Run) (change.Commit, error) {
		if err := do(ctx, n, r.Workspace); err != nil {
			return nil, err
		}
		return Moved(r.Workspace.ID, on), nil
	}
	for _, w := range what {
		done = v.timed(w, done)
	}
	return change.Handler{Do: v.slowly(done)}
}

// slowly makes a task of a call that may wait for a guest, or for all of its
// memory to pass.
func (v *VMM) slowly(do step) change.Func {
	const least = 10 // MB/s, of a disk that is busy
	return func(ctx context.Context, r *change.Run) (change.Commit, error) {
		limit := v.o.Patience + v.o.CallTimeout
		if r.Workspace != nil {
			limit += time.Duration(r.Workspace.Demand.MemoryMB/least) * time.Second
		}
		return v.onHost(limit, do)(ctx, r)
	}
}

// call makes a task of a single call to the workspace's host.
func (v *VMM) call(do step) change.Func { return v.onHost(v.o.CallTimeout, do) }

// onHost makes a task of something to do on the workspace's host within the
// limit. Of a workspace that is gone, or has no host, nothing is there to do.
func (v *VMM) onHost(limit time.Duration, do step) change.Func {
	return func(ctx context.Context, r *change.Run) (change.Commit, error) {
		if r.Workspace == nil || r.Workspace.Host == "" {
			return nil, nil
		}
		n, err := v.o.Pool.Node(r.Workspace.Host)
		if err != nil {
			return nil, err
		}
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		commit, err := do(ctx, n, r)
		return commit, patient(n, err)
	}
}

// patient makes a host that is not let be reached one that is out of reach: its
// operator has to see to keys and certificates, and the guest on it is well meanwhile.
func patient(n *host.Node, err error) error {
	if workspace.KindOf(err) != workspace.Denied {
		return err
	}
	return &workspace.Error{Op: "reach host", ID: string(n.ID), Kind: workspace.Unavailable,
		Err: err}
}

// machine makes the adapter's view of the workspace from its record.
func (v *VMM) machine(
	ctx context.Context, n *host.Node, w *workspace.Workspace,
) (workspace.Machine, error) {
	boot, err := v.o.Boot(w)
	if err != nil {
		return workspace.Machine{}, err
	}
	boot.Cmdline = strings.TrimSpace(boot.Cmdline + " " + v.o.Seeds.Parameters(w))
	m := workspace.Machine{
		ID: w.ID, Owner: w.Owner, Name: w.Spec.Name,
		Architecture: w.Spec.Architecture, VMM: n.VMM,
		MemoryMB: w.Demand.MemoryMB, CPUs: w.Demand.CPUs, CPUPercent: w.Demand.CPUPercent,
		DiskMBps: n.DiskMBps, DiskIOPS: n.DiskIOPS,
		Boot: boot, NICs: v.o.Links.NICs(n, w),
		Disks:  make([]workspace.MachineDisk, len(w.Spec.Disks)),
		Memory: n.MemoryPath(w),
	}
	limits := shapeOn(n, w)
	m.NetInKbps, m.NetOutKbps = limits.NetInKbps, limits.NetOutKbps
	for i, d := range w.Spec.Disks {
		path, format, err := image.Disk(ctx, n, w, i)
		if err != nil {
			return workspace.Machine{}, err
		}
		m.Disks[i] = workspace.MachineDisk{
			Path: path, Format: format, MountAs: d.MountAs, ReadOnly: d.ReadOnly,
		}
	}
	if v.seed(n, w) != nil {
		m.Disks = append(m.Disks, workspace.MachineDisk{
			Path: n.SeedPath(w), Format: "raw", ReadOnly: true, Seed: true,
		})
	}
	return m, nil
}

// shapeOn is the workspace's shape on the host. Where a host's network is not
// counted nothing of it was promised, and nothing is held to.
func shapeOn(n *host.Node, w *workspace.Workspace) workspace.Shape {
	s := w.Demand.Shape()
	if n.Host.Capacity.NetInKbps == 0 {
		s.NetInKbps = 0
	}
	if n.Host.Capacity.NetOutKbps == 0 {
		s.NetOutKbps = 0
	}
	return s
}

// Moved is the commit that moves the workspace by the trigger.
func Moved(id workspace.ID, on workspace.Trigger) change.Commit {
	return func(tx workspace.Tx) error {
		_, err := workspace.Move(tx, id, on, "")
		return err
	}
}
