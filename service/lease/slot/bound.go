package slot

import "math/bits"

// blockSize is how many hosts share one set of bounds.
const blockSize = 32

// A block remembers, for stretches of time, how much any of its hosts can have
// free all through them. What is taken later leaves such a bound true, if loose;
// what is given back makes it unknown. Bounds are learned where a search found
// nothing, which is where they save the next search.
type block struct {
	bounds map[cell]bound
	taken  int // how often something was added
}

// A cell is the stretch [index << level, (index + 1) << level) of time.
type cell struct {
	level uint8
	index int64
}

// A bound is the most that is free all through a cell on any host of a block.
type bound struct {
	free  Amount
	taken int // the block's count when it was learned
}

const (
	finest    = 16      // about a minute
	coarsest  = 40      // about 35 years
	mostCells = 1 << 12 // learned in a block before it starts afresh
	stale     = 64      // additions after which a bound is worth learning again
)

// within returns the largest cells that lie in the span side by side, at most
// three; none when the span is shorter than any.
func within(s Span) (cells [3]cell, n int) {
	if s.Empty() || s.Start < 0 {
		return cells, 0
	}
	for level := min(bits.Len64(uint64(s.End-s.Start))-1, coarsest); level >= finest; level-- {
		index := int64(s.Start-1)>>level + 1
		for ; n < len(cells) && Time((index+1)<<level) <= s.End; index++ {
			cells[n] = cell{uint8(level), index}
			n++
		}
		if n > 0 {
			return cells, n
		}
	}
	return cells, 0
}

// span returns the cell's stretch.
func (c cell) span() Span {
	return Span{Time(c.index << c.level), Time((c.index + 1) << c.level)}
}

// full reports whether it is known that no host has room for need in one of
// the cells.
func (b *block) full(cells []cell, need *Amount) bool {
	if len(b.bounds) == 0 {
		return false
	}
	for _, c := range cells {
		if known, ok := b.bounds[c]; ok && !need.Fits(&known.free) {
			return true
		}
	}
	return false
}

// learn looks at the hosts of block k after a search in it was in vain.
func (t *Table) learn(k int, c cell) {
	b := &t.block[k]
	if known, ok := b.bounds[c]; ok && b.taken-known.taken < stale {
		return
	}
	if b.bounds == nil || len(b.bounds) >= mostCells {
		b.bounds = make(map[cell]bound)
	}
	first := Host(k * blockSize)
	free := t.Free(first, c.span())
	for h := first + 1; h < min(first+blockSize, Host(len(t.hosts))); h++ {
		next := t.Free(h, c.span())
		free.most(&next)
	}
	b.bounds[c] = bound{free, b.taken}
}

// forget drops the bounds of cells that touch the span.
func (b *block) forget(s Span) {
	if len(b.bounds) == 0 {
		return
	}
	for level := finest; level <= coarsest; level++ {
		first, last := int64(s.Start)>>level, int64(s.End-1)>>level
		if last-first > int64(len(b.bounds)) {
			b.bounds = nil
			return
		}
		for i := first; i <= last; i++ {
			delete(b.bounds, cell{uint8(level), i})
		}
	}
}
