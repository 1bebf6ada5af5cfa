package client

import (
	"context"

	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/schema/wsa"
)

// Migrate asks that a workspace goes on on another host: on the one named or, where
// host is empty, on one that the scheduler chooses, which is returned. Its guest goes
// on meanwhile, unless cold says that it is to stand still. It returns when room is
// held there; subscribers hear when it has moved. For operators, on face two.
func (c *Client) Migrate(
	ctx context.Context, epr wsa.EPR, host string, cold bool,
) (string, error) {
	op := "migrate " + Describe(epr)
	epr, err := c.InFaceTwo(epr)
	if err != nil {
		return "", failed(op, err)
	}
	a, err := c.call(ctx, request{op: op, operation: "Migrate", target: epr,
		body: (&report.Move{Host: host, Cold: cold}).Write})
	if err != nil {
		return "", err
	}
	m, err := report.DecodeMove(a.doc, a.body)
	if err != nil {
		return "", unreadable(op, err)
	}
	return m.Host, nil
}

// The things that KeepSnapshot does.
const (
	SnapshotCreate = "create"
	SnapshotRevert = "revert"
	SnapshotDelete = "delete"
)

// KeepSnapshot makes, goes back to or deletes a state of a workspace that its host
// keeps under a name. Going back throws away what it has become since. On face two.
func (c *Client) KeepSnapshot(ctx context.Context, epr wsa.EPR, action, name string) error {
	op := action + " a snapshot of " + Describe(epr)
	epr, err := c.InFaceTwo(epr)
	if err != nil {
		return failed(op, err)
	}
	_, err = c.call(ctx, request{op: op, operation: "Snapshot", target: epr,
		body: (&report.Keep{Action: action, Name: name}).Write})
	return err
}

// Snapshots returns the states of a workspace that its host keeps, the oldest
// first. On face two.
func (c *Client) Snapshots(ctx context.Context, epr wsa.EPR) (report.Snapshots, error) {
	op := "list the snapshots of " + Describe(epr)
	epr, err := c.InFaceTwo(epr)
	if err != nil {
		return nil, failed(op, err)
	}
	a, err := c.call(ctx, request{op: op, operation: "QuerySnapshots", target: epr,
		body: empty(report.QuerySnapshots)})
	if err != nil {
		return nil, err
	}
	all, err := report.DecodeSnapshots(a.doc, a.body)
	if err != nil {
		return nil, unreadable(op, err)
	}
	return *all, nil
}
