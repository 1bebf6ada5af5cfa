package slot

import (
	"cmp"
	"container/heap"
	"slices"
)

// Gang asks for nodes that run together, each on one host.
type Gang struct {
	Need  Amount // of each node
	Nodes int
	// May tells which hosts will do; nil: all.
	May func(Host) bool
	// Rank orders hosts that fit: those with the lowest come first, equals by
	// their place. Free is what the host has free before it takes a node. Nil: by place.
	Rank func(h Host, free Amount) int64
	// Each is how many nodes one host may take; 0: as many as fit.
	Each int
	// Look is how many hosts with room are compared before the best are taken;
	// 0: all there are. With it the answer is the best of the first so many.
	Look int
}

// A seat is a host with room.
type seat struct {
	host  Host
	nodes int // that it takes
	rank  int64
}

// Place returns a host for each node of the gang, all through the span, or nil
// when they do not all fit. Nothing is taken.
func (t *Table) Place(s Span, g Gang) []Host {
	return t.assign(t.seats(s, g), g)
}

// seats returns the hosts with room during the span.
func (t *Table) seats(s Span, g Gang) []seat {
	var all []seat
	room := 0
	known := t.sieve(s, &g.Need)
	for k := 0; k < len(t.pages); k++ {
		if known.none(k) {
			continue
		}
		first := Host(k * blockSize)
		for h := first; h < min(first+blockSize, Host(t.Len())); h++ {
			if known.full(h) {
				continue
			}
			if seat, ok := t.seat(h, s, &g); ok {
				all = append(all, seat)
				room += seat.nodes
			}
		}
		if room >= g.Nodes && (g.Look > 0 && len(all) >= g.Look || g.Rank == nil) {
			break
		}
	}
	return all
}

// seat returns what the host has for the gang; false for nothing.
func (t *Table) seat(h Host, s Span, g *Gang) (seat, bool) {
	if g.May != nil && !g.May(h) {
		return seat{}, false
	}
	room := &t.room[h]
	if !g.Need.Fits(room) {
		return seat{}, false
	}
	free, ok := t.at(h).free(s, room, &g.Need)
	if !ok {
		return seat{}, false
	}
	found := seat{host: h, nodes: g.Nodes}
	if g.Each > 0 {
		found.nodes = min(found.nodes, g.Each)
	}
	for i, need := range g.Need {
		if need > 0 && found.nodes > 1 {
			found.nodes = min(found.nodes, int(free[i]/need))
		}
	}
	if g.Rank != nil {
		found.rank = g.Rank(h, free)
	}
	return found, true
}

// assign fills the seats by rank until every node has one.
func (t *Table) assign(all []seat, g Gang) []Host {
	slices.SortStableFunc(all, func(a, b seat) int { return cmp.Compare(a.rank, b.rank) })
	hosts := make([]Host, 0, g.Nodes)
	for _, s := range all {
		for range min(s.nodes, g.Nodes-len(hosts)) {
			hosts = append(hosts, s.host)
		}
		if len(hosts) == g.Nodes {
			return hosts
		}
	}
	return nil
}

// EarliestGang returns the first time not before from at which the whole gang
// fits for the length, and its hosts; Never and nil when there is none.
//
// Of every node that a host could take it is known from when on; the gang
// cannot start before the n-th of these times. Those that are earlier are
// asked again from there, until n of them agree: each round moves the start
// only as far as it must, so the answer is exact.
func (t *Table) EarliestGang(from, length Time, g Gang) (Time, []Host) {
	if hosts := t.Place(Span{from, after(from, length)}, g); hosts != nil {
		return from, hosts
	}
	waiting := t.places(from, length, &g)
	if len(waiting) < g.Nodes {
		return Never, nil
	}
	heap.Init(&waiting)
	for when := from; ; {
		next := waiting.nth(g.Nodes)
		if next == Never {
			return Never, nil
		}
		if next == when {
			return when, t.Place(Span{when, after(when, length)}, g)
		}
		when = next
		for waiting[0].from < when {
			p := &waiting[0]
			p.from = t.Earliest(p.host, when, length, p.need)
			heap.Fix(&waiting, 0)
		}
	}
}

// A place is one of the nodes that a host could take: the host has need free,
// which is room for it and those before it, from the time on.
type place struct {
	host Host
	need Amount
	from Time
}

// places is a heap of places by their time.
type places []place

func (p places) Len() int           { return len(p) }
func (p places) Less(i, j int) bool { return p[i].from < p[j].from }
func (p places) Swap(i, j int)      { p[i], p[j] = p[j], p[i] }
func (p *places) Push(x any)        { *p = append(*p, x.(place)) }

// Pop takes the last one; heap.Pop has put the first there.
func (p *places) Pop() any {
	last := len(*p) - 1
	x := (*p)[last]
	*p = (*p)[:last]
	return x
}

// nth returns the n-th smallest time. What it pops stands behind the heap
// meanwhile, in the same array, and goes back from there.
func (p *places) nth(n int) Time {
	all := *p
	for range n {
		heap.Pop(p)
	}
	when := all[len(*p)].from
	for range n {
		*p = all[:len(*p)+1]
		heap.Fix(p, len(*p)-1)
	}
	return when
}

// places lists them all, as they are from a time on.
func (t *Table) places(from, length Time, g *Gang) places {
	all := make(places, 0, t.Len())
	for h := range Host(t.Len()) {
		if g.May != nil && !g.May(h) {
			continue
		}
		most := g.Nodes
		if g.Each > 0 {
			most = min(most, g.Each)
		}
		for r, need := range g.Need {
			if need > 0 { // so that no sum exceeds what the host has
				most = min(most, int(t.room[h][r]/need))
			}
		}
		p := place{host: h, from: from}
		for range most {
			p.need = p.need.Plus(g.Need)
			if p.from = t.Earliest(h, p.from, length, p.need); p.from == Never {
				break
			}
			all = append(all, p)
		}
	}
	return all
}
