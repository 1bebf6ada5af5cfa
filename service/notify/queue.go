package notify

import (
	"net/url"
	"slices"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// A queue is the consumers that wait for one of the slots of their class. Owners
// take turns, and of one owner the places: the host and port that consumers are
// at. No place has more than a share of the slots, and an owner has no more than
// leaves some for the next. So a place that never answers holds up its own
// alone, and who makes up places that never answer holds up their own messages,
// however many they are.
type queue struct {
	slots, used int
	places      map[string]int // slots used, by place
	owners      map[workspace.Owner]*owner
	turns       []*owner // those that have somebody in line; the first is next
}

// An owner is who made subscriptions.
type owner struct {
	used  int // slots
	lines map[string]*line
	turns []*line // none is empty; the first is next
}

// A line is the consumers of one owner at one place.
type line struct {
	place   string
	waiting []*consumer
}

func newQueue(slots int) *queue {
	return &queue{
		slots: slots, places: make(map[string]int), owners: make(map[workspace.Owner]*owner),
	}
}

// share is how many slots one place may have.
func (q *queue) share() int { return max(1, q.slots/4) }

// leaves reports whether another slot for the owner leaves some for others: it
// has less than seven times what is free.
func (q *queue) leaves(o *owner) bool { return o.used < 7*(q.slots-q.used) }

// add puts the consumer at the end of its line.
func (q *queue) add(c *consumer) {
	o := q.owners[c.owner]
	if o == nil {
		o = &owner{lines: make(map[string]*line)}
		q.owners[c.owner] = o
	}
	if len(o.turns) == 0 {
		q.turns = append(q.turns, o)
	}
	l := o.lines[c.place]
	if l == nil {
		l = &line{place: c.place}
		o.lines[c.place] = l
		o.turns = append(o.turns, l)
	}
	l.waiting = append(l.waiting, c)
}

// next gives the next consumer a slot; nil when there is none to give, or
// nobody to take it.
func (q *queue) next() *consumer {
	for i, o := range q.turns {
		if !q.leaves(o) {
			continue
		}
		c := q.nextOf(o)
		if c == nil {
			continue
		}
		q.turns = without(q.turns, i)
		if len(o.turns) > 0 {
			q.turns = append(q.turns, o)
		}
		q.used++
		o.used++
		q.places[c.place]++
		return c
	}
	return nil
}

// nextOf takes the next consumer out of the owner's lines; nil when none of
// them is at a place that may have a slot.
func (q *queue) nextOf(o *owner) *consumer {
	for i, l := range o.turns {
		if q.places[l.place] >= q.share() {
			continue
		}
		c := l.waiting[0]
		l.waiting = l.waiting[1:]
		o.turns = without(o.turns, i)
		if len(l.waiting) > 0 {
			o.turns = append(o.turns, l)
		} else {
			delete(o.lines, l.place)
		}
		return c
	}
	return nil
}

// without returns the list without an element, mostly the first.
func without[T any](all []T, i int) []T {
	if i == 0 {
		return all[1:]
	}
	return slices.Delete(all, i, i+1)
}

// free takes the consumer's slot back.
func (q *queue) free(c *consumer) {
	o := q.owners[c.owner]
	q.used--
	o.used--
	if o.used == 0 && len(o.turns) == 0 {
		delete(q.owners, c.owner)
	}
	if q.places[c.place]--; q.places[c.place] == 0 {
		delete(q.places, c.place)
	}
}

// placeOf returns the host and port of a consumer's URL.
func placeOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return u.Host
}
