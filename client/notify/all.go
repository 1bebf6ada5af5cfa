package notify

import (
	"context"
	"errors"
	"time"

	"github.com/philoxenia/philoxenia/client"
	"github.com/philoxenia/philoxenia/schema/wsa"
)

// AddAll follows all workspaces that the caller has, those to come included;
// Run then goes on until see has enough or ctx ends. In face two one
// subscription tells of all. Where the service has none, or refuses, the list
// is read again and again, and each workspace that is new in it subscribed to.
// AddAll fails when the service cannot be reached, or ctx ends.
func (w *Watcher) AddAll(ctx context.Context) error {
	w.all, w.next = true, time.Time{}
	if err := w.subscribeAll(ctx); err != nil {
		return err
	}
	list, err := w.service.Current(ctx)
	if err != nil {
		return err
	}
	for _, one := range list {
		if _, err := w.meet(ctx, one.EPR); err != nil {
			return err
		}
	}
	return nil
}

// subscribeAll asks for what happens to all workspaces at once.
func (w *Watcher) subscribeAll(ctx context.Context) error {
	w.wide = false
	if w.polling {
		return nil
	}
	s, err := w.subscription(ctx, w.service.AllWorkspaces(), w.everything())
	switch {
	case err == nil:
		w.subscriptions = append(w.subscriptions, s.EPR)
		w.wide = true
	case !errors.Is(err, client.ErrNoFace) && !client.IsFault(err):
		return err
	}
	return nil
}

// meet returns the target of a workspace, which is taken in when it is new.
func (w *Watcher) meet(ctx context.Context, epr wsa.EPR) (*target, error) {
	t := w.byKey[client.Key(epr)]
	if t != nil {
		return t, nil
	}
	t = w.follow(epr, "")
	if w.wide || w.polling {
		return t, nil
	}
	return t, w.subscribe(ctx, epr)
}

// readList reads the states of all workspaces at once. One that is missing is
// gone: the list is the service's record, and later than anything told before.
func (w *Watcher) readList(ctx context.Context) error {
	list, err := w.service.Current(ctx)
	if answered, err := w.answered(ctx, err); !answered {
		return err
	}
	there := map[*target]bool{}
	for _, one := range list {
		t, err := w.meet(ctx, one.EPR)
		if answered, err := w.answered(ctx, err); !answered {
			return err
		}
		there[t] = true
		w.weigh(t, client.NewState(one.State))
	}
	for _, t := range w.targets {
		if !there[t] && t.state != client.Gone {
			w.weigh(t, client.State{Name: client.Gone})
		}
	}
	return nil
}
