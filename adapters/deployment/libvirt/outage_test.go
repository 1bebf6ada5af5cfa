package libvirt_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/adapters/access/local"
	"github.com/philoxenia/philoxenia/adapters/deployment/libvirt"
	"github.com/philoxenia/philoxenia/adapters/deployment/libvirt/libvirtdtest"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// longEnough bounds every wait of these tests: who waits so long waits for ever.
const longEnough = 10 * time.Minute

// openTest opens an adapter on the daemon's test driver.
func openTest(t *testing.T, d *libvirtdtest.Daemon) *libvirt.Host {
	t.Helper()
	h := open(t, libvirt.Options{URI: d.URI("test"), Networks: map[string]libvirt.Network{
		"public": {Kind: libvirt.NetworkBridge, Name: "br0"}}})
	t.Cleanup(func() { must(t, h.Close()) })
	return h
}

func TestDaemonIsKilledAndComesBack(t *testing.T) {
	d := libvirtdtest.Start(t)
	h := openTest(t, d)
	must(t, h.Define(t.Context(), paper(1)))
	ended := make(chan error, 1)
	go func() { ended <- h.Watch(t.Context(), func(workspace.Observed) {}) }()

	d.Kill()
	if err := <-ended; workspace.KindOf(err) != workspace.Unavailable || err == nil {
		t.Errorf("the watch ended with %v", err)
	}
	_, err := h.List(t.Context())
	isKind(t, "list without a daemon", err, workspace.Unavailable)

	d.Restart()
	// The test driver forgot everything, and the adapter has to say so.
	if c, err := h.Inspect(t.Context(), 1); err != nil || c != workspace.ConditionAbsent {
		t.Errorf("the machine is %v, %v", c, err)
	}
	must(t, h.Define(t.Context(), paper(1)))
	heard := make(chan workspace.Observed, 8)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { ended <- h.Watch(ctx, func(o workspace.Observed) { heard <- o }) }()
	off := workspace.Observed{ID: 1, Condition: workspace.ConditionOff}
	if o := <-heard; o != off {
		t.Errorf("the new watch began with %v", o)
	}
	must(t, h.Undefine(t.Context(), 1))
	o := <-heard
	for o == off { // reports may repeat: the event of the definition may come late
		o = <-heard
	}
	if o != (workspace.Observed{ID: 1, Condition: workspace.ConditionAbsent}) {
		t.Errorf("the new watch told of %v", o)
	}
	cancel()
	must(t, <-ended)
}

// TestMachineGoneWhileNobodyWatched checks that the next watch tells of it.
func TestMachineGoneWhileNobodyWatched(t *testing.T) {
	d := libvirtdtest.Start(t)
	d.Hold()
	h := openTest(t, d)
	must(t, h.Define(t.Context(), paper(1)))
	watchOnce(t, h, workspace.Observed{ID: 1, Condition: workspace.ConditionOff})
	d.VirshTest("undefine", "workspace-1")
	watchOnce(t, h, workspace.Observed{ID: 1, Condition: workspace.ConditionAbsent})
}

// watchOnce watches until the first report, which must be this.
func watchOnce(t *testing.T, h *libvirt.Host, want workspace.Observed) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), longEnough)
	defer cancel()
	var got workspace.Observed
	must(t, h.Watch(ctx, func(o workspace.Observed) {
		got = o
		cancel()
	}))
	if got != want {
		t.Errorf("the watch told of %v, want %v", got, want)
	}
}

func TestFrozenDaemon(t *testing.T) {
	d := libvirtdtest.Start(t)
	h := openTest(t, d)
	must(t, h.Define(t.Context(), paper(1)))
	d.Freeze()
	var both sync.WaitGroup // one after the other the second could meet the end of the doubt
	for _, what := range []string{"on the old connection", "and again"} {
		both.Go(func() { late(t, what, h) })
	}
	both.Wait()
	h2 := lateOpen(t, d)
	late(t, "on a connection that never opened", h2)
	must(t, h2.Close())
	d.Thaw()
	ctx, cancel := context.WithTimeout(t.Context(), longEnough)
	defer cancel()
	_, err := h.List(ctx)
	for workspace.KindOf(err) == workspace.Unavailable && ctx.Err() == nil {
		_, err = h.List(ctx) // the doubt may have ended the connection just now
	}
	if err != nil {
		t.Errorf("after the thaw: %v", err)
	}
}

// TestWatchOfADaemonThatStandsStill has a libvirtd say nothing for longer than it is waited
// for: the watch ends and has told nothing but what is so, as does the next one.
func TestWatchOfADaemonThatStandsStill(t *testing.T) {
	d := libvirtdtest.Start(t)
	d.Hold()
	h := openTest(t, d)
	must(t, h.Define(t.Context(), paper(1)))
	var told []workspace.Observed
	began, ended := make(chan bool, 1), make(chan error, 1)
	go func() {
		ended <- h.Watch(t.Context(), func(o workspace.Observed) {
			told = append(told, o)
			select {
			case began <- true:
			default:
			}
		})
	}()
	<-began
	d.Freeze()
	late(t, "of a daemon that stands still", h)
	isKind(t, "watch", <-ended, workspace.Unavailable)
	off := workspace.Observed{ID: 1, Condition: workspace.ConditionOff}
	for _, o := range told {
		if o != off {
			t.Errorf("it told of %v", o)
		}
	}
	d.Thaw()
	watchOnce(t, h, off)
}

// TestSilentConnection has a connection lie dead with nobody told of it, as one does
// whose way is lost: the call that was kept waiting casts doubt on it, the next one that
// waits there is freed long before its own time, and the one after has a new connection.
func TestSilentConnection(t *testing.T) {
	d := libvirtdtest.Start(t)
	d.Hold()
	relay := libvirtdtest.NewRelay(d)
	h := open(t, libvirt.Options{URI: "test+unix:///default?socket=" + relay.Address(),
		Networks: map[string]libvirt.Network{
			"public": {Kind: libvirt.NetworkBridge, Name: "br0"}}})
	defer func() { must(t, h.Close()) }()
	must(t, h.Define(t.Context(), paper(1)))
	var dead atomic.Bool
	relay.Judge(func(libvirtdtest.Call) libvirtdtest.Fate {
		if dead.CompareAndSwap(false, true) {
			return libvirtdtest.Swallow
		}
		return libvirtdtest.Pass
	})
	late(t, "on the dead connection", h)
	_, err := h.Inspect(t.Context(), 1)
	if errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("it waited all its time: %v", err)
	}
	if is, err := h.Inspect(t.Context(), 1); err != nil || is != workspace.ConditionOff {
		t.Errorf("on a new connection: %s, %v", is, err)
	}
}

// late checks that a call comes back by its deadline, and not before.
func late(t *testing.T, what string, h *libvirt.Host) {
	t.Helper()
	const limit = 300 * time.Millisecond
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	begin := time.Now()
	_, err := h.Inspect(ctx, 1)
	isKind(t, what, err, workspace.Unavailable)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%s: %v does not tell of the deadline", what, err)
	}
	if took := time.Since(begin); took < limit || took > longEnough {
		t.Errorf("%s: took %v", what, took)
	}
}

// lateOpen opens an adapter whose daemon accepts the connection and says nothing.
func lateOpen(t *testing.T, d *libvirtdtest.Daemon) *libvirt.Host {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	h, err := libvirt.Open(ctx, libvirt.Options{URI: d.URI("test"), Access: local.Access{}})
	must(t, err)
	return h
}

func TestHostThatIsNotThere(t *testing.T) {
	h := open(t, libvirt.Options{URI: "qemu+unix:///system?socket=" + t.TempDir() + "/none"})
	_, err := h.Capacity(t.Context())
	isKind(t, "capacity", err, workspace.Unavailable)
	must(t, h.Close())
	_, err = h.Capacity(t.Context())
	isKind(t, "capacity after close", err, workspace.Unavailable)
}

// TestStrangers checks that domains with our name, our UUID or both, but without our
// mark, are in nobody's way and left alone.
func TestStrangers(t *testing.T) {
	d := libvirtdtest.Start(t)
	d.Hold()
	h := openTest(t, d)
	must(t, h.Define(t.Context(), paper(5)))
	uuid := d.VirshTest("domuuid", "workspace-5")
	must(t, h.Undefine(t.Context(), 5))

	d.VirshTest("define", foreign(t, "workspace-6"))
	path := t.TempDir() + "/same.xml"
	write(t, path, "<domain type='test'><name>elsewhere</name><uuid>"+uuid[:36]+"</uuid>"+
		"<memory>8192</memory><os><type>hvm</type></os></domain>")
	d.VirshTest("define", path)
	d.VirshTest("start", "elsewhere")
	must(t, h.Define(t.Context(), paper(7)))
	uuid = d.VirshTest("domuuid", "workspace-7")
	must(t, h.Undefine(t.Context(), 7))
	write(t, path, "<domain type='test'><name>workspace-7</name><uuid>"+uuid[:36]+"</uuid>"+
		"<memory>8192</memory><os><type>hvm</type></os></domain>")
	d.VirshTest("define", path)
	d.VirshTest("start", "workspace-7")
	all := func() string {
		return d.VirshTest("dumpxml", "elsewhere") + d.VirshTest("dumpxml", "workspace-6") +
			d.VirshTest("dumpxml", "workspace-7")
	}
	before := all()

	for _, id := range []workspace.ID{5, 6, 7} {
		isKind(t, "define", h.Define(t.Context(), paper(id)), workspace.Conflict)
		isKind(t, "start", h.Start(t.Context(), id, false), workspace.NotFound)
		isKind(t, "stop", h.Stop(t.Context(), id, workspace.StopForced), workspace.NotFound)
		must(t, h.Undefine(t.Context(), id))
		if c, err := h.Inspect(t.Context(), id); err != nil || c != workspace.ConditionAbsent {
			t.Errorf("machine %v is %v, %v", id, c, err)
		}
	}
	if all, err := h.List(t.Context()); err != nil || len(all) > 0 {
		t.Errorf("list gives %v, %v", all, err)
	}
	if all, err := h.Measure(t.Context()); err != nil || len(all) > 0 {
		t.Errorf("measured are %v, %v", all, err)
	}
	if after := all(); after != before {
		t.Errorf("strangers have changed:\n%s\nbefore:\n%s", after, before)
	}
}

// TestPoolsAreApart checks that a second installation sees nothing of the first.
func TestPoolsAreApart(t *testing.T) {
	d := libvirtdtest.Start(t)
	d.Hold()
	h := openTest(t, d)
	must(t, h.Define(t.Context(), paper(1)))
	other, err := libvirt.Open(t.Context(), libvirt.Options{URI: d.URI("test"), Pool: "another",
		Access:   local.Access{},
		Networks: map[string]libvirt.Network{"public": {Kind: libvirt.NetworkBridge, Name: "br0"}}})
	must(t, err)
	defer func() { must(t, other.Close()) }()
	if all, err := other.List(t.Context()); err != nil || len(all) > 0 {
		t.Errorf("list gives %v, %v", all, err)
	}
	isKind(t, "define", other.Define(t.Context(), paper(1)), workspace.Conflict)
	must(t, other.Undefine(t.Context(), 1))
	if c, err := h.Inspect(t.Context(), 1); err != nil || c != workspace.ConditionOff {
		t.Errorf("the machine is %v, %v", c, err)
	}
}

// TestWatchEndsWithItsConnection has a libvirtd come back at once: what it told in
// between is missed, and so the watch must not go on as if nothing had been.
func TestWatchEndsWithItsConnection(t *testing.T) {
	d := libvirtdtest.Start(t)
	must(t, openTest(t, d).Define(t.Context(), paper(1)))
	h := openTest(t, d) // nothing happens any more that it could be told of
	began, ended := make(chan workspace.Observed, 8), make(chan error, 1)
	go func() { ended <- h.Watch(t.Context(), func(o workspace.Observed) { began <- o }) }()
	<-began
	d.Kill()
	d.Restart()
	select {
	case err := <-ended:
		isKind(t, "watch", err, workspace.Unavailable)
	case <-time.After(longEnough):
		t.Error("the watch goes on")
	}
}

// TestUndefineOvertakesNoDefinition calls a definition off as libvirtd receives it, and
// undefines the machine at once: libvirtd works on both side by side. It tries that often
// enough for the one to come before the other, if it can.
func TestUndefineOvertakesNoDefinition(t *testing.T) {
	const rounds, defineXMLFlags = 8, 350
	f := newFarm(t)
	relay := libvirtdtest.NewRelay(f.Daemon)
	relayed := f.options
	relayed.URI = "qemu+unix:///system?socket=" + relay.Address()
	h := open(t, relayed)
	defer func() { must(t, h.Close()) }()
	m := f.machine(t, 1)
	for range rounds {
		ctx, cancel := context.WithCancel(t.Context())
		relay.Judge(func(c libvirtdtest.Call) libvirtdtest.Fate {
			if c.Procedure == defineXMLFlags {
				cancel()
			}
			return libvirtdtest.Pass
		})
		if err := h.Define(ctx, m); ctx.Err() == nil {
			t.Fatalf("nothing was defined: %v", err)
		}
		must(t, h.Undefine(t.Context(), 1))
	}
	f.nothingRemains(t)
}
