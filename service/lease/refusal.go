package lease

import (
	"slices"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// Explain says why Place refused the request: what is short on the host that
// comes closest, and the earliest time from which it would fit when the holds
// end as promised (never, when Earliest is zero).
func Explain(hosts []workspace.HostUse, holds []Hold, r Request) *workspace.Refusal {
	refusal := &workspace.Refusal{Shortages: shortages(hosts, r)}
	trial := slices.Clone(hosts)
	index := make(map[workspace.HostID]int, len(trial))
	for i := range trial {
		index[trial[i].ID] = i
	}
	byEnd := slices.Clone(holds)
	slices.SortFunc(byEnd, func(a, b Hold) int { return a.Until.Compare(b.Until) })
	for n, hold := range byEnd {
		i, known := index[hold.Host]
		if !known {
			continue
		}
		trial[i].Used.CPUs -= hold.Need.CPUs
		trial[i].Used.MemoryMB -= hold.Need.MemoryMB
		if n+1 < len(byEnd) && byEnd[n+1].Until.Equal(hold.Until) {
			continue
		}
		if _, ok := Place(trial, r); ok {
			refusal.Earliest = hold.Until
			return refusal
		}
	}
	return refusal
}

// shortages names what the closest usable host lacks for one node, or for the
// group when a single node would fit.
func shortages(hosts []workspace.HostUse, r Request) []workspace.Shortage {
	if bestFit(hosts, r) >= 0 {
		return []workspace.Shortage{{
			Resource: "nodes", Unit: "nodes", Wanted: int64(r.Nodes),
			Free: slots(hosts, r), Where: "the pool",
		}}
	}
	closest := closestTo(hosts, r)
	if closest < 0 {
		return []workspace.Shortage{{
			Resource: "host", Unit: "active hosts with the asked VMM and networks",
			Wanted: int64(r.Nodes), Where: "the pool",
		}}
	}
	where, free := string(hosts[closest].ID), left(&hosts[closest])
	var short []workspace.Shortage
	if free.MemoryMB < r.Need.MemoryMB {
		short = append(short, workspace.Shortage{
			Resource: "memory", Unit: "MB", Wanted: r.Need.MemoryMB,
			Free: free.MemoryMB, Where: where,
		})
	}
	if free.CPUs < r.Need.CPUs {
		short = append(short, workspace.Shortage{
			Resource: "cpu", Unit: "CPUs", Wanted: r.Need.CPUs, Free: free.CPUs, Where: where,
		})
	}
	return short
}

// closestTo returns the index of the usable host with the most room, or -1.
func closestTo(hosts []workspace.HostUse, r Request) int {
	closest := -1
	for i := range hosts {
		if !usable(&hosts[i], r) {
			continue
		}
		if closest < 0 || tighter(left(&hosts[closest]), left(&hosts[i])) {
			closest = i
		}
	}
	return closest
}

// slots counts how many nodes of the request the pool takes now.
func slots(hosts []workspace.HostUse, r Request) int64 {
	var n int64
	for i := range hosts {
		if !usable(&hosts[i], r) {
			continue
		}
		free := left(&hosts[i])
		room := free.MemoryMB / max(r.Need.MemoryMB, 1)
		n += max(min(room, free.CPUs/max(r.Need.CPUs, 1)), 0)
	}
	return n
}
