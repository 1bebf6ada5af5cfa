package crash

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/tests/daemon"
)

var (
	binFlag   = flag.String("bin", "", "directory with the built programs; empty: build them")
	killsFlag = flag.Int("kills", 10, "how often the daemon with simulated hosts is killed")

	kvmKillsFlag = flag.Int("kvm-kills", 2, "how often the daemon with real guests is killed")

	seedFlag = flag.Uint64("seed", 0, "of the clients' choices and the moments; 0: by the clock")
)

// A style is how the clients work and how long the daemon lives.
type style struct {
	clients int
	crowd   int           // living workspaces that the clients aim at
	think   time.Duration // most that a client waits between two acts
	life    time.Duration // longest life after everything is settled
	early   time.Duration // longest life of one that is killed while it recovers
	limit   time.Duration // longest wait until nothing is under way
	reboots bool          // hosts count a reboot as a start
	acts    []weighted
	fleet   *fleet     // hosts that workspaces are moved between; nil: nobody does
	pool    string     // what addresses begin with that are put on hold
	clerk   []weighted // acts of one more client, which burden no host; nil: there is none
}

var (
	// busy is for simulated hosts.
	busy = style{clients: 4, crowd: 120, life: 500 * time.Millisecond,
		early: 60 * time.Millisecond, limit: patience, acts: weights, pool: "10.9.1."}
	// patient is for real guests, of which two boot in the time of a thousand
	// simulated ones.
	patient = style{clients: 2, crowd: 4, think: 2 * time.Second, life: 8 * time.Second,
		early: 2 * time.Second, limit: patience, reboots: true, acts: weights,
		pool: "192.168.77.", clerk: clerical}
)

// patience is how long anything may take that comes to an end by itself: so many times what
// it takes on a machine that nothing else uses that only what hangs meets it.
const patience = 10 * time.Minute

// each returns how each of the clients works.
func (s style) each() []style {
	all := slices.Repeat([]style{s}, s.clients)
	if s.clerk != nil {
		s.crowd, s.think, s.acts = 0, s.think/8, s.clerk
		all = append(all, s)
	}
	return all
}

// A rig is one daemon with its lives, its clients and its consumers.
type rig struct {
	style     style
	dir       string
	options   daemon.Options
	rand      *rand.Rand
	ledger    *ledger
	consumers *consumers
	puller    *puller
	books     *books
	log       *tail

	kills     int // in all
	early     int // of them before the last kill's work was settled
	worst     time.Duration
	slowest   time.Duration // the live consumer's wait after all changes had ended
	deadWaits int           // most messages that waited for the dead consumers
}

func newRig(t *testing.T, how style) *rig {
	dir := t.TempDir()
	seed := *seedFlag
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d", seed)
	for _, name := range []string{"copy", "data"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	log := &tail{}
	data := filepath.Join(dir, "data")
	known := newLedger(how.reboots)
	known.holds = holdable(how.pool)
	return &rig{
		style: how, dir: dir,
		options: daemon.Options{Bin: programs(t), Data: data, Log: log,
			Args: []string{"--log-level", "WARN"}},
		rand: rand.New(rand.NewPCG(seed, 1)), ledger: known,
		consumers: newConsumers(t), puller: &puller{}, log: log,
		books: &books{data: data, copy: filepath.Join(dir, "copy"), limit: how.limit},
	}
}

// write makes a file beside the data and returns its path.
func (r *rig) write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(r.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// play lets the daemon live and die until it was killed so often, then ends
// everything and reports.
func (r *rig) play(t *testing.T, kills int) {
	for r.kills < kills && !t.Failed() {
		r.live(t)
	}
	r.finish(t)
	r.report(t)
}

// programs returns the directory of the built programs.
func programs(t *testing.T) string {
	if *binFlag != "" {
		return *binFlag
	}
	dir := t.TempDir()
	if err := daemon.Build(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// live is one life of the daemon: it starts, finishes what the last one left,
// the books are checked, clients work, and it is killed. Now and then it is
// killed while it recovers.
func (r *rig) live(t *testing.T) {
	p := r.start(t)
	defer p.Kill()
	if r.rand.IntN(5) == 0 {
		r.kill(t, p, r.upTo(r.style.early))
		r.early++
		return
	}
	r.settle(t, p)
	var wg sync.WaitGroup
	for _, how := range r.style.each() {
		c := &client{ledger: r.ledger, consumers: r.consumers, addr: p.Addr(), style: how,
			rand: rand.New(rand.NewPCG(r.rand.Uint64(), r.rand.Uint64()))}
		wg.Go(c.run)
	}
	wg.Go(func() { r.puller.run(p.Addr()) })
	r.kill(t, p, r.upTo(r.style.life))
	wg.Wait()
}

// upTo returns a random part of d.
func (r *rig) upTo(d time.Duration) time.Duration {
	return time.Duration(r.rand.Int64N(int64(d)))
}

func (r *rig) start(t *testing.T) *daemon.Process {
	r.consumers.life.Add(1)
	p, err := daemon.Start(t.Context(), r.options)
	if err != nil {
		t.Fatalf("after %d kills: %v\n%s", r.kills, err, r.log)
	}
	return p
}

// kill ends the daemon after a while. One that ended by itself before that is
// a failure.
func (r *rig) kill(t *testing.T, p *daemon.Process, after time.Duration) {
	select {
	case <-time.After(after):
	case <-p.Ended():
		t.Errorf("the daemon ended by itself:\n%s", r.log)
	}
	p.Kill()
	r.kills++
	if err := r.books.meet(t.Context()); err != nil {
		t.Error(err)
	}
}

// settle lets the daemon finish what was half done and checks everything.
func (r *rig) settle(t *testing.T, p *daemon.Process) {
	t.Helper()
	begin := time.Now()
	c := daemon.NewCaller(p.Addr())
	defer c.Close()
	if !r.ledger.resolve(c) {
		t.Fatalf("the daemon does not answer after kill %d:\n%s", r.kills, r.log)
	}
	r.ledger.reopen()
	if err := r.puller.open(c); err != nil {
		t.Fatalf("after kill %d: %v\n%s", r.kills, err, r.log)
	}
	waited, err := r.books.awaitSettled(t.Context(), r.consumers.live)
	if err != nil {
		t.Fatalf("after kill %d: %v\n%s", r.kills, err, r.log)
	}
	if err := r.puller.rest(c); err != nil {
		t.Fatalf("after kill %d: %v\n%s", r.kills, err, r.log)
	}
	r.worst, r.slowest = max(r.worst, time.Since(begin)), max(r.slowest, waited)
	for _, wrong := range r.examine(t.Context(), p) {
		t.Errorf("after kill %d: %s", r.kills, wrong)
	}
}

// examine returns everything that does not add up.
func (r *rig) examine(ctx context.Context, p *daemon.Process) []string {
	wrong := r.ledger.faults()
	for _, look := range []func() ([]string, error){
		func() ([]string, error) { return r.books.check(ctx) },
		func() ([]string, error) { return r.books.audit(ctx, r.ledger, r.consumers) },
		func() ([]string, error) { return listed(p.Addr(), r.ledger) },
		func() ([]string, error) { return r.books.shelved(p.Addr(), r.ledger) },
		func() ([]string, error) { return r.owned(ctx, p) },
		func() ([]string, error) { return r.puller.check(ctx, r.books) },
	} {
		found, err := look()
		if err != nil {
			found = append(found, err.Error())
		}
		wrong = append(wrong, found...)
	}
	if n, err := r.books.number(ctx, "SELECT count(*) FROM outbox"); err == nil {
		r.deadWaits = max(r.deadWaits, n)
	}
	return wrong
}

// owned holds addresses and files of the repository against the record.
func (r *rig) owned(ctx context.Context, p *daemon.Process) ([]string, error) {
	rows, err := r.books.rows(ctx)
	if err != nil {
		return nil, err
	}
	wrong, err := r.books.leased(p.Addr(), rows, r.ledger)
	if err != nil {
		return wrong, err
	}
	more, err := r.books.stocked(rows, r.ledger)
	return append(wrong, more...), err
}

// finish destroys all that lives; then nothing may be left anywhere but what
// waits for the dead consumers.
func (r *rig) finish(t *testing.T) {
	p := r.start(t)
	defer p.Kill()
	r.settle(t, p)
	c := daemon.NewCaller(p.Addr())
	defer c.Close()
	maker := &client{ledger: r.ledger}
	for _, tenant := range slices.Collect(maps.Values(r.ledger.living)) {
		a := &act{name: "destroy", on: []*tenancy{tenant}, values: daemon.Values{Key: tenant.key}}
		maker.destroy(a, tenant)
		if !r.ledger.send(c, a) {
			t.Fatalf("the daemon does not answer:\n%s", r.log)
		}
	}
	r.settle(t, p)
	r.style.fleet.dissolve(t, c)
	r.settle(t, p)
	for _, table := range []string{"workspace", "standing", "member", "workspace_group", "change",
		"booking", "host_mode"} {
		n, err := r.books.number(t.Context(), "SELECT count(*) FROM "+table)
		if err != nil || n != 0 {
			t.Errorf("%d rows of %s are left (%v)", n, table, err)
		}
	}
	if err := p.Stop(); err != nil {
		t.Errorf("the daemon did not end well: %v\n%s", err, r.log)
	}
	r.books.close()
}

// report prints the counts.
func (r *rig) report(t *testing.T) {
	var b strings.Builder
	fmt.Fprintf(&b, "%d kills, %d of them during recovery\n", r.kills, r.early)
	fmt.Fprintf(&b, "%-15s %8s %8s %8s\n", "", "acked", "refused", "unknown")
	for _, name := range slices.Sorted(maps.Keys(r.ledger.tallies)) {
		n := r.ledger.tallies[name]
		fmt.Fprintf(&b, "%-15s %8d %8d %8d\n", name, n.acked, n.refused, n.unknown)
	}
	b.WriteString("kills met, by change and task:")
	for _, what := range slices.Sorted(maps.Keys(r.books.met)) {
		fmt.Fprintf(&b, " %s: %d;", what, r.books.met[what])
	}
	fmt.Fprintf(&b, "\nnotifications heard %d, most waiting for dead consumers %d\n",
		r.consumers.total(), r.deadWaits)
	fmt.Fprintf(&b, "fetched from the pull point %d, %d of them again\n",
		len(r.puller.told)+r.puller.again, r.puller.again)
	fmt.Fprintf(&b, "settled after a start within %v, the live consumer within %v\n",
		r.worst.Round(time.Millisecond), r.slowest.Round(time.Millisecond))
	t.Log("\n" + b.String())
	if t.Failed() {
		t.Logf("the daemon's last words:\n%s", r.log)
	}
	if r.kills > 20 && r.deadWaits == 0 {
		t.Error("no message ever waited for a dead consumer: nothing was proven about them")
	}
}

// tail keeps the last words that were written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

// Write implements io.Writer. That the dead consumers are dead is no news.
func (l *tail) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if bytes.Contains(p, []byte("cannot deliver to a consumer")) {
		return len(p), nil
	}
	l.text = append(l.text, p...)
	if over := len(l.text) - 8<<10; over > 0 {
		l.text = bytes.Clone(l.text[over:])
	}
	return len(p), nil
}

// String returns them.
func (l *tail) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.text)
}
