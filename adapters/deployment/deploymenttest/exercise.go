package deploymenttest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// Rig is one host under test. Each case opens its own.
type Rig struct {
	Host workspace.Deployment
	// Machine returns a machine that the host can run. The same id must yield
	// an equal machine.
	Machine func(id workspace.ID) workspace.Machine
	// Reopen returns a second adapter of the same host, as a restarted daemon
	// would have it.
	Reopen func(t *testing.T) workspace.Deployment
	// PowerOff makes the guest switch itself off, without the adapter's help.
	// It may be nil where guests cannot.
	PowerOff func(t *testing.T, id workspace.ID)
	// Awake waits until the guest can help with a change of its shape. nil: it can
	// at once.
	Awake func(t *testing.T, id workspace.ID)
	// Uses is an amount of memory in MB that the guest cannot do with. 0: it can
	// do with any.
	Uses int64
	// Bounded says that there is an end to the memory and processors of a machine.
	Bounded bool
	// Keeps says that a running guest keeps its processors.
	Keeps bool
	// Second opens another host to which machines can migrate, and Elsewhere returns
	// the machine as it is to be there. nil: there is none.
	Second    func(t *testing.T) workspace.Deployment
	Elsewhere func(id workspace.ID) workspace.Machine
	// Snaps says that the host keeps snapshots.
	Snaps bool
	// Copied says that the two hosts have disks of their own.
	Copied bool
	// Metered says that the host counts the time of processors and memory, Traffic
	// that it counts what goes over disks and NICs.
	Metered, Traffic bool
	// Talks says that machines have serial lines, on which they say something by
	// themselves when they start.
	Talks bool
	// Foreign describes everything on the host that is not ours. It may be nil
	// where there can be nothing else.
	Foreign func(t *testing.T) string
	// Left lists the files and such that machines have on the host. It may be nil.
	Left func(t *testing.T) []string
	// TwoSteps says that the hypervisor starts machines running alone, and pauses them
	// then: one whose start is cut off in between is found running.
	TwoSteps bool
	// Graceful is the time that a call is told it has which asks the guest's help. 0: a
	// minute.
	Graceful time.Duration
	// Limit is how long any call may take. 0: ten minutes.
	Limit time.Duration
	// Walk is the number of steps of the random walk. 0: 300.
	Walk int
	// Life is what is asked, in this order, of the one machine of which everything is
	// asked twice, by the names of the model. nil: all of lifetime.
	Life []string
}

// callLimit bounds every call. It is long because real machines on a busy computer are
// slow, not because they should be: what takes so long never ends.
const callLimit = 10 * time.Minute

// suite is all cases, by their names.
var suite = []testCase{
	{"every call twice", everyCallTwice},
	{"every wish in every condition", everyWishInEveryCondition},
	{"unknown machines", unknownMachines},
	{"another definition under a known id", anotherDefinition},
	{"consoles", consoles},
	{"random walk", randomWalk},
	{"watch", watchTells},
	{"probe", probe},
	{"guest switches itself off", guestPowersOff},
	{"list", listIsOurs},
	{"context", contextEnds},
	{"re-attach", reattach},
	{"many at once", manyAtOnce},
	{"hostile words", hostileWords},
	{"capacity", capacity},
	{"measure", measures},
	{"resize", resizeLive},
	{"resize refused", resizeRefused},
	{"resize while off", resizeWhileOff},
	{"snapshots", snapshots},
	{"migrate", migrateThereAndBack},
	{"migrate refused", migrateRefused},
}

// Exercise runs the suite against the hosts that open makes.
func Exercise(t *testing.T, open func(t *testing.T) Rig) { exercise(t, open, suite) }

// ExerciseOnly runs what has these names of the suite, on hosts that are too slow for
// all of it.
func ExerciseOnly(t *testing.T, open func(t *testing.T) Rig, names ...string) {
	some := slices.DeleteFunc(slices.Clone(suite), func(c testCase) bool {
		return !slices.Contains(names, c.name)
	})
	if len(some) != len(names) {
		t.Fatalf("of %q the suite has %d", names, len(some))
	}
	exercise(t, open, some)
}

// ExerciseMigration runs what of the suite moves machines between two hosts.
func ExerciseMigration(t *testing.T, open func(t *testing.T) Rig) {
	ExerciseOnly(t, open, "migrate", "migrate refused")
}

type testCase struct {
	name string
	run  func(t *testing.T, b *bench)
}

func exercise(t *testing.T, open func(t *testing.T) Rig, cases []testCase) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { c.run(t, newBench(t, open(t))) })
	}
}

// bench is a rig at work.
type bench struct {
	Rig
	t *testing.T
}

// newBench prepares the rig, and sees to it that nothing of ours remains and
// nothing foreign changes.
func newBench(t *testing.T, r Rig) *bench {
	if r.Graceful == 0 {
		r.Graceful = time.Minute
	}
	if r.Limit == 0 {
		r.Limit = callLimit
	}
	if r.Walk == 0 {
		r.Walk = 300
	}
	if r.Life == nil {
		r.Life = lifetime
	}
	b := &bench{Rig: r, t: t}
	if r.Foreign == nil {
		b.Foreign = func(*testing.T) string { return "" }
	}
	before := b.Foreign(t)
	t.Cleanup(func() {
		b.clean()
		if after := b.Foreign(t); after != before {
			t.Errorf("what is not ours has changed:\n%s\nit was:\n%s", after, before)
		}
		if err := r.Host.Close(); err != nil {
			t.Errorf("cannot close the host: %v", err)
		}
	})
	return b
}

// clean undefines whatever is left, and checks that nothing then is.
func (b *bench) clean() {
	for _, o := range b.list() {
		b.must("undefine", b.Host.Undefine(b.ctx(), o.ID))
	}
	if rest := b.list(); len(rest) > 0 {
		b.t.Errorf("after undefining all there still is %v", rest)
	}
}

// ctx returns a context for one call, which ends with the test at the latest.
func (b *bench) ctx() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), b.Limit)
	b.t.Cleanup(cancel)
	return ctx
}

func (b *bench) must(what string, err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
}

func (b *bench) list() []workspace.Observed {
	b.t.Helper()
	all, err := b.Host.List(b.ctx())
	b.must("list", err)
	return all
}

// is checks the machine's condition.
func (b *bench) is(id workspace.ID, want workspace.Condition) {
	b.t.Helper()
	got, err := b.Host.Inspect(b.ctx(), id)
	b.must("inspect", err)
	if got != want {
		b.t.Fatalf("machine %v is %s, want %s", id, got, want)
	}
}

// becomes waits for the machine's condition to change without our doing.
func (b *bench) becomes(id workspace.ID, want workspace.Condition) {
	b.t.Helper()
	ctx := b.ctx()
	for {
		got, err := b.Host.Inspect(ctx, id)
		b.must("inspect while waiting for "+string(want), err)
		if got == want {
			return
		}
	}
}

// isKind checks that err is there and of the kind.
func (b *bench) isKind(what string, err error, want workspace.Kind) {
	b.t.Helper()
	if err == nil || workspace.KindOf(err) != want {
		b.t.Fatalf("%s: got %v (%s), want kind %q", what, err, workspace.KindOf(err), want)
	}
}
