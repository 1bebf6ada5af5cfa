package factory

import (
	"fmt"
	"time"

	"github.com/philoxenia/philoxenia/schema/deployment"
	"github.com/philoxenia/philoxenia/service/dispatch"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// addAmounts adds how much each node takes, and how much less will do.
func addAmounts(r *workspace.Request, m *deployment.CreateRequest) {
	most, least := m.Deployment.Amounts()
	architecture := m.Deployment.Allocation.Architecture
	if architecture == "" {
		architecture = m.Metadata.Definition.Architecture
	}
	var blank int64
	for _, d := range r.Spec.Disks {
		blank += d.SizeMB
	}
	of := func(a deployment.Amounts) workspace.Allocation {
		out := allocation(a)
		out.Architecture = architecture
		out.DiskMB += blank
		return out
	}
	r.Demand, r.Least = of(most), bound(least, blank)
	if m.Deployment.Terms == nil {
		return
	}
	for _, p := range m.Deployment.Terms.Parts {
		most, least := m.Deployment.PartAmounts(p)
		r.Parts = append(r.Parts, workspace.Part{
			Nodes: p.Nodes, Demand: of(most), Least: bound(least, blank),
		})
	}
}

// allocation translates amounts.
func allocation(a deployment.Amounts) workspace.Allocation {
	return workspace.Allocation{
		MemoryMB: a.MemoryMB, CPUs: a.CPUs, CPUPercent: a.CPUPercent, DiskMB: a.DiskMB,
		NetInKbps: a.NetInKbps, NetOutKbps: a.NetOutKbps, CPUsGiven: a.CPUs > 0,
	}
}

// bound translates lower bounds. Blank disks have the size they have: they add
// to a bound, but make none.
func bound(a deployment.Amounts, blank int64) workspace.Allocation {
	if a.DiskMB > 0 {
		a.DiskMB += blank
	}
	out := allocation(a)
	out.CPUsGiven = false
	return out
}

// addTerms adds what is asked of the scheduler. Where nothing is, as on face one,
// the request is for now.
func addTerms(r *workspace.Request, t *deployment.LeaseTerms) {
	if t == nil {
		return
	}
	r.Terms.Kind = workspace.LeaseKind(t.Is())
	r.Terms.Start, r.Terms.Deadline = t.Start, t.Deadline
	r.Terms.Preemptible, r.Warn = t.Preemptible, t.Warn
	for _, p := range t.Near {
		r.Terms.Affinity = append(r.Terms.Affinity, rule(workspace.Near, p))
	}
	for _, p := range t.Apart {
		r.Terms.Affinity = append(r.Terms.Affinity, rule(workspace.Apart, p))
	}
}

func rule(relation workspace.Relation, p deployment.Placement) workspace.AffinityRule {
	out := workspace.AffinityRule{Relation: relation, Soft: p.Soft}
	for _, id := range p.Workspaces {
		out.Workspaces = append(out.Workspaces, workspace.ID(id))
	}
	for _, host := range p.Hosts {
		out.Hosts = append(out.Hosts, workspace.HostID(host))
	}
	return out
}

// settle turns the end into a duration and refuses times that are past, or too
// near for the duration.
func settle(
	c *dispatch.Call, r *workspace.Request, t *deployment.LeaseTerms, now time.Time,
) error {
	if t == nil {
		return nil
	}
	from := r.Terms.Start
	if from.IsZero() {
		from = now
	}
	if !t.Until.IsZero() {
		r.Duration = t.Until.Sub(from)
	}
	deadline := r.Terms.Deadline
	switch {
	case !t.Until.IsZero() && !t.Until.After(now):
		return misplaced(c, "Until", "a time after now", past(t.Until, now))
	case r.Terms.Kind == workspace.LeaseReservation && from.Before(now):
		return misplaced(c, "Start", "a time after now", past(from, now))
	case !deadline.IsZero() && !deadline.After(now):
		return misplaced(c, "Deadline", "a time after now", past(deadline, now))
	case !deadline.IsZero() && deadline.Before(now.Add(r.Duration)):
		return misplaced(c, "Deadline", "a time at least "+r.Duration.String()+" from now",
			fmt.Sprintf("the lease takes %v, its deadline is in %v",
				r.Duration, deadline.Sub(now).Round(time.Millisecond)))
	}
	return nil
}

// past says that a time is over.
func past(at, now time.Time) string {
	return fmt.Sprintf("%s is in the past, here it is %s", at.Format(time.RFC3339),
		now.UTC().Format(time.RFC3339))
}

// misplaced says what is wrong with a term, and where.
func misplaced(c *dispatch.Call, name, expected, reason string) error {
	err := workspace.Errorf(workspace.Invalid, creating, "", "%s", reason)
	err.Where = &workspace.Where{
		Document: "deployment request", Expected: expected,
		Path: deployment.RequestFile.Local + "/LeaseTerms/" + name,
	}
	return place(c, err)
}
