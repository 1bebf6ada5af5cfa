package book

import (
	"iter"
	"maps"
)

// A shelf is leases by ID in two layers, so that to copy it costs no more than
// what has changed: what many copies share is written in none of them.
type shelf struct {
	base   map[ID]*lease // shared, not written; nil: nothing is shared yet
	over   map[ID]*lease // what differs from the base; nil for one that is gone
	leases int
}

func newShelf() shelf { return shelf{over: map[ID]*lease{}} }

// get returns the lease, nil for one that is not there.
func (s *shelf) get(id ID) *lease {
	if l, differs := s.over[id]; differs {
		return l
	}
	return s.base[id]
}

// put puts the lease in, in place of the one with its ID.
func (s *shelf) put(l *lease) {
	if s.get(l.ID) == nil {
		s.leases++
	}
	s.over[l.ID] = l
}

// drop takes the lease out.
func (s *shelf) drop(id ID) {
	if s.get(id) != nil {
		s.leases--
	}
	if delete(s.over, id); s.base[id] != nil {
		s.over[id] = nil
	}
}

// len returns how many there are.
func (s *shelf) len() int { return s.leases }

// all goes through the leases, in no order. They may be written meanwhile.
func (s *shelf) all() iter.Seq2[ID, *lease] {
	return func(yield func(ID, *lease) bool) {
		for id, l := range s.over {
			if l != nil && !yield(id, l) {
				return
			}
		}
		for id, l := range s.base {
			if _, differs := s.over[id]; !differs && !yield(id, l) {
				return
			}
		}
	}
}

// ids goes through their IDs, in no order.
func (s *shelf) ids() iter.Seq[ID] {
	return func(yield func(ID) bool) {
		for id := range s.all() {
			if !yield(id) {
				return
			}
		}
	}
}

// smallLayer returns how much of so much in all is copied with each snapshot
// before it becomes part of what is shared.
func smallLayer(all int) int { return 64 + all/32 }

// share returns a shelf of the same leases.
func (s *shelf) share() shelf {
	if len(s.over) > smallLayer(s.leases) {
		base := make(map[ID]*lease, s.leases)
		maps.Insert(base, s.all())
		s.base, s.over = base, map[ID]*lease{}
	}
	c := *s
	c.over = maps.Clone(s.over)
	return c
}
