package dispatch_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/service/authn"
	"github.com/philoxenia/philoxenia/service/dispatch"
	"github.com/philoxenia/philoxenia/service/notify"
	"github.com/philoxenia/philoxenia/service/port/factory"
	"github.com/philoxenia/philoxenia/service/port/group"
	"github.com/philoxenia/philoxenia/service/port/host"
	"github.com/philoxenia/philoxenia/service/port/producer"
	"github.com/philoxenia/philoxenia/service/port/pullpoint"
	"github.com/philoxenia/philoxenia/service/port/servicegroup"
	"github.com/philoxenia/philoxenia/service/port/status"
	"github.com/philoxenia/philoxenia/service/port/subscription"
	"github.com/philoxenia/philoxenia/service/port/ws"
	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/wsdl"
)

// ada is the caller of these tests.
const ada workspace.Owner = "/O=Example/CN=Ada"

// core is a manager in memory: what it is asked happens at once.
type core struct {
	mu            sync.Mutex
	workspaces    map[workspace.ID]*workspace.Workspace
	subscriptions map[workspace.SubscriptionID]*workspace.Subscription
	next          workspace.ID
	calls         int                 // that changed something, or would have
	requests      []workspace.Request // to create
	shutdowns     []workspace.ShutdownKind
	fail          error // what the next changing call fails with
	failNext      error // what the next Subscribe fails with
	panics        bool  // Workspace panics
	pulls         pulls
	modes         []workspace.HostMode
}

func newCore() *core {
	return &core{
		workspaces:    make(map[workspace.ID]*workspace.Workspace),
		subscriptions: make(map[workspace.SubscriptionID]*workspace.Subscription),
	}
}

// change counts a call that changes something and returns the failure due.
func (m *core) change() error {
	m.calls++
	err := m.fail
	m.fail = nil
	return err
}

func (m *core) Create(_ context.Context, r workspace.Request) (workspace.Created, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.change(); err != nil {
		return workspace.Created{}, err
	}
	if r.Nodes > 64 {
		return workspace.Created{}, workspace.Errorf(workspace.NoResource, "create", "", "too many")
	}
	m.requests = append(m.requests, r)
	var made workspace.Created
	for range r.Nodes {
		m.next++
		w := &workspace.Workspace{
			ID: m.next, Owner: r.Owner, Spec: r.Spec, Demand: r.Demand,
			NICs: r.Spec.NICs, State: workspace.Running,
			Lease: workspace.Lease{
				Start:    time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC),
				Duration: r.Duration, Grace: 10 * time.Minute,
			},
		}
		m.workspaces[w.ID] = w
		made.Workspaces = append(made.Workspaces, w)
	}
	if r.Nodes > 1 {
		made.Group = "12d9dc5e-d488-4ae6-a3ae-13bca4a76305"
	}
	return made, nil
}

func (m *core) Site() workspace.Site {
	return workspace.Site{
		DefaultDuration: time.Hour, MaximumDuration: 14 * 24 * time.Hour,
		Architectures: []string{"x86", "x86_64"}, VMMType: "Xen", VMMVersions: []string{"3"},
		Associations: []string{"private", "public"}, ChargeGranularity: time.Minute,
	}
}

func (m *core) Workspace(
	_ context.Context, owner workspace.Owner, id workspace.ID,
) (*workspace.Workspace, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.panics {
		panic("a defect")
	}
	if w := m.workspaces[id]; w != nil && w.Owner == owner {
		return w, nil
	}
	return nil, workspace.Errorf(workspace.NotFound, "find the workspace", id.String(),
		"unknown workspace: '%s'", id)
}

func (m *core) Workspaces(context.Context, workspace.Owner) ([]*workspace.Workspace, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []*workspace.Workspace
	for id := workspace.ID(1); id <= m.next; id++ {
		if w := m.workspaces[id]; w != nil {
			all = append(all, w)
		}
	}
	return all, nil
}

func (m *core) Details(*workspace.Workspace) string { return "" }

func (m *core) act(owner workspace.Owner, id workspace.ID, do func(*workspace.Workspace)) error {
	if _, err := m.Workspace(context.Background(), owner, id); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.change(); err != nil {
		return err
	}
	w := *m.workspaces[id]
	do(&w)
	m.workspaces[id] = &w
	return nil
}

func (m *core) Start(_ context.Context, owner workspace.Owner, id workspace.ID) error {
	return m.act(owner, id, func(w *workspace.Workspace) { w.State = workspace.Running })
}

func (m *core) Shutdown(
	_ context.Context, owner workspace.Owner, id workspace.ID,
	kind workspace.ShutdownKind, _ string,
) error {
	return m.act(owner, id, func(w *workspace.Workspace) {
		m.shutdowns = append(m.shutdowns, kind)
		w.State = workspace.Paused
	})
}

func (m *core) Destroy(_ context.Context, owner workspace.Owner, id workspace.ID) error {
	if err := m.act(owner, id, func(*workspace.Workspace) {}); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.workspaces, id)
	return nil
}

func (m *core) SetTermination(
	_ context.Context, owner workspace.Owner, id workspace.ID, at time.Time,
) (time.Time, error) {
	if at.IsZero() {
		return at, workspace.Errorf(workspace.Denied, "extend the lease", "", "no lease is endless")
	}
	return at, m.act(owner, id, func(*workspace.Workspace) {})
}

func (m *core) Renegotiate(
	_ context.Context, owner workspace.Owner, id workspace.ID, terms workspace.Terms,
) (*workspace.Workspace, error) {
	err := m.act(owner, id, func(w *workspace.Workspace) {
		if !terms.End.IsZero() {
			w.Lease.Duration = terms.End.Sub(w.Lease.Start) - w.Lease.Grace
		}
		if terms.Duration > 0 {
			w.Lease.Duration = terms.Duration
		}
	})
	if err != nil {
		return nil, err
	}
	return m.workspaces[id], nil
}

func (m *core) HostUses(context.Context) ([]workspace.HostUse, error) {
	return []workspace.HostUse{{
		Host: workspace.Host{
			ID: "node-1", VMM: "KVM", Active: true, Associations: []string{"public"},
			Capacity: workspace.Capacity{CPUs: 8, MemoryMB: 4096},
		},
		Used: workspace.Capacity{CPUs: 2, MemoryMB: 512},
	}}, nil
}

func (m *core) Reachable(workspace.HostID) bool { return true }

func (m *core) StartGroup(context.Context, workspace.Owner, workspace.GroupID) error {
	return m.change()
}

func (m *core) ShutdownGroup(
	_ context.Context, _ workspace.Owner, _ workspace.GroupID, _ workspace.ShutdownKind, _ string,
) error {
	return m.change()
}

func (m *core) DestroyGroup(context.Context, workspace.Owner, workspace.GroupID) error {
	return m.change()
}

func (m *core) Usage(context.Context, workspace.Owner) (workspace.Usage, error) {
	return workspace.Usage{Used: 9 * time.Minute, Reserved: 3 * time.Hour}, nil
}

func (m *core) Subscribe(
	_ context.Context, s workspace.Subscription,
) (*workspace.Subscription, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, known := m.workspaces[s.Workspace]; s.Workspace != 0 && !known {
		return nil, workspace.Errorf(workspace.NotFound, "subscribe", "", "unknown")
	}
	if err := m.failNext; err != nil {
		m.failNext = nil
		return nil, err
	}
	if err := m.change(); err != nil {
		return nil, err
	}
	s.ID = workspace.SubscriptionID("subscription-" + strconv.Itoa(len(m.subscriptions)+1))
	s.Created = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	m.subscriptions[s.ID] = &s
	return &s, nil
}

func (m *core) Subscription(
	_ context.Context, _ workspace.Owner, id workspace.SubscriptionID,
) (*workspace.Subscription, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s := m.subscriptions[id]; s != nil {
		return s, nil
	}
	return nil, workspace.Errorf(workspace.NotFound, "find the subscription", string(id), "unknown")
}

func (m *core) Renew(
	ctx context.Context, owner workspace.Owner, id workspace.SubscriptionID, at time.Time,
) (time.Time, error) {
	s, err := m.Subscription(ctx, owner, id)
	if err != nil {
		return at, err
	}
	if !at.IsZero() && at.Before(time.Now()) {
		return at, workspace.Errorf(workspace.Denied, "renew it", string(id), "that is past")
	}
	s.Expires = at
	return at, m.change()
}

func (m *core) PauseSubscription(
	ctx context.Context, owner workspace.Owner, id workspace.SubscriptionID, pause bool,
) error {
	s, err := m.Subscription(ctx, owner, id)
	if err != nil {
		return err
	}
	s.Paused = pause
	return m.change()
}

func (m *core) DestroySubscription(
	ctx context.Context, owner workspace.Owner, id workspace.SubscriptionID,
) error {
	if _, err := m.Subscription(ctx, owner, id); err != nil {
		return err
	}
	delete(m.subscriptions, id)
	return m.change()
}

// face returns the handler over the core, and what it logs.
func (m *core) face(t testing.TB, caller authn.Authenticator) (*dispatch.Handler, *bytes.Buffer) {
	t.Helper()
	return m.handler(t, dispatch.Options{Authenticator: caller})
}

// handler returns a handler over the core with the options, and what it logs.
func (m *core) handler(t testing.TB, o dispatch.Options) (*dispatch.Handler, *bytes.Buffer) {
	t.Helper()
	log := new(bytes.Buffer)
	producers := producer.Source{
		Manager: m, CheckConsumer: notify.Guard{Allow: notify.Loopback()}.URL,
	}
	o.Services = append(append([]dispatch.Service{
		factory.New(wsdl.One, m), factory.New(wsdl.Two, m),
		group.New(wsdl.One, m), group.New(wsdl.Two, m),
		status.New(wsdl.One, m), status.New(wsdl.Two, m),
		ws.New(wsdl.One, m, producers),
		ws.WithConsoles(ws.New(wsdl.Two, m, producers), nil, nil, "/consoles/"),
		subscription.New(wsdl.One, m), subscription.New(wsdl.Two, m), host.New(m),
		pullpoint.NewFactory(m), pullpoint.New(m),
	}, servicegroup.Workspaces(m, producers)...), servicegroup.Hosts(m)...)
	o.URL, o.Logger = "http://127.0.0.1:8080", slog.New(slog.NewTextHandler(log, nil))
	h, err := dispatch.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return h, log
}

// listen serves the handler as the daemon does and returns the address.
func listen(t testing.TB, h http.Handler, limits dispatch.Limits) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := dispatch.NewServer(h, limits)
	server.ErrorLog = slog.NewLogLogger(slog.NewTextHandler(io.Discard, nil), slog.LevelError)
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(dispatch.NewListener(l, limits))
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-served
	})
	return l.Addr().String()
}

// put adds a running workspace of the owner and returns its key.
func (m *core) put(owner workspace.Owner) workspace.ID {
	made, err := m.Create(context.Background(), workspace.Request{
		Owner: owner, Nodes: 1, Duration: 30 * time.Minute,
		Demand: workspace.Allocation{MemoryMB: 256, Architecture: "x86"},
		Spec: workspace.Spec{NICs: []workspace.NIC{{
			Name: "eth0", Association: "public", Method: workspace.AllocateAndConfigure,
			MAC: "A2:AA:BB:00:00:01", Address: workspace.Address{
				Hostname: "pub1", IP: "10.0.0.1", Netmask: "255.255.0.0",
				Gateway: "10.0.255.254", Broadcast: "10.0.255.255",
			},
		}}},
	})
	if err != nil {
		panic(err)
	}
	m.calls, m.requests = 0, nil
	return made.Workspaces[0].ID
}
