package manager_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/adapters/deployment/sim"
	"github.com/philoxenia/philoxenia/service/workspace"
)

func TestLife(t *testing.T) {
	r := newRig(t, t.TempDir(), "")
	ctx := t.Context()
	req := request(1)
	req.Spec.Files = []workspace.File{{Path: "/etc/role", Content: "worker\n"}}
	w := r.create(req)
	if w.NICs[0].IP == "" || w.NICs[0].MAC == "" || w.Host == "" {
		t.Errorf("created without address or host: %+v", w)
	}
	w = r.reach(w.ID, workspace.Running)
	written := filepath.Join(r.dir, filepath.Base(r.node(w.Host).DiskPath(w, 0)))
	if _, err := os.Stat(written); err != nil {
		t.Errorf("customisation: %v", err)
	}
	shut := func(kind workspace.ShutdownKind, to workspace.State) {
		t.Helper()
		r.check(r.manager.Shutdown(ctx, ada, w.ID, kind, ""))
		r.reach(w.ID, to)
	}
	start := func() {
		t.Helper()
		r.check(r.manager.Start(ctx, ada, w.ID))
		r.reach(w.ID, workspace.Running)
	}
	start() // it runs already: no error, nothing happens
	shut(workspace.ShutdownPause, workspace.Paused)
	start()
	shut(workspace.ShutdownReboot, workspace.Running)
	shut(workspace.ShutdownNormal, workspace.Propagated)
	start()
	shut(workspace.ShutdownSerialize, workspace.Serialized)
	start()
	shut(workspace.ShutdownSerialize, workspace.Serialized)
	shut(workspace.ShutdownNormal, workspace.Propagated)
	r.conserved()

	r.check(r.manager.Shutdown(ctx, ada, w.ID, workspace.ShutdownReadyForTransport, "file://saved"))
	w = r.reach(w.ID, workspace.TransportReady)
	if _, err := os.Stat(filepath.Join(r.dir, "images", "saved")); err != nil {
		t.Errorf("saved image: %v", err)
	}
	if !w.Released {
		t.Error("capacity is held although nothing is on the host any more")
	}
	if err := r.manager.Start(ctx, ada, w.ID); workspace.KindOf(err) != workspace.Conflict {
		t.Errorf("start after a save = %v, want Conflict", err)
	}
	r.check(r.manager.Destroy(ctx, ada, w.ID))
	if err := r.manager.Destroy(ctx, ada, w.ID); workspace.KindOf(err) != workspace.NotFound {
		t.Errorf("second destroy = %v, want NotFound", err)
	}
	r.conserved()
	if left, _ := r.store.Workspaces(ctx, ""); len(left) != 0 {
		t.Errorf("left: %+v", left)
	}
}

func TestInitialStates(t *testing.T) {
	r := newRig(t, t.TempDir(), "")
	for _, state := range []workspace.State{
		workspace.Unpropagated, workspace.Propagated, workspace.Paused, workspace.Running,
	} {
		req := request(1)
		req.Initial = state
		w := r.create(req)
		r.reach(w.ID, state)
		r.check(r.manager.Start(t.Context(), ada, w.ID))
		r.reach(w.ID, workspace.Running)
		r.check(r.manager.Destroy(t.Context(), ada, w.ID))
	}
	r.conserved()
}

// refusals are requests that must change nothing, by what is wrong with them.
var refusals = []struct {
	name  string
	wrong func(*workspace.Request)
	want  workspace.Kind
	where string // the element that is named; empty: none
}{
	{"no caller", func(r *workspace.Request) { r.Owner = "" }, workspace.Denied, ""},
	{"too long", func(r *workspace.Request) { r.Duration = 25 * time.Hour },
		workspace.Denied, "minDuration"},
	{"too many nodes", func(r *workspace.Request) { r.Nodes = 9 }, workspace.Denied, "NodeNumber"},
	{"unknown network", func(r *workspace.Request) {
		r.Spec.NICs = []workspace.NIC{{Association: "x", Method: workspace.AllocateAndConfigure}}
	}, workspace.Denied, "nic[1]/association"},
	{"own MAC", func(r *workspace.Request) {
		r.Spec.NICs = []workspace.NIC{{
			MAC: "A2:AA:BB:00:00:01", Method: workspace.AllocateAndConfigure,
		}}
	}, workspace.Denied, "nic[1]/MAC"},
	{"own address", func(r *workspace.Request) {
		r.Spec.NICs = []workspace.NIC{{
			Method: workspace.AcceptAndConfigure, Address: workspace.Address{IP: "10.0.0.1"},
		}}
	}, workspace.Denied, "nic[1]/ipConfig/acquisitionMethod"},
	{"architecture", func(r *workspace.Request) { r.Spec.Architecture = "sparc" },
		workspace.Denied, "CPUArchitectureName"},
	{"VMM", func(r *workspace.Request) { r.Spec.VMM.Type = "VMware" },
		workspace.Denied, "VMM/type"},
	{"kernel", func(r *workspace.Request) { r.Spec.Kernel.Image = "file://none" },
		workspace.Denied, "kernel/image"},
	{"missing image", from("file://nothing"), workspace.NotFound, "rootVBD/location"},
	{"unknown scheme", from("gsiftp://a/b"), workspace.Denied, "rootVBD/location"},
	{"no location", from("nothing"), workspace.Invalid, "rootVBD/location"},
	{"climbing path", from("file://../x"), workspace.Invalid, "rootVBD/location"},
	{"save to an unknown scheme", func(r *workspace.Request) { r.SaveTo = "gsiftp://a/b" },
		workspace.Denied, "rootPartitionUnpropagationTarget"},
	{"save to a climbing path", func(r *workspace.Request) { r.SaveTo = "file://../x" },
		workspace.Invalid, "rootPartitionUnpropagationTarget"},
	{"more memory than any host", func(r *workspace.Request) { r.Demand.MemoryMB = 4096 },
		workspace.NoResource, "IndividualPhysicalMemory"},
	{"more CPUs than any host", func(r *workspace.Request) { r.Demand.CPUs = 4096 },
		workspace.NoResource, "IndividualCPUCount"},
	{"a VMM that no host runs", func(r *workspace.Request) { r.Spec.VMM.Type = "LXC" },
		workspace.NoResource, "VMM/type"},
	{"group that fits only in part", func(r *workspace.Request) {
		r.Nodes, r.Demand.MemoryMB = 3, 1024
	}, workspace.NoResource, "NodeNumber"},
	{"more addresses than there are", func(r *workspace.Request) {
		r.Nodes, r.Demand.MemoryMB = 7, 64
	}, workspace.NoResource, "nic[1]/association"},
}

// from makes the root image come from somewhere else.
func from(location string) func(*workspace.Request) {
	return func(r *workspace.Request) {
		r.Spec.Disks = []workspace.Disk{{Role: workspace.RootDisk, Location: location}}
	}
}

func TestRefusedRequestsLeaveNoTrace(t *testing.T) {
	r := newRig(t, t.TempDir(), "")
	for _, tt := range refusals {
		t.Run(tt.name, func(t *testing.T) {
			req := request(1)
			tt.wrong(&req)
			_, err := r.manager.Create(t.Context(), req)
			if got := workspace.KindOf(err); err == nil || got != tt.want {
				t.Errorf("Create = %v (%s), want %s", err, got, tt.want)
			}
			var e *workspace.Error
			if named := errors.As(err, &e) && e.Where != nil; named != (tt.where != "") ||
				named && !strings.HasSuffix(e.Where.Path, tt.where) {
				t.Errorf("Create = %v, want it to name %q", err, tt.where)
			}
			if left, _ := r.store.Workspaces(t.Context(), ""); len(left) != 0 {
				t.Errorf("it left %+v", left)
			}
		})
	}
	r.conserved()
	req := request(6) // all addresses are still there
	req.Demand.MemoryMB = 64
	r.create(req)
}

func TestRefusalSaysFromWhenItWouldFit(t *testing.T) {
	r := newRig(t, t.TempDir(), "")
	req := request(1)
	req.Demand.MemoryMB = 1024
	first := r.create(req)
	r.create(req)
	_, err := r.manager.Create(t.Context(), req)
	var refusal *workspace.Refusal
	if !errors.As(err, &refusal) {
		t.Fatalf("Create = %v, want a Refusal", err)
	}
	if !refusal.Earliest.Equal(first.Lease.Termination()) {
		t.Errorf("earliest %v, want %v", refusal.Earliest, first.Lease.Termination())
	}
}

func TestRepeatedMessageGetsTheFirstAnswer(t *testing.T) {
	r := newRig(t, t.TempDir(), "")
	req := request(2)
	req.MessageID = "uuid:1"
	first, err := r.manager.Create(t.Context(), req)
	r.check(err)
	again, err := r.manager.Create(t.Context(), req)
	r.check(err)
	if again.Group != first.Group || again.Workspaces[1].ID != first.Workspaces[1].ID {
		t.Errorf("second answer %+v, want %+v", again, first)
	}
	if all, _ := r.store.Workspaces(t.Context(), ""); len(all) != 2 {
		t.Errorf("%d workspaces, want 2", len(all))
	}
	other := req
	other.Digest = "of something else"
	if _, err := r.manager.Create(t.Context(), other); workspace.KindOf(err) != workspace.Invalid {
		t.Errorf("another request under the same ID = %v, want Invalid", err)
	}
	r.check(r.manager.DestroyGroup(t.Context(), ada, first.Group))
	r.conserved()
	if _, err := r.manager.Create(t.Context(), req); workspace.KindOf(err) != workspace.Conflict {
		t.Errorf("repeat after destruction = %v, want Conflict", err)
	}
}

func TestGroup(t *testing.T) {
	r := newRig(t, t.TempDir(), "")
	ctx := t.Context()
	created, err := r.manager.Create(ctx, request(3))
	r.check(err)
	each := func(state workspace.State) {
		t.Helper()
		for _, w := range created.Workspaces {
			r.reach(w.ID, state)
		}
	}
	each(workspace.Running)
	r.check(r.manager.ShutdownGroup(ctx, ada, created.Group, workspace.ShutdownPause, ""))
	each(workspace.Paused)
	r.check(r.manager.StartGroup(ctx, ada, created.Group))
	each(workspace.Running)
	r.check(r.manager.Destroy(ctx, ada, created.Workspaces[0].ID))
	created.Workspaces = created.Workspaces[1:]
	r.check(r.manager.ShutdownGroup(ctx, ada, created.Group,
		workspace.ShutdownReadyForTransport, "file://group"))
	each(workspace.TransportReady)
	err = r.manager.StartGroup(ctx, ada, created.Group)
	if workspace.KindOf(err) != workspace.Conflict {
		t.Errorf("start of saved members = %v, want Conflict", err)
	}
	for _, w := range created.Workspaces {
		if _, err := os.Stat(filepath.Join(r.dir, "images", "group-"+w.ID.String())); err != nil {
			t.Errorf("saved image: %v", err)
		}
	}
	r.check(r.manager.DestroyGroup(ctx, ada, created.Group))
	err = r.manager.DestroyGroup(ctx, ada, created.Group)
	if workspace.KindOf(err) != workspace.NotFound {
		t.Errorf("second destroy = %v, want NotFound", err)
	}
	r.conserved()
	if g, err := r.store.Group(ctx, created.Group); workspace.KindOf(err) != workspace.NotFound {
		t.Errorf("the group outlives its members: %+v, %v", g, err)
	}
}

func TestOthersSeeNothing(t *testing.T) {
	r := newRig(t, t.TempDir(), "")
	created, err := r.manager.Create(t.Context(), request(2))
	r.check(err)
	const eve = workspace.Owner("/O=Example/CN=Eve")
	ctx, id := t.Context(), created.Workspaces[0].ID
	_, read := r.manager.Workspace(ctx, eve, id)
	_, extend := r.manager.SetTermination(ctx, eve, id, time.Now().Add(time.Hour))
	for name, err := range map[string]error{
		"read": read, "extend": extend,
		"start":         r.manager.Start(ctx, eve, id),
		"pause":         r.manager.Shutdown(ctx, eve, id, workspace.ShutdownPause, ""),
		"destroy":       r.manager.Destroy(ctx, eve, id),
		"destroy group": r.manager.DestroyGroup(ctx, eve, created.Group),
	} {
		if workspace.KindOf(err) != workspace.NotFound {
			t.Errorf("%s = %v, want NotFound", name, err)
		}
	}
	if list, _ := r.manager.Workspaces(ctx, eve); len(list) != 0 {
		t.Errorf("list = %+v", list)
	}
}

func TestOperationsQueueBehindADeployment(t *testing.T) {
	r := newRig(t, t.TempDir(), "")
	ctx := t.Context()
	w := r.create(request(1))
	r.check(r.manager.Shutdown(ctx, ada, w.ID, workspace.ShutdownPause, ""))
	r.check(r.manager.Start(ctx, ada, w.ID))
	err := r.manager.Shutdown(ctx, ada, w.ID, workspace.ShutdownReadyForTransport,
		"file://a/../../b")
	if workspace.KindOf(err) != workspace.Invalid {
		t.Errorf("save outside the repository = %v, want Invalid", err)
	}
	r.check(r.manager.Shutdown(ctx, ada, w.ID, workspace.ShutdownNormal, ""))
	err = r.manager.Shutdown(ctx, ada, w.ID, workspace.ShutdownPause, "")
	if workspace.KindOf(err) != workspace.Conflict {
		t.Errorf("pause of what will be off = %v, want Conflict", err)
	}
	r.reach(w.ID, workspace.Propagated)
	r.conserved()
}

func TestDestroyInTheMiddle(t *testing.T) {
	steps := map[sim.Op]int{sim.OpDefine: 5, sim.OpStart: 6, sim.OpInspect: 7}
	for op, step := range steps {
		t.Run(string(op), func(t *testing.T) {
			r := newRig(t, t.TempDir(), "")
			r.world.Script(sim.Rule{Op: op, Hang: true})
			w := r.create(request(1))
			r.awaitStep(w.ID, step)
			r.check(r.manager.Destroy(t.Context(), ada, w.ID))
			r.world.ClearScript()
			r.conserved()
			if left, _ := r.store.Workspaces(t.Context(), ""); len(left) != 0 {
				t.Errorf("left: %+v", left[0])
			}
		})
	}
}

func TestFailedDeploymentIsUndone(t *testing.T) {
	for _, op := range []string{"define", "start"} {
		t.Run(op, func(t *testing.T) {
			r := newRig(t, t.TempDir(), "* "+op+" fail=internal")
			w := r.reach(r.create(request(1)).ID, workspace.Corrupted)
			if w.Fault == "" || !w.Released {
				t.Errorf("corrupted without a reason or with capacity: %+v", w)
			}
			r.conserved()
			r.check(r.manager.Destroy(t.Context(), ada, w.ID))
			r.conserved()
		})
	}
}

func TestFailedStartKeepsTheDisk(t *testing.T) {
	r := newRig(t, t.TempDir(), "")
	req := request(1)
	req.Initial = workspace.Propagated
	w := r.reach(r.create(req).ID, workspace.Propagated)
	r.world.Script(sim.Rule{Op: sim.OpStart, Fail: "internal"})
	r.check(r.manager.Start(t.Context(), ada, w.ID))
	for w.Fault == "" {
		w = r.reach(w.ID, workspace.Propagated)
	}
	if _, err := os.Stat(r.node(w.Host).DiskPath(w, 0)); err != nil {
		t.Errorf("the disk is gone: %v", err)
	}
	r.world.ClearScript()
	r.check(r.manager.Start(t.Context(), ada, w.ID))
	r.reach(w.ID, workspace.Running)
}

func TestFailedSaveKeepsTheDisk(t *testing.T) {
	r := newRig(t, t.TempDir(), "")
	w := r.reach(r.create(request(1)).ID, workspace.Running)
	err := r.manager.Shutdown(t.Context(), ada, w.ID, workspace.ShutdownReadyForTransport,
		"file://missing/place/for/it")
	r.check(err)
	for w.Fault == "" {
		w = r.reach(w.ID, workspace.Propagated)
	}
	r.check(r.manager.Start(t.Context(), ada, w.ID))
	r.reach(w.ID, workspace.Running)
}

func TestGuestsThatStopByThemselves(t *testing.T) {
	r := newRig(t, t.TempDir(), "")
	off := r.reach(r.create(request(1)).ID, workspace.Running)
	crash := r.reach(r.create(request(1)).ID, workspace.Running)
	r.check(r.world.PowerOff(off.Host, off.ID))
	r.check(r.world.Crash(crash.Host, crash.ID))
	r.reach(off.ID, workspace.Propagated)
	if w := r.reach(crash.ID, workspace.Corrupted); w.Fault != "the guest crashed" {
		t.Errorf("fault = %q", w.Fault)
	}
}

func TestRestartAttachesToWhatRuns(t *testing.T) {
	dir := t.TempDir()
	r := newRig(t, dir, "")
	w := r.reach(r.create(request(1)).ID, workspace.Running)
	r.stop()
	r = newRig(t, dir, "")
	r.reach(w.ID, workspace.Running)
	r.conserved()
	r.check(r.manager.Destroy(t.Context(), ada, w.ID))
	r.conserved()
}
