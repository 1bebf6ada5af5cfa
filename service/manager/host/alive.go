package host

import (
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// Await takes the host for lost until a Watcher has heard of it. It is called before
// the node is in a pool.
func (n *Node) Await() {
	n.heard = make(chan struct{})
	n.lost.Store(true)
}

// Heard is closed once a Watcher has heard of a host that Await was called of.
func (n *Node) Heard() <-chan struct{} { return n.heard }

// Liveness returns what is known of the host's answers.
func (n *Node) Liveness() workspace.Liveness {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.alive
}

// answered notes that the host answers, and reports whether it did not before.
func (n *Node) answered(version string) (anew bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	anew = n.lost.CompareAndSwap(true, false)
	if !n.alive.Answers {
		n.alive.Answers, n.alive.Since = true, now()
	}
	n.alive.Version = version
	if n.heard != nil && !n.met {
		n.met = true
		close(n.heard)
	}
	return anew
}

// failed notes that the host does not answer, and reports whether it did before.
func (n *Node) failed(err error) (anew bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	anew = n.lost.CompareAndSwap(false, true)
	if n.alive.Answers || n.alive.Since.IsZero() {
		n.alive.Answers, n.alive.Since = false, now()
		anew = true
	}
	n.alive.Error = err.Error()
	return anew
}

// now is the time as the record keeps it: UTC, in milliseconds.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
