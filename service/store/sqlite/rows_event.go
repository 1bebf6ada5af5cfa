package sqlite

import (
	"encoding/json"

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
			err = r.subscription(e.value)
		} else if s.subscriptions.base[id] != nil {
			err = r.run(deleteSubscription, string(id))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *rows) subscription(s *workspace.Subscription) error {
	consumer := s.Consumer
	if consumer == nil {
		consumer = []byte{}
	}
	return r.run(putSubscription, string(s.ID), int64(s.Workspace), string(s.Owner),
		string(s.Topic), s.Dialect, s.Expression, consumer, s.Address,
		s.UseNotify, s.Paused, millis(s.Expires), millis(s.Created))
}

// messages writes the messages of the batch, except to subscriptions that it
// removes.
func (r *rows) messages(s *state) error {
	for _, m := range s.pending {
		if _, there := s.subscriptions.under(m.Subscription); !there {
			continue
		}
		err := r.run(putMessage, m.Seq, string(m.Subscription), int64(m.Workspace),
			string(m.Topic), m.State.String(), m.Fault, millis(m.At))
		if err != nil {
			return err
		}
	}
	return nil
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
