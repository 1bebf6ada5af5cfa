package libvirt_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/adapters/access/local"
	"github.com/philoxenia/philoxenia/adapters/deployment/libvirt/libvirtdtest"
	"github.com/philoxenia/philoxenia/service/change"
	"github.com/philoxenia/philoxenia/service/lease/learn"
	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/manager/image"
	"github.com/philoxenia/philoxenia/service/manager/vmm"
	"github.com/philoxenia/philoxenia/service/store/sqlite"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// errDied is what a dead store says.
var errDied = workspace.Errorf(workspace.Unavailable, "update the record", "", "it has died")

// dying is a store that loses its n-th update from now, and all that follow.
type dying struct {
	workspace.Store
	left atomic.Int64
}

func (d *dying) Update(ctx context.Context, f func(workspace.Tx) error) error {
	if d.left.Add(-1) <= 0 {
		return errDied
	}
	return d.Store.Update(ctx, f)
}

// tenancy is one workspace on two real hosts, with the tasks that a scheduler's
// changes are made of.
type tenancy struct {
	t     *testing.T
	farms map[workspace.HostID]*farm
	pool  *host.Pool
	store *dying
	plans []change.Plan
	w     *workspace.Workspace
}

func newTenancy(t *testing.T) *tenancy {
	y := &tenancy{t: t, farms: map[workspace.HostID]*farm{}, pool: host.NewPool()}
	for _, id := range []workspace.HostID{"host1", "host2"} {
		f := newFarm(t)
		h := open(t, f.options)
		t.Cleanup(func() { must(t, h.Close()) })
		y.farms[id] = f
		y.pool.Add(&host.Node{Host: workspace.Host{ID: id}, Deployment: h,
			Access: local.Access{}, Dir: f.images})
	}
	guest := y.farms["host1"].guest
	s, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "record.db"),
		Hosts: []workspace.Host{{ID: "host1"}, {ID: "host2"}}})
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	y.store = &dying{Store: s}
	took := func(what learn.What, at workspace.HostID, sizeMB int64, took time.Duration) {
		t.Logf("%s of %d MB on %s took %v", what, sizeMB, at, took.Round(time.Millisecond))
	}
	images := image.New(image.Options{Pool: y.pool, Took: took, Kernels: []image.Kernel{{
		Name: "tiny", Image: guest.Boot.Kernel, Initrd: guest.Boot.Initrd,
		Cmdline: "quiet mitigations=off no_timer_check clocksource=acpi_pm"}}})
	y.plans = plansOf(images, vmm.New(vmm.Options{Pool: y.pool, Boot: images.Boot, Took: took}))
	y.w = &workspace.Workspace{Host: "host1", State: workspace.Propagated,
		Initial: workspace.Running, NICs: []workspace.NIC{nic(1)},
		Demand: workspace.Allocation{MemoryMB: 112, CPUs: 1}, Spec: workspace.Spec{
			Disks: []workspace.Disk{{Role: workspace.RootDisk, MountAs: "sda1"}}}}
	must(t, s.Update(t.Context(), func(tx workspace.Tx) error {
		y.w.ID = tx.NextID()
		return tx.PutWorkspace(y.w)
	}))
	guest.Disk(t, y.node("host1").DiskPath(y.w, 0))
	return y
}

func plansOf(images *image.Images, machines *vmm.VMM) []change.Plan {
	begin := func(on workspace.Trigger) change.Task {
		return change.Task{Name: "begin", Handler: change.Handler{
			Do: func(_ context.Context, r *change.Run) (change.Commit, error) {
				return vmm.Moved(r.Workspace.ID, on), nil
			}}}
	}
	task := func(name string, h change.Handler) change.Task {
		return change.Task{Name: name, Handler: h, Retries: 20}
	}
	return []change.Plan{
		{Kind: workspace.ChangeDeploy, Tasks: []change.Task{task("define", machines.Define()),
			task("start", machines.Start()), task("confirm", machines.Confirm())}},
		{Kind: workspace.ChangeSuspend, Tasks: []change.Task{begin(workspace.TriggerSerialize),
			task("suspend", machines.Suspend())}},
		{Kind: workspace.ChangeResume, Tasks: []change.Task{begin(workspace.TriggerStart),
			task("move", images.Move()), task("receive", machines.Receive()),
			task("restore", machines.Restore()), task("confirm", machines.Confirm()),
			task("leave", machines.Leave()), task("discard", images.Leave())}},
		{Kind: workspace.ChangeResize, Tasks: []change.Task{task("resize", machines.Resize())}},
		{Kind: workspace.ChangeEvict, Tasks: []change.Task{task("evict", machines.Evict(images))}},
	}
}

// change carries a change out on the host. The service dies once at its n-th
// record, with the effect that was to be recorded done.
func (y *tenancy) change(kind workspace.ChangeKind, at workspace.HostID, home string, dies int64) {
	y.t.Helper()
	must(y.t, y.store.Store.Update(y.t.Context(), func(tx workspace.Tx) error {
		old, err := tx.Workspace(y.w.ID)
		if err != nil {
			return err
		}
		w := *old
		w.Host, w.Parked, w.Demand = at, false, y.w.Demand
		return errors.Join(tx.PutWorkspace(&w), tx.PutChange(&workspace.Change{
			ID: tx.NextChangeID(), Kind: kind, Workspace: w.ID, Status: workspace.ChangeDoing,
			Argument: home}))
	}))
	y.store.left.Store(dies)
	y.serve(func() bool { return y.store.left.Load() <= 0 || y.done() })
	y.store.left.Store(1 << 30)
	y.serve(y.done)
}

// done reports whether no change is left.
func (y *tenancy) done() bool {
	left, err := y.store.Changes(y.t.Context())
	must(y.t, err)
	return len(left) == 0
}

// serve runs an engine until something is so.
func (y *tenancy) serve(until func() bool) {
	y.t.Helper()
	ctx, cancel := context.WithCancel(y.t.Context())
	engine := change.New(y.store, y.plans, change.Options{Logger: slog.New(slog.DiscardHandler)})
	ended := make(chan error, 1)
	go func() { ended <- engine.Run(ctx) }()
	look, limit := time.NewTicker(20*time.Millisecond), time.After(longEnough)
	defer look.Stop()
	for !until() {
		select {
		case <-look.C:
		case <-limit:
			y.t.Error("the change never ends")
			cancel()
			must(y.t, <-ended)
			return
		}
	}
	cancel()
	must(y.t, <-ended)
}

// says follows the guest's serial line on the host, from now on.
func (y *tenancy) says(at workspace.HostID) *libvirtdtest.Console {
	c := y.farms[at].console(y.w.ID)
	c.Skip(y.t)
	return c
}

// left is what is on a host of the workspace.
func (y *tenancy) left(at workspace.HostID) string {
	files, err := os.ReadDir(y.farms[at].images)
	must(y.t, err)
	text := strings.TrimSpace(y.farms[at].Virsh("list", "--all", "--name"))
	for _, f := range files {
		text += " " + f.Name()
	}
	return text
}

// TestLeaseWandersBetweenRealHosts suspends a guest, resumes it on another host
// and back, resizes it and takes its host away, while the service dies between
// effect and record.
func TestLeaseWandersBetweenRealHosts(t *testing.T) {
	y := newTenancy(t)
	y.change(workspace.ChangeDeploy, "host1", "", 2)
	before := uptime(t, y.says("host1").Await(t, "alive"))

	y.change(workspace.ChangeSuspend, "host1", "", 2)
	y.change(workspace.ChangeResume, "host2", "host1", 4)
	if left := y.left("host1"); left != "" {
		t.Errorf("on the home that it has left there is %s", left)
	}
	after := uptime(t, y.says("host2").Await(t, "alive"))
	if after < before {
		t.Errorf("it was up %v s, and elsewhere %v s", before, after)
	}

	y.w.Demand.MemoryMB = 176
	y.change(workspace.ChangeResize, "host2", "", 1)
	y.says("host2").Await(t, "processors 0, memory 1")
	y.change(workspace.ChangeSuspend, "host2", "", 1)
	y.change(workspace.ChangeResume, "host2", "", 5)
	y.w.Demand.MemoryMB = 120
	y.change(workspace.ChangeResize, "host2", "", 1)

	y.change(workspace.ChangeSuspend, "host2", "", 1)
	y.change(workspace.ChangeResume, "host1", "host2", 7)
	if left := y.left("host2"); left != "" {
		t.Errorf("on the other host there is %s", left)
	}
	if again := uptime(t, y.says("host1").Await(t, "alive")); again < after {
		t.Errorf("it was up %v s, and back home %v s", after, again)
	}
	y.change(workspace.ChangeEvict, "host1", "", 1)
	for id, f := range y.farms {
		if left := y.left(id); left != "" {
			t.Errorf("on %s there is %s", id, left)
		}
		f.nothingRemains(t)
	}
	w, err := y.store.Workspace(t.Context(), y.w.ID)
	must(t, err)
	if w.State != workspace.Unpropagated || !w.Parked || w.Host != "" {
		t.Errorf("it is %s, parked %v, on %q", w.State, w.Parked, w.Host)
	}
}

func (y *tenancy) node(id workspace.HostID) *host.Node {
	y.t.Helper()
	n, err := y.pool.Node(id)
	if err != nil {
		y.t.Fatal(err)
	}
	return n
}
