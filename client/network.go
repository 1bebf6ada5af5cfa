package client

import (
	"context"

	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// Networks reads the site's networks with what of their addresses is taken. Who
// is no operator sees his own leases, and no holds. Only face two has it.
func (c *Client) Networks(ctx context.Context) ([]report.Network, error) {
	const op = "read the networks"
	a, err := c.ofFactory(ctx, op, "QueryNetworks", report.WriteNetworksQuery)
	if err != nil {
		return nil, err
	}
	all, err := report.DecodeNetworks(a.doc, a.body)
	return all, unreadable(op, err)
}

// Hold keeps addresses from being leased; those in use stay with their
// workspaces, and are held from then on. Operators of the site alone may.
func (c *Client) Hold(ctx context.Context, h report.Hold) (*report.Hold, error) {
	op := "hold " + h.First
	a, err := c.ofFactory(ctx, op, "HoldAddresses", h.Write)
	if err != nil {
		return nil, err
	}
	held, err := report.DecodeHold(a.doc, a.body)
	return held, unreadable(op, err)
}

// Release ends the hold that covers an address, all of it, and returns it.
// Operators of the site alone may.
func (c *Client) Release(ctx context.Context, r report.Release) (*report.Hold, error) {
	op := "release " + r.Address
	a, err := c.ofFactory(ctx, op, "ReleaseAddress", r.Write)
	if err != nil {
		return nil, err
	}
	was, err := report.DecodeHold(a.doc, a.body)
	return was, unreadable(op, err)
}

// ofFactory asks something of face two's factory.
func (c *Client) ofFactory(
	ctx context.Context, op, operation string, body func(*xmlstrict.Encoder),
) (answer, error) {
	factory, err := c.InFaceTwo(c.Factory())
	if err != nil {
		return answer{}, failed(op, err)
	}
	return c.call(ctx, request{op: op, operation: operation, target: factory, body: body})
}
