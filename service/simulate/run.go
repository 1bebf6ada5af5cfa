package simulate

import (
	"container/heap"
	"slices"

	"github.com/philoxenia/philoxenia/service/lease/book"
	"github.com/philoxenia/philoxenia/service/lease/slot"
	"github.com/philoxenia/philoxenia/service/simulate/workload"
)

// A Run is a simulation under way.
type Run struct {
	settings Settings
	pool     []slot.Amount
	book     *book.Book
	work     *workload.Workload
	next     int // of the requests: those before it have arrived
	leases   map[book.ID]*lease
	order    []*lease // as they arrived
	ends     ends
	phases   []Phase
	carried  []Phase // images on their way
	closed   []closing
	random   func() float64
	images   imageTally
	now      slot.Time
}

// A Phase is what a lease did on its hosts for a while.
type Phase struct {
	Lease    *workload.Request
	Doing    book.Verb   // boot, run, suspend, resume, shutdown or transfer
	Hosts    []slot.Host // of each node, in order of the parts; of a transfer the one host
	From, To slot.Time
}

// An imageTally counts what was needed of images and what was done for that.
type imageTally struct {
	needed    int   // hosts on which a lease booted from an image
	transfers int   // from the repository
	carriedMB int64 // by them
}

// A lease is a request and what has become of it.
type lease struct {
	request                *workload.Request
	answer                 book.Answer
	refusal                string
	first                  slot.Time // when it first ran; Never before
	end                    slot.Time // when its running time was over; Never before
	ran                    slot.Time // running time that it has had and not lost
	lost                   slot.Time // running time that it lost to those who killed it
	turn                   int       // counts what it does: what was due in another turn is not due
	open                   *Phase    // what it does
	saved                  []slot.Host
	suspends, moves, kills int
}

// aftermath is for how long after the last request windows recur.
const aftermath = 30 * workload.Day

// New prepares a simulation. The workload is not changed.
func New(w *workload.Workload, s Settings) (*Run, error) {
	policy, err := s.policy()
	if err != nil {
		return nil, err
	}
	pool, err := s.pool(w.Site)
	if err != nil {
		return nil, err
	}
	r := &Run{
		settings: s, pool: pool, work: w, leases: map[book.ID]*lease{},
		book: book.New(book.Pool{
			Hosts: pool, Repository: int32(s.RepositoryKbps),
		}, policy),
		random: workload.Random(s.Seed),
	}
	last := slot.Time(0)
	for i := range w.Requests {
		last = max(last, w.Requests[i].Terms.Submitted, w.Requests[i].Terms.Start)
	}
	return r, r.close(last + aftermath)
}

// Step goes on to the next moment at which something happens; false when
// nothing will any more. Of one moment, what the Book had planned comes first,
// then those who are done early, then those who arrive.
func (r *Run) Step() bool {
	now := min(r.arrival(), r.book.Next(), r.ends.next())
	if now == slot.Never {
		return false
	}
	r.now = now
	r.advance()
	for r.ends.next() <= now {
		e := heap.Pop(&r.ends).(end)
		switch l := e.lease; {
		case l.turn != e.turn:
		case e.done:
			r.done(l)
		default:
			r.book.Ended(now, l.request.Terms.ID)
		}
	}
	for r.arrival() <= now {
		r.submit(&r.work.Requests[r.next])
		r.next++
	}
	r.advance()
	return true
}

// arrival returns when the next request arrives.
func (r *Run) arrival() slot.Time {
	if r.next == len(r.work.Requests) {
		return slot.Never
	}
	return r.work.Requests[r.next].Terms.Submitted
}

// submit asks for the lease of a request.
func (r *Run) submit(q *workload.Request) {
	l := &lease{request: q, first: slot.Never, end: slot.Never}
	r.order = append(r.order, l)
	answer, err := r.book.Submit(r.now, q.Terms)
	l.answer = answer
	switch {
	case err != nil:
		l.refusal = "the terms make no sense"
	case answer.State == book.Refused:
		l.refusal = answer.Reason.Code.String()
	default:
		r.leases[q.Terms.ID] = l
	}
}

// advance carries out what the Book says is due.
func (r *Run) advance() {
	for r.book.Next() <= r.now {
		for _, a := range r.book.Advance(r.now) {
			switch l := r.leases[a.Lease]; {
			case l == nil:
			case a.Verb == book.Transfer:
				r.carry(l, a)
			default:
				r.perform(l, a)
			}
		}
	}
}

// carry brings an image to a host, whatever the lease does that first needs it.
func (r *Run) carry(l *lease, a book.Action) {
	r.carried = append(r.carried, Phase{l.request, a.Verb, a.Hosts, a.At, a.Until})
	r.images.transfers++
	r.images.carriedMB += l.request.Terms.Image.SizeMB
}

// perform carries out one action on made-up hosts.
func (r *Run) perform(l *lease, a book.Action) {
	r.shut(l, a.At)
	l.turn++
	switch a.Verb {
	case book.Boot:
		r.need(l, a.Hosts)
	case book.Resume:
		if !equal(a.Hosts, l.saved) {
			l.moves++
		}
	case book.Run:
		l.first = min(l.first, a.At)
		if left := l.request.Real - l.ran; left < l.request.Terms.Duration-l.ran {
			heap.Push(&r.ends, end{a.At + left, l.turn, l, false})
		}
	case book.Suspend:
		l.suspends++
		l.saved = a.Hosts
	case book.Kill:
		l.kills++
		l.lost += l.ran
		l.ran = 0
	case book.Shutdown:
		l.end = a.At
	case book.End:
		delete(r.leases, a.Lease)
	}
	switch a.Verb {
	case book.Kill, book.End:
		return
	}
	r.open(l, a)
	switch {
	case a.Verb == book.Run:
	case r.settings.Spread > 0 || r.settings.Margin > 0:
		r.begin(l, a)
	case a.Verb == book.Suspend: // nobody tells when it is complete
		r.shut(l, a.Until)
	}
}

// begin draws how long it really takes what a lease begins.
func (r *Run) begin(l *lease, a book.Action) {
	if a.Until == a.At {
		return
	}
	average := float64(a.Until-a.At) / (1 + r.settings.Margin)
	really := average * (1 + r.settings.Spread*(2*r.random()-1))
	heap.Push(&r.ends, end{a.At + max(1, slot.Time(really)), l.turn, l, true})
}

// done tells the Book that what the lease is at is complete.
func (r *Run) done(l *lease) {
	if l.open != nil && l.open.Doing == book.Suspend {
		r.shut(l, r.now)
	}
	r.book.Done(r.now, l.request.Terms.ID)
}

// need counts on how many hosts a lease boots from its image.
func (r *Run) need(l *lease, hosts []slot.Host) {
	if image := &l.request.Terms.Image; r.settings.RepositoryKbps > 0 && image.SizeMB > 0 {
		hosts = slices.Clone(hosts)
		slices.Sort(hosts)
		r.images.needed += len(slices.Compact(hosts))
	}
}

// open begins a phase of the lease.
func (r *Run) open(l *lease, a book.Action) {
	l.open = &Phase{l.request, a.Verb, a.Hosts, a.At, a.At}
}

// shut ends the phase that the lease is in.
func (r *Run) shut(l *lease, at slot.Time) {
	p := l.open
	if p == nil {
		return
	}
	l.open = nil
	p.To = at
	if p.Doing == book.Run {
		l.ran += at - p.From
	}
	if p.To > p.From {
		r.phases = append(r.phases, *p)
	}
}

// equal reports whether the nodes are on the same hosts.
func equal(a, b []slot.Host) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// An end is when a lease is used no longer, or is done with what it is at, if it
// goes on as it does.
type end struct {
	at    slot.Time
	turn  int
	lease *lease
	done  bool
}

// ends is a heap of ends by time, then by the lease's number.
type ends []end

func (e ends) Len() int { return len(e) }
func (e ends) Less(i, j int) bool {
	if e[i].at != e[j].at {
		return e[i].at < e[j].at
	}
	return e[i].lease.request.Terms.ID < e[j].lease.request.Terms.ID
}
func (e ends) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *ends) Push(x any)   { *e = append(*e, x.(end)) }

// Pop takes the last one; heap.Pop has put the first there.
func (e *ends) Pop() any {
	last := len(*e) - 1
	x := (*e)[last]
	*e = (*e)[:last]
	return x
}

// next returns when the first is.
func (e ends) next() slot.Time {
	if len(e) == 0 {
		return slot.Never
	}
	return e[0].at
}
