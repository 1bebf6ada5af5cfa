package slot

import "slices"

// blockSize is how many hosts are passed over at once when none has room.
const blockSize = 32

// A row remembers of every host how much it can have free all through a cell of
// time: never less than it has, and mostly just that. Hosts are passed over by
// it without a look at their profiles. Of the resources only CPU and memory are
// in it, which are what is short.
type row struct {
	table *byte // the token of the table that may write it
	free  []short
	best  []short // by block, never less than the most of any of its hosts
	stale []bool  // by block, whether best may be more than that
}

// A short is an amount of what is mostly short.
type short struct{ cpu, memory int32 }

// fits reports whether an amount of it is at most the other.
func (s short) fits(free short) bool { return s.cpu <= free.cpu && s.memory <= free.memory }

// most returns the larger of each.
func (s short) most(o short) short { return short{max(s.cpu, o.cpu), max(s.memory, o.memory)} }

// scarce returns what of an amount is in rows.
func scarce(a *Amount) short { return short{a[CPU], a[Memory]} }

const (
	cellBits = 21      // of a cell's length in milliseconds: 35 minutes
	farthest = 1 << 10 // cells that one hold is entered in at most: 25 days
	mostFree = 1 << 24 // entries of all rows: 128 MB
	mostRows = 8       // looked at in one search
)

// cell returns the number of the cell in which a time lies, and span its span.
func cell(t Time) int64 { return int64(t) >> cellBits }

func span(cell int64) Span {
	return Span{Time(cell << cellBits), Time((cell + 1) << cellBits)}
}

// enter takes note in the rows of what a host has more of taken during the span,
// or less. The host's profile says so already. What is in no row is never given
// back to one, so that a row errs on one side only.
func (t *Table) enter(h Host, s Span, a Amount, more bool) {
	change := scarce(&a)
	first, last := cell(s.Start), cell(s.End-1)
	switch {
	case !t.asked:
		t.far = true // if it is asked yet, rows do not have this
	case change == short{}:
	case last-first >= farthest:
		t.far = true
		for i := range t.rows {
			if first <= i && i <= last {
				t.note(i, h, s, change)
			}
		}
	default:
		for i := first; i <= last; i++ {
			r := t.rows[i]
			if r == nil && more {
				if r = t.open(i); t.far {
					continue // it says so already
				}
			}
			if r != nil {
				t.note(i, h, s, change)
			}
		}
	}
}

// open makes the row of a cell, if there is room for it: of an empty cell, or,
// where holds may be in no row, with what is free.
func (t *Table) open(i int64) *row {
	if (len(t.rows)+1)*len(t.room) > mostFree {
		return nil
	}
	r := &row{
		table: t.token, free: make([]short, len(t.room)),
		best:  make([]short, (len(t.room)+blockSize-1)/blockSize),
		stale: make([]bool, (len(t.room)+blockSize-1)/blockSize),
	}
	for h := range t.room {
		free := t.room[h]
		if t.far {
			free = t.Free(Host(h), span(i))
		}
		r.free[h] = scarce(&free)
		r.best[h/blockSize] = r.best[h/blockSize].most(r.free[h])
	}
	t.rows[i] = r
	return r
}

// note takes note in one row.
func (t *Table) note(i int64, h Host, s Span, change short) {
	r := t.rows[i]
	if r.table != t.token {
		r = &row{t.token, slices.Clone(r.free), slices.Clone(r.best), slices.Clone(r.stale)}
		t.rows[i] = r
	}
	whole := span(i)
	was := r.free[h]
	now := short{was.cpu - change.cpu, was.memory - change.memory}
	if s.Start > whole.Start || s.End < whole.End {
		free := t.Free(h, whole)
		now = scarce(&free)
	}
	r.free[h] = now
	block := int(h) / blockSize
	best := r.best[block]
	r.best[block] = best.most(now)
	r.stale[block] = r.stale[block] || was.cpu == best.cpu || was.memory == best.memory
}

// refresh looks for the best of a block.
func (r *row) refresh(block int) {
	var best short
	for _, free := range r.free[block*blockSize : min((block+1)*blockSize, len(r.free))] {
		best = best.most(free)
	}
	r.best[block], r.stale[block] = best, false
}

// A sieve is the rows by which hosts are passed over in a search.
type sieve struct {
	rows [mostRows]*row
	n    int
	need short
	mine *byte // the token of the table: rows of others are not written
}

// sieve returns rows of cells that lie in the span, spread over it. The first
// call makes the table keep rows from then on.
func (t *Table) sieve(s Span, need *Amount) (v sieve) {
	v.need, v.mine, t.asked = scarce(need), t.token, true
	first := cell(s.Start-1) + 1
	end := min(cell(s.End), first+farthest)
	step := max((end-first)/mostRows, 1)
	for i := first; i < end && v.n < mostRows; i += step {
		if r := t.rows[i]; r != nil {
			v.rows[v.n] = r
			v.n++
		}
	}
	return v
}

// none reports whether it is known that no host of a block has room.
func (v *sieve) none(block int) bool {
	for _, r := range v.rows[:v.n] {
		if r.stale[block] && r.table == v.mine && v.need.fits(r.best[block]) {
			r.refresh(block)
		}
		if !v.need.fits(r.best[block]) {
			return true
		}
	}
	return false
}

// full reports whether it is known that a host has no room.
func (v *sieve) full(h Host) bool {
	for _, r := range v.rows[:v.n] {
		if !v.need.fits(r.free[h]) {
			return true
		}
	}
	return false
}

// trim drops rows of what was before the time.
func (t *Table) trim(before Time) {
	for i := range t.rows {
		if span(i).End <= before {
			delete(t.rows, i)
		}
	}
}
