package sim

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// Operations on consoles, as scripts name them.
const (
	OpConsole Op = "console"
	OpScreen  Op = "screen"
)

// greeting is what the line of a simulated machine says first.
const greeting = "Simulated machine %s on host %s. It says again what it hears.\r\n"

// Console connects to a guest that repeats what it is told.
func (d *deployment) Console(
	ctx context.Context, id workspace.ID, force bool,
) (line io.ReadWriteCloser, err error) {
	err = d.call(ctx, OpConsole, id, func() error {
		if !d.host.machines[id].inMemory() {
			return d.lacks(OpConsole, id, "")
		}
		old := d.host.lines[id]
		if old != nil && !old.over() && !force {
			return workspace.Errorf(workspace.Conflict, "connect to the console of the machine",
				id.String(), "its console is taken: ask by force to take it over")
		}
		if old != nil {
			old.Close()
		}
		fresh := newLine(fmt.Sprintf(greeting, id, d.host.id))
		d.host.lines[id], line = fresh, fresh
		return nil
	})
	return line, err
}

// lacks is the error of what the machine has not, in this condition or at all.
func (d *deployment) lacks(op Op, id workspace.ID, what string) error {
	does := "connect to the " + string(op) + " of the machine"
	m, ok := d.host.machines[id]
	switch {
	case !ok:
		return workspace.Errorf(workspace.NotFound, does, id.String(), "there is no such machine")
	case what == "":
		return workspace.Errorf(workspace.Conflict, does, id.String(), "it is %s",
			conditions[m.condition])
	}
	return workspace.Errorf(workspace.Conflict, does, id.String(), "it has %s", what)
}

// ConsoleLog returns what the machine's line says to whom connects.
func (d *deployment) ConsoleLog(
	ctx context.Context, id workspace.ID, from, most int64,
) (said []byte, size int64, err error) {
	err = d.call(ctx, OpConsole, id, func() error {
		m, ok := d.host.machines[id]
		if !ok {
			return d.lacks(OpConsole, id, "")
		}
		if m.starts == 0 {
			return nil
		}
		all := fmt.Appendf(nil, greeting, id, d.host.id)
		size = int64(len(all))
		begin := min(max(from, 0), size)
		said = all[begin:min(begin+most, size)]
		return nil
	})
	return said, size, err
}

// Screen is what simulated machines have not.
func (d *deployment) Screen(
	ctx context.Context, id workspace.ID, _ string,
) (net.Conn, error) {
	return nil, d.CheckScreen(ctx, id)
}

// CheckScreen says that there is none.
func (d *deployment) CheckScreen(ctx context.Context, id workspace.ID) error {
	return d.call(ctx, OpScreen, id, func() error {
		return d.lacks(OpScreen, id, "no screen: it is simulated")
	})
}

// echo is the line of a guest that repeats what it is told.
type echo struct {
	said *io.PipeReader
	says *io.PipeWriter
	mu   sync.Mutex
	left bool
}

func newLine(greeting string) *echo {
	e := &echo{}
	e.said, e.says = io.Pipe()
	go func() { _, _ = e.says.Write([]byte(greeting)) }() // Close ends it
	return e
}

// Read reads what the guest says.
func (e *echo) Read(p []byte) (int, error) { return e.said.Read(p) }

// Write says something to the guest, and waits until its answer is read.
func (e *echo) Write(p []byte) (int, error) { return e.says.Write(p) }

// Close ends the connection.
func (e *echo) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.left = true
	e.says.Close()
	return e.said.Close()
}

// over reports whether the connection has ended.
func (e *echo) over() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.left
}
