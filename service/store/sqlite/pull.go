package sqlite

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// pullMost is how many messages one question to a pull point gets at most.
const pullMost = 1000

// A pull is what is known of a pull point beside its row. It is lost with the
// process: what was handed out and not yet removed is then handed out again.
type pull struct {
	queued  int           // messages of all its subscriptions
	request string        // the message ID of the last question
	upTo    int64         // the last message that it was answered with; 0: none
	more    chan struct{} // who waits for a change; nil: nobody
}

// arrive counts a message and wakes who waits for one. A nil pull is that of a
// subscription whose messages are posted.
func (p *pull) arrive() {
	if p != nil {
		p.queued++
		p.wake()
	}
}

func (p *pull) wake() {
	if p.more != nil {
		close(p.more)
		p.more = nil
	}
}

// wait returns what is closed at the next change.
func (p *pull) wait() <-chan struct{} {
	if p.more == nil {
		p.more = make(chan struct{})
	}
	return p.more
}

// publishPoints shows the pull points of the batch.
func (s *state) publishPoints() {
	for id, e := range s.points.batch {
		p := s.pulls[id]
		if p != nil {
			p.wake()
		}
		switch {
		case !e.there:
			delete(s.pulls, id)
		case p == nil:
			s.pulls[id] = new(pull)
		}
	}
}

// forgetMessages drops what waits for a subscription that is removed.
func (s *state) forgetMessages(id workspace.SubscriptionID) {
	if sub := s.subscriptions.base[id]; sub != nil && s.pulls[sub.PullPoint] != nil {
		s.pulls[sub.PullPoint].queued -= len(s.outbox[id])
	}
	delete(s.outbox, id)
}

// PullPoint implements workspace.PullPointReader.
func (s *Store) PullPoint(
	_ context.Context, id workspace.PullPointID,
) (*workspace.PullPoint, error) {
	s.mu.RLock()
	p := s.state.points.base[id]
	s.mu.RUnlock()
	if p == nil {
		return nil, missing("pull point", string(id))
	}
	return p, nil
}

// LapsedPullPoints implements workspace.PullPointReader.
func (s *Store) LapsedPullPoints(
	_ context.Context, at time.Time,
) ([]workspace.PullPointID, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var ids []workspace.PullPointID
	for id, p := range s.state.points.base {
		if p.Over(at) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids, nil
}

// Take implements workspace.PullPointReader.
func (s *Store) Take(
	_ context.Context, id workspace.PullPointID, ask workspace.Ask,
) (workspace.Handed, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.state.pulls[id]
	if p == nil {
		return workspace.Handed{}, missing("pull point", string(id))
	}
	repeated := p.upTo > 0 && ask.Request != "" && ask.Request == p.request
	if !repeated {
		for _, sub := range s.state.subscriptionsAt.base[id] {
			s.deliver(sub, p.upTo)
		}
		p.upTo = 0
	}
	most := pullMost
	if ask.Most > 0 && !repeated {
		most = min(ask.Most, pullMost)
	}
	messages := s.state.waitingAt(id, most)
	if repeated {
		messages = slices.DeleteFunc(messages,
			func(m workspace.Message) bool { return m.Seq > p.upTo })
	}
	if len(messages) > 0 {
		p.request, p.upTo = ask.Request, messages[len(messages)-1].Seq
	}
	return workspace.Handed{Messages: messages, More: p.wait()}, nil
}

// waitingAt returns the oldest messages that wait at the pull point.
func (s *state) waitingAt(id workspace.PullPointID, most int) []workspace.Message {
	var all []workspace.Message
	for _, sub := range s.subscriptionsAt.base[id] {
		waiting := s.outbox[sub]
		all = append(all, waiting[:min(most, len(waiting))]...)
	}
	slices.SortFunc(all, func(a, b workspace.Message) int { return cmp.Compare(a.Seq, b.Seq) })
	return all[:min(most, len(all))]
}
