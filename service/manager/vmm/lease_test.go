package vmm_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/philoxenia/philoxenia/adapters/access/local"
	"github.com/philoxenia/philoxenia/adapters/deployment/sim"
	"github.com/philoxenia/philoxenia/service/change"
	"github.com/philoxenia/philoxenia/service/lease/learn"
	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/manager/image"
	"github.com/philoxenia/philoxenia/service/manager/vmm"
	"github.com/philoxenia/philoxenia/service/store/sqlite"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// lab is a record with one workspace, and two simulated hosts whose guests have
// files as real ones do.
type lab struct {
	t     *testing.T
	store *dying
	world *sim.World
	pool  *host.Pool
	plans []change.Plan
	id    workspace.ID
	took  []learn.What
}

// dying is a store that loses its n-th update, and all that follow.
type dying struct {
	workspace.Store
	left atomic.Int64
	dead chan struct{}
}

func (d *dying) Update(ctx context.Context, f func(workspace.Tx) error) error {
	switch left := d.left.Add(-1); {
	case left == 0:
		close(d.dead)
		fallthrough
	case left < 0:
		return workspace.Errorf(workspace.Unavailable, "update the record", "", "it has died")
	}
	return d.Store.Update(ctx, f)
}

// saving gives a simulated host the files of memory that a real one writes.
type saving struct {
	workspace.Deployment
	node *host.Node
	w    *workspace.Workspace
}

func (s saving) Stop(ctx context.Context, id workspace.ID, mode workspace.StopMode) error {
	err := s.Deployment.Stop(ctx, id, mode)
	if err == nil && mode == workspace.StopSerialize {
		return os.WriteFile(s.node.MemoryPath(s.w), []byte("memory"), 0o600)
	}
	return err
}

func (s saving) Start(ctx context.Context, id workspace.ID, paused bool) error {
	if err := s.Deployment.Start(ctx, id, paused); err != nil {
		return err
	}
	return ignoreAbsent(os.Remove(s.node.MemoryPath(s.w)))
}

func (s saving) Undefine(ctx context.Context, id workspace.ID) error {
	if err := s.Deployment.Undefine(ctx, id); err != nil {
		return err
	}
	return ignoreAbsent(os.Remove(s.node.MemoryPath(s.w)))
}

func ignoreAbsent(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

func newLab(t *testing.T) *lab {
	l := &lab{t: t, pool: host.NewPool()}
	hosts := []workspace.Host{{ID: "a"}, {ID: "b"}}
	world, err := sim.Open(sim.Options{Hosts: hosts})
	l.must(err)
	l.world = world
	w := l.fresh()
	for _, h := range hosts {
		n := &host.Node{Host: h, Access: local.Access{}, Dir: t.TempDir()}
		n.Deployment = saving{world.Host(h.ID), n, w}
		l.pool.Add(n)
	}
	store, err := sqlite.Open(t.Context(), sqlite.Options{
		Path: filepath.Join(t.TempDir(), "record.db"), Hosts: hosts})
	l.must(err)
	t.Cleanup(func() { l.must(errors.Join(store.Close(), world.Close())) })
	l.store = &dying{Store: store}
	images := image.New(image.Options{Pool: l.pool})
	machines := vmm.New(vmm.Options{Pool: l.pool, Boot: images.Boot,
		Took: func(what learn.What, _ workspace.HostID, _ int64, _ time.Duration) {
			l.took = append(l.took, what)
		}})
	l.plans = plans(images, machines)
	l.must(store.Update(t.Context(), func(tx workspace.Tx) error {
		l.id = tx.NextID()
		w.ID = l.id
		return tx.PutWorkspace(w)
	}))
	disk := l.node("a").DiskPath(w, 0)
	l.must(os.WriteFile(disk, []byte("disk"), 0o600))
	l.must(l.node("a").Define(t.Context(), workspace.Machine{ID: l.id, MemoryMB: 64,
		Disks:  []workspace.MachineDisk{{Path: disk, Format: "raw", MountAs: "sda1"}},
		Memory: l.node("a").MemoryPath(w)}))
	l.must(l.node("a").Start(t.Context(), l.id, false))
	return l
}

// fresh is the workspace, running on host a.
func (l *lab) fresh() *workspace.Workspace {
	return &workspace.Workspace{ID: l.id, Host: "a", State: workspace.Running,
		Demand: workspace.Allocation{MemoryMB: 64}, Spec: workspace.Spec{
			Disks: []workspace.Disk{{Role: workspace.RootDisk, MountAs: "sda1"}}}}
}

// plans are those of the manager, as far as tasks of this package make them.
func plans(images *image.Images, machines *vmm.VMM) []change.Plan {
	begin := func(on workspace.Trigger) change.Task {
		return change.Task{Name: "begin", Handler: change.Handler{
			Do: func(_ context.Context, r *change.Run) (change.Commit, error) {
				return vmm.Moved(r.Workspace.ID, on), nil
			}}}
	}
	return []change.Plan{
		{Kind: workspace.ChangeSuspend, Tasks: []change.Task{
			begin(workspace.TriggerSerialize),
			{Name: "suspend", Handler: machines.Suspend(), Retries: -1}}},
		{Kind: workspace.ChangeResume, Failed: backHome, Tasks: []change.Task{
			begin(workspace.TriggerStart),
			{Name: "move", Handler: images.Move(), Retries: 1},
			{Name: "receive", Handler: machines.Receive(), Retries: 1},
			{Name: "restore", Handler: machines.Restore(), Retries: 1},
			{Name: "confirm", Handler: machines.Confirm(), Retries: 1},
			{Name: "leave", Handler: machines.Leave(), Retries: -1},
			{Name: "discard", Handler: images.Leave(), Retries: -1}}},
		{Kind: workspace.ChangeEvict, Tasks: []change.Task{
			{Name: "evict", Handler: machines.Evict(images), Retries: -1}}},
		{Kind: workspace.ChangeResize, Tasks: []change.Task{
			{Name: "resize", Handler: machines.Resize(), Retries: 1}}},
	}
}

func backHome(r *change.Run, _ error) change.Commit {
	return func(tx workspace.Tx) error {
		w := *r.Workspace
		w.Host = image.Home(r)
		return tx.PutWorkspace(&w)
	}
}

func (l *lab) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

// run carries a change out, with an engine that dies at its n-th record; 0: none does.
func (l *lab) run(kind workspace.ChangeKind, argument string, dies int64) {
	l.t.Helper()
	l.must(l.store.Store.Update(l.t.Context(), func(tx workspace.Tx) error {
		return tx.PutChange(&workspace.Change{ID: tx.NextChangeID(), Kind: kind, Workspace: l.id,
			Status: workspace.ChangeDoing, Argument: argument})
	}))
	for {
		l.store.dead = make(chan struct{})
		l.store.left.Store(dies)
		if dies == 0 {
			l.store.left.Store(1 << 30)
		}
		if l.engine() {
			return
		}
		dies = 0
	}
}

// engine runs one until no change is left, or until it has died.
func (l *lab) engine() (done bool) {
	ctx, cancel := context.WithCancel(context.Background())
	engine := change.New(l.store, l.plans, change.Options{Logger: slog.New(slog.DiscardHandler)})
	ended := make(chan error, 1)
	go func() { ended <- engine.Run(ctx) }()
	defer func() { cancel(); l.must(<-ended) }()
	for {
		left, err := l.store.Changes(ctx)
		l.must(err)
		if len(left) == 0 {
			return true
		}
		select {
		case <-l.store.dead:
			return false
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// is checks the record, and on which host alone there is a machine with files.
func (l *lab) is(state workspace.State, at workspace.HostID, parked bool,
	condition workspace.Condition) {
	l.t.Helper()
	w, err := l.store.Workspace(l.t.Context(), l.id)
	l.must(err)
	if w.State != state || w.Host != at || w.Parked != parked {
		l.t.Errorf("it is %s on %q, parked %v; want %s on %q, %v",
			w.State, w.Host, w.Parked, state, at, parked)
	}
	for _, n := range l.pool.Nodes() {
		now, err := n.Inspect(l.t.Context(), l.id)
		l.must(err)
		files, err := filepath.Glob(filepath.Join(n.Dir, "*"))
		l.must(err)
		want, most := workspace.ConditionAbsent, 0
		if n.ID == at {
			want, most = condition, 1
		}
		if state == workspace.Serialized && n.ID == at {
			most = 2
		}
		if now != want || len(files) != most {
			l.t.Errorf("on host %s it is %s with files %v, want %s with %d", n.ID, now, files,
				want, most)
		}
	}
}

// resumeAt gives the workspace a host and resumes it there.
func (l *lab) resumeAt(at, home workspace.HostID, dies int64) {
	l.t.Helper()
	l.must(l.store.Store.Update(l.t.Context(), func(tx workspace.Tx) error {
		old, err := tx.Workspace(l.id)
		if err != nil {
			return err
		}
		w := *old
		w.Host, w.Parked = at, false
		return tx.PutWorkspace(&w)
	}))
	l.run(workspace.ChangeResume, string(home), dies)
}

// TestSuspendAndResumeElsewhere lets the engine die at each of its records.
func TestSuspendAndResumeElsewhere(t *testing.T) {
	for dies := range int64(9) {
		synctest.Test(t, func(t *testing.T) {
			l := newLab(t)
			l.run(workspace.ChangeSuspend, "", dies)
			l.is(workspace.Serialized, "a", true, workspace.ConditionSaved)
			l.resumeAt("b", "a", dies)
			l.is(workspace.Running, "b", false, workspace.ConditionRunning)
			l.run(workspace.ChangeSuspend, "", dies)
			l.resumeAt("b", "b", dies)
			l.is(workspace.Running, "b", false, workspace.ConditionRunning)
			l.run(workspace.ChangeEvict, "", dies)
			l.is(workspace.Unpropagated, "", true, workspace.ConditionAbsent)
			// What was done already when an engine died takes no time when it is
			// repeated. A simulated guest has no memory on another host.
			want := []learn.What{learn.Suspend, learn.Suspend, learn.Resume}
			if dies == 0 && !slices.Equal(l.took, want) {
				t.Errorf("told of %v, want %v", l.took, want)
			}
		})
	}
}

// TestResumeThatFails leaves the workspace suspended at home, as it was.
func TestResumeThatFails(t *testing.T) {
	for _, at := range []workspace.HostID{"a", "b"} {
		for _, op := range []sim.Op{sim.OpDefine, sim.OpStart} {
			for dies := range int64(9) {
				synctest.Test(t, func(t *testing.T) {
					l := newLab(t)
					l.run(workspace.ChangeSuspend, "", 0)
					l.world.Script(sim.Rule{Host: at, Op: op, Fail: "conflict"})
					l.resumeAt(at, "a", dies)
					l.world.ClearScript()
					l.is(workspace.Serialized, "a", false, workspace.ConditionSaved)
					l.resumeAt("a", "a", 0)
					l.is(workspace.Running, "a", false, workspace.ConditionRunning)
				})
			}
		}
	}
}

// TestResizeGoesBack gives a machine the shape of before when its change is undone.
func TestResizeGoesBack(t *testing.T) {
	l := newLab(t)
	before := vmm.ShapeText(l.fresh().Demand.Shape())
	l.must(l.node("a").Resize(t.Context(), l.id, workspace.Shape{MemoryMB: 80}))
	r := &change.Run{Change: &workspace.Change{Argument: before}, Workspace: l.fresh()}
	_, err := l.plans[3].Tasks[0].Undo(t.Context(), r)
	l.must(err)
	if m := l.world.Machines("a")[l.id]; m.MemoryMB != 64 {
		t.Errorf("it has %d MB", m.MemoryMB)
	}
	r.Workspace.Demand.MemoryMB = 70
	_, err = l.plans[3].Tasks[0].Do(t.Context(), r)
	l.must(err)
	r.Workspace.Demand.MemoryMB = 1
	_, err = l.plans[3].Tasks[0].Do(t.Context(), r)
	var limit *workspace.Limit
	if workspace.KindOf(err) != workspace.Conflict || !errors.As(err, &limit) || limit.Least < 2 {
		t.Errorf("got %v", err)
	}
}

// TestNothingToGoBackTo undoes a resize of a guest that is paused, and so was not
// resized before.
func TestNothingToGoBackTo(t *testing.T) {
	l := newLab(t)
	before := vmm.ShapeText(l.fresh().Demand.Shape())
	l.must(l.node("a").Pause(t.Context(), l.id))
	r := &change.Run{Change: &workspace.Change{Argument: before}, Workspace: l.fresh()}
	r.Workspace.Demand.MemoryMB = 70
	task := l.plans[3].Tasks[0]
	if _, err := task.Do(t.Context(), r); workspace.KindOf(err) != workspace.Conflict {
		t.Errorf("a paused guest takes another shape: %v", err)
	}
	if _, err := task.Undo(t.Context(), r); err != nil {
		t.Errorf("it is not left as it is: %v", err)
	}
}

// TestAwait holds a change back without a failure.
func TestAwait(t *testing.T) {
	left := 2
	h := vmm.Await(func(*change.Run) (time.Duration, string) {
		left--
		return time.Duration(left) * time.Second, "it is not its time"
	})
	r := &change.Run{Change: &workspace.Change{}, Workspace: &workspace.Workspace{}}
	var later *change.Retry
	if _, err := h.Do(t.Context(), r); !errors.As(err, &later) || later.After != time.Second {
		t.Errorf("got %v", err)
	}
	if _, err := h.Do(t.Context(), r); err != nil {
		t.Error(err)
	}
}

func (l *lab) node(id workspace.HostID) *host.Node {
	l.t.Helper()
	n, err := l.pool.Node(id)
	if err != nil {
		l.t.Fatal(err)
	}
	return n
}
