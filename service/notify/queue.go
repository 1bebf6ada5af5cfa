package notify

import "net/url"

// A queue is the consumers that wait for one of the slots of their class, in a
// line for each place: the host and port they are at. Places take turns, and
// none has more than a share of the slots. So a place that never answers holds
// up its own alone, and not those at other places, however many consumers
// somebody made up for it.
type queue struct {
	slots, used int
	places      map[string]*place
	turns       []*place // those that have somebody in line and may have a slot
}

// A place is where consumers are.
type place struct {
	line   []*consumer
	used   int  // slots
	inTurn bool // it stands in the queue's turns
}

func newQueue(slots int) *queue {
	return &queue{slots: slots, places: make(map[string]*place)}
}

// share is how many slots one place may have.
func (q *queue) share() int { return max(1, q.slots/4) }

// add puts the consumer at the end of its line.
func (q *queue) add(c *consumer) {
	p := q.places[c.place]
	if p == nil {
		p = new(place)
		q.places[c.place] = p
	}
	p.line = append(p.line, c)
	q.offer(p)
}

// offer gives the place a turn, when it can use one.
func (q *queue) offer(p *place) {
	if !p.inTurn && len(p.line) > 0 && p.used < q.share() {
		p.inTurn = true
		q.turns = append(q.turns, p)
	}
}

// next gives the next consumer a slot; nil when there is none to give, or
// nobody to take it.
func (q *queue) next() *consumer {
	if q.used >= q.slots || len(q.turns) == 0 {
		return nil
	}
	p := q.turns[0]
	q.turns = q.turns[1:]
	c := p.line[0]
	p.line = p.line[1:]
	p.inTurn = false
	p.used++
	q.used++
	q.offer(p)
	return c
}

// free takes the consumer's slot back.
func (q *queue) free(c *consumer) {
	p := q.places[c.place]
	p.used--
	q.used--
	q.offer(p)
	if p.used == 0 && len(p.line) == 0 {
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
