package manager

import (
	"errors"

	"github.com/philoxenia/philoxenia/service/lease/quota"
	"github.com/philoxenia/philoxenia/service/manager/account"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// quotaPaths say where in a create request a resource is asked for.
var quotaPaths = map[quota.Resource]string{
	quota.Workspaces: atNodes, quota.CPUs: atCPUs, quota.MemoryMB: atMemory,
	quota.CPUTime: atDuration, quota.LongestRun: atDuration,
}

// afford refuses (kind Quota) what the owner of a request may not have beside
// what it holds. It is the most that is asked for that counts.
func (m *Manager) afford(tx workspace.Tx, r *workspace.Request) error {
	err := m.accounts.Admit(tx, r.Owner, account.Asked(r.Parts, r.Duration))
	var breach *quota.Breach
	if !errors.As(err, &breach) {
		return err
	}
	return refuse(r, complaint{
		kind: workspace.Quota, path: quotaPaths[breach.Of], cause: breach,
		hint: "ask for less, or give back what is not needed",
	})
}

// affordMore refuses (kind Quota) what a workspace is to have more than before.
func (m *Manager) affordMore(tx workspace.Tx, old, w *workspace.Workspace) error {
	before := account.Asked([]workspace.Part{{Nodes: 1, Demand: old.Demand}}, old.Lease.Duration)
	more := account.Asked([]workspace.Part{{Nodes: 1, Demand: w.Demand}}, w.Lease.Duration)
	for _, r := range []quota.Resource{
		quota.Workspaces, quota.CPUs, quota.MemoryMB, quota.CPUTime,
	} {
		more[r] -= before[r]
	}
	if more[quota.LongestRun] <= before[quota.LongestRun] {
		more[quota.LongestRun] = 0
	}
	return m.accounts.Admit(tx, w.Owner, more)
}
