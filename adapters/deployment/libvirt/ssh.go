package libvirt

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/philoxenia/philoxenia/adapters/transport/login"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// remoteSocket is where the libvirtd of a remote host listens, unless its URI
// says otherwise.
const remoteSocket = "/run/libvirt/libvirt-sock"

// dialSSH logs in and reaches for libvirtd's socket: by sshd itself, or by a
// program of the host where sshd does not allow it.
func dialSSH(ctx context.Context, at endpoint, server login.Server) (net.Conn, error) {
	line, err := login.Dial(ctx, server, callLimit)
	var own *workspace.Error
	if errors.As(err, &own) {
		return nil, &workspace.Error{Op: "log in", Kind: own.Kind, ID: own.ID, Err: own.Err}
	}
	if err != nil {
		return nil, err
	}
	socket := cmp.Or(at.socket, remoteSocket)
	stop := context.AfterFunc(ctx, func() { line.Fail(ctx.Err()) })
	far, err := line.DialContext(ctx, "unix", socket)
	var refused *ssh.OpenChannelError
	if errors.As(err, &refused) && isThere(line, socket) {
		far, err = runHelper(line, at.uri, socket)
	}
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		line.Close()
		return nil, explain(server, socket, err)
	}
	return &overSSH{far, line}, nil
}

// explain says what could be wrong with the socket.
func explain(server login.Server, socket string, err error) error {
	return &workspace.Error{Op: "connect to libvirtd", Kind: workspace.Unavailable,
		ID: server.Address, Err: fmt.Errorf("cannot reach %s: %w; see that libvirtd runs there "+
			"and that %q may use the socket", socket, err, server.User)}
}

// overSSH ends the login together with the connection that it was made for.
type overSSH struct {
	net.Conn
	line *login.Conn
}

// Close closes both at once, without a word to the far side, which may be dead.
func (c *overSSH) Close() error {
	c.line.Fail(net.ErrClosed)
	return nil
}

// isThere reports whether the host has the socket, and lets us use it. sshd gives
// the same answer where there is none and where it does not forward to it.
func isThere(line *login.Conn, socket string) bool {
	session, err := line.NewSession()
	if err != nil {
		return false
	}
	defer session.Close()
	return session.Run("test -S "+quote(socket)+" -a -w "+quote(socket)) == nil
}

// runHelper has a program of the host join us to the socket, as libvirt's own
// clients do.
func runHelper(line *login.Conn, uri, socket string) (net.Conn, error) {
	session, err := line.NewSession()
	if err != nil {
		return nil, err
	}
	in, err := session.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := session.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &helper{Reader: out, Writer: in}, session.Start(helperCommand(uri, socket))
}

// helperCommand runs what is there: netcat knows any socket, libvirt's own helper
// the usual one.
func helperCommand(uri, socket string) string {
	return fmt.Sprintf("if nc -h 2>&1 | grep -q -e -U; then exec nc -U %s; "+
		"else exec virt-ssh-helper %s; fi", quote(socket), quote(uri))
}

// quote makes a word of the shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// helper is the connection through such a program.
type helper struct {
	io.Reader
	io.Writer
	net.Conn // nil: only reads, writes and the end of the login are asked for
}

func (h *helper) Read(b []byte) (int, error)  { return h.Reader.Read(b) }
func (h *helper) Write(b []byte) (int, error) { return h.Writer.Write(b) }
