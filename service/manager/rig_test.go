package manager_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/adapters/access/local"
	"github.com/philoxenia/philoxenia/adapters/deployment/sim"
	"github.com/philoxenia/philoxenia/adapters/transport/file"
	"github.com/philoxenia/philoxenia/service/change"
	"github.com/philoxenia/philoxenia/service/lease/book"
	"github.com/philoxenia/philoxenia/service/manager"
	"github.com/philoxenia/philoxenia/service/manager/account"
	"github.com/philoxenia/philoxenia/service/manager/agenda"
	"github.com/philoxenia/philoxenia/service/manager/expire"
	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/manager/image"
	"github.com/philoxenia/philoxenia/service/manager/vmm"
	"github.com/philoxenia/philoxenia/service/run"
	"github.com/philoxenia/philoxenia/service/store/sqlite"
	"github.com/philoxenia/philoxenia/service/workspace"
)

const ada = workspace.Owner("/O=Example/CN=Ada")

// A rig is a whole service without its door, over two simulated hosts.
type rig struct {
	t   *testing.T
	dir string

	policy     manager.Policy
	networks   []workspace.Network
	leasing    book.Policy // how the scheduler decides
	repository int32       // kbit/s of the link of images; 0: they are everywhere

	store   *sqlite.Store
	world   *sim.World
	pool    *host.Pool
	manager *manager.Manager
	agenda  *agenda.Agenda
	account account.Keeper     // allows everything, unless a test has quotas
	fixed   []workspace.Window // of host one
	library manager.Library    // nil: none
	overlay [2]string          // addresses of the hosts for private networks
	stop    func()

	wrap func(workspace.Deployment) workspace.Deployment // of each host; nil: as it is
	way  func(workspace.Access) workspace.Access         // to each host; nil: as it is
	log  *slog.Logger                                    // of what watches hosts; nil: nothing
}

// files is a customiser that writes into a directory of its own: simulated
// disks are not written to.
type files struct{ dir string }

func (c files) Customise(_ context.Context, path, _ string, all []workspace.File) error {
	for _, f := range all {
		name := filepath.Join(c.dir, filepath.Base(path))
		if err := os.WriteFile(name, []byte(f.Path+"\n"+f.Content), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// unprepared is a rig as it is when a test says nothing.
func unprepared(t *testing.T, dir string) *rig {
	return &rig{t: t, dir: dir, pool: host.NewPool(), leasing: schedule(), policy: policy(),
		networks: []workspace.Network{network("public", 6), network("private", 6)}}
}

// newRig starts a rig in dir, which may hold what an earlier one left.
func newRig(t *testing.T, dir, script string, prepare ...func(*rig)) *rig {
	t.Helper()
	r := unprepared(t, dir)
	for _, f := range prepare {
		f(r)
	}
	quiet, hosts := slog.New(slog.DiscardHandler), twoHosts()
	hosts[0].Overlay, hosts[1].Overlay = r.overlay[0], r.overlay[1]
	r.open(hosts, script)
	spool := filepath.Join(dir, "spool")
	r.check(image.CleanSpool(spool))
	images := image.New(image.Options{Spool: spool,
		Pool: r.pool, Transports: map[string]workspace.Transport{"file": r.transport()},
	})
	machines := vmm.New(vmm.Options{Pool: r.pool, Boot: images.Boot, Patience: time.Second})
	var engine *change.Engine
	var err error
	r.store, err = sqlite.Open(t.Context(), sqlite.Options{
		Path: filepath.Join(dir, "record.db"), Hosts: hosts, Logger: quiet, PullCapacity: 5,
		Networks:  r.networks,
		OnChanges: func(all []*workspace.Change) { engine.Offer(all) },
	})
	r.check(err)
	r.agenda = agenda.New(agenda.Options{
		Policy: r.leasing, Repository: r.repository, Behind: r.account.Behind,
		Accepts: policy().Accepts, Reachable: r.pool.Reachable,
		Interrupt: func(id workspace.ID) { engine.Interrupt(id) }, Logger: quiet, Fixed: r.windows,
	})
	engine = change.New(r.store, manager.Plans(images, machines, r.agenda,
		manager.Upkeep{Charge: time.Minute, Accounts: &r.account}),
		change.Options{Concurrency: 4, Logger: quiet})
	r.manager = manager.New(manager.Options{
		Store: r.store, Images: images, Work: engine, Policy: r.policy,
		Reachable: r.pool.Reachable, Agenda: r.agenda, Accounts: &r.account, Library: r.library,
		Snapshots: r.pool.Snapshots,
	})
	watcher := r.watcher(cmp.Or(r.log, quiet))
	sweeper := expire.New(r.store, r.manager, quiet)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- run.All(ctx, run.Part{Name: "engine", Run: engine.Run},
			run.Part{Name: "watch", Run: watcher.Run}, run.Part{Name: "sweep", Run: sweeper.Run},
			run.Part{Name: "agenda", Run: func(ctx context.Context) error {
				return r.agenda.Run(ctx, r.store)
			}})
	}()
	stopped := false
	r.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		r.check(errors.Join(<-done, r.store.Close(), r.world.Close()))
	}
	t.Cleanup(r.stop)
	return r
}

// watcher returns what watches the hosts.
func (r *rig) watcher(quiet *slog.Logger) *host.Watcher {
	return host.NewWatcher(host.WatcherOptions{
		Store: r.store, Pool: r.pool, Rehost: r.agenda.Rehost, Logger: quiet,
	})
}

// windows are those that no operator changes.
func (r *rig) windows(id workspace.HostID) []workspace.Window {
	if id == "one" {
		return r.fixed
	}
	return nil
}

// schedule is how the rig's scheduler decides.
func schedule() book.Policy {
	return book.Policy{
		Backfill: book.EASY, Preemption: []book.Means{book.BySuspension, book.ByKilling},
		SuspendRate: 100, ResumeRate: 100, Movable: true, Boot: 10000, Shutdown: 10000,
	}
}

// transport opens the repository, with one image in it.
func (r *rig) transport() workspace.Transport {
	r.t.Helper()
	repository := filepath.Join(r.dir, "images")
	r.check(os.MkdirAll(repository, 0o700))
	r.check(os.WriteFile(filepath.Join(repository, "worker"), make([]byte, 4096), 0o600))
	transport, err := file.Open(repository)
	r.check(err)
	return transport
}

// open makes the simulated hosts and their directories.
func (r *rig) open(hosts []workspace.Host, script string) {
	r.t.Helper()
	var err error
	r.world, err = sim.Open(sim.Options{
		Dir: filepath.Join(r.dir, "sim"), Hosts: hosts, Script: script,
	})
	r.check(err)
	for _, h := range hosts {
		dir := filepath.Join(r.dir, "disks", string(h.ID))
		deployment := workspace.Deployment(r.world.Host(h.ID))
		if r.wrap != nil {
			deployment = r.wrap(deployment)
		}
		way := workspace.Access(local.Access{})
		if r.way != nil {
			way = r.way(way)
		}
		r.pool.Add(&host.Node{
			Host: h, Deployment: deployment, Access: way,
			Dir: dir, Inert: true,
			Customiser: files{r.dir},
		})
		r.check(os.MkdirAll(dir, 0o700))
	}
}

func twoHosts() []workspace.Host {
	one := workspace.Host{
		ID: "one", VMM: "KVM", Active: true,
		Capacity: workspace.Capacity{CPUs: 4, MemoryMB: 1024},
	}
	two := one
	two.ID = "two"
	return []workspace.Host{one, two}
}

func policy() manager.Policy {
	return manager.Policy{
		DefaultDuration: time.Hour, MaximumDuration: 24 * time.Hour, Grace: 10 * time.Minute,
		MaximumNodes: 8, DefaultCPUs: 1, Architectures: []string{"x86", "x86_64"},
		Accepts:      map[string][]string{"Xen": {"KVM"}, "KVM": {"KVM"}, "LXC": {"LXC"}},
		Associations: []string{"public", "private"}, ChargeGranularity: time.Minute,
		Subscriptions: 3, PullPoints: 2, Operators: []workspace.Owner{ada},
	}
}

func network(name string, size int) workspace.Network {
	n := workspace.Network{Name: name, MACPrefix: "A2:AA:BB"}
	for i := range size {
		ip := fmt.Sprintf("10.%d.0.%d", len(name), i+1)
		n.Addresses = append(n.Addresses, workspace.Address{Hostname: "h" + ip, IP: ip})
	}
	return n
}

func (r *rig) check(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// request is a good request for so many nodes.
func request(nodes int) workspace.Request {
	return workspace.Request{
		Owner: ada, Nodes: nodes, Initial: workspace.Running, Duration: 30 * time.Minute,
		Mechanism: workspace.MechanismNormal,
		Demand:    workspace.Allocation{MemoryMB: 256},
		Spec: workspace.Spec{
			Name: "urn:worker", Architecture: "x86", VMM: workspace.VMM{Type: "Xen"},
			Disks: []workspace.Disk{{
				Role: workspace.RootDisk, Location: "file://worker", MountAs: "sda1",
			}},
			NICs: []workspace.NIC{{
				Name: "eth0", Association: "public", Method: workspace.AllocateAndConfigure,
			}},
		},
	}
}

func (r *rig) create(req workspace.Request) *workspace.Workspace {
	r.t.Helper()
	created, err := r.manager.Create(r.t.Context(), req)
	r.check(err)
	return created.Workspaces[0]
}

// longEnough is how long a test waits for what takes no time at all, but on a machine
// that is busy: only what hangs takes as long.
const longEnough = 5 * time.Minute

// until waits until something holds, and reports whether it does.
func until(holds func() bool) bool {
	for end := time.Now().Add(longEnough); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}

// reach waits until the workspace rests in the state with no change under way.
func (r *rig) reach(id workspace.ID, want workspace.State) *workspace.Workspace {
	r.t.Helper()
	var w *workspace.Workspace
	var err error
	if !until(func() bool {
		w, err = r.store.Workspace(r.t.Context(), id)
		return err == nil && w.State == want && !r.busy(id)
	}) {
		r.t.Fatalf("workspace %d did not reach %s: %+v, %v", id, want, w, err)
	}
	return w
}

func (r *rig) busy(id workspace.ID) bool {
	r.t.Helper()
	return slices.ContainsFunc(r.changes(), func(c *workspace.Change) bool {
		return c.Workspace == id
	})
}

// awaitStep waits until the step of the workspace's change is under way.
func (r *rig) awaitStep(id workspace.ID, step int) {
	r.t.Helper()
	var changes []*workspace.Change
	if !until(func() bool {
		changes = r.changes()
		return slices.ContainsFunc(changes, func(c *workspace.Change) bool {
			return c.Workspace == id && c.Step == step
		})
	}) {
		r.t.Fatalf("step %d of workspace %d is not under way: %+v", step, id, changes)
	}
}

// settle waits until no change is under way.
func (r *rig) settle() {
	r.t.Helper()
	if !until(func() bool { return len(r.changes()) == 0 }) {
		r.t.Fatalf("still under way: %+v", *r.changes()[0])
	}
}

// changes are those that have not ended.
func (r *rig) changes() []*workspace.Change {
	r.t.Helper()
	changes, err := r.store.Changes(r.t.Context())
	r.check(err)
	return changes
}

// conserved checks that hosts, disks and addresses hold what the record says
// and nothing else.
func (r *rig) conserved() {
	r.t.Helper()
	r.settle()
	all, err := r.store.Workspaces(r.t.Context(), "")
	r.check(err)
	want := map[workspace.HostID]workspace.Capacity{}
	machines := map[workspace.HostID]int{}
	for _, w := range all {
		if w.HoldsHost() {
			c := want[w.Host]
			c.CPUShare, c.MemoryMB = c.CPUShare+w.Demand.CPUShare(), c.MemoryMB+w.Demand.MemoryMB
			c.CPUs = (c.CPUShare + 99) / 100
			want[w.Host] = c
		}
		if w.Holds() {
			machines[w.Host]++
		}
	}
	uses, err := r.store.Hosts(r.t.Context())
	r.check(err)
	for _, u := range uses {
		if u.Used != want[u.ID] {
			r.t.Errorf("host %s: used %+v, workspaces hold %+v", u.ID, u.Used, want[u.ID])
		}
		there, err := r.node(u.ID).List(r.t.Context())
		r.check(err)
		if len(there) > machines[u.ID] {
			r.t.Errorf("host %s has machines %v for %d workspaces", u.ID, there, machines[u.ID])
		}
		dirs, err := os.ReadDir(r.node(u.ID).Dir)
		r.check(err)
		if len(dirs) > machines[u.ID] {
			r.t.Errorf("host %s has disks %v for %d workspaces", u.ID, dirs, machines[u.ID])
		}
	}
}

func (r *rig) node(id workspace.HostID) *host.Node {
	r.t.Helper()
	n, err := r.pool.Node(id)
	if err != nil {
		r.t.Fatal(err)
	}
	return n
}
