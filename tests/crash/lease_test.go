package crash

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/tests/daemon"
)

// crowded is the configuration of three small simulated hosts on which leases
// are in each other's way all the time: data, images.
const crowded = `
data = %q

[listen]
caller = "/O=Philoxenia/OU=Crash/CN=Guest"

[site]
grace = "1h"
accepts = { Xen = ["KVM"], KVM = ["KVM"] }

[scheduler]
preemption = ["suspend", "kill"]
boot = "200ms"
shutdown = "100ms"
suspend_rate = 1024
resume_rate = 1024

[[host]]
id = "small"
adapter = "sim"
count = 3
cpus = 2
memory_mb = 768

[[network]]
name = "public"
first = "10.9.1.1"
last = "10.9.3.250"
netmask = "255.255.0.0"
gateway = "10.9.0.254"
broadcast = "10.9.255.255"

[repository.file]
dir = %q
`

// unhurried makes simulated hosts so slow that many a kill meets what they do.
const unhurried = `
* define delay=5ms
* start  delay=80ms
* stop   delay=90ms
* resize delay=40ms
`

// What a host of them has.
const (
	smallCPUs     = 2
	smallMemoryMB = 768
)

// A promise is what a client was told of a lease.
type promise struct {
	kind   string
	start  time.Time // of a reservation
	length time.Duration
	nodes  int
	keys   []string
	asked  time.Time
}

// A lessee is the clients of a daemon together: what they asked and were told.
type lessee struct {
	mu       sync.Mutex
	promises map[string]*promise // by the first key
	open     []*asking           // requests whose answer was lost
	tally    map[string]*tally
	wrong    []string
}

// An asking is a request for a lease, to be sent again until it is answered.
type asking struct {
	promise
	values daemon.Values
}

// TestKillsKeepLeases kills the daemon while reservations begin, best-effort
// leases are suspended for them and resumed, and machines are resized. After
// every kill what lies on the disk must add up: no host is given twice, now or in
// what is planned, no lease is lost or doubled, every reservation has the start
// that was acknowledged, and machines are as the record has them.
func TestKillsKeepLeases(t *testing.T) {
	r := newLeaseRig(t)
	for r.kills < *killsFlag && !t.Failed() {
		r.live(t)
	}
	r.finish(t)
	r.report(t)
}

// A leaseRig is one daemon with its lives.
type leaseRig struct {
	options daemon.Options
	rand    *rand.Rand
	lessee  *lessee
	books   *leaseBooks
	log     *tail
	kills   int
}

func newLeaseRig(t *testing.T) *leaseRig {
	dir := t.TempDir()
	seed := *seedFlag
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d", seed)
	data, images := filepath.Join(dir, "data"), filepath.Join(dir, "images")
	for _, name := range []string{data, images, filepath.Join(dir, "copy")} {
		if err := os.Mkdir(name, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("images/"+imageName, string(bytes.Repeat([]byte("image"), 1000)))
	log := &tail{}
	return &leaseRig{
		options: daemon.Options{
			Bin: programs(t), Data: data, Log: log,
			Config: write("workspaced.toml", fmt.Sprintf(crowded, data, images)),
			Args:   []string{"--log-level", "WARN", "--sim-script", write("sim.script", unhurried)},
		},
		rand:   rand.New(rand.NewPCG(seed, 2)),
		lessee: &lessee{promises: map[string]*promise{}, tally: map[string]*tally{}},
		books: &leaseBooks{books: books{
			data: data, copy: filepath.Join(dir, "copy"), limit: patience,
		}},
		log: log,
	}
}

// live is one life of the daemon: it starts, clients work, it is killed, and
// what it left is looked at. Now and then it is killed while it starts.
func (r *leaseRig) live(t *testing.T) {
	p := r.start(t)
	begun := time.Now()
	var wg sync.WaitGroup
	life := time.Duration(r.rand.Int64N(int64(4 * time.Second)))
	if r.rand.IntN(5) == 0 {
		life = time.Duration(r.rand.Int64N(int64(80 * time.Millisecond)))
	}
	for range 3 {
		c := daemon.NewCaller(p.Addr())
		seed := rand.New(rand.NewPCG(r.rand.Uint64(), r.rand.Uint64()))
		wg.Go(func() { r.lessee.work(c, seed) })
	}
	select {
	case <-time.After(life):
	case <-p.Ended():
		t.Errorf("the daemon ended by itself:\n%s", r.log)
	}
	p.Kill()
	killed := time.Now()
	wg.Wait()
	r.kills++
	r.books.lives = append(r.books.lives, period{begun, killed})
	r.examine(t)
}

func (r *leaseRig) start(t *testing.T) *daemon.Process {
	t.Helper()
	p, err := daemon.Start(t.Context(), r.options)
	if err != nil {
		t.Fatalf("after %d kills: %v\n%s", r.kills, err, r.log)
	}
	return p
}

// examine looks at what a daemon that is gone has left.
func (r *leaseRig) examine(t *testing.T) {
	t.Helper()
	wrong, err := r.books.examine(t.Context(), r.lessee)
	if err != nil {
		t.Fatalf("after kill %d: %v", r.kills, err)
	}
	for _, w := range append(wrong, r.lessee.wrong...) {
		t.Errorf("after kill %d: %s", r.kills, w)
	}
	if t.Failed() {
		t.Logf("the daemon's last words:\n%s", r.log)
	}
}

// finish lets all leases come to their ends, then destroys what is there:
// nothing may be left.
func (r *leaseRig) finish(t *testing.T) {
	p := r.start(t)
	defer p.Kill()
	c := daemon.NewCaller(p.Addr())
	defer c.Close()
	if !r.lessee.again(c) {
		t.Fatalf("the daemon does not answer:\n%s", r.log)
	}
	const unfinished = `SELECT count(*) FROM booking WHERE booking ->> 'Status' <> 'over'`
	ctx := t.Context()
	if err := r.books.awaitNone(ctx, "leases that are not over", unfinished); err != nil {
		t.Fatalf("%v\n%s", err, r.log)
	}
	for _, l := range r.lessee.promises {
		for _, key := range l.keys {
			status, reply, err := c.Send(daemon.Destroy, daemon.Values{Key: key})
			unknown := strings.Contains(string(reply), "ResourceUnknownFault")
			if err != nil || status != http.StatusOK && !unknown {
				t.Fatalf("cannot destroy %s: status %d, %v\n%s", key, status, err, r.log)
			}
		}
	}
	for _, table := range []string{"workspace", "standing", "booking", "change"} {
		err := r.books.awaitNone(ctx, "rows of "+table, "SELECT count(*) FROM "+table)
		if err != nil {
			t.Fatalf("%v\n%s", err, r.log)
		}
	}
	r.books.close()
}

func (r *leaseRig) report(t *testing.T) {
	var b strings.Builder
	fmt.Fprintf(&b, "%d kills\n%-15s %8s %8s %8s\n", r.kills, "", "acked", "refused", "unknown")
	for name, n := range r.lessee.tally {
		fmt.Fprintf(&b, "%-15s %8d %8d %8d\n", name, n.acked, n.refused, n.unknown)
	}
	fmt.Fprintf(&b, "at the kills: %v\n", r.books.met)
	fmt.Fprintf(&b, "reservations that no kill was near: %d, late by %v at most\n",
		r.books.undisturbed, r.books.latest)
	t.Log("\n" + b.String())
	if r.kills >= 100 {
		for _, met := range []string{"suspend", "resume", "deploy", "resize", "shutdown"} {
			if r.books.met[met] == 0 {
				t.Errorf("no kill met a %s: nothing was proven of that", met)
			}
		}
	}
}

// work asks for leases and changes of them until no answer comes.
func (l *lessee) work(c *daemon.Caller, r *rand.Rand) {
	defer c.Close()
	if !l.again(c) {
		return
	}
	for l.act(c, r) {
		<-time.After(time.Duration(r.Int64N(int64(400 * time.Millisecond))))
	}
}

// act plays one act, and reports whether it was answered.
func (l *lessee) act(c *daemon.Caller, r *rand.Rand) bool {
	switch n := r.IntN(10); {
	case n < 3:
		return l.resize(c, r)
	case n < 4:
		return l.destroy(c, r)
	}
	if len(l.lately("immediate", long)) == 0 {
		return l.ask(c, &asking{
			promise: promise{kind: "immediate", nodes: 1, asked: time.Now(), length: long},
			values: daemon.Values{Message: daemon.NewMessageID(), Nodes: 1, Duration: long,
				Terms: daemon.Terms("immediate", time.Time{}, false)},
		})
	}
	a := &asking{promise: promise{
		kind: "best-effort", nodes: 1 + r.IntN(2), asked: time.Now(),
		length: time.Second + time.Duration(r.Int64N(int64(3*time.Second))),
	}}
	if r.IntN(2) == 0 || len(l.lately("best-effort", short)) > 6 {
		a.kind, a.nodes = "reservation", 1+r.IntN(3)
		a.start = time.Now().Add(800*time.Millisecond +
			time.Duration(r.Int64N(int64(3*time.Second)))).UTC().Truncate(time.Millisecond)
		a.length = time.Second + time.Duration(r.Int64N(int64(500*time.Millisecond)))
	}
	a.length = a.length.Truncate(time.Millisecond)
	a.values = daemon.Values{
		Message: daemon.NewMessageID(), Nodes: a.nodes, Duration: a.length,
		Terms: daemon.Terms(a.kind, a.start, a.kind == "best-effort"),
	}
	return l.ask(c, a)
}

// ask sends a request for a lease.
func (l *lessee) ask(c *daemon.Caller, a *asking) bool {
	status, reply, err := c.Send(daemon.Lease, a.values)
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.count(a.kind)
	switch {
	case err != nil:
		n.unknown++
		l.open = append(l.open, a)
		return false
	case status != http.StatusOK:
		n.refused++
		if text := string(reply); !strings.Contains(text, "Fault") ||
			strings.Contains(text, "internal error") {
			l.wrong = append(l.wrong, fmt.Sprintf("%s: status %d: %.900s", a.kind, status, text))
		}
		return true
	}
	n.acked++
	if a.keys = daemon.LeaseKeys(reply); len(a.keys) != a.nodes {
		l.wrong = append(l.wrong, fmt.Sprintf("%d nodes asked for, keys %v", a.nodes, a.keys))
		return true
	}
	if l.promises[a.keys[0]] != nil {
		l.wrong = append(l.wrong, fmt.Sprintf("key %s was given before", a.keys[0]))
	}
	l.promises[a.keys[0]] = &a.promise
	return true
}

// again sends what was not answered once more: it is answered from the record
// if it was carried out, and decided anew if not.
func (l *lessee) again(c *daemon.Caller) bool {
	for {
		l.mu.Lock()
		if len(l.open) == 0 {
			l.mu.Unlock()
			return true
		}
		a := l.open[0]
		l.open = l.open[1:]
		l.mu.Unlock()
		if !l.ask(c, a) {
			return false
		}
	}
}

// How long leases count as given lately: those that come and go, and those that
// stay for machines to be resized.
const (
	short = 4 * time.Second
	long  = 10 * time.Second
)

// lately returns the keys of workspaces of a kind that were given lately, in order.
func (l *lessee) lately(kind string, while time.Duration) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var keys []string
	for _, p := range l.promises {
		if time.Since(p.asked) < while && p.kind == kind {
			keys = append(keys, p.keys...)
		}
	}
	slices.Sort(keys)
	return keys
}

// anyOf returns one of the keys; of a machine that nobody has, when there is none.
func anyOf(keys []string, r *rand.Rand) string {
	if len(keys) > 0 {
		return keys[r.IntN(len(keys))]
	}
	return "999999"
}

// resize gives a machine another amount of memory, if it is up.
func (l *lessee) resize(c *daemon.Caller, r *rand.Rand) bool {
	_, ok := l.send(c, "resize", daemon.Resize, daemon.Values{
		Key:      anyOf(l.lately("immediate", long), r),
		MemoryMB: []int{128, 192, 256, 320, 384}[r.IntN(5)],
	})
	return ok
}

func (l *lessee) destroy(c *daemon.Caller, r *rand.Rand) bool {
	keys := l.lately([]string{"best-effort", "reservation"}[r.IntN(2)], short)
	_, ok := l.send(c, "destroy", daemon.Destroy, daemon.Values{Key: anyOf(keys, r)})
	return ok
}

// send plays an act on a workspace.
func (l *lessee) send(
	c *daemon.Caller, name string, m daemon.Message, v daemon.Values,
) (status int, answered bool) {
	status, reply, err := c.Send(m, v)
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.count(name)
	switch {
	case err != nil:
		n.unknown++
		return 0, false
	case status == http.StatusOK:
		n.acked++
	case strings.Contains(string(reply), "internal error"):
		l.wrong = append(l.wrong, fmt.Sprintf("%s %s: %.900s", name, v.Key, reply))
	default:
		n.refused++
	}
	return status, true
}

// count returns the tally of an act; the lessee is locked.
func (l *lessee) count(name string) *tally {
	if l.tally[name] == nil {
		l.tally[name] = &tally{}
	}
	return l.tally[name]
}
