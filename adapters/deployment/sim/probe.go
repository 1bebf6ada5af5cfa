package sim

import (
	"context"
	"fmt"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// Version says that nothing is real here.
func (d *deployment) Version(ctx context.Context) (string, error) {
	return "simulated", d.call(ctx, OpVersion, 0, func() error { return nil })
}

// Probe finds what the host was configured with.
func (d *deployment) Probe(ctx context.Context) []workspace.Finding {
	var used int64
	err := d.call(ctx, OpProbe, 0, func() error {
		used = d.host.usedMB
		return nil
	})
	if err != nil {
		return []workspace.Finding{{
			Check: "connection", Verdict: workspace.VerdictFail, Text: err.Error(),
			Do: "let the script bring the host up",
		}}
	}
	has := d.host.capacity
	return []workspace.Finding{
		{Check: "connection", Verdict: workspace.VerdictOK, Text: "a simulated host"},
		{Check: "capacity", Verdict: workspace.VerdictOK, Text: fmt.Sprintf(
			"%d CPUs, %d MB of memory, %d MB in use", has.CPUs, has.MemoryMB, used)},
	}
}

// Add adds a host to the pool, with the machines that the journal remembers of
// it. The error is of kind Invalid (a name) or Internal (the journal).
func (w *World) Add(h workspace.Host) (workspace.Deployment, error) {
	w.mu.Lock()
	if there := w.hosts[h.ID]; there != nil {
		there.capacity = h.Capacity
		w.mu.Unlock()
		return w.Host(h.ID), nil
	}
	defer w.mu.Unlock()
	if err := w.addHost(h); err != nil {
		return nil, err
	}
	return &deployment{world: w, host: w.hosts[h.ID]}, nil
}
