package sim

import (
	"context"
	"sync"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// watch is the queue between a host and one Watch call, so that a slow
// listener never holds up the host.
type watch struct {
	ready chan struct{} // capacity 1: something was queued, or all is lost

	mu   sync.Mutex
	news []workspace.Observed
	lost bool
}

// tell queues an observation.
func (w *watch) tell(o workspace.Observed) {
	w.mu.Lock()
	w.news = append(w.news, o)
	w.mu.Unlock()
	w.wake()
}

// lose ends the watch: the host is out of reach.
func (w *watch) lose() {
	w.mu.Lock()
	w.lost = true
	w.mu.Unlock()
	w.wake()
}

func (w *watch) wake() {
	select {
	case w.ready <- struct{}{}:
	default:
	}
}

// take empties the queue.
func (w *watch) take() ([]workspace.Observed, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	news := w.news
	w.news = nil
	return news, w.lost
}

// Watch reports each change of condition on the host, our own doing included,
// in order and none left out.
func (d *deployment) Watch(ctx context.Context, report func(workspace.Observed)) error {
	w := &watch{ready: make(chan struct{}, 1)}
	err := d.call(ctx, OpWatch, 0, func() error {
		d.host.watches[w] = struct{}{}
		return nil
	})
	if err != nil {
		return err
	}
	defer d.forget(w)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-w.ready:
		}
		news, lost := w.take()
		for _, o := range news {
			report(o)
		}
		if lost {
			return d.fault(OpWatch, 0, errDown)
		}
	}
}

// forget takes the watch from its host.
func (d *deployment) forget(w *watch) {
	d.world.mu.Lock()
	defer d.world.mu.Unlock()
	delete(d.host.watches, w)
}
