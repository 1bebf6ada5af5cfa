// Package ssh is the way onto a host over SSH: its files by SFTP, its programs
// (POSIX sh, coreutils, qemu-img) by exec, its network by forwarding. It needs a
// plain OpenSSH server of version 6.7 or later and installs nothing. It must not
// know what files are for, nor any other way onto a host.
package ssh

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"strings"
	"sync"
	"time"

	"github.com/philoxenia/philoxenia/adapters/transport/location"
	"github.com/philoxenia/philoxenia/adapters/transport/login"
	"github.com/philoxenia/philoxenia/adapters/transport/transfer"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Options configure an Access. Zero values but that of Server are usable.
type Options struct {
	Server       login.Server  // Root is not used: paths are the host's
	DialTimeout  time.Duration // to connect and log in; 0: 20 s
	StallTimeout time.Duration // without any traffic; 0: 30 s
	IdleTimeout  time.Duration // how long an unused connection stays; 0: 60 s
	// Connections is how many calls at once there may be, and as many transfers; 0: 4.
	Connections int
	// Dir is a directory that is made with the first connection; empty: none.
	Dir string
	// Peer is the address under which other hosts reach this one; empty: that of Server.
	Peer string
}

// Access is the way onto one host. It may be used by many at once.
type Access struct {
	Options
	// calls and moves are separate, so that no small call waits for an image.
	calls, moves *login.Pool[*session]
	tunnel       tunnel

	mu   sync.Mutex
	busy map[string]bool // targets that are being made
	made bool            // Dir is there
}

var _ workspace.Access = (*Access)(nil)

// New makes an Access. It connects when it is first used.
func New(o Options) *Access {
	o.Server.Address = login.WithPort(o.Server.Address)
	o.Peer = login.WithPort(cmp.Or(o.Peer, o.Server.Address))
	limits := login.Limits{DialTimeout: o.DialTimeout, StallTimeout: o.StallTimeout,
		IdleTimeout: o.IdleTimeout, Connections: o.Connections}.Complete()
	a := &Access{Options: o, busy: map[string]bool{}}
	a.calls = login.NewPool(o.Server, limits, a.begin)
	a.moves = login.NewPool(o.Server, limits, a.begin)
	a.tunnel = tunnel{server: o.Server, limits: limits}
	return a
}

// Local reports that the files are another machine's.
func (*Access) Local() bool { return false }

// Close closes the connections: those in use when their calls end, those of
// Dial at once.
func (a *Access) Close() error {
	a.calls.Close()
	a.moves.Close()
	return a.tunnel.close()
}

// failed wraps err as the failure of op on the file, or program, of that name.
func failed(op, name string, err error) error {
	if err == nil {
		return nil
	}
	kind := transfer.Kind(err)
	if errors.Is(err, fs.ErrExist) {
		kind = workspace.Conflict
	}
	return &workspace.Error{Op: op, Kind: kind, ID: name, Err: err}
}

// use lends f a session for a short call about the paths, when they are in order.
func (a *Access) use(ctx context.Context, f func(s *session) error, paths ...string) error {
	if err := checked(paths...); err != nil {
		return err
	}
	return a.calls.Use(ctx, f)
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

// alone makes the caller the only one that makes target, until release.
func (a *Access) alone(target string) (release func(), err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.busy[target] {
		return nil, workspace.Refuse(workspace.Busy, "another call that makes it is under way")
	}
	a.busy[target] = true
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.busy, target)
	}, nil
}

// inTheWay refuses to take what is there for a file that was made.
func inTheWay(mode fs.FileMode) error {
	return workspace.Refuse(workspace.Conflict, "there is no regular file of that name, but %s",
		strings.TrimSpace(mode.String()))
}
