package factory

import (
	"context"

	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/dispatch"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Networks is what the port type asks of the core about addresses.
type Networks interface {
	Networks(ctx context.Context, owner workspace.Owner) ([]workspace.NetworkUse, error)
	Hold(ctx context.Context, owner workspace.Owner, h workspace.Hold) (workspace.Hold, error)
	Release(ctx context.Context, owner workspace.Owner, association, ip string) (
		workspace.Hold, error)
}

// networks answers QueryNetworks.
func (p portType) networks(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
	if err := report.DecodeNetworksQuery(c.Document, c.Body); err != nil {
		return nil, err
	}
	all, err := p.manager.Networks(ctx, c.Owner)
	if err != nil {
		return nil, err
	}
	told := make([]report.Network, len(all))
	for i := range all {
		told[i] = network(&all[i])
	}
	return func(enc *xmlstrict.Encoder) { report.WriteNetworks(enc, told) }, nil
}

// hold answers HoldAddresses.
func (p portType) hold(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
	asked, err := report.DecodeHold(c.Document, c.Body)
	if err != nil {
		return nil, err
	}
	h, err := p.manager.Hold(ctx, c.Owner, workspace.Hold{
		Association: asked.Association, First: asked.First, Last: asked.Last,
		Comment: asked.Comment,
	})
	return held(h, report.HoldAddressesResponse), err
}

// release answers ReleaseAddress.
func (p portType) release(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
	asked, err := report.DecodeRelease(c.Document, c.Body)
	if err != nil {
		return nil, err
	}
	h, err := p.manager.Release(ctx, c.Owner, asked.Association, asked.Address)
	return held(h, report.ReleaseAddressResponse), err
}

// held is the answer that tells of a hold.
func held(h workspace.Hold, name xmlstrict.Name) dispatch.Reply {
	told := holdOf(&h)
	return func(enc *xmlstrict.Encoder) { told.WriteIn(enc, name) }
}

func holdOf(h *workspace.Hold) report.Hold {
	return report.Hold{Association: h.Association, First: h.First, Last: h.Last,
		Comment: h.Comment, By: string(h.By), Since: h.Since}
}

// network translates an association.
func network(u *workspace.NetworkUse) report.Network {
	n := report.Network{Name: u.Name, First: u.First, Last: u.Last, First6: u.First6,
		Addresses: u.Addresses, Leased: u.Leased, Held: u.Held}
	for _, l := range u.Leases {
		n.Leases = append(n.Leases, report.AddressLease{
			Workspace: int64(l.Workspace), Owner: string(l.Owner), Host: string(l.Host), MAC: l.MAC,
			Hostname: l.Hostname, IP: l.IP, IP6: l.IP6,
		})
	}
	for i := range u.Holds {
		n.Holds = append(n.Holds, holdOf(&u.Holds[i]))
	}
	return n
}
