package client

import (
	"context"
	"time"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/deployment"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// The action stems of the port types.
const (
	factoryAction   = schema.Workspace + "/WorkspaceFactoryPortType/"
	workspaceAction = schema.Workspace + "/WorkspacePortType/"
	groupAction     = schema.Group + "/WorkspaceGroupPortType/"
	statusAction    = schema.Status + "/WorkspaceStatusPortType/"
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
	r := request{
		op: "start " + Describe(epr), operation: "Start", target: epr,
		action: workspaceAction + "startRequest",
		body:   empty(inWorkspace("startWorkspace")), reply: inWorkspace("startWorkspaceResponse"),
	}
	if IsGroup(epr) {
		r.action = groupAction + "startRequest"
		r.body, r.reply = empty(inGroup("startWorkspaces")), inGroup("startWorkspacesResponse")
	}
	_, err := c.call(ctx, r)
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
	r := request{
		op: kindVerbs[kind] + Describe(epr), operation: "Shutdown", target: epr,
		action: workspaceAction + "shutdownRequest",
		body:   func(enc *xmlstrict.Encoder) { message.Write(enc, deployment.Shutdown) },
		reply:  inWorkspace("shutdownWorkspaceResponse"),
	}
	if IsGroup(epr) {
		r.action = groupAction + "shutdownRequest"
		r.body = func(enc *xmlstrict.Encoder) { message.Write(enc, deployment.ShutdownAll) }
		r.reply = inGroup("shutdownWorkspacesResponse")
	}
	if kind == Reboot {
		r.operation = string(kind)
	}
	_, err := c.call(ctx, r)
	return err
}

// Destroy ends a workspace, a group with its members, or a subscription, at
// once. A retry after a lost answer that finds nothing left counts as done.
func (c *Client) Destroy(ctx context.Context, epr wsa.EPR) error {
	r := request{
		op: "destroy " + Describe(epr), operation: "Destroy", target: epr,
		action: wsrf.LifetimeAction + "Destroy",
		body:   wsrf.WriteDestroy, reply: wsrf.DestroyResponse,
	}
	a, err := c.call(ctx, r)
	if a.attempts > 1 && IsUnknown(err) {
		return nil
	}
	return err
}

// SetTerminationTime asks that a workspace is destroyed at a time, and returns
// the time that is now set (UTC, milliseconds). Policy may refuse it.
func (c *Client) SetTerminationTime(
	ctx context.Context, epr wsa.EPR, at time.Time,
) (time.Time, error) {
	a, err := c.call(ctx, request{
		op: "set the termination time of " + Describe(epr), target: epr,
		operation: "SetTerminationTime",
		action:    wsrf.LifetimeAction + "SetTerminationTime",
		reply:     wsrf.SetTerminationTimeResponse,
		body: func(enc *xmlstrict.Encoder) {
			wsrf.WriteSetTerminationTime(enc, at)
		},
	})
	if err != nil {
		return time.Time{}, err
	}
	set, err := wsrf.ParseSetTerminationTimeResponse(a.doc, a.body)
	return set.At, err
}
