package book

import (
	"slices"

	"github.com/philoxenia/philoxenia/service/lease/slot"
)

// shades is into how many steps what lies between the least and the most of a
// resource is divided when the most that there is is looked for.
const shades = 64

// A shade is how much of what lies between the least and the most is taken of
// each resource: 0 to shades.
type shade [slot.Resources]int64

// flexible reports whether less than its Parts will do for the lease: until it
// has begun. What is saved is resumed as it was.
func (l *lease) flexible() bool { return l.Least != nil && l.state == Queued }

// shaded returns the parts of the lease in a shade.
func (l *lease) shaded(s *shade) []Part {
	parts := make([]Part, len(l.Parts))
	for i, p := range l.asks() {
		parts[i].Nodes = p.Nodes
		for r, most := range p.Need {
			least := l.floor(i, r)
			if s[r] == shades {
				least = most
			}
			grain := int64(1)
			if l.Grain != nil {
				grain = max(grain, int64(l.Grain[i][r]))
			}
			more := int64(most-least) * s[r] / shades
			parts[i].Need[r] = least + int32(more/grain*grain)
		}
	}
	return parts
}

// asks returns the parts that the lease asks for, whatever it is planned with.
func (l *lease) asks() []Part {
	if l.asked != nil {
		return l.asked
	}
	return l.Parts
}

// terms returns the lease's terms as they stand, whatever it is planned with.
func (l *lease) terms() Terms {
	t := l.Terms
	t.Parts = l.asks()
	return t
}

// floor returns what will do of a resource for a node of a part.
func (l *lease) floor(part, r int) int32 {
	if l.Least == nil || l.Least[part][r] == 0 {
		return l.asks()[part].Need[r]
	}
	return l.Least[part][r]
}

// ranged reports whether there is anything between the least and the most of
// the resource.
func (l *lease) ranged(r int) bool {
	for i, p := range l.asks() {
		if l.floor(i, r) < p.Need[r] {
			return true
		}
	}
	return false
}

// as returns the lease as it would be in a shade, to try it.
func (l *lease) as(s *shade) *lease {
	c := l.copy()
	c.Parts, c.Least, c.Grain, c.asked = l.shaded(s), nil, nil, nil
	return c
}

// lowest returns the lease with the least that will do: what keeps that from
// running keeps the lease.
func (l *lease) lowest() *lease {
	if !l.flexible() {
		return l
	}
	return l.as(&shade{})
}

// grant looks for the most of the lease for which try finds a decision: all of
// it, or else as much as there is of all resources alike, and then of each.
func grant(l *lease, try func(*lease) *decision) *decision {
	d := try(l)
	if d != nil || !l.flexible() {
		return d
	}
	g := granting{lease: l, try: try}
	if !g.attempt(shade{}) {
		return nil
	}
	g.raise(l.ranged)
	for r := range slot.Resources {
		if l.ranged(r) {
			g.raise(func(other int) bool { return other == r })
		}
	}
	return g.best
}

// A granting is a search for the most.
type granting struct {
	lease *lease
	try   func(*lease) *decision
	best  *decision
	at    shade
}

// attempt tries a shade and keeps it when it will do.
func (g *granting) attempt(s shade) bool {
	c := g.lease.as(&s)
	d := g.try(c)
	if d == nil {
		return false
	}
	d.parts = c.Parts
	g.best, g.at = d, s
	return true
}

// raise takes more of the chosen resources, as much as will do.
func (g *granting) raise(chosen func(r int) bool) {
	low, high := int64(0), int64(shades)
	for low < high {
		k := (low + high + 1) / 2
		s := g.at
		for r := range s {
			if chosen(r) {
				s[r] = max(s[r], k)
			}
		}
		if s == g.at || g.attempt(s) {
			low = k
		} else {
			high = k - 1
		}
	}
}

// clip lowers what will do to what the lease has, where that has become less.
func (l *lease) clip() {
	l.Least = slices.Clone(l.Least)
	for i := range l.Least {
		for r := range l.Least[i] {
			l.Least[i][r] = min(l.Least[i][r], l.Parts[i].Need[r])
		}
	}
}

// settle gives the lease what was decided in place of what it asked for, which
// it has back if the decision does not come true.
func (l *lease) settle(d *decision) {
	if d.parts != nil {
		l.asked, l.Parts = l.asks(), d.parts
	}
}

// unsettle ends that.
func (l *lease) unsettle() { l.Parts, l.asked = l.asks(), nil }

// seek looks where a lease that waits could begin: as early as it can, or now
// only, with as much as there is then. It takes nothing.
func (b *Book) seek(l *lease, onlyNow bool) *decision {
	if !l.flexible() {
		return b.seekAs(l, onlyNow)
	}
	by := b.now
	try := func(c *lease) *decision {
		c.by = by
		d := b.seekAs(c, by == b.now)
		if d == nil || (d.hold.Start > by && !d.prompt) {
			return nil
		}
		return d
	}
	if d := grant(l, try); d != nil || onlyNow {
		return d
	}
	least := b.seekAs(l.lowest(), false)
	if least == nil {
		return nil
	}
	by = least.hold.Start
	return grant(l, try)
}
