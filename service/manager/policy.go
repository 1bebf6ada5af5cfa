package manager

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// opCreate begins the text of every refusal of a create request.
const opCreate = "create the workspace"

// admit checks a create request against the policy and fills in the site's
// defaults. It touches no record; an unreachable repository is found here.
func (m *Manager) admit(ctx context.Context, r *workspace.Request) error {
	checks := []func(*workspace.Request) error{
		m.admitOwner, m.admitTime, m.admitSize, m.admitPlatform, m.admitNetworks, m.admitTarget,
	}
	for _, check := range checks {
		if err := check(r); err != nil {
			return err
		}
	}
	for _, d := range r.Spec.Disks {
		if d.Role == workspace.BlankDisk {
			continue
		}
		if _, err := m.images.Check(ctx, d.Location); err != nil {
			return &workspace.Error{
				Op: opCreate, Kind: workspace.KindOf(err), ID: r.Spec.Name, Err: err,
			}
		}
	}
	return nil
}

func refuse(kind workspace.Kind, r *workspace.Request, format string, args ...any) error {
	return workspace.Errorf(kind, opCreate, r.Spec.Name, format, args...)
}

func (m *Manager) admitOwner(r *workspace.Request) error {
	if r.Owner == "" {
		return refuse(workspace.Denied, r, "no caller identity")
	}
	return nil
}

func (m *Manager) admitTime(r *workspace.Request) error {
	if r.Duration == 0 {
		r.Duration = m.policy.DefaultDuration
	}
	if r.Duration > m.policy.MaximumDuration {
		return refuse(workspace.Denied, r,
			"request duration (%d seconds) exceeds the maximum allowed (%d seconds)",
			r.Duration/time.Second, m.policy.MaximumDuration/time.Second)
	}
	if r.Duration < time.Second {
		return refuse(workspace.Denied, r,
			"request duration (%v) is shorter than a second", r.Duration)
	}
	return nil
}

func (m *Manager) admitSize(r *workspace.Request) error {
	if most := m.policy.MaximumNodes; most > 0 && r.Nodes > most {
		return refuse(workspace.Denied, r,
			"%d nodes are asked for, this site allows groups of %d", r.Nodes, most)
	}
	if r.Demand.CPUs == 0 {
		r.Demand.CPUs = max(m.policy.DefaultCPUs, 1)
	}
	r.Demand.Architecture = r.Spec.Architecture
	return nil
}

func (m *Manager) admitPlatform(r *workspace.Request) error {
	if !slices.Contains(m.policy.Architectures, r.Spec.Architecture) {
		return refuse(workspace.Denied, r, "CPU architecture %q is not served here, but %s",
			r.Spec.Architecture, strings.Join(m.policy.Architectures, ", "))
	}
	if t := r.Spec.VMM.Type; t != "" && len(m.policy.Accepts[t]) == 0 {
		return refuse(workspace.Denied, r, "no host of this site serves VMM type %q", t)
	}
	if r.Spec.Kernel.Parameters != "" && !m.policy.KernelParameters {
		return refuse(workspace.Denied, r, "this site does not take kernel parameters")
	}
	if err := m.images.Kernel(r.Spec.Kernel.Image); err != nil {
		return &workspace.Error{Op: opCreate, Kind: workspace.Denied, ID: r.Spec.Name, Err: err}
	}
	return nil
}

// admitNetworks refuses what the original refused: unknown networks, MACs and
// addresses that the client brings along.
func (m *Manager) admitNetworks(r *workspace.Request) error {
	for _, n := range r.Spec.NICs {
		switch {
		case n.Association != "" && !slices.Contains(m.policy.Associations, n.Association):
			return refuse(workspace.Denied, r, "'%s' is not a valid network name", n.Association)
		case n.MAC != "":
			return refuse(workspace.Denied, r,
				"NIC %q brings a MAC address; this site assigns them itself", n.Name)
		case n.Method != workspace.AllocateAndConfigure:
			return refuse(workspace.Denied, r,
				"NIC %q asks for %s; this site assigns addresses itself", n.Name, n.Method)
		case n.Address != (workspace.Address{}):
			return refuse(workspace.Invalid, r,
				"NIC %q gives addresses, which %s does not take", n.Name, n.Method)
		}
	}
	return nil
}

func (m *Manager) admitTarget(r *workspace.Request) error {
	if r.SaveTo == "" {
		return nil
	}
	return m.checkTarget(opCreate, r.Spec.Name, r.SaveTo)
}

func (m *Manager) checkTarget(op, id, location string) error {
	if err := m.images.CheckTarget(location); err != nil {
		return &workspace.Error{Op: op, Kind: workspace.KindOf(err), ID: id, Err: err}
	}
	return nil
}

// hostKinds returns the kinds of host that may serve the request; empty: any.
func (m *Manager) hostKinds(r *workspace.Request) []string {
	if r.Spec.VMM.Type == "" {
		return nil
	}
	return m.policy.Accepts[r.Spec.VMM.Type]
}
