package port

import (
	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Lease returns how a workspace's lease stands with the scheduler; nil for nil.
func Lease(w *workspace.Workspace, b *workspace.Booking) *report.Lease {
	if b == nil {
		return nil
	}
	v := &report.Lease{
		Number: int64(b.ID), Kind: string(b.Terms.Kind), Status: string(b.Status),
		Submitted: b.Submitted, Begin: b.Runs, Deadline: b.Terms.Deadline,
		Preemptible: b.Terms.Preemptible, Warn: w.Lease.Warn, Ran: b.Ran,
		Hosts: HostNames(b.Hosts),
	}
	if v.Kind == "" {
		v.Kind = string(workspace.LeaseImmediate)
	}
	switch {
	case !w.Lease.Start.IsZero():
		v.End = w.Lease.End()
	case !b.Runs.IsZero():
		v.End = b.Runs.Add(b.Duration - b.Ran)
	}
	return v
}

// HostNames returns the names of hosts.
func HostNames(all []workspace.HostID) []string {
	var names []string
	for _, id := range all {
		names = append(names, string(id))
	}
	return names
}

// Leases returns the numbers of leases.
func Leases(all []workspace.LeaseID) []int64 {
	var numbers []int64
	for _, id := range all {
		numbers = append(numbers, int64(id))
	}
	return numbers
}
