package notify

import (
	"context"
	"time"

	"github.com/philoxenia/philoxenia/client"
)

// ahead is held by a target whose state was read before the notifications that
// lead to it were taken: they are still to come, and lead there a second time.
type ahead struct {
	present string         // the state read when the first came that differed; empty: none has
	held    []client.State // what came since, before it is clear whether it is old
}

// admit takes a notification, which is old where a read was ahead of it.
//
// Notifications of a workspace come in order. So those that were under way when
// the state was read end with that very state, and all before it are old; while
// those that came to pass later lead from it to the state of now without it.
func (w *Watcher) admit(ctx context.Context, t *target, state client.State) error {
	t.believe = time.Now().Add(w.options.Grace) // more may be under way
	if t.ahead == nil || state.Name == t.state {
		w.emit(t, state, Notified)
		return nil
	}
	if t.ahead.present == "" {
		now, err := w.read(ctx, t)
		if err != nil {
			return err
		}
		if now == nil { // it cannot be asked; what it tells is all there is
			now = &state
		}
		t.ahead.present = now.Name
	}
	if state.Name != t.ahead.present && state.Name != client.Gone {
		t.ahead.held = append(t.ahead.held, state)
		t.doubtful = true
		return nil
	}
	for _, one := range append(t.ahead.held, state) {
		w.emit(t, one, Notified)
	}
	return nil
}

// settled ends doubt: a read has said, or is to say, what notifications have not.
func (t *target) settled() {
	t.doubtful = false
	if t.ahead != nil {
		*t.ahead = ahead{}
	}
}
