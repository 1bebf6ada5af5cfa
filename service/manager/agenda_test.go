package manager_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// A call is one thing that happens to the service: numbers are read as the call
// needs them.
type call struct{ Do, Kind, Nodes, Memory, Length, Ahead, Pick int }

// calls draws what happens to a service in its life.
func calls() *rapid.Generator[[]call] {
	small := rapid.IntRange(0, 11)
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) call {
		return call{
			rapid.IntRange(0, 12).Draw(t, "do"), rapid.IntRange(0, 4).Draw(t, "kind"),
			rapid.IntRange(1, 3).Draw(t, "nodes"), rapid.IntRange(1, 4).Draw(t, "memory"),
			rapid.IntRange(1, 12).Draw(t, "length"), rapid.IntRange(0, 12).Draw(t, "ahead"),
			small.Draw(t, "pick"),
		}
	}), 40, 60)
}

// A pledge is the time in which a lease was promised to run.
type pledge struct{ start, end time.Time }

// A life is a service to which calls happen, and what it has promised.
type life struct {
	*rig
	promised map[workspace.ID]pledge
	known    []workspace.ID
	drained  bool
	trace    []string
}

// TestPromises lets anything happen to a service, restarts included, and holds
// what it does against what it has said: no host has more on it than it has, and
// who was promised a time has it.
func TestPromises(t *testing.T) {
	rounds := 12
	if n, err := strconv.Atoi(os.Getenv("PROMISES")); err == nil {
		rounds = n
	}
	for seed := range rounds {
		all := calls().Example(seed)
		dir := t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			l := &life{rig: newRig(t, dir, ""), promised: map[workspace.ID]pledge{}}
			defer func() { l.stop() }()
			for i, c := range all {
				l.happen(c)
				l.holds()
				if t.Failed() {
					t.Fatalf("seed %d, call %d of %+v\n%v", seed, i, c, l.trace)
				}
			}
		})
		if t.Failed() {
			return
		}
	}
}

// happen lets one call happen.
func (l *life) happen(c call) {
	id := workspace.ID(0)
	if len(l.known) > 0 {
		id = l.known[c.Pick%len(l.known)]
	}
	l.trace = append(l.trace, fmt.Sprintf("%s %+v on %d\n", time.Now().Format("15:04:05"), c, id))
	switch c.Do {
	case 0, 1, 2, 3:
		l.ask(c)
	case 4:
		if err := l.manager.Destroy(l.t.Context(), ada, id); err == nil {
			delete(l.promised, id)
		}
	case 5:
		l.extend(id, time.Duration(c.Length)*10*time.Minute)
	case 6:
		_, _ = l.manager.Resize(l.t.Context(), ada, id, workspace.Resize{
			Shape: workspace.Shape{MemoryMB: int64(c.Memory) * 256, CPUs: int64(c.Nodes)},
		})
	case 7, 8:
		time.Sleep(time.Duration(c.Length) * 7 * time.Minute)
	case 9:
		l.restart()
	case 10:
		l.operate(id, c.Kind)
	case 11:
		l.drained = !l.drained
		mode := workspace.HostMode{Host: "one", Drained: l.drained}
		l.check(l.manager.SetHost(l.t.Context(), ada, mode))
	case 12:
		l.outage(c, time.Duration(c.Length)*20*time.Second)
	}
	time.Sleep(time.Duration(c.Pick) * time.Second)
}

// outage lets a host be out of reach for a while. What was to begin meanwhile
// may be late.
func (l *life) outage(c call, length time.Duration) {
	l.world.SetDown("two", true)
	time.Sleep(length)
	l.ask(c)
	l.world.SetDown("two", false)
	time.Sleep(time.Minute)
	at := time.Now()
	for id, p := range l.promised {
		if at.Sub(p.start) < length+2*time.Minute && at.After(p.start) {
			delete(l.promised, id)
		}
	}
}

// ask makes a request of any kind.
func (l *life) ask(c call) {
	req := request(c.Nodes)
	req.Demand.MemoryMB = int64(c.Memory) * 256
	req.Duration = time.Duration(c.Length) * 10 * time.Minute
	req.Mechanism = []workspace.Mechanism{
		workspace.MechanismNormal, workspace.MechanismTrash, workspace.MechanismSerialize,
	}[c.Pick%3]
	if c.Pick%4 == 0 {
		req.Least.MemoryMB = 128
	}
	if c.Pick%3 > 0 { // addresses are few
		req.Spec.NICs = nil
	}
	switch c.Kind {
	case 1:
		req.Terms.Kind = workspace.LeaseReservation
		req.Terms.Start = ahead(time.Duration(c.Ahead)*10*time.Minute + 30*time.Second)
	case 2, 3:
		req.Terms.Kind, req.Terms.Preemptible = workspace.LeaseBestEffort, c.Kind == 3
		req.Duration *= 3
	case 4:
		req.Terms.Kind = workspace.LeaseDeadline
		req.Terms.Deadline = ahead(req.Duration + time.Duration(c.Ahead+1)*10*time.Minute)
	}
	created, err := l.manager.Create(l.t.Context(), req)
	if err != nil {
		if k := workspace.KindOf(err); k != workspace.NoResource && k != workspace.Unavailable {
			l.t.Errorf("Create = %v", err)
		}
		return
	}
	for _, w := range created.Workspaces {
		l.known = append(l.known, w.ID)
		if c.Kind <= 1 {
			l.promised[w.ID] = pledge{w.Lease.Start, w.Lease.End()}
		}
	}
}

func (l *life) extend(id workspace.ID, by time.Duration) {
	w, err := l.manager.Workspace(l.t.Context(), ada, id)
	if err != nil {
		return
	}
	terms := workspace.Terms{Duration: by}
	if changed, err := l.manager.Renegotiate(l.t.Context(), ada, w.ID, terms); err == nil {
		if _, ok := l.promised[id]; ok {
			l.promised[id] = pledge{changed.Lease.Start, changed.Lease.End()}
		}
	}
}

// operate is what a user does; who has done it with a guest is not held to run.
func (l *life) operate(id workspace.ID, kind int) {
	shut := []workspace.ShutdownKind{
		workspace.ShutdownNormal, workspace.ShutdownPause, workspace.ShutdownSerialize,
		workspace.ShutdownReboot, workspace.ShutdownReadyForTransport,
	}[kind]
	if l.manager.Shutdown(l.t.Context(), ada, id, shut, "") == nil {
		delete(l.promised, id)
	}
}

// restart ends the service and starts another one on the same record: what was
// promised before is promised after.
func (l *life) restart() {
	synctest.Wait()
	before, err := l.store.Bookings(l.t.Context())
	l.check(err)
	l.stop()
	l.rig = newRig(l.t, l.dir, "")
	synctest.Wait()
	for _, was := range before {
		is, err := l.store.Booking(l.t.Context(), was.ID)
		if err != nil {
			continue // its last workspace was going
		}
		firm := was.Terms.Kind != workspace.LeaseBestEffort
		if firm && is.Status == was.Status && (!is.Runs.Equal(was.Runs) ||
			is.Status != workspace.LeaseOver && !is.Until.Equal(was.Until) ||
			fmt.Sprint(is.Hosts) != fmt.Sprint(was.Hosts)) {
			l.t.Errorf("after a restart the lease is\n%+v, before it was\n%+v", *is, *was)
		}
	}
}

// holds checks what was promised.
func (l *life) holds() {
	synctest.Wait()
	all, err := l.store.Workspaces(l.t.Context(), "")
	l.check(err)
	used := map[workspace.HostID]workspace.Capacity{}
	at := time.Now()
	for _, w := range all {
		if w.HoldsHost() {
			u := used[w.Host]
			u.CPUShare, u.MemoryMB = u.CPUShare+w.Demand.CPUShare(), u.MemoryMB+w.Demand.MemoryMB
			u.CPUs = (u.CPUShare + 99) / 100
			used[w.Host] = u
		}
		if _, err := l.store.Booking(l.t.Context(), w.Booking); err != nil && !w.Gone() {
			l.t.Errorf("workspace %d has no booking: %v", w.ID, err)
		}
		p, ok := l.promised[w.ID]
		if !ok || at.Before(p.start) || !at.Before(p.end) || w.Gone() {
			continue
		}
		if w.State != workspace.Running || w.Expired {
			b, _ := l.store.Booking(l.t.Context(), w.Booking)
			l.t.Errorf("%s: workspace %d was promised to run from %s to %s:\n%+v\n%+v", at, w.ID,
				p.start, p.end, *w, b)
		}
	}
	uses, err := l.store.Hosts(l.t.Context())
	l.check(err)
	for _, u := range uses {
		if u.Used != used[u.ID] || u.Used.MemoryMB > u.Capacity.MemoryMB ||
			u.Used.CPUs > u.Capacity.CPUs {
			l.t.Errorf("%s: host %s has %+v on it, workspaces %+v, of %+v", at, u.ID, u.Used,
				used[u.ID], u.Capacity)
		}
	}
}
