package client

import (
	"context"
	"fmt"

	"github.com/philoxenia/philoxenia/schema/deployment"
	"github.com/philoxenia/philoxenia/schema/metadata"
	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/wsdl"
)

// Request is what Create asks for.
type Request struct {
	Metadata   *metadata.VirtualWorkspace
	Deployment *deployment.WorkspaceDeployment
	Optional   *deployment.OptionalParameters // may be nil
	// MessageID identifies the request, a URI such as uuid:...; made up when
	// empty. The service answers a request that it has seen with what it did
	// the first time: to repeat one whose answer was lost, give the MessageID
	// of the TransportError.
	MessageID string
}

// Create leases workspaces: one, or a group when the deployment asks for
// several nodes. It returns when the lease is durable, long before the guests
// run. A deployment with terms is asked for in face two, which alone has them.
func (c *Client) Create(ctx context.Context, r Request) (*report.Created, error) {
	message := deployment.CreateRequest{
		Metadata: r.Metadata, Deployment: r.Deployment, Optional: r.Optional,
	}
	q := request{
		op: fmt.Sprintf("deploy %q", r.Metadata.Name), operation: "Create",
		target: c.Factory(), messageID: r.MessageID, body: message.Write,
	}
	if r.Deployment.Terms != nil {
		var err error
		if q.target, err = c.InFaceTwo(q.target); err != nil {
			return nil, failed(q.op, err)
		}
	}
	if q.face() == wsdl.Two {
		q.body = message.WriteLease
	}
	a, err := c.call(ctx, q)
	if err != nil {
		return nil, err
	}
	created, err := report.DecodeCreated(a.doc, a.body)
	return created, unreadable(q.op, err)
}

// FactoryProperties reads what the factory tells of its pool.
func (c *Client) FactoryProperties(ctx context.Context) (*report.FactoryProperties, error) {
	return document(ctx, c, c.Factory(), report.DecodeFactoryProperties)
}

// failed wraps the error of what cannot even be asked.
func failed(op string, err error) error { return fmt.Errorf("cannot %s: %w", op, err) }

// unreadable wraps the error of an answer that is not made as it must be.
func unreadable(op string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("cannot %s: the answer is not made as it must be: %w", op, err)
}
