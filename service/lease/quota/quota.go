// Package quota says whether owners may have more than they hold: rules limit
// each owner that a pattern fits, or all that it fits together.
//
// It must not know where holdings are kept, nor the hour: it compares amounts.
package quota

import (
	"fmt"
	"strings"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// Resource is what a rule limits.
type Resource uint8

// The resources. CPUTime is processors times running time, in milliseconds;
// LongestRun the running time of one lease, in milliseconds.
const (
	Workspaces Resource = iota
	CPUs
	MemoryMB
	CPUTime
	LongestRun
	resources // how many there are
)

// Amounts are how much of each resource is held or asked for.
type Amounts [resources]int64

// Plus returns the sum; of LongestRun the longer one, for runs do not add up.
func (a Amounts) Plus(b Amounts) Amounts {
	longest := max(a[LongestRun], b[LongestRun])
	for r := range a {
		a[r] += b[r]
	}
	a[LongestRun] = longest
	return a
}

// Rule limits the holdings of the owners that its pattern fits.
type Rule struct {
	Pattern  string // of owners; a * stands for any text
	Together bool   // the limits are for the sum of all that fit; otherwise for each
	Limits   []Limit
}

// Limit is the most of one resource.
type Limit struct {
	Of   Resource
	Most int64
}

// Match reports whether the pattern fits the owner. A * stands for any text,
// none included; all else for itself.
func Match(pattern string, owner workspace.Owner) bool {
	parts := strings.Split(pattern, "*")
	rest, found := strings.CutPrefix(string(owner), parts[0])
	if len(parts) == 1 || !found {
		return found && rest == ""
	}
	last := len(parts) - 1
	for _, part := range parts[1:last] {
		if _, rest, found = strings.Cut(rest, part); !found {
			return false
		}
	}
	return strings.HasSuffix(rest, parts[last])
}

// Holdings say what is held.
type Holdings interface {
	// Of returns what the owner holds.
	Of(workspace.Owner) Amounts
	// Like returns what the owners that the pattern fits hold together.
	Like(pattern string) Amounts
}

// Check holds what an owner asks for beside what is held against the rules, in
// their order. It returns nil when all allow it, and else what the first of
// them says that does not. A resource of which nothing more is asked for is
// not held against it: who has too much already may still have less.
func Check(rules []Rule, owner workspace.Owner, more Amounts, held Holdings) *Breach {
	for i := range rules {
		rule := &rules[i]
		if !Match(rule.Pattern, owner) {
			continue
		}
		var has Amounts
		if rule.Together {
			has = held.Like(rule.Pattern)
		} else {
			has = held.Of(owner)
		}
		if b := rule.breach(more, has); b != nil {
			return b
		}
	}
	return nil
}

// breach returns the first limit that would be passed.
func (r *Rule) breach(more, has Amounts) *Breach {
	has[LongestRun] = 0
	for _, l := range r.Limits {
		if more[l.Of] > 0 && more[l.Of] > l.Most-has[l.Of] {
			return &Breach{Rule: *r, Limit: l, Held: has[l.Of], Wanted: more[l.Of]}
		}
	}
	return nil
}

// Breach is a limit that a request would pass. It is an error, the cause of
// one of kind Quota.
type Breach struct {
	Rule
	Limit
	Held   int64
	Wanted int64
}

// Error names the rule, what it allows, and what is held and wanted.
func (b *Breach) Error() string {
	whose := "each of"
	if b.Together {
		whose = "all of"
	}
	most, has, more := b.Of.text(b.Most), b.Of.text(b.Held), b.Of.text(b.Wanted)
	if b.Of == LongestRun {
		return fmt.Sprintf("the quota for %s %q allows %s, not %s", whose, b.Pattern, most, more)
	}
	return fmt.Sprintf("the quota for %s %q allows %s; held are %s, asked for are %s more",
		whose, b.Pattern, most, has, more)
}

// text writes an amount with its unit.
func (r Resource) text(n int64) string {
	switch r {
	case Workspaces:
		return fmt.Sprintf("%d workspaces", n)
	case CPUs:
		return fmt.Sprintf("%d CPUs", n)
	case MemoryMB:
		return fmt.Sprintf("%d MB of memory", n)
	case CPUTime:
		return fmt.Sprintf("%s of CPU time", time.Duration(n)*time.Millisecond)
	}
	return fmt.Sprintf("%s of running time", time.Duration(n)*time.Millisecond)
}
