package manager

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// Where the terms of a lease stand in a create request.
const (
	atTerms    = "resourceRequest/LeaseTerms"
	atKind     = atTerms + "/Kind"
	atStart    = atTerms + "/Start"
	atDeadline = atTerms + "/Deadline"
	atPreempt  = atTerms + "/Preemptible"
	atWarn     = atTerms + "/Warn"
	atLeast    = atTerms + "/Least"
	atPart     = atTerms + "/Part[%d]"
)

// farthest is how far ahead a lease may be asked for.
const farthest = 10 * 366 * 24 * time.Hour

// admitTerms refuses terms that make no sense in themselves.
func admitTerms(r *workspace.Request) error {
	for _, check := range []func(*workspace.Request) *complaint{
		wrongKind, wrongTimes, wrongParts, wrongAffinity,
	} {
		if c := check(r); c != nil {
			if c.kind == workspace.Internal {
				c.kind = workspace.Invalid
			}
			return refuse(r, *c)
		}
	}
	return nil
}

func wrongKind(r *workspace.Request) *complaint {
	t := &r.Terms
	switch t.Kind {
	case "", workspace.LeaseImmediate, workspace.LeaseReservation, workspace.LeaseBestEffort,
		workspace.LeaseDeadline:
	default:
		return &complaint{
			path: atKind, cause: fmt.Errorf("no kind of lease is called %q", t.Kind),
			expected: "immediate, reservation, best-effort or deadline",
		}
	}
	if t.Preemptible && t.Kind != workspace.LeaseBestEffort {
		return &complaint{
			path: atPreempt, cause: errors.New("only a best-effort lease can be interrupted"),
			hint: "ask for a best-effort lease, or leave it out",
		}
	}
	return nil
}

func wrongTimes(r *workspace.Request) *complaint {
	t, at := &r.Terms, now()
	begins := t.Kind == workspace.LeaseReservation || t.Kind == workspace.LeaseDeadline
	switch {
	case t.Kind == workspace.LeaseReservation && t.Start.IsZero():
		return &complaint{path: atStart, cause: errors.New("a reservation needs a start"),
			expected: "a time to come"}
	case !t.Start.IsZero() && !begins:
		return &complaint{path: atStart, cause: fmt.Errorf("a start is given for a lease "+
			"that begins %s", when(t.Kind)), hint: "leave it out, or ask for a reservation"}
	case t.Kind == workspace.LeaseReservation && t.Start.Before(at):
		return &complaint{path: atStart, expected: "a time to come",
			cause: fmt.Errorf("%s is in the past", t.Start.Format(time.RFC3339))}
	case t.Start.Sub(at) > farthest:
		return &complaint{path: atStart, expected: "a time within ten years",
			cause: fmt.Errorf("%s is too far ahead", t.Start.Format(time.RFC3339))}
	case t.Kind == workspace.LeaseDeadline && t.Deadline.IsZero():
		return &complaint{path: atDeadline, cause: errors.New("a lease of kind deadline needs one"),
			expected: "a time to come"}
	case !t.Deadline.IsZero() && t.Kind != workspace.LeaseDeadline:
		return &complaint{path: atDeadline, cause: errors.New("a deadline is given for a lease " +
			"of another kind"), hint: "leave it out, or ask for a lease of kind deadline"}
	case t.Deadline.Sub(at) > farthest:
		return &complaint{path: atDeadline, expected: "a time within ten years",
			cause: fmt.Errorf("%s is too far ahead", t.Deadline.Format(time.RFC3339))}
	}
	return wrongSpan(r, at)
}

// wrongSpan holds durations against each other.
func wrongSpan(r *workspace.Request, at time.Time) *complaint {
	t := &r.Terms
	from := at
	if t.Start.After(from) {
		from = t.Start
	}
	switch {
	case t.Kind == workspace.LeaseDeadline && t.Deadline.Sub(from) < r.Duration:
		return &complaint{
			path: atDeadline,
			cause: fmt.Errorf("%s leaves no room for a duration of %d seconds",
				t.Deadline.Format(time.RFC3339), r.Duration/time.Second),
			expected: from.Add(r.Duration).Format(time.RFC3339) + " or later",
		}
	case r.Warn < 0 || r.Warn > r.Duration:
		return &complaint{path: atWarn,
			cause: fmt.Errorf("a warning %s before the end of %s of running time", r.Warn,
				r.Duration), expected: "a duration up to that of the lease"}
	}
	return nil
}

func when(k workspace.LeaseKind) string {
	if k == workspace.LeaseBestEffort {
		return "when there is room"
	}
	return "at once"
}

// wrongParts checks the amounts of a gang of several shapes and their bounds.
func wrongParts(r *workspace.Request) *complaint {
	nodes := 0
	for i, p := range r.Parts {
		path, bounds := atTerms, atLeast
		if len(r.Parts) > 1 {
			path = fmt.Sprintf(atPart, i+1)
			bounds = path + "/Least"
		}
		if p.Nodes <= 0 {
			return &complaint{path: path, cause: fmt.Errorf("a part of %d nodes", p.Nodes),
				expected: "at least one"}
		}
		nodes += p.Nodes
		for _, a := range amounts(p) {
			switch {
			case a.most < 0 || a.least < 0:
				return &complaint{path: bounds, cause: fmt.Errorf("%d of %s",
					min(a.most, a.least), a.name), expected: "an amount above zero"}
			case a.least > a.most:
				return &complaint{path: bounds, cause: fmt.Errorf(
					"the least %s, %d, is more than the most, %d", a.name, a.least, a.most)}
			}
		}
	}
	if nodes != r.Nodes {
		return &complaint{path: atNodes, cause: fmt.Errorf("%d nodes are asked for, and the "+
			"parts have %d", r.Nodes, nodes), expected: fmt.Sprint(nodes)}
	}
	return nil
}

// An amount is a resource of a part with its bounds.
type amount struct {
	name        string
	least, most int64
}

func amounts(p workspace.Part) []amount {
	return []amount{
		{"memory", p.Least.MemoryMB, p.Demand.MemoryMB},
		{"CPUs", p.Least.CPUs, p.Demand.CPUs},
		{"disk", p.Least.DiskMB, p.Demand.DiskMB},
		{"bandwidth in", p.Least.NetInKbps, p.Demand.NetInKbps},
		{"bandwidth out", p.Least.NetOutKbps, p.Demand.NetOutKbps},
	}
}

func wrongAffinity(r *workspace.Request) *complaint {
	for _, rule := range r.Terms.Affinity {
		if rule.Relation != workspace.Near && rule.Relation != workspace.Apart {
			return &complaint{path: atTerms, expected: "near or apart",
				cause: fmt.Errorf("no relation is called %q", rule.Relation)}
		}
	}
	return nil
}

// atRule returns where a rule of affinity stands: each relation has elements of
// its own.
func atRule(rules []workspace.AffinityRule, at int) string {
	n := 0
	for _, rule := range rules[:at+1] {
		if rule.Relation == rules[at].Relation {
			n++
		}
	}
	element := map[workspace.Relation]string{workspace.Near: "Near", workspace.Apart: "Apart"}
	return fmt.Sprintf("%s/%s[%d]", atTerms, element[rules[at].Relation], n)
}

// acquainted refuses rules that name workspaces which are not the caller's, or
// hosts which the pool does not have.
func acquainted(tx workspace.Tx, r *workspace.Request) error {
	for i, rule := range r.Terms.Affinity {
		for _, id := range rule.Workspaces {
			if w, err := tx.Workspace(id); err != nil || !visible(w, r.Owner) {
				return refuse(r, complaint{
					kind: workspace.Invalid, path: atRule(r.Terms.Affinity, i),
					cause: fmt.Errorf("unknown workspace: '%s'", id),
				})
			}
		}
		for _, id := range rule.Hosts {
			named := func(h workspace.HostUse) bool { return h.ID == id }
			if !slices.ContainsFunc(tx.Hosts(), named) {
				return refuse(r, complaint{
					kind: workspace.Invalid, path: atRule(r.Terms.Affinity, i),
					cause: fmt.Errorf("the pool has no host '%s'", id),
				})
			}
		}
	}
	return nil
}
