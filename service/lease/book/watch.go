package book

import (
	"maps"
	"slices"

	"github.com/philoxenia/philoxenia/service/lease/slot"
)

// Watch makes the Book note from now on which leases change, for Touched.
func (b *Book) Watch() { b.touched = map[ID]bool{} }

// Touched returns, by ID, the leases of which anything may have changed since it
// was asked last: new ones and those that are over included.
func (b *Book) Touched() []ID {
	if len(b.touched) == 0 {
		return nil
	}
	all := slices.Sorted(maps.Keys(b.touched))
	clear(b.touched)
	return all
}

// note notes a lease that changes.
func (b *Book) note(id ID) {
	if b.touched != nil {
		b.touched[id] = true
	}
}

// Free returns what is free of a host all through a span: negative where more is
// taken than there is.
func (b *Book) Free(h slot.Host, span slot.Span) slot.Amount { return b.full.Free(h, span) }

// Alone gives a node of a lease a part of its own and returns which, so that its
// need can be changed without that of others. What the lease has and was promised
// stays as it is. It returns -1 when there is no such node.
func (b *Book) Alone(id ID, node int) (part int) {
	l := b.leases.get(id)
	if l == nil || node < 0 || node >= l.nodes() {
		return -1
	}
	return b.own(l).alone(node)
}

func (l *lease) alone(node int) (part int) {
	for node >= l.Parts[part].Nodes {
		node -= l.Parts[part].Nodes
		part++
	}
	p := l.Parts[part]
	if p.Nodes == 1 {
		return part
	}
	var pieces []Part
	for _, nodes := range []int{node, 1, p.Nodes - node - 1} {
		if nodes > 0 {
			pieces = append(pieces, Part{Nodes: nodes, Need: p.Need})
		}
	}
	l.Parts = slices.Concat(l.Parts[:part], pieces, l.Parts[part+1:])
	if l.asked != nil {
		wish := slices.Clone(pieces)
		for i := range wish {
			wish[i].Need = l.asked[part].Need
		}
		l.asked = slices.Concat(l.asked[:part], wish, l.asked[part+1:])
	}
	for _, bounds := range []*[]slot.Amount{&l.Least, &l.Grain} {
		if *bounds != nil {
			same := slices.Repeat([]slot.Amount{(*bounds)[part]}, len(pieces))
			*bounds = slices.Concat((*bounds)[:part], same, (*bounds)[part+1:])
		}
	}
	if node > 0 {
		part++
	}
	return part
}

// Leave tells that one node of a lease has given its host back for good, while
// the others stay as they are. It keeps its place among the nodes and needs
// nothing any more.
func (b *Book) Leave(now slot.Time, id ID, node int) {
	b.now = max(b.now, now)
	part := b.Alone(id, node)
	if part < 0 {
		return
	}
	l := b.leases.get(id)
	need := l.Parts[part].Need
	if rest := (slot.Span{Start: max(b.now, l.held.Start), End: l.held.End}); !rest.Empty() {
		b.full.Remove(l.hosts[node], rest, need)
		if l.firm && b.firm != b.full {
			b.firm.Remove(l.hosts[node], rest, need)
		}
	}
	moving := slot.Span{Start: b.now, End: l.arrived}
	b.hang(l, moving, (*slot.Table).Remove)
	l.Parts = slices.Clone(l.Parts)
	l.Parts[part].Need = slot.Amount{}
	if l.Least != nil {
		l.Least = slices.Clone(l.Least)
		l.Least[part] = slot.Amount{}
	}
	b.hang(l, moving, (*slot.Table).Add)
	b.changed, b.freed = true, true
	b.review()
}

// Hosts returns how many hosts it was made of.
func (b *Book) Hosts() int { return b.full.Len() }
