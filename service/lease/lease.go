// Package lease is the scheduler: it decides which hosts take the nodes of a
// request, or says precisely why none can. Values go in, decisions come out:
// it reads no clock, does no input or output and starts no goroutine, so that
// the live service and a simulation run the very same code.
//
// This first scheduler knows immediate leases alone: a request starts now or
// is refused, and a group is placed as a whole or not at all.
package lease

import (
	"slices"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// Request is what is to be placed: so many equal nodes.
type Request struct {
	Nodes        int
	Need         workspace.Capacity // of each node
	VMMs         []string           // kinds of host that will do; empty: any
	Associations []string           // networks each node must reach
}

// Hold is capacity that is taken on a host until a known time.
type Hold struct {
	Host  workspace.HostID
	Until time.Time
	Need  workspace.Capacity
}

// Place chooses a host for each node, best fit: the host that has the least
// memory left afterwards, then the fewest CPUs, then the first in order. The
// answer has one host per node; ok is false when not all nodes fit, and then
// nothing is placed. The slice of hosts is not changed.
func Place(hosts []workspace.HostUse, r Request) (placed []workspace.HostID, ok bool) {
	if r.Nodes == 1 { // the common case, without a copy
		i := bestFit(hosts, r)
		if i < 0 {
			return nil, false
		}
		return []workspace.HostID{hosts[i].ID}, true
	}
	trial := slices.Clone(hosts)
	placed = make([]workspace.HostID, 0, r.Nodes)
	for range r.Nodes {
		i := bestFit(trial, r)
		if i < 0 {
			return nil, false
		}
		take(&trial[i], r.Need)
		placed = append(placed, trial[i].ID)
	}
	return placed, true
}

// bestFit returns the index of the tightest host that takes one node, or -1.
func bestFit(hosts []workspace.HostUse, r Request) int {
	best := -1
	var least workspace.Capacity
	for i := range hosts {
		free := left(&hosts[i])
		if !fits(free, r.Need) || !usable(&hosts[i], r) {
			continue
		}
		if best < 0 || tighter(free, least) {
			best, least = i, free
		}
	}
	return best
}

// usable reports whether the host may take the request at all, room aside.
func usable(h *workspace.HostUse, r Request) bool {
	if !h.Active || (len(r.VMMs) > 0 && !slices.Contains(r.VMMs, h.VMM)) {
		return false
	}
	if len(h.Associations) == 0 {
		return true
	}
	for _, a := range r.Associations {
		if !slices.Contains(h.Associations, a) {
			return false
		}
	}
	return true
}

func left(h *workspace.HostUse) workspace.Capacity {
	return workspace.Capacity{
		CPUs:     h.Capacity.CPUs - h.Used.CPUs,
		MemoryMB: h.Capacity.MemoryMB - h.Used.MemoryMB,
	}
}

func fits(free, need workspace.Capacity) bool {
	return free.MemoryMB >= need.MemoryMB && free.CPUs >= need.CPUs
}

func tighter(a, b workspace.Capacity) bool {
	if a.MemoryMB != b.MemoryMB {
		return a.MemoryMB < b.MemoryMB
	}
	return a.CPUs < b.CPUs
}

func take(h *workspace.HostUse, need workspace.Capacity) {
	h.Used.CPUs += need.CPUs
	h.Used.MemoryMB += need.MemoryMB
}
