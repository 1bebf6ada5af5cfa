package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/philoxenia/philoxenia/client"
	"github.com/philoxenia/philoxenia/schema/report"
)

// A forwardCmd is the command forward.
type forwardCmd struct {
	Target string `arg:"" name:"workspace" help:"The workspace's EPR file or number."`
	Port   int    `arg:"" help:"TCP port of the guest."`
	Listen string `placeholder:"HOST:PORT" help:"Take connections there, until interrupted; a port of 0 is any that is free."`
}

// Run connects standard input and output, or whoever comes, to the guest's port.
func (c *forwardCmd) Run(ctx context.Context, a *app) error {
	if c.Port < 1 || c.Port > 65535 {
		return usagef("", "cannot forward: %d is not a TCP port", c.Port)
	}
	t, err := targetArg{c.Target}.one(a)
	if err != nil {
		return err
	}
	ask := report.ConsoleRequest{Kind: report.ConsolePort, Port: c.Port}
	if c.Listen == "" {
		line, err := a.dial(ctx, t, ask)
		if err != nil {
			return err
		}
		return joined(ctx, line, stdio{a.in, a.out})
	}
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return usagef("", "cannot listen: %w", err)
	}
	fmt.Fprintf(a.out, "forwarding %s to port %d of %s\n", listener.Addr(), c.Port, t)
	return a.take(ctx, listener, func(conn net.Conn) error {
		line, err := a.dial(ctx, t, ask)
		if err != nil {
			return err
		}
		return joined(ctx, line, conn)
	})
}

// take serves each connection until ctx ends.
func (a *app) take(
	ctx context.Context, listener net.Listener, serve func(net.Conn) error,
) error {
	stop := context.AfterFunc(ctx, func() { listener.Close() })
	defer stop()
	var all sync.WaitGroup
	defer all.Wait()
	for {
		conn, err := listener.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return failf(exitError, "", "cannot take a connection: %w", err)
		}
		all.Go(func() {
			defer conn.Close()
			if err := serve(conn); err != nil && ctx.Err() == nil {
				a.note("workspace: %v", err)
			}
		})
	}
}

// stdio is standard input and output as one connection.
type stdio struct {
	io.Reader
	io.Writer
}

// Close does nothing: they end with the process.
func (stdio) Close() error { return nil }

// joined passes bytes both ways until one side ends, or ctx. Standard input may end
// before all has come that was asked for: it is no side that ends.
func joined(ctx context.Context, far, near io.ReadWriteCloser) error {
	stop := context.AfterFunc(ctx, func() { far.Close(); near.Close() })
	defer stop()
	left := make(chan struct{}) // closed when the near side has ended
	go func() {                 // ends with the near side's input, or with the process
		_, _ = io.Copy(far, near)
		if _, ok := near.(net.Conn); ok {
			close(left)
			far.Close()
		}
	}()
	_, err := io.Copy(near, far)
	far.Close()
	near.Close()
	select {
	case <-left:
		return nil
	default:
	}
	if errors.Is(err, net.ErrClosed) || ctx.Err() != nil {
		return nil
	}
	return err
}

// A sshCmd is the command ssh.
type sshCmd struct {
	Target  string   `arg:"" name:"workspace" help:"The workspace's EPR file or number."`
	Login   string   `short:"l" placeholder:"USER" help:"User of the guest."`
	Port    int      `default:"22" help:"TCP port of the guest's SSH server."`
	Option  []string `placeholder:"NAME=VALUE" sep:"none" help:"Option of ssh, as its -o."`
	Command []string `arg:"" optional:"" passthrough:"" help:"Command to run there, and its arguments."`
}

// Run becomes ssh, which reaches the guest through the service. What a guest's
// host key is, is learned at the first time and held to afterwards.
func (c *sshCmd) Run(_ context.Context, a *app) error {
	t, err := targetArg{c.Target}.one(a)
	if err != nil {
		return err
	}
	program, err := exec.LookPath("ssh")
	if err != nil {
		return usagef("install an SSH client, such as Debian's openssh-client",
			"cannot find ssh: %w", err)
	}
	args, err := c.arguments(a, t)
	if err != nil {
		return err
	}
	return failf(exitError, "", "cannot run ssh: %w", syscall.Exec(program, args, os.Environ()))
}

// arguments are those of ssh.
func (c *sshCmd) arguments(a *app, t target) ([]string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, failf(exitError, "", "cannot find this program: %w", err)
	}
	known, err := knownGuests()
	if err != nil {
		return nil, err
	}
	name, alias, err := guestNames(t)
	if err != nil {
		return nil, err
	}
	if c.Login != "" && !loginName.MatchString(c.Login) {
		return nil, usagef("", "cannot use the user %q: a name has letters, digits and . _ @ + - "+
			"alone", clip(c.Login))
	}
	way := []string{self, "--service", a.settings.text("service")}
	if a.globals.Profile != "" {
		way = append(way, "--profile", a.globals.Profile)
	}
	way = append(way, "forward", "--", t.named, strconv.Itoa(c.Port))
	args := []string{"ssh", "-o", "ProxyCommand=" + quoted(way),
		"-o", "HostKeyAlias=" + alias,
		"-o", "UserKnownHostsFile=" + known, "-o", "StrictHostKeyChecking=accept-new",
		"-o", "CheckHostIP=no"}
	for _, o := range c.Option {
		args = append(args, "-o", o)
	}
	if c.Login != "" {
		args = append(args, "-l", c.Login)
	}
	args = append(args, "--", name)
	return append(args, c.Command...), nil
}

// What may be in arguments of ssh: it takes words that begin with a dash for
// options, blanks for ends, and some versions hand the rest to a shell.
var (
	guestKey    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)
	serviceHost = regexp.MustCompile(
		`^([A-Za-z0-9][A-Za-z0-9._-]{0,252}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?$`)
	loginName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._@+-]{0,63}$`)
)

// guestNames returns what ssh is to call the guest, and under what its host key is
// kept: numbers of workspaces are their service's own. Both are of an EPR, which may
// have come from anybody.
func guestNames(t target) (name, alias string, err error) {
	key := client.Key(t.epr)
	at, err := url.Parse(t.epr.Address)
	switch {
	case !guestKey.MatchString(key):
		return "", "", usagef("", "cannot use ssh: the EPR names the workspace %q, which is no "+
			"number or plain word", clip(key))
	case err != nil || !serviceHost.MatchString(at.Host):
		return "", "", usagef("", "cannot use ssh: the EPR's address %q names no host that ssh "+
			"could be told of", clip(t.epr.Address))
	}
	name = "workspace-" + key
	return name, name + "." + at.Host, nil
}

// quoted writes a command for the shell, before which ssh puts "exec"; a percent
// sign means something to ssh.
func quoted(args []string) string {
	var all []string
	for _, arg := range args {
		arg = strings.ReplaceAll(arg, "%", "%%")
		all = append(all, "'"+strings.ReplaceAll(arg, "'", `'\''`)+"'")
	}
	return strings.Join(all, " ")
}

// knownGuests is the file of guests' host keys, beside the configuration.
func knownGuests() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", usagef("", "cannot tell where host keys are kept: %w", err)
	}
	dir = filepath.Join(dir, "workspace")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", failf(exitError, "", "cannot keep host keys: %w", err)
	}
	return filepath.Join(dir, "known_hosts"), nil
}
