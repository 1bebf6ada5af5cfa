package client

import (
	"context"
	"time"

	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/wsdl"
)

// Current lists the caller's workspaces.
func (c *Client) Current(ctx context.Context) (report.CurrentWorkspaces, error) {
	const op = "list workspaces"
	if FaceOf(c.Status()) == wsdl.Two {
		return c.currentTwo(ctx)
	}
	a, err := c.call(ctx, request{
		op: op, operation: "queryCurrentWorkspaces", target: c.Status(),
		body: empty(inStatus("queryCurrentWorkspaces")),
	})
	if err != nil {
		return nil, err
	}
	list, err := report.DecodeCurrentWorkspaces(a.doc, a.body)
	return list, unreadable(op, err)
}

// Usage reads the account of the caller's running time.
func (c *Client) Usage(ctx context.Context) (report.Usage, error) {
	r := request{
		op: "read the usage", operation: "queryUsedAndReservedTime", target: c.Status(),
		body: empty(inStatus("queryUsedAndReserved")),
	}
	if r.face() == wsdl.Two {
		r.operation, r.body = "QueryUsage", empty(report.QueryUsage)
	}
	a, err := c.call(ctx, r)
	if err != nil {
		return report.Usage{}, err
	}
	usage, err := report.DecodeUsage(a.doc, a.body)
	if err != nil {
		return report.Usage{}, unreadable(r.op, err)
	}
	return *usage, nil
}

// ChargeGranularity reads the steps in which running time is charged.
func (c *Client) ChargeGranularity(ctx context.Context) (time.Duration, error) {
	p, err := document(ctx, c, c.Status(), report.DecodeStatusProperties)
	if err != nil {
		return 0, err
	}
	return p.ChargeGranularity, nil
}
