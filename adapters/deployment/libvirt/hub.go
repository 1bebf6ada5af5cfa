package libvirt

import (
	"sync"

	"github.com/digitalocean/go-libvirt"
)

// event is news from the host: something about a domain, or the end of news.
type event struct {
	domain libvirt.Domain
	reboot bool // the guest has rebooted; else its life cycle moved
	lost   bool // the connection ended: what follows was missed
}

// hub hands events to whoever listens.
type hub struct {
	mu      sync.Mutex
	hearers map[*hearer]struct{}
}

// hearer is a queue of events without bound, so that a slow listener never
// holds up the connection.
type hearer struct {
	hub   *hub
	ready chan struct{} // capacity 1

	mu   sync.Mutex
	news []event
}

// listen begins to queue events.
func (h *hub) listen() *hearer {
	l := &hearer{hub: h, ready: make(chan struct{}, 1)}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.hearers == nil {
		h.hearers = make(map[*hearer]struct{})
	}
	h.hearers[l] = struct{}{}
	return l
}

// tell queues an event for every listener.
func (h *hub) tell(e event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for l := range h.hearers {
		l.add(e)
	}
}

func (l *hearer) add(e event) {
	l.mu.Lock()
	l.news = append(l.news, e)
	l.mu.Unlock()
	select {
	case l.ready <- struct{}{}:
	default:
	}
}

// take empties the queue.
func (l *hearer) take() []event {
	l.mu.Lock()
	defer l.mu.Unlock()
	news := l.news
	l.news = nil
	return news
}

// close ends the listening.
func (l *hearer) close() {
	l.hub.mu.Lock()
	defer l.hub.mu.Unlock()
	delete(l.hub.hearers, l)
}
