package sim_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/philoxenia/philoxenia/adapters/deployment/deploymenttest"
	"github.com/philoxenia/philoxenia/adapters/deployment/sim"
	"github.com/philoxenia/philoxenia/service/workspace"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const host workspace.HostID = "host1"

func TestConformance(t *testing.T) {
	deploymenttest.Exercise(t, func(t *testing.T) deploymenttest.Rig {
		w := open(t, t.TempDir(), "")
		return deploymenttest.Rig{
			Host:    w.Host(host),
			Machine: small,
			Reopen:  func(*testing.T) workspace.Deployment { return w.Host(host) },
			Uses:    20,
			Bounded: true,
			Metered: true,
			Snaps:   true,
			Second:  func(*testing.T) workspace.Deployment { return w.Host("host2") },
			Elsewhere: func(id workspace.ID) workspace.Machine {
				m := small(id)
				m.Memory = "/elsewhere/memory"
				return m
			},
			Talks: true,
			PowerOff: func(t *testing.T, id workspace.ID) {
				if err := w.PowerOff(host, id); err != nil {
					t.Error(err)
				}
			},
		}
	})
}

// small is a machine of 64 MB.
func small(id workspace.ID) workspace.Machine {
	return workspace.Machine{ID: id, Name: "small", MemoryMB: 64, CPUs: 1}
}

func open(t *testing.T, dir, script string) *sim.World {
	t.Helper()
	w, err := sim.Open(sim.Options{Dir: dir, Script: script, Hosts: pool()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
			t.Error(err)
		}
	})
	return w
}

func pool() []workspace.Host {
	return []workspace.Host{
		{ID: host, Capacity: workspace.Capacity{CPUs: 8, MemoryMB: 1024}},
		{ID: "host2", Capacity: workspace.Capacity{CPUs: 8, MemoryMB: 128}},
	}
}

// run brings machine id up on the host.
func run(t *testing.T, d workspace.Deployment, id workspace.ID) {
	t.Helper()
	must(t, d.Define(t.Context(), small(id)))
	must(t, d.Start(t.Context(), id, false))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestPoolOutlivesTheDaemon(t *testing.T) {
	dir := t.TempDir()
	w := open(t, dir, "")
	d := w.Host(host)
	run(t, d, 1)
	must(t, d.Start(t.Context(), 1, false)) // no second start
	run(t, d, 2)
	must(t, d.Stop(t.Context(), 2, workspace.StopSerialize))
	must(t, d.Start(t.Context(), 2, false)) // a restore counts as a start
	must(t, d.Reboot(t.Context(), 2))
	run(t, d, 3)
	must(t, w.Crash(host, 3))
	run(t, d, 4)
	must(t, d.Undefine(t.Context(), 4))
	before := w.Machines(host)
	must(t, w.Close())

	after := open(t, dir, "").Machines(host)
	if len(after) != 3 || after[1].Starts != 1 || after[2].Starts != 2 || after[2].Reboots != 1 {
		t.Errorf("the pool came back as %+v", after)
	}
	for id, m := range before {
		if after[id] != m {
			t.Errorf("machine %v was %+v, came back as %+v", id, m, after[id])
		}
	}
}

func TestTornJournal(t *testing.T) {
	dir := t.TempDir()
	w := open(t, dir, "")
	run(t, w.Host(host), 1)
	must(t, w.Close())
	path := filepath.Join(dir, "sim.journal")
	whole, err := os.ReadFile(path)
	must(t, err)
	first := strings.Index(string(whole), "\n") + 1
	for cut := first; cut < len(whole); cut++ {
		must(t, os.WriteFile(path, whole[:cut], 0o644))
		w := open(t, dir, "")
		if m := w.Machines(host)[1]; m.Condition != workspace.ConditionOff {
			t.Fatalf("cut at %d: %+v", cut, m)
		}
		must(t, w.Host(host).Start(t.Context(), 1, false))
		must(t, w.Close())
		again, err := os.ReadFile(path)
		must(t, err)
		if string(again) != string(whole) {
			t.Fatalf("cut at %d and mended, the journal is\n%s", cut, again)
		}
	}
}

func TestSpoiltJournalIsRefused(t *testing.T) {
	for name, text := range map[string]string{
		"words":  "start\n",
		"id":     "start host1 one\n",
		"digest": "define host1 1 xyz 64\n",
		"shape":  "resize host1 1 64 1 50 0\n",
		"state":  "state host1 1 ab 64 running 1\n",
		"counts": "state host1 1 ab 64 running 1 many\n",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			must(t, os.WriteFile(filepath.Join(dir, "sim.journal"), []byte(text), 0o644))
			_, err := sim.Open(sim.Options{Dir: dir, Hosts: pool()})
			if err == nil || !strings.Contains(err.Error(), "line 1") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestJournalHasOneWriter(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, "")
	if _, err := sim.Open(sim.Options{Dir: dir, Hosts: pool()}); err == nil {
		t.Error("two worlds write one journal")
	}
}

func TestCompaction(t *testing.T) {
	dir := t.TempDir()
	w, err := sim.Open(sim.Options{Dir: dir, Hosts: pool(), CompactAbove: 400})
	must(t, err)
	d := w.Host(host)
	run(t, d, 1)
	for range 100 {
		must(t, d.Reboot(t.Context(), 1))
	}
	must(t, w.Close())
	info, err := os.Stat(filepath.Join(dir, "sim.journal"))
	must(t, err)
	if info.Size() > 1000 {
		t.Errorf("the journal has %d bytes", info.Size())
	}
	records, err := sim.ReadJournal(dir)
	must(t, err)
	got := sim.Replay(records)[sim.Place{Host: host, Machine: 1}]
	if got.Reboots != 100 || got.Starts != 1 || got.Condition != workspace.ConditionRunning {
		t.Errorf("the journal says %+v", got)
	}
	if again := open(t, dir, "").Machines(host)[1]; again != got {
		t.Errorf("the pool came back as %+v", again)
	}
}

func TestMemoryIsFinite(t *testing.T) {
	d := open(t, "", "").Host("host2")
	run(t, d, 1)
	run(t, d, 2)
	must(t, d.Define(t.Context(), small(3)))
	isKind(t, "a third machine of 64 MB on 128 MB", d.Start(t.Context(), 3, false),
		workspace.Internal)
	must(t, d.Stop(t.Context(), 1, workspace.StopSerialize))
	must(t, d.Start(t.Context(), 3, false))
}

func TestResizeIsRemembered(t *testing.T) {
	dir := t.TempDir()
	w := open(t, dir, "")
	run(t, w.Host(host), 1)
	larger := small(1)
	larger.MemoryMB, larger.CPUPercent = 96, 50
	must(t, w.Host(host).Resize(t.Context(), 1, larger.Shape()))
	must(t, w.Close())
	w = open(t, dir, "")
	must(t, w.Host(host).Define(t.Context(), larger))
	isKind(t, "define it as it was", w.Host(host).Define(t.Context(), small(1)),
		workspace.Internal)
}

// TestJournalOfBefore reads lines from before machines could be resized.
func TestJournalOfBefore(t *testing.T) {
	dir := t.TempDir()
	text := fmt.Sprintf("define host1 1 %s 64\nstate host1 2 %s 64 off 3 1\n",
		small(1).Fingerprint()[:16], small(2).Fingerprint()[:16])
	must(t, os.WriteFile(filepath.Join(dir, "sim.journal"), []byte(text), 0o644))
	d := open(t, dir, "").Host(host)
	for id := workspace.ID(1); id <= 2; id++ {
		must(t, d.Define(t.Context(), small(id)))
		isKind(t, "resize", d.Resize(t.Context(), id, workspace.Shape{MemoryMB: 70}),
			workspace.Conflict)
		must(t, d.Undefine(t.Context(), id))
		must(t, d.Define(t.Context(), small(id)))
		must(t, d.Resize(t.Context(), id, workspace.Shape{MemoryMB: 70}))
	}
}

func TestHostDown(t *testing.T) {
	w := open(t, "", "")
	d := w.Host(host)
	run(t, d, 1)
	ended := make(chan error, 1)
	var heard atomic.Int32
	go func() {
		ended <- d.Watch(t.Context(), func(workspace.Observed) { heard.Add(1) })
	}()
	for heard.Load() == 0 {
		must(t, d.Pause(t.Context(), 1))
		must(t, d.Resume(t.Context(), 1))
	}
	w.SetDown(host, true)
	if err := <-ended; workspace.KindOf(err) != workspace.Unavailable || err == nil {
		t.Errorf("the watch ended with %v", err)
	}
	if err := d.Pause(t.Context(), 1); workspace.KindOf(err) != workspace.Unavailable {
		t.Errorf("pause on a host that is down: %v", err)
	}
	w.SetDown(host, false)
	if c, err := d.Inspect(t.Context(), 1); err != nil || c != workspace.ConditionRunning {
		t.Errorf("the machine is %v, %v", c, err)
	}
}

func TestUnknownHostIsDown(t *testing.T) {
	_, err := open(t, "", "").Host("elsewhere").List(t.Context())
	if err == nil || workspace.KindOf(err) != workspace.Unavailable {
		t.Errorf("got %v", err)
	}
}

func TestScriptedFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := open(t, "", `
			*     define delay=200ms            # slow disks
			host1 start  nth=2 times=1 fail=transient
			host1 pause  lost
			host1 resume hang
			host1 reboot lost hang
			host2 *      down`)
		d := w.Host(host)
		begin := time.Now()
		must(t, d.Define(t.Context(), small(1)))
		if took := time.Since(begin); took != 200*time.Millisecond {
			t.Errorf("define took %v", took)
		}
		must(t, d.Start(t.Context(), 1, false))
		isKind(t, "second start", d.Start(t.Context(), 1, false), workspace.Transient)
		must(t, d.Start(t.Context(), 1, false))
		isKind(t, "pause", d.Pause(t.Context(), 1), workspace.Unavailable)
		is(t, w, workspace.ConditionPaused)

		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		isKind(t, "resume", d.Resume(ctx, 1), workspace.Unavailable)
		is(t, w, workspace.ConditionPaused)
		if took := time.Since(begin); took != time.Minute+200*time.Millisecond {
			t.Errorf("the hanging call took until %v", took)
		}
		ctx, cancel = context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		isKind(t, "reboot", d.Reboot(ctx, 1), workspace.Unavailable)
		is(t, w, workspace.ConditionRunning)

		_, err := w.Host("host2").List(t.Context())
		isKind(t, "host2", err, workspace.Unavailable)
		w.ClearScript()
		must(t, d.Pause(t.Context(), 1))
		w.Script(sim.Rule{Op: sim.OpInspect, Machine: 1, Fail: "internal"})
		_, err = d.Inspect(t.Context(), 1)
		isKind(t, "inspect", err, workspace.Internal)
		if n := w.Calls(sim.OpStart); n != 3 {
			t.Errorf("start was called %d times", n)
		}
	})
}

func isKind(t *testing.T, what string, err error, want workspace.Kind) {
	t.Helper()
	if err == nil || workspace.KindOf(err) != want {
		t.Errorf("%s: got %v, want kind %q", what, err, want)
	}
}

func is(t *testing.T, w *sim.World, want workspace.Condition) {
	t.Helper()
	if got := w.Machines(host)[1].Condition; got != want {
		t.Errorf("the machine is %s, want %s", got, want)
	}
}

func TestBadScripts(t *testing.T) {
	for name, c := range map[string]struct{ script, want string }{
		"too short":    {"* start", "line 1"},
		"operation":    {"\n* begin lost", `line 2): no operation "begin"`},
		"kind":         {"* start fail=badly", `no kind of failure "badly"`},
		"nth":          {"* start nth=0", `cannot use "nth=0"`},
		"delay":        {"* start delay=soon", "delay=soon"},
		"unknown word": {"* start sometimes", "sometimes"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := sim.Open(sim.Options{Hosts: pool(), Script: c.script})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q in it", err, c.want)
			}
			isKind(t, "the script", err, workspace.Invalid)
		})
	}
}

func TestBadHosts(t *testing.T) {
	for name, hosts := range map[string][]workspace.Host{
		"empty":     {{ID: ""}},
		"two words": {{ID: "host 1"}},
		"twice":     {{ID: "a"}, {ID: "a"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := sim.Open(sim.Options{Hosts: hosts})
			isKind(t, "open", err, workspace.Invalid)
		})
	}
}

// BenchmarkLife leads machines through a whole life, with the journal on disk.
func BenchmarkLife(b *testing.B) {
	w, err := sim.Open(sim.Options{Dir: b.TempDir(), Hosts: []workspace.Host{{ID: host}}})
	if err != nil {
		b.Fatal(err)
	}
	defer w.Close()
	d, ctx, id := w.Host(host), b.Context(), workspace.ID(0)
	const operations = 4
	for b.Loop() {
		id++
		err := errors.Join(d.Define(ctx, small(id)), d.Start(ctx, id, false),
			d.Stop(ctx, id, workspace.StopForced), d.Undefine(ctx, id))
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/operations, "ns/operation")
}
