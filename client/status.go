package client

import (
	"context"
	"time"

	"github.com/philoxenia/philoxenia/schema/report"
)

// Current lists the caller's workspaces.
func (c *Client) Current(ctx context.Context) (report.CurrentWorkspaces, error) {
	const op = "list workspaces"
	a, err := c.call(ctx, request{
		op: op, operation: "queryCurrentWorkspaces", target: c.Status(),
		action: statusAction + "queryCurrentWorkspacesRequest",
		body:   empty(inStatus("queryCurrentWorkspaces")), reply: report.ListResponse,
	})
	if err != nil {
		return nil, err
	}
	list, err := report.DecodeCurrentWorkspaces(a.doc, a.body)
	return list, unreadable(op, err)
}

// Usage reads the account of the caller's running time.
func (c *Client) Usage(ctx context.Context) (report.Usage, error) {
	const op = "read the usage"
	a, err := c.call(ctx, request{
		op: op, operation: "queryUsedAndReservedTime", target: c.Status(),
		action: statusAction + "queryUsedAndReservedTimeRequest",
		body:   empty(inStatus("queryUsedAndReserved")), reply: report.UsageResponse,
	})
	if err != nil {
		return report.Usage{}, err
	}
	usage, err := report.DecodeUsage(a.doc, a.body)
	if err != nil {
		return report.Usage{}, unreadable(op, err)
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
