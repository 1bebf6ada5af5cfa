package client

import (
	"context"

	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// AddHost takes a host into the pool and returns its reference. Operators of the
// site alone may, and face two alone has it; so for all that follow.
func (c *Client) AddHost(ctx context.Context, host report.HostSpec) (*wsa.EPR, error) {
	op := "add the host " + host.Name
	a, err := c.call(ctx, request{
		op: op, operation: "AddHost", target: c.AllHosts(),
		body: func(enc *xmlstrict.Encoder) { host.Write(enc, report.AddHost) },
	})
	if err != nil {
		return nil, err
	}
	epr, err := report.DecodeAdded(a.doc, a.body)
	return epr, unreadable(op, err)
}

// ProbeNewHost has the service test a host that is not in its pool.
func (c *Client) ProbeNewHost(
	ctx context.Context, host report.HostSpec,
) ([]report.Finding, error) {
	op := "probe " + host.URI
	a, err := c.call(ctx, request{
		op: op, operation: "ProbeHost", target: c.AllHosts(),
		body: func(enc *xmlstrict.Encoder) { host.Write(enc, report.ProbeHost) },
	})
	if err != nil {
		return nil, err
	}
	found, err := report.DecodeFindings(a.doc, a.body)
	return found, unreadable(op, err)
}

// ProbeHost has the service test a host of its pool.
func (c *Client) ProbeHost(ctx context.Context, host wsa.EPR) ([]report.Finding, error) {
	op := "probe " + Describe(host)
	a, err := c.call(ctx, request{
		op: op, operation: "Probe", target: host, body: empty(report.Probe),
	})
	if err != nil {
		return nil, err
	}
	found, err := report.DecodeFindings(a.doc, a.body)
	return found, unreadable(op, err)
}

// RemoveHost takes a host out of the pool on which nothing is.
func (c *Client) RemoveHost(ctx context.Context, host wsa.EPR) error {
	return c.Destroy(ctx, host)
}

// ForgetHost gives up what is on a host that is dead, and returns the keys of the
// workspaces that were: they are Corrupted then. Of a host that is not dead, what
// goes on there would run twice.
func (c *Client) ForgetHost(ctx context.Context, host wsa.EPR) ([]string, error) {
	op := "forget " + Describe(host)
	a, err := c.call(ctx, request{
		op: op, operation: "Forget", target: host, body: empty(report.Forget),
	})
	if err != nil {
		return nil, err
	}
	given, err := report.DecodeForgotten(a.doc, a.body)
	return given, unreadable(op, err)
}

// Evacuate has what is on a drained host move to others, and returns what becomes of
// each workspace. Asked again it tells of those that are there still.
func (c *Client) Evacuate(ctx context.Context, host wsa.EPR) ([]report.Departure, error) {
	op := "evacuate " + Describe(host)
	a, err := c.call(ctx, request{
		op: op, operation: "Evacuate", target: host, body: empty(report.Evacuate),
	})
	if err != nil {
		return nil, err
	}
	all, err := report.DecodeDepartures(a.doc, a.body)
	return all, unreadable(op, err)
}
