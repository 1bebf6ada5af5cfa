package client

import (
	"context"
	"time"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/deployment"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/wsdl"
)

// inWorkspace and its like name an element of a namespace of the service.
var (
	inWorkspace = xmlstrict.In(schema.Workspace)
	inGroup     = xmlstrict.In(schema.Group)
	inTypes     = xmlstrict.In(schema.Types)
	inStatus    = xmlstrict.In(schema.Status)
)

// empty returns what writes an element without content.
func empty(name xmlstrict.Name) func(*xmlstrict.Encoder) {
	return func(enc *xmlstrict.Encoder) {
		enc.Start(name)
		enc.End()
	}
}

// Start asks that a workspace, or each of a group, is started: booted,
// continued after a pause, or restored from its serialized memory. It returns
// when the request is durable, not when the guest runs.
func (c *Client) Start(ctx context.Context, epr wsa.EPR) error {
	name := inWorkspace("startWorkspace")
	switch {
	case FaceOf(epr) == wsdl.Two:
		name = deployment.StartLease
	case IsGroup(epr):
		name = inGroup("startWorkspaces")
	}
	_, err := c.call(ctx, request{
		op: "start " + Describe(epr), operation: "Start", target: epr, body: empty(name),
	})
	return err
}

// kindVerbs name the kinds of shutdown in errors.
var kindVerbs = map[Kind]string{
	Normal: "shut down ", Pause: "pause ", Serialize: "serialize ", Reboot: "reboot ",
	Trash: "trash ", ReadyForTransport: "save ",
}

// Shutdown asks for one of the kinds of shutdown of a workspace, or of each of
// a group. saveTo is where ReadyForTransport takes the root image, empty for
// the default; it is refused with other kinds.
func (c *Client) Shutdown(ctx context.Context, epr wsa.EPR, kind Kind, saveTo string) error {
	message := deployment.ShutdownRequest{Type: string(kind)}
	if saveTo != "" {
		message.PostShutdown = &deployment.PostShutdown{Target: saveTo}
	}
	name := deployment.Shutdown
	if IsGroup(epr) {
		name = deployment.ShutdownAll
	}
	r := request{
		op: kindVerbs[kind] + Describe(epr), operation: "Shutdown", target: epr,
		body: func(enc *xmlstrict.Encoder) { message.Write(enc, name) },
		once: kind == Reboot && !repeatable(string(Reboot)),
	}
	if r.face() == wsdl.Two {
		r.body = message.WriteLease
	}
	_, err := c.call(ctx, r)
	return err
}

// Destroy ends a workspace, a group with its members, a subscription or a pull
// point, at once. A retry after a lost answer that finds nothing left counts as
// done.
func (c *Client) Destroy(ctx context.Context, epr wsa.EPR) error {
	a, err := c.call(ctx, request{
		op: "destroy " + Describe(epr), operation: "Destroy", target: epr,
		body: edition(epr).WriteDestroy,
	})
	if a.attempts > 1 && IsUnknown(err) {
		return nil
	}
	return err
}

// SetTerminationTime asks that a workspace, a subscription or a pull point is
// destroyed at a time, and returns the time that is now set (UTC,
// milliseconds); zero stands for never. Policy may refuse it.
func (c *Client) SetTerminationTime(
	ctx context.Context, epr wsa.EPR, at time.Time,
) (time.Time, error) {
	op := "set the termination time of " + Describe(epr)
	a, err := c.call(ctx, request{
		op: op, target: epr, operation: "SetTerminationTime",
		body: func(enc *xmlstrict.Encoder) {
			edition(epr).WriteSetTerminationTime(enc, wsrf.EndAt(at))
		},
	})
	if err != nil {
		return time.Time{}, err
	}
	set, err := edition(epr).ParseSetTerminationTimeResponse(a.doc, a.body)
	return set.At, unreadable(op, err)
}
