package sqlite

import (
	"context"
	"errors"
	"strings"

	"github.com/philoxenia/philoxenia/service/workspace"
)

func (l *loader) points(ctx context.Context) error {
	return l.each(ctx, `SELECT id, owner, created, expires, dropped FROM pull_point`,
		func(s scan) error {
			p := new(workspace.PullPoint)
			var created, expires int64
			if err := s(&p.ID, &p.Owner, &created, &expires, &p.Dropped); err != nil {
				return bad("pull point", p.ID, err)
			}
			p.Created, p.Expires = timeOf(created), timeOf(expires)
			l.state.points.base[p.ID] = p
			l.state.pulls[p.ID] = new(pull)
			l.state.kept.base[p.Owner] = plus(l.state.kept.base[p.Owner], 0, 1)
			return nil
		})
}

func (l *loader) subscriptions(ctx context.Context) error {
	return l.each(ctx, `SELECT id, workspace, owner, topics, format, expression, filter,
		consumer, address, pull_point, use_notify, paused, paused_why, failing, last,
		expires, created FROM subscription ORDER BY id`,
		func(s scan) error {
			sub, last, err := scanSubscription(s)
			if err != nil {
				return bad("subscription", sub.ID, err)
			}
			st := l.state
			st.subscriptions.base[sub.ID] = sub
			st.numbers.base[sub.ID] = number{last: last}
			of := sourceOf(sub)
			st.subscriptionsOf.base[of] = append(st.subscriptionsOf.base[of], sub.ID)
			if at := sub.PullPoint; at != "" {
				st.subscriptionsAt.base[at] = append(st.subscriptionsAt.base[at], sub.ID)
			}
			st.kept.base[sub.Owner] = plus(st.kept.base[sub.Owner], 1, 0)
			return nil
		})
}

// scanSubscription reads a subscription; with an error, as far as it could be
// read.
func scanSubscription(s scan) (*workspace.Subscription, int64, error) {
	sub := new(workspace.Subscription)
	var topics string
	var last, failing, expires, created int64
	err := s(&sub.ID, &sub.Workspace, &sub.Owner, &topics, &sub.Format, &sub.Expression,
		&sub.Filter, &sub.Consumer, &sub.Address, &sub.PullPoint, &sub.UseNotify,
		&sub.Paused, &sub.PausedWhy, &failing, &last, &expires, &created)
	for _, t := range strings.Fields(topics) {
		sub.Topics = append(sub.Topics, workspace.Topic(t))
	}
	if len(sub.Filter) == 0 {
		sub.Filter = nil
	}
	sub.Failing, sub.Expires, sub.Created = timeOf(failing), timeOf(expires), timeOf(created)
	return sub, last, err
}

func (l *loader) outbox(ctx context.Context) error {
	return l.each(ctx, `SELECT seq, number, subscription, workspace, topic, state, fault, at,
		lease, lease_end FROM outbox ORDER BY seq`, func(s scan) error {
		var m workspace.Message
		var state, words string
		var at, end int64
		err := s(&m.Seq, &m.Number, &m.Subscription, &m.Workspace, &m.Topic, &state,
			&words, &at, &m.Lease, &end)
		if err == nil {
			m.State, err = parseState(state)
		}
		if err == nil {
			err = setWords(&m.Event, words)
		}
		if err != nil {
			return bad("message", m.Seq, err)
		}
		m.At, m.End = timeOf(at), timeOf(end)
		st := l.state
		sub := st.subscriptions.base[m.Subscription]
		if sub == nil {
			return bad("message", m.Seq, errors.New("it is for no subscription"))
		}
		st.outbox[m.Subscription] = append(st.outbox[m.Subscription], m)
		if n := st.numbers.base[m.Subscription]; n.last < m.Number {
			st.numbers.base[m.Subscription] = number{last: m.Number}
		}
		st.pulls[sub.PullPoint].arrive()
		return nil
	})
}
