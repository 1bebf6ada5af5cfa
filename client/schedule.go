package client

import (
	"context"
	"fmt"
	"time"

	"github.com/philoxenia/philoxenia/schema/deployment"
	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// Plan says what Create would get for the request as things stand, and refuses
// it as Create would. It leases nothing. Only face two has it.
func (c *Client) Plan(ctx context.Context, r Request) (*report.Proposal, error) {
	message := deployment.CreateRequest{
		Metadata: r.Metadata, Deployment: r.Deployment, Optional: r.Optional,
	}
	op := fmt.Sprintf("plan %q", r.Metadata.Name)
	factory, err := c.InFaceTwo(c.Factory())
	if err != nil {
		return nil, failed(op, err)
	}
	a, err := c.call(ctx, request{
		op: op, operation: "Plan", target: factory, body: message.WritePlan,
	})
	if err != nil {
		return nil, err
	}
	p, err := report.DecodeProposal(a.doc, a.body)
	return p, unreadable(op, err)
}

// Schedule reads what hosts do, and are to do, between the times: a zero from is
// now, a zero until is as far as anything is planned. Bars of other owners'
// leases have no number, except for operators. Only face two has it.
func (c *Client) Schedule(ctx context.Context, from, until time.Time) ([]report.Bar, error) {
	const op = "read the schedule"
	factory, err := c.InFaceTwo(c.Factory())
	if err != nil {
		return nil, failed(op, err)
	}
	a, err := c.call(ctx, request{
		op: op, operation: "QuerySchedule", target: factory,
		body: report.Span{From: from, Until: until}.Write,
	})
	if err != nil {
		return nil, err
	}
	bars, err := report.DecodeSchedule(a.doc, a.body)
	return bars, unreadable(op, err)
}

// Standing reads the property document that face two has of a workspace: with
// its lease, why that waits, and what of it can change while it runs. A reference
// of face one is asked for there.
func (c *Client) Standing(ctx context.Context, epr wsa.EPR) (*report.ServiceProperties, error) {
	epr, err := c.InFaceTwo(epr)
	if err != nil {
		return nil, failed("read "+Describe(epr), err)
	}
	return c.Properties(ctx, epr)
}

// Resize gives a workspace that runs another shape at once; what is zero stays
// as it is. Of the amounts, disk space cannot be changed. A refusal is a *Fault
// whose Explanation has offers: what there is, and from when there is all. Only
// face two has it; a reference of face one is asked for there.
func (c *Client) Resize(
	ctx context.Context, workspace wsa.EPR, shape deployment.Amounts,
) error {
	return c.update(ctx, "resize "+Describe(workspace), workspace,
		element(func(enc *xmlstrict.Encoder) { shape.Write(enc, report.PropertyShape) }))
}

// SetMode says whether a host takes new leases, and in which windows it has less
// for them; what was said before is replaced. Operators of the site alone may.
func (c *Client) SetMode(ctx context.Context, host wsa.EPR, mode report.Mode) error {
	return c.update(ctx, "change "+Describe(host), host, element(mode.Write))
}
