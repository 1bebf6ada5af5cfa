package manager

import (
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// MostConsole is how much of a console's log is returned at a time, in bytes.
const MostConsole = 512 << 10

// Reach is how the hosts are asked for connections to machines.
type Reach interface {
	Console(ctx context.Context, w *workspace.Workspace, force bool) (io.ReadWriteCloser, error)
	ConsoleLog(ctx context.Context, w *workspace.Workspace, from, most int64) (
		[]byte, int64, error)
	Screen(ctx context.Context, w *workspace.Workspace, password string) (net.Conn, error)
	CheckScreen(ctx context.Context, w *workspace.Workspace) error
	Dial(ctx context.Context, w *workspace.Workspace, address string) (net.Conn, error)
}

// CheckConsole says whether the owner may be connected to the workspace as asked:
// it must run, and the site allow it.
func (m *Manager) CheckConsole(
	ctx context.Context, owner workspace.Owner, id workspace.ID, ask workspace.ConsoleAsk,
) error {
	w, err := m.consoleOf(ctx, owner, id, ask)
	if err == nil && ask.Kind == workspace.ConsoleScreen {
		err = m.reach.CheckScreen(ctx, w)
	}
	return err
}

// Connect connects the owner to the workspace as asked. The password is what the
// screen is to ask for.
func (m *Manager) Connect(
	ctx context.Context, owner workspace.Owner, id workspace.ID, ask workspace.ConsoleAsk,
	password string,
) (io.ReadWriteCloser, error) {
	w, err := m.consoleOf(ctx, owner, id, ask)
	if err != nil {
		return nil, err
	}
	switch ask.Kind {
	case workspace.ConsoleSerial:
		return m.reach.Console(ctx, w, ask.Force)
	case workspace.ConsoleScreen:
		return m.reach.Screen(ctx, w, password)
	}
	return m.reach.Dial(ctx, w, net.JoinHostPort(w.NICs[0].IP, strconv.Itoa(ask.Port)))
}

// consoleOf finds the workspace and refuses what cannot be.
func (m *Manager) consoleOf(
	ctx context.Context, owner workspace.Owner, id workspace.ID, ask workspace.ConsoleAsk,
) (*workspace.Workspace, error) {
	w, err := m.Workspace(ctx, owner, id)
	if err != nil {
		return nil, err
	}
	if err := m.mayConnect(w, ask); err != nil {
		return nil, &workspace.Error{Op: "connect to the workspace",
			Kind: workspace.KindOf(err), ID: id.String(), Err: err}
	}
	return w, nil
}

func (m *Manager) mayConnect(w *workspace.Workspace, ask workspace.ConsoleAsk) error {
	port := ask.Kind == workspace.ConsolePort
	switch {
	case !slices.Contains([]workspace.ConsoleKind{workspace.ConsoleSerial,
		workspace.ConsoleScreen, workspace.ConsolePort}, ask.Kind):
		return workspace.Refuse(workspace.Invalid, "there is no console of kind %q", ask.Kind)
	case port && !slices.Contains(m.policy.ForwardPorts, ask.Port):
		return workspace.Refuse(workspace.Denied, "port %d is not forwarded by this site, but %s",
			ask.Port, listed(m.policy.ForwardPorts))
	case port && (len(w.NICs) == 0 || w.NICs[0].IP == ""):
		return workspace.Refuse(workspace.Conflict, "it has no address")
	case !w.State.Runs():
		return workspace.Refuse(workspace.Conflict, "it is %s: start it first", w.State)
	}
	return nil
}

// listed writes numbers as people do; "none" when there are none.
func listed(ports []int) string {
	if len(ports) == 0 {
		return "none"
	}
	text := fmt.Sprint(ports)
	return text[1 : len(text)-1]
}

// ConsoleLog returns a piece of what the workspace's serial line has said from a
// byte on: a negative one counts from the end.
func (m *Manager) ConsoleLog(
	ctx context.Context, owner workspace.Owner, id workspace.ID, from, most int64,
) (workspace.ConsoleText, error) {
	w, err := m.Workspace(ctx, owner, id)
	if err != nil {
		return workspace.ConsoleText{}, err
	}
	if w.Host == "" {
		return workspace.ConsoleText{}, nil
	}
	if most <= 0 || most > MostConsole {
		most = MostConsole
	}
	if from < 0 {
		_, size, err := m.reach.ConsoleLog(ctx, w, 0, 0)
		if err != nil {
			return workspace.ConsoleText{}, err
		}
		from = max(size+from, 0)
	}
	said, size, err := m.reach.ConsoleLog(ctx, w, from, most)
	return workspace.ConsoleText{From: from, Size: size, Said: said}, err
}
