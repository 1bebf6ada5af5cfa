package vmm

import (
	"context"
	"io"
	"net"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// Console connects to the serial line of the workspace's machine. Errors are
// those of workspace.Consoles.
func (v *VMM) Console(
	ctx context.Context, w *workspace.Workspace, force bool,
) (io.ReadWriteCloser, error) {
	n, err := v.o.Pool.Node(w.Host)
	if err != nil {
		return nil, err
	}
	return n.Console(ctx, w.ID, force)
}

// ConsoleLog returns a piece of what the line has said.
func (v *VMM) ConsoleLog(
	ctx context.Context, w *workspace.Workspace, from, most int64,
) ([]byte, int64, error) {
	n, err := v.o.Pool.Node(w.Host)
	if err != nil {
		return nil, 0, err
	}
	return n.ConsoleLog(ctx, w.ID, from, most)
}

// Screen connects to the screen of the workspace's machine.
func (v *VMM) Screen(
	ctx context.Context, w *workspace.Workspace, password string,
) (net.Conn, error) {
	n, err := v.o.Pool.Node(w.Host)
	if err != nil {
		return nil, err
	}
	return n.Screen(ctx, w.ID, password)
}

// CheckScreen says whether the workspace's machine has one.
func (v *VMM) CheckScreen(ctx context.Context, w *workspace.Workspace) error {
	n, err := v.o.Pool.Node(w.Host)
	if err != nil {
		return err
	}
	return n.CheckScreen(ctx, w.ID)
}

// Dial connects from the workspace's host to HOST:PORT of its guest.
func (v *VMM) Dial(
	ctx context.Context, w *workspace.Workspace, address string,
) (net.Conn, error) {
	n, err := v.o.Pool.Node(w.Host)
	if err != nil {
		return nil, err
	}
	if n.Access == nil || n.Inert {
		return nil, workspace.Errorf(workspace.Conflict, "reach the guest", w.ID.String(),
			"machines of host %s have no network", n.ID)
	}
	return n.Access.Dial(ctx, "tcp", address)
}
