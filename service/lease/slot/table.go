package slot

import (
	"maps"
	"slices"
)

// Host is a host by its place in the table.
type Host int32

// Table is the use of a pool over time. It is not safe for concurrent use;
// a Snapshot is a table of its own.
type Table struct {
	room  []Amount
	pages []*page
	rows  map[int64]*row // by cell, to pass over hosts that are full
	asked bool           // for gangs: only then are there rows
	token *byte          // marks what this table may write
	far   bool           // something is held for so long that rows may not have it
}

// Boundless is a capacity of which there is no end: nobody uses it up.
const Boundless = 1 << 30

// New returns the table of hosts with the given capacities, all free. No
// amount may exceed Boundless.
func New(capacities []Amount) *Table {
	t := &Table{
		room: slices.Clone(capacities), rows: map[int64]*row{}, token: new(byte),
		pages: make([]*page, (len(capacities)+blockSize-1)/blockSize),
	}
	for i := range t.pages {
		t.pages[i] = &page{table: t.token}
	}
	return t
}

// A page is the profiles of a block of hosts. Pages and profiles are shared
// between snapshots until they are written.
type page struct {
	table *byte // the token of the table that may write it
	hosts [blockSize]profile
}

// Len returns the number of hosts.
func (t *Table) Len() int { return len(t.room) }

// Capacity returns how much the host has in all.
func (t *Table) Capacity(h Host) Amount { return t.room[h] }

// Add takes the amount of the host during the span, whether it fits or not:
// what a host is known to bear is recorded as it is.
func (t *Table) Add(h Host, s Span, a Amount) {
	if !s.Empty() {
		t.count(h, &a)
		t.own(h).add(s, a)
		t.enter(h, s, a, true)
	}
}

// Remove gives back what was added with the same arguments, or a part of it.
func (t *Table) Remove(h Host, s Span, a Amount) {
	if !s.Empty() {
		t.count(h, &a)
		back := Amount{}.Minus(a)
		t.own(h).add(s, back)
		t.enter(h, s, back, false)
	}
}

// at returns the host's profile, for reading.
func (t *Table) at(h Host) *profile {
	i := uint32(h) // which is divided sooner
	return &t.pages[i/blockSize].hosts[i%blockSize]
}

// Lend is Add for as long as a search goes on, and what was lent comes back as
// the negative amount: it is much cheaper, since what is remembered to pass over
// full hosts may say that they have more than they have.
func (t *Table) Lend(h Host, s Span, a Amount) {
	if !s.Empty() {
		t.count(h, &a)
		t.own(h).add(s, a)
	}
}

// count leaves out of an amount what the host has without bound.
func (t *Table) count(h Host, a *Amount) {
	for r, room := range &t.room[h] {
		if room >= Boundless {
			a[r] = 0
		}
	}
}

// own returns the host's profile, for writing.
func (t *Table) own(h Host) *profile {
	place := &t.pages[h/blockSize]
	if (*place).table != t.token {
		*place = &page{t.token, (*place).hosts}
	}
	p := &(*place).hosts[h%blockSize]
	if p.table != t.token {
		const more = 2 // steps that one hold adds
		p.table = t.token
		p.at = append(make([]Time, 0, len(p.at)+more), p.at...)
		p.use = append(make([]Amount, 0, len(p.use)+more), p.use...)
	}
	return p
}

// Free returns what is free of each resource all through the span. It is
// negative where more is taken than there is.
func (t *Table) Free(h Host, s Span) Amount {
	return t.room[h].Minus(t.at(h).peak(s))
}

// Fits reports whether the amount is free all through the span.
func (t *Table) Fits(h Host, s Span, a Amount) bool {
	_, ok := t.left(h, s, &a)
	return ok
}

// left returns what is free all through the span, if need fits in it.
func (t *Table) left(h Host, s Span, need *Amount) (Amount, bool) {
	if !need.Fits(&t.room[h]) {
		return Amount{}, false
	}
	return t.at(h).free(s, &t.room[h], need)
}

// Earliest returns the first time not before from at which the amount is free
// for the length; Never when there is none.
func (t *Table) Earliest(h Host, from, length Time, a Amount) Time {
	if !a.Fits(&t.room[h]) {
		return Never
	}
	return t.at(h).earliest(from, length, &t.room[h], &a)
}

// Latest returns the last time within the span at which the amount is free for
// the length, all of it before the span's end; Never when there is none.
func (t *Table) Latest(h Host, s Span, length Time, a Amount) Time {
	if !a.Fits(&t.room[h]) || s.End-length < s.Start {
		return Never
	}
	return t.at(h).latest(s, length, &t.room[h], &a)
}

// Steps calls f for each step of the host's use that lies in the span, in
// order, cut to it; steps that take nothing included.
func (t *Table) Steps(h Host, s Span, f func(Span, Amount)) {
	p := t.at(h)
	start, use := s.Start, Amount{}
	i := p.from(s.Start)
	if i >= 0 {
		use = p.use[i]
	}
	for i++; i < len(p.at) && p.at[i] < s.End; i++ {
		f(Span{start, p.at[i]}, use)
		start, use = p.at[i], p.use[i]
	}
	f(Span{start, s.End}, use)
}

// Forget drops what was before the time, which no question will be about.
func (t *Table) Forget(before Time) {
	for h := range Host(t.Len()) {
		if t.at(h).from(before) > 0 {
			t.own(h).forget(before)
		}
	}
	t.trim(before)
}

// Snapshot returns a table that says the same and shares what neither changes
// from now on.
func (t *Table) Snapshot() *Table {
	c := &Table{
		room: t.room, pages: slices.Clone(t.pages), rows: maps.Clone(t.rows),
		token: new(byte), far: t.far, asked: t.asked,
	}
	t.token = new(byte)
	return c
}

// Until returns the first time not before from at which the amount is not free:
// from itself, when it is not free to begin with; Never, when it stays free.
func (t *Table) Until(h Host, from Time, a Amount) Time {
	if !a.Fits(&t.room[h]) {
		return from
	}
	p := t.at(h)
	i := p.from(from)
	if i >= 0 && over(&p.use[i], &t.room[h], &a) {
		return from
	}
	for i++; i < len(p.at); i++ {
		if over(&p.use[i], &t.room[h], &a) {
			return p.at[i]
		}
	}
	return Never
}

// Change returns the first time after t at which the use of any host becomes
// another; Never when it does not.
func (t *Table) Change(after Time) Time {
	next := Never
	for h := range Host(t.Len()) {
		p := t.at(h)
		if i := p.from(after) + 1; i < len(p.at) {
			next = min(next, p.at[i])
		}
	}
	return next
}

// Last returns the last time at which the use of any host becomes another.
func (t *Table) Last() (last Time) {
	for h := range t.room {
		if at := t.at(Host(h)).at; len(at) > 0 {
			last = max(last, at[len(at)-1])
		}
	}
	return last
}
