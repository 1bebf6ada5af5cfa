package libvirt

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/digitalocean/go-libvirt"
	"github.com/google/uuid"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// pingEvery is how often a watch asks for a sign of life, because a
// connection to a dead machine breaks only much later by itself.
const pingEvery = 15 * time.Second

// Watch tells first how each machine is, because what happened before is
// missed, and then of each machine whose life cycle moves, as it finds it
// then. Of two changes in quick succession the first may be told as the second.
func (h *Host) Watch(ctx context.Context, report func(workspace.Observed)) error {
	heard := h.hearer.listen()
	defer heard.close()
	tell := report
	report = func(o workspace.Observed) {
		h.told.note(o)
		tell(o)
	}
	if err := h.catchUp(ctx, report); err != nil {
		return quiet(ctx, err)
	}
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case <-ping.C:
			err = h.ping(ctx)
		case <-heard.ready:
			err = h.pass(ctx, heard.take(), report)
		}
		if err != nil {
			return quiet(ctx, h.fault("watch the machines", 0, err))
		}
	}
}

// quiet makes the end of the context no error.
func quiet(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// catchUp reports every machine that is there, and those that an earlier watch
// spoke of and that are no more.
func (h *Host) catchUp(ctx context.Context, report func(workspace.Observed)) error {
	all, err := h.List(ctx)
	if err != nil {
		return err
	}
	missing := h.told.ids()
	for _, o := range all {
		delete(missing, o.ID)
		report(o)
	}
	for id := range missing {
		report(workspace.Observed{ID: id, Condition: workspace.ConditionAbsent})
	}
	return nil
}

// told remembers which machines exist as far as the reports went.
type told struct {
	mu  sync.Mutex
	all map[workspace.ID]struct{}
}

// note takes a report into account.
func (t *told) note(o workspace.Observed) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if o.Condition == workspace.ConditionAbsent {
		delete(t.all, o.ID)
		return
	}
	if t.all == nil {
		t.all = make(map[workspace.ID]struct{})
	}
	t.all[o.ID] = struct{}{}
}

// ids returns a copy of what is remembered.
func (t *told) ids() map[workspace.ID]struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.all)
}

// pass reports the machines that events speak of.
func (h *Host) pass(ctx context.Context, news []event, report func(workspace.Observed)) error {
	for _, e := range news {
		if e.lost {
			return errUnreachable
		}
		id, ours := h.keyOf(e.domain.Name, uuid.UUID(e.domain.UUID))
		if !ours || e.reboot {
			continue
		}
		c, err := h.Inspect(ctx, id)
		if err != nil {
			return err
		}
		report(workspace.Observed{ID: id, Condition: c})
		if h.onXen() && c == workspace.ConditionRunning {
			h.newLife(ctx, id)
		}
	}
	return nil
}

// ping asks for a sign of life; a daemon that gives none loses its connection.
func (h *Host) ping(ctx context.Context) error {
	_, err := ask(ctx, h.link, pingLimit, func(rpc *libvirt.Libvirt) (uint64, error) {
		return rpc.ConnectGetLibVersion()
	})
	return err
}
