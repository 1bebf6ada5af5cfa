package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"strings"

	"github.com/philoxenia/philoxenia/schema/report"
)

// A vncCmd is the command vnc.
type vncCmd struct {
	targetArg
	Listen string `default:"127.0.0.1:0" placeholder:"HOST:PORT" help:"Where the viewer finds the screen; a port of 0 is any that is free."`
	Viewer string `placeholder:"COMMAND" help:"Viewer to start, with HOST::PORT as its last argument."`
	Once   bool   `help:"End with the first viewer."`
	URL    bool   `name:"url" help:"Print the address of a WebSocket and its password, for noVNC, and end: both are good once."`
}

// Run offers the workspace's screen to VNC viewers of this machine, each with a
// password of its own.
func (c *vncCmd) Run(ctx context.Context, a *app) error {
	t, err := c.one(a)
	if err != nil {
		return err
	}
	if c.URL {
		return c.address(ctx, a, t)
	}
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return usagef("", "cannot listen: %w", err)
	}
	defer listener.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for first := true; ctx.Err() == nil; first = false {
		pass, err := a.pass(ctx, t, report.ConsoleRequest{Kind: report.ConsoleScreen})
		if err != nil {
			return err
		}
		fmt.Fprintf(a.out, "VNC on %s, password %s\n", listener.Addr(), pass.Password)
		if first && c.Viewer != "" {
			if err := startViewer(ctx, c.Viewer, listener.Addr(), cancel); err != nil {
				return err
			}
		}
		err = a.show(ctx, listener, pass)
		if err != nil || c.Once {
			return err
		}
	}
	return nil
}

// address prints where a viewer that speaks WebSocket finds the screen by itself.
func (c *vncCmd) address(ctx context.Context, a *app, t target) error {
	if c.Viewer != "" || c.Once {
		return usagef("", "cannot tell the screen's address: --viewer and --once go without --url")
	}
	pass, err := a.pass(ctx, t, report.ConsoleRequest{Kind: report.ConsoleScreen})
	if err != nil {
		return err
	}
	view, err := newSocket(pass)
	if err != nil {
		return err
	}
	return a.print(view)
}

// show connects one viewer. A pass that is too old is no error: the next is made.
func (a *app) show(
	ctx context.Context, listener net.Listener, pass *report.ConsolePass,
) error {
	stop := context.AfterFunc(ctx, func() { listener.Close() })
	defer stop()
	if tcp, ok := listener.(*net.TCPListener); ok {
		_ = tcp.SetDeadline(pass.Until)
	}
	conn, err := listener.Accept()
	var late net.Error
	switch {
	case ctx.Err() != nil, errors.As(err, &late) && late.Timeout():
		return nil
	case err != nil:
		return failf(exitError, "", "cannot take a connection: %w", err)
	}
	defer conn.Close()
	line, err := a.client.Dial(ctx, pass)
	if err != nil {
		return err
	}
	return joined(ctx, line, conn)
}

// startViewer starts the viewer; its end is the command's.
func startViewer(ctx context.Context, command string, at net.Addr, ended func()) error {
	words := strings.Fields(command)
	host, port, err := net.SplitHostPort(at.String())
	if err != nil || len(words) == 0 {
		return usagef("", "cannot start the viewer %q", command)
	}
	viewer := exec.CommandContext(ctx, words[0], append(words[1:], host+"::"+port)...)
	if err := viewer.Start(); err != nil {
		return usagef("without --viewer, start it by hand", "cannot start the viewer: %w", err)
	}
	go func() { _ = viewer.Wait(); ended() }()
	return nil
}
