package sim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// Op names an operation of the deployment port, for rules and counts.
type Op string

// The operations.
const (
	OpDefine  Op = "define"
	OpStart   Op = "start"
	OpStop    Op = "stop"
	OpPause   Op = "pause"
	OpResume  Op = "resume"
	OpReboot  Op = "reboot"
	OpResize  Op = "resize"
	OpMigrate Op = "migrate"

	OpSnapshot       Op = "snapshot"
	OpRevert         Op = "revert"
	OpDeleteSnapshot Op = "delete-snapshot"
	OpSnapshots      Op = "snapshots"

	OpUndefine Op = "undefine"
	OpInspect  Op = "inspect"
	OpList     Op = "list"
	OpCapacity Op = "capacity"
	OpMeasure  Op = "measure"
	OpVersion  Op = "version"
	OpProbe    Op = "probe"
	OpWatch    Op = "watch"
)

// ops is every operation, for the script's error messages.
var ops = []Op{
	OpDefine, OpStart, OpStop, OpPause, OpResume, OpReboot, OpResize,
	OpMigrate, OpSnapshot, OpRevert, OpDeleteSnapshot, OpSnapshots,
	OpUndefine, OpInspect, OpList, OpCapacity, OpMeasure, OpVersion, OpProbe,
	OpWatch, OpConsole, OpScreen,
}

// Rule is one line of the script: what befalls which calls. Zero values of the
// first four fields match every call.
type Rule struct {
	Host    workspace.HostID
	Op      Op
	Machine workspace.ID
	Nth     int     // the first matching call to befall, 1-based; 0: the first
	Times   int     // how many calls in a row; 0: all that follow
	Chance  float64 // probability in (0, 1); 0: always

	Delay time.Duration // the call takes this long before it does its work
	Fail  string        // the kind's word ("transient"): fails and does nothing
	Hang  bool          // does nothing, and answers only when the context ends
	Lost  bool          // works, but the caller hears Unavailable; with Hang, nothing
	seen  int
}

// failures are the kinds that a script may name, by their words.
var failures = map[string]workspace.Kind{
	"notfound": workspace.NotFound, "conflict": workspace.Conflict,
	"transient": workspace.Transient, "unavailable": workspace.Unavailable,
	"internal": workspace.Internal, "noresource": workspace.NoResource,
}

// ParseScript reads a script: one rule a line, # begins a comment. A rule is
//
//	HOST OPERATION [ID] [nth=N] [times=N] [chance=P] [delay=D] [fail=KIND] [hang] [lost] [down]
//
// where * stands for any host or operation, D is a Go duration and KIND one of
// notfound, conflict, transient, unavailable, internal, noresource; down is
// short for fail=unavailable. For example
//
//   - start  delay=200ms
//     host3 define nth=2 times=1 fail=transient
//     host1 stop   lost
//
// All rules that match a call apply: delays add up. The error has kind Invalid
// and names the line.
func ParseScript(text string) ([]Rule, error) {
	var rules []Rule
	for n, line := range strings.Split(text, "\n") {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		r, err := parseRule(words)
		if err != nil {
			return nil, &workspace.Error{
				Op: "read the script", Kind: workspace.Invalid, Err: err,
				Where: &workspace.Where{Document: "sim script", Line: n + 1,
					Expected: "HOST OPERATION [ID] [nth=N] [times=N] [chance=P] [delay=D] " +
						"[fail=KIND] [hang] [lost] [down]"},
			}
		}
		rules = append(rules, r)
	}
	return rules, nil
}

// parseRule reads the words of one line.
func parseRule(words []string) (Rule, error) {
	if len(words) < 3 {
		return Rule{}, fmt.Errorf("%q says too little", strings.Join(words, " "))
	}
	var r Rule
	if words[0] != "*" {
		r.Host = workspace.HostID(words[0])
	}
	if words[1] != "*" {
		r.Op = Op(words[1])
		if !slices.Contains(ops, r.Op) {
			return r, fmt.Errorf("no operation %q; there are %v", words[1], ops)
		}
	}
	for _, w := range words[2:] {
		if err := r.set(w); err != nil {
			return r, err
		}
	}
	return r, nil
}

// set takes one word after the operation.
func (r *Rule) set(word string) (err error) {
	key, value, _ := strings.Cut(word, "=")
	switch key {
	case "nth":
		r.Nth, err = positive(value)
	case "times":
		r.Times, err = positive(value)
	case "chance":
		r.Chance, err = strconv.ParseFloat(value, 64)
	case "delay":
		r.Delay, err = time.ParseDuration(value)
	case "fail":
		if _, ok := failures[value]; !ok {
			return fmt.Errorf("no kind of failure %q", value)
		}
		r.Fail = value
	case "down":
		r.Fail = "unavailable"
	case "hang":
		r.Hang = true
	case "lost":
		r.Lost = true
	default:
		r.Machine, err = workspace.ParseID(word)
	}
	if err != nil {
		return fmt.Errorf("cannot use %q: %w", word, err)
	}
	return nil
}

// positive reads a count of at least one.
func positive(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%q is not a positive number", text)
	}
	return n, nil
}

// fate is what the rules hold for one call, all of them taken together.
type fate struct {
	delay time.Duration
	fail  string
	hang  bool
	lost  bool
}

// fates hands them out.
type fates struct {
	mu    sync.Mutex
	rules []Rule
}

// add appends rules to those in force.
func (f *fates) add(rules []Rule) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules = append(f.rules, rules...)
}

// clear lifts every rule.
func (f *fates) clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules = nil
}

// of counts the call against each rule and returns what befalls it.
func (f *fates) of(host workspace.HostID, op Op, id workspace.ID) fate {
	f.mu.Lock()
	defer f.mu.Unlock()
	var got fate
	for i := range f.rules {
		r := &f.rules[i]
		if !r.matches(host, op, id) || !r.due() {
			continue
		}
		got.delay += r.Delay
		got.hang = got.hang || r.Hang
		got.lost = got.lost || r.Lost
		if got.fail == "" {
			got.fail = r.Fail
		}
	}
	return got
}

// matches reports whether the rule speaks of such a call.
func (r *Rule) matches(host workspace.HostID, op Op, id workspace.ID) bool {
	return (r.Host == "" || r.Host == host) && (r.Op == "" || r.Op == op) &&
		(r.Machine == 0 || r.Machine == id)
}

// due counts a matching call and reports whether the rule befalls it.
func (r *Rule) due() bool {
	r.seen++
	first := max(r.Nth, 1)
	if r.seen < first || (r.Times > 0 && r.seen >= first+r.Times) {
		return false
	}
	return r.Chance <= 0 || rand.Float64() < r.Chance
}
