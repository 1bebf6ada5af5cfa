package host

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// Pool is all nodes by name. Nodes come and go while the service runs: who works
// on one asks for it each time, and keeps none. It is safe for concurrent use.
type Pool struct {
	mu      sync.RWMutex
	nodes   map[workspace.HostID]*Node
	changed chan struct{} // closed when a node comes or goes
}

// NewPool returns a Pool of the nodes.
func NewPool(nodes ...*Node) *Pool {
	p := &Pool{nodes: map[workspace.HostID]*Node{}, changed: make(chan struct{})}
	for _, n := range nodes {
		p.Add(n)
	}
	return p
}

// Add adds the node, or replaces the one of its name, which it returns.
func (p *Pool) Add(n *Node) (before *Node) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before = p.nodes[n.ID]
	p.nodes[n.ID] = n
	p.stir()
	return before
}

// Remove takes the node out and returns it: what is under way on it goes on until
// it is closed. It is nil where there is none.
func (p *Pool) Remove(id workspace.HostID) *Node {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.nodes[id]
	if n != nil {
		delete(p.nodes, id)
		p.stir()
	}
	return n
}

// stir tells who follows the pool that it has changed.
func (p *Pool) stir() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// Follow returns all nodes by rising name, and what is closed when they are others.
func (p *Pool) Follow() ([]*Node, <-chan struct{}) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	all := make([]*Node, 0, len(p.nodes))
	for _, n := range p.nodes {
		all = append(all, n)
	}
	slices.SortFunc(all, func(a, b *Node) int { return cmp.Compare(a.ID, b.ID) })
	return all, p.changed
}

// Nodes returns all nodes by rising name.
func (p *Pool) Nodes() []*Node {
	all, _ := p.Follow()
	return all
}

// Reachable reports whether the host is there and answered when last asked.
func (p *Pool) Reachable(id workspace.HostID) bool {
	n, err := p.Node(id)
	return err == nil && n.Reachable()
}

// Has reports whether the host is there.
func (p *Pool) Has(id workspace.HostID) bool {
	_, err := p.Node(id)
	return err == nil
}

// Node returns the node, or an error of kind Unavailable: the host has left
// the pool while workspaces were on it.
func (p *Pool) Node(id workspace.HostID) (*Node, error) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if n, ok := p.nodes[id]; ok {
		return n, nil
	}
	return nil, workspace.Errorf(workspace.Unavailable, "reach host", string(id),
		"it is not in the pool")
}

// Snapshots asks a host which states of a workspace it keeps.
func (p *Pool) Snapshots(
	ctx context.Context, id workspace.HostID, w workspace.ID,
) ([]workspace.Snapshot, error) {
	n, err := p.Node(id)
	if err != nil {
		return nil, err
	}
	return n.Snapshots(ctx, w)
}
