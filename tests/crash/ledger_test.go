package crash

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/philoxenia/philoxenia/tests/daemon"
)

// A tenancy is what the clients know of one workspace.
type tenancy struct {
	key   string
	group string
	busy  bool      // a client is at it, or died at it in this life of the daemon
	gone  bool      // its destruction was acknowledged
	ends  time.Time // last acknowledged termination time
	// How often each was asked for, whether acknowledged or not.
	begins, halts, reboots, saves, moves int
	streams                              []*stream
	// Snapshots by name: true where it must be there, false where nobody can know. Of
	// others it is known that there are none.
	snapshots map[string]bool
	asked     time.Time // when the first request for it was made ready
	staged    string    // name in the repository of the image that was staged in for it
	story     []string  // what was done to it, for people
}

// A stream is one subscription of the live consumer, known by the path under
// which its messages come.
type stream struct {
	path  string
	end   bool   // of the termination topic; else of states
	acked bool   // the subscription was acknowledged
	since string // word of the state read after that; empty when there was no time
}

// An act is one request with what its answer means.
type act struct {
	name    string
	message daemon.Message
	values  daemon.Values
	on      []*tenancy
	answer  func(reply []byte) error // told of a 200, once
	refused func(reply []byte) error // told of a fault; nil: a typed fault is fine
	again   bool                     // sent again after a crash until it is answered
	free    func()                   // told of any answer; may be nil
	tries   int                      // how often it was sent
	made    time.Time
}

// once makes an act one that is carried out once however often it is sent: a refusal that
// contains the words says that an earlier try, whose answer was lost, was carried out.
func (a *act) once(words string) {
	a.again = true
	a.refused = func(reply []byte) error {
		if a.tries < 2 || !strings.Contains(string(reply), words) {
			return refusal(reply)
		}
		return a.answer(reply)
	}
}

// tell adds the act and its outcome to the stories of those that it was on.
func (a *act) tell(status int, err error) {
	outcome := "ok"
	switch {
	case err != nil:
		outcome = "unanswered"
	case status != http.StatusOK:
		outcome = "refused"
	}
	for _, t := range a.on {
		what := strings.Join(strings.Fields(a.name+" "+a.values.Host+" "+a.values.Name), " ")
		t.story = append(t.story, time.Now().Format("05.000 ")+what+": "+outcome)
	}
}

// refusal is the error of an act that must not be refused.
func refusal(reply []byte) error { return fmt.Errorf("refused: %.600s", reply) }

// A tally counts one kind of act.
type tally struct{ acked, refused, unknown int }

// ledger is what all clients together were told.
type ledger struct {
	reboots    bool // hosts count a reboot as a start
	mu         sync.Mutex
	living     map[string]*tenancy
	dead       map[string]*tenancy
	groups     map[string][]*tenancy
	shelf      map[string]*entry // of the image library, by reference
	holds      []*hold
	unanswered []*act
	tallies    map[string]*tally
	wrong      []string
}

func newLedger(reboots bool) *ledger {
	return &ledger{
		reboots: reboots,
		living:  map[string]*tenancy{}, dead: map[string]*tenancy{},
		groups: map[string][]*tenancy{}, tallies: map[string]*tally{},
		shelf: map[string]*entry{},
	}
}

// count returns the tally of a kind of act; the ledger is locked.
func (l *ledger) count(name string) *tally {
	if l.tallies[name] == nil {
		l.tallies[name] = &tally{}
	}
	return l.tallies[name]
}

// pick returns an idle living workspace that fits and marks it busy; nil when none does.
// The ledger is locked.
func (l *ledger) pick(r *rand.Rand, fits func(*tenancy) bool) *tenancy {
	keys := slices.Sorted(maps.Keys(l.living))
	keys = slices.DeleteFunc(keys, func(key string) bool {
		return l.living[key].busy || !fits(l.living[key])
	})
	if len(keys) == 0 {
		return nil
	}
	t := l.living[keys[r.IntN(len(keys))]]
	t.busy = true
	return t
}

// send plays one act and writes down its outcome. It reports whether the
// daemon answered.
func (l *ledger) send(c *daemon.Caller, a *act) bool {
	status, reply, err := c.Send(a.message, a.values)
	l.mu.Lock()
	defer l.mu.Unlock()
	a.tries++
	a.tell(status, err)
	if err != nil {
		l.count(a.name).unknown++
		if a.again {
			l.unanswered = append(l.unanswered, a)
		}
		return false
	}
	for _, t := range a.on {
		t.busy = false
	}
	if a.free != nil {
		a.free()
	}
	if err := l.book(a, status, reply); err != nil {
		l.wrong = append(l.wrong, fmt.Sprintf("%s %s: %v", a.name, a.values.Key, err))
	}
	return true
}

// book applies an answer; the ledger is locked.
func (l *ledger) book(a *act, status int, reply []byte) error {
	switch {
	case status == http.StatusOK:
		l.count(a.name).acked++
		return a.answer(reply)
	case strings.Contains(string(reply), "internal error"):
		return fmt.Errorf("the service says %.900s", reply)
	case status == http.StatusInternalServerError:
		l.count(a.name).refused++
		if a.refused != nil {
			return a.refused(reply)
		}
		return nil
	}
	return fmt.Errorf("status %d: %.600s", status, reply)
}

// created enters the workspaces of a create's reply; the ledger is locked.
// A create that is answered twice must name the same workspaces both times.
func (l *ledger) created(a *act, nodes int, staged string) func(reply []byte) error {
	return func(reply []byte) error {
		keys, group := daemon.Keys(reply), daemon.GroupKey(reply)
		if len(keys) != nodes || (nodes > 1) != (group != "") {
			return fmt.Errorf("%d nodes asked for, keys %v and group %q given", nodes, keys, group)
		}
		for _, key := range keys {
			if l.living[key] != nil || l.dead[key] != nil {
				return fmt.Errorf("key %s was given before", key)
			}
			t := &tenancy{key: key, group: group, ends: daemon.Termination(reply),
				snapshots: map[string]bool{}, asked: a.made, staged: staged}
			l.living[key] = t
			if group != "" {
				l.groups[group] = append(l.groups[group], t)
			}
		}
		return nil
	}
}

// destroyed moves workspaces to the dead; the ledger is locked.
func (l *ledger) destroyed(all ...*tenancy) {
	for _, t := range all {
		t.gone = true
		delete(l.living, t.key)
		l.dead[t.key] = t
	}
}

// reopen makes the workspaces usable again whose client died with the daemon.
func (l *ledger) reopen() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, t := range l.living {
		t.busy = false
		t.story = append(t.story, time.Now().Format("05.000")+" the daemon lives again")
	}
	for _, e := range l.shelf {
		e.busy = false
	}
}

// resolve sends every unanswered act again. A create that was carried out
// before the crash is answered from the record, so nothing is made twice.
func (l *ledger) resolve(c *daemon.Caller) bool {
	l.mu.Lock()
	open := l.unanswered
	l.unanswered = nil
	l.mu.Unlock()
	for i, a := range open {
		if !l.send(c, a) {
			l.mu.Lock()
			l.unanswered = append(l.unanswered, open[i+1:]...)
			l.mu.Unlock()
			return false
		}
	}
	return true
}

// faults returns what was wrong so far.
func (l *ledger) faults() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.wrong)
}
