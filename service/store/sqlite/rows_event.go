package sqlite

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/philoxenia/philoxenia/service/workspace"
)

func (r *rows) changes(s *state) error {
	for id, e := range s.changes.batch {
		var err error
		if c := e.value; e.there {
			err = r.run(putChange, int64(id), string(c.Kind), int64(c.Workspace),
				int64(c.Status), int64(c.Step), int64(c.Attempt), millis(c.NotBefore),
				c.Argument, c.Fault, millis(c.Created))
		} else if s.changes.base[id] != nil {
			err = r.run(deleteChange, int64(id))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *rows) subscriptions(s *state) error {
	for id, e := range s.subscriptions.batch {
		var err error
		if e.there {
			n, _ := s.numbers.under(id)
			err = r.subscription(e.value, n.last)
		} else if s.subscriptions.base[id] != nil {
			err = r.run(deleteSubscription, string(id))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *rows) subscription(s *workspace.Subscription, last int64) error {
	var topics []string
	for _, t := range s.Topics {
		topics = append(topics, string(t))
	}
	return r.run(putSubscription, string(s.ID), int64(s.Workspace), string(s.Owner),
		strings.Join(topics, " "), s.Format, blob(s.Expression), blob(s.Filter),
		blob(s.Consumer), s.Address, string(s.PullPoint), s.UseNotify, s.Paused, s.PausedWhy,
		millis(s.Failing), last, millis(s.Expires), millis(s.Created))
}

// blob returns the bytes as a value that is not NULL.
func blob(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

func (r *rows) points(s *state) error {
	for id, e := range s.points.batch {
		var err error
		if p := e.value; e.there {
			err = r.run(putPoint, string(id), string(p.Owner), millis(p.Created),
				millis(p.Expires), p.Dropped)
		} else if s.points.base[id] != nil {
			err = r.run(deletePoint, string(id))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// messages writes the messages of the batch, except to subscriptions that it
// removes.
func (r *rows) messages(s *state) error {
	for _, m := range s.pending {
		if _, there := s.subscriptions.under(m.Subscription); !there {
			continue
		}
		err := r.run(putMessage, m.Seq, m.Number, string(m.Subscription), int64(m.Workspace),
			string(m.Topic), m.State.String(), wordsOf(&m.Event), millis(m.At),
			string(m.Lease), millis(m.End))
		if err != nil {
			return err
		}
	}
	return nil
}

// numbers writes those that no message of the outbox tells.
func (r *rows) numbers(s *state) error {
	for id, e := range s.numbers.batch {
		if !e.there || !e.value.loose {
			continue
		}
		if err := r.run(putLast, e.value.last, string(id)); err != nil {
			return err
		}
	}
	return nil
}

// sent removes messages; subscriptions that stay keep the numbers.
func (r *rows) sent(s *state, owed debts) error {
	slices.Sort(owed.of)
	for _, id := range slices.Compact(owed.of) {
		n, there := s.numbers.under(id)
		if !there {
			continue
		}
		if err := r.run(putLast, n.last, string(id)); err != nil {
			return err
		}
	}
	gone := slices.Concat(owed.sent, owed.dropped)
	slices.Sort(gone)
	for left := gone; len(left) > 0; {
		n := unbroken(left)
		if err := r.run(deleteMessages, left[0], left[n-1]); err != nil {
			return err
		}
		left = left[n:]
	}
	return nil
}

// unbroken returns how many of the rising numbers follow each other without a gap.
func unbroken(rising []int64) int {
	n := 1
	for n < len(rising) && rising[n]-rising[n-1] <= 1 {
		n++
	}
	return n
}

func (r *rows) answers(s *state) error {
	for key, e := range s.answers.batch {
		ids, err := json.Marshal(e.value.Workspaces)
		if err == nil {
			err = r.run(putAnswer, key[:], string(ids), string(e.value.Group),
				millis(e.value.At), e.value.Digest)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *rows) usage(s *state) error {
	for owner, e := range s.used.batch {
		if err := r.run(putUsed, string(owner), int64(e.value)); err != nil {
			return err
		}
	}
	return nil
}

// wordsOf is what an event says in the column fault: the fault, or of a transfer how
// far it is.
func wordsOf(e *workspace.Event) string {
	if e.Topic != workspace.TopicTransfer {
		return e.Fault
	}
	return fmt.Sprintf("%d %d %s", e.Transfer.Done, e.Transfer.Total, e.Transfer.Task)
}

// setWords is the opposite of wordsOf.
func setWords(e *workspace.Event, words string) error {
	if e.Topic != workspace.TopicTransfer {
		e.Fault = words
		return nil
	}
	numbers, err := fmt.Sscanf(words, "%d %d", &e.Transfer.Done, &e.Transfer.Total)
	if numbers == 2 {
		e.Transfer.Task = strings.SplitN(words, " ", 3)[2]
	}
	return err
}
