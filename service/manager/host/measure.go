package host

import (
	"context"
	"sync"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// How old readings of a host may be, so that many questions are one call, and how
// long a host may take over them.
const (
	readingsKeep  = time.Second
	readingsLimit = 3 * time.Second
)

// readings are the last ones of a host.
type readings struct {
	mu  sync.Mutex
	at  time.Time
	all map[workspace.ID]workspace.Reading
	err error
}

// Reading returns what the machine uses, at most a second old; nil when the host has
// none of it in memory. The error is that of the host.
func (p *Pool) Reading(
	ctx context.Context, host workspace.HostID, id workspace.ID,
) (*workspace.Reading, error) {
	n, err := p.Node(host)
	if err != nil {
		return nil, err
	}
	n.read.mu.Lock()
	defer n.read.mu.Unlock()
	if time.Since(n.read.at) > readingsKeep {
		n.measure(ctx)
	}
	if r, ok := n.read.all[id]; ok {
		return &r, nil
	}
	return nil, n.read.err
}

// measure reads all machines of the host. What went wrong is kept as long as what
// was read, so that a host that hangs holds nobody up again and again.
func (n *Node) measure(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readingsLimit)
	defer cancel()
	all, err := n.Measure(ctx)
	n.read.all, n.read.err = make(map[workspace.ID]workspace.Reading, len(all)), err
	for _, r := range all {
		n.read.all[r.ID] = r
	}
	n.read.at = time.Now()
}
