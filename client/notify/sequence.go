package notify

import (
	"cmp"
	"errors"
	"fmt"
	"hash/maphash"
	"time"

	"github.com/philoxenia/philoxenia/client"
)

// recent is how many messages back a repeat is known from a new beginning. The
// service repeats at most what it sent in one message, 64.
const recent = 128

// A sequence watches the numbers of one subscription's messages. Its zero
// value expects the first.
type sequence struct {
	last  int64
	marks [recent]uint64 // what the messages said, by number modulo recent
}

// seed makes marks differ from process to process, so that nobody can make two
// messages look alike.
var seed = maphash.MakeSeed()

// mark returns what makes a repeated message known again.
func mark(e Event) uint64 {
	text := e.Workspace + "\x00" + e.State + "\x00" + e.Fault
	if e.Lease != "" {
		text += "\x00" + e.Lease + "\x00" + e.End.String()
	}
	if e.Transfer != nil {
		text += fmt.Sprintf("\x00%+v", *e.Transfer)
	}
	return maphash.String(seed, text)
}

// admit takes the next message. It is fresh unless it came before; missed says
// that others should have come between it and the one before: a gap, or
// numbers that begin anew, as after the service's record was restored.
func (s *sequence) admit(n int64, m uint64) (fresh, missed bool) {
	if n <= s.last {
		if n > s.last-recent && s.marks[n%recent] == m {
			return false, false
		}
		missed = true
		s.marks = [recent]uint64{}
	}
	missed = missed || n > s.last+1
	s.last, s.marks[n%recent] = n, m
	return true, missed
}

// A translator turns notifications into events: each once, with a mark where
// some are missing.
type translator map[string]*sequence // by what tells the subscription

// translate returns the events of messages that came together, or an error and
// has taken none. way names the subscription where the messages do not.
func (t translator) translate(way string, all []client.Notification) ([]Event, error) {
	said := make([]Event, len(all))
	for i, n := range all {
		var err error
		if said[i], err = eventOf(n); err != nil {
			return nil, err
		}
	}
	var events []Event
	for i, n := range all {
		e, fresh, missed := said[i], true, false
		if n.Number > 0 {
			fresh, missed = t.sequence(way, n).admit(n.Number, mark(e))
		}
		if missed {
			events = append(events, Event{At: e.At, Source: Missed})
		}
		if fresh && (e.State+e.Lease != "" || e.Transfer != nil) {
			events = append(events, e)
		}
	}
	return events, nil
}

// sequence returns the numbers of the subscription that a message belongs to.
func (t translator) sequence(way string, n client.Notification) *sequence {
	if key := client.Key(n.Subscription); key != "" {
		way = key
	}
	s := t[way]
	if s == nil {
		s = new(sequence)
		t[way] = s
	}
	return s
}

// errNobody refuses a message that could be about anything.
var errNobody = errors.New("the notification does not say which workspace it is about")

// eventOf returns what a message tells; the event has no state when that is
// nothing known here, as of topics to come.
func eventOf(n client.Notification) (Event, error) {
	e := Event{Workspace: client.Key(n.Producer), At: time.Now().UTC(), Source: Notified}
	switch {
	case e.Workspace == "":
		return e, errNobody
	case n.State != nil:
		e.State, e.Fault = n.State.Name, n.State.Fault
	case n.Ended:
		e.State = client.Gone
	case n.Standing != nil:
		e.Lease, e.End = cmp.Or(n.Standing.Status, EndsSoon), n.Standing.End
	case n.Transfer != nil:
		e.Transfer = n.Transfer
	}
	return e, nil
}
