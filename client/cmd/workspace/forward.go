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
	way := []string{self, "--service", a.settings.text("service")}
	if a.globals.Profile != "" {
		way = append(way, "--profile", a.globals.Profile)
	}
	way = append(way, "forward", t.named, strconv.Itoa(c.Port))
	name := "workspace-" + client.Key(t.epr)
	args := []string{"ssh", "-o", "ProxyCommand=" + quoted(way),
		"-o", "HostKeyAlias=" + name + "." + serviceOf(t.epr.Address),
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

// serviceOf names the service of an address: numbers of workspaces are its own.
func serviceOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return u.Host
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
