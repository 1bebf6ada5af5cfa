// Package local is the way onto the machine that the daemon itself runs on. It
// must not know what files are for, nor any other way onto a host.
package local

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"net"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/philoxenia/philoxenia/adapters/transport/location"
	"github.com/philoxenia/philoxenia/adapters/transport/transfer"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Access is this machine. It may be used by many at once; its zero value is ready.
type Access struct{}

var _ workspace.Access = Access{}

// Local reports that the files are this machine's own.
func (Access) Local() bool { return true }

// Close has nothing to let go of.
func (Access) Close() error { return nil }

// saidBytes is how much of a program's complaint is kept: its end.
const saidBytes = 4 << 10

// killDelay is how long a program that was called off may hold its pipes open.
const killDelay = 5 * time.Second

// Run runs a program, and kills it with all that it started when ctx ends.
func (Access) Run(ctx context.Context, c workspace.Command) error {
	if len(c.Args) == 0 || c.Args[0] == "" {
		return failed("run a program", "", transfer.Invalid("no program is named"))
	}
	cmd := exec.CommandContext(ctx, c.Args[0], c.Args[1:]...)
	cmd.Stdin, cmd.Stdout = c.Stdin, c.Stdout
	said := transfer.NewTail(saidBytes)
	cmd.Stderr = said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return unix.Kill(-cmd.Process.Pid, unix.SIGKILL) }
	cmd.WaitDelay = killDelay
	err := cmd.Run()
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		err = ctx.Err()
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		err = workspace.Refuse(workspace.NotFound, "the program is not there: %w", err)
	default:
		err = workspace.Refuse(workspace.Internal, "%w: %s", err, bytes.TrimSpace(said.Bytes()))
	}
	return failed("run", c.Args[0], err)
}

// Dial connects to an address that this machine reaches.
func (Access) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	if network != "tcp" && network != "unix" {
		return nil, failed("connect to", address,
			transfer.Invalid("the network is %q, expected tcp or unix", network))
	}
	c, err := new(net.Dialer).DialContext(ctx, network, address)
	if err == nil {
		return c, nil
	}
	if ctx.Err() == nil {
		err = workspace.Refuse(workspace.Unavailable, "%w", err)
	}
	return nil, failed("connect to", address, err)
}

// failed wraps err as the failure of op on the file, or the program, of that name.
func failed(op, name string, err error) error {
	if err == nil {
		return nil
	}
	kind := transfer.Kind(err)
	if errors.Is(err, fs.ErrExist) || errors.Is(err, unix.ENOTEMPTY) {
		kind = workspace.Conflict
	}
	return &workspace.Error{Op: op, Kind: kind, ID: name, Err: err}
}

// checked refuses paths that are not absolute or climb.
func checked(paths ...string) error {
	for _, path := range paths {
		if err := location.OnHost(path); err != nil {
			return workspace.Refuse(workspace.Invalid, "%w", err)
		}
	}
	return nil
}

// notRegular refuses to take what is there for a file that was made.
func notRegular(mode fs.FileMode) error {
	return workspace.Refuse(workspace.Conflict, "there is no regular file of that name, but %s",
		mode)
}
