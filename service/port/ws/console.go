package ws

import (
	"context"

	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/service/dispatch"
	"github.com/philoxenia/philoxenia/service/port"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Consoles is what the port type asks about consoles.
type Consoles interface {
	CheckConsole(ctx context.Context, owner workspace.Owner, id workspace.ID,
		ask workspace.ConsoleAsk) error
	ConsoleLog(ctx context.Context, owner workspace.Owner, id workspace.ID, from, most int64) (
		workspace.ConsoleText, error)
}

// Desk gives out passes to consoles.
type Desk interface {
	Issue(owner workspace.Owner, id workspace.ID, ask workspace.ConsoleAsk) (
		workspace.Pass, error)
}

// WithConsoles adds what brings people to workspaces, on face two. Passes are good
// below the path, at the service's root.
func WithConsoles(s dispatch.Service, m Consoles, desk Desk, path string) dispatch.Service {
	c := consoles{m, desk, path}
	s.Operations["OpenConsole"] = dispatch.Operation{Do: c.open}
	s.Operations["ReadConsole"] = dispatch.Operation{Do: c.read}
	return s
}

type consoles struct {
	manager Consoles
	desk    Desk
	path    string
}

// open answers OpenConsole with a pass.
func (p consoles) open(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
	id, err := port.WorkspaceID(c)
	if err != nil {
		return nil, err
	}
	r, err := report.DecodeConsoleRequest(c.Document, c.Body)
	if err != nil {
		return nil, err
	}
	ask := workspace.ConsoleAsk{Kind: workspace.ConsoleKind(r.Kind), Port: r.Port, Force: r.Force}
	if err := p.manager.CheckConsole(ctx, c.Owner, id, ask); err != nil {
		return nil, err
	}
	pass, err := p.desk.Issue(c.Owner, id, ask)
	if err != nil {
		return nil, err
	}
	told := report.ConsolePass{Location: c.Root + p.path + pass.Token, Password: pass.Password,
		Until: pass.Until}
	return told.Write, nil
}

// read answers ReadConsole.
func (p consoles) read(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
	id, err := port.WorkspaceID(c)
	if err != nil {
		return nil, err
	}
	q, err := report.DecodeConsoleQuery(c.Document, c.Body)
	if err != nil {
		return nil, err
	}
	piece, err := p.manager.ConsoleLog(ctx, c.Owner, id, q.Offset, 0)
	if err != nil {
		return nil, err
	}
	told := report.ConsoleText{Offset: piece.From, Size: piece.Size, Said: piece.Said}
	return told.Write, nil
}
