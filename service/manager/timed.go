package manager

import (
	"context"

	"github.com/philoxenia/philoxenia/service/change"
	"github.com/philoxenia/philoxenia/service/lease/learn"
)

// begins is a handler with which something begins that takes time.
func (h hooks) begins(what learn.What, inner change.Handler) change.Handler {
	do := inner.Do
	inner.Do = func(ctx context.Context, r *change.Run) (change.Commit, error) {
		if r.Workspace != nil {
			h.Pace.Begin(what, r.Workspace.ID)
		}
		return do(ctx, r)
	}
	return inner
}

// ends is a handler with which it ends, unless it fails.
func (h hooks) ends(what learn.What, inner change.Handler) change.Handler {
	do := inner.Do
	inner.Do = func(ctx context.Context, r *change.Run) (change.Commit, error) {
		commit, err := do(ctx, r)
		if err == nil && r.Workspace != nil {
			w := r.Workspace
			h.Pace.End(what, w.ID, w.Host, w.Demand.MemoryMB)
		}
		return commit, err
	}
	return inner
}

// timed is a handler of which it is learned how long it takes.
func (h hooks) timed(what learn.What, inner change.Handler) change.Handler {
	return h.begins(what, h.ends(what, inner))
}
