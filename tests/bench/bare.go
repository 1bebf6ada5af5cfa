package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/philoxenia/philoxenia/tests/daemon"
)

// serveBare answers with the recorded replies and does nothing else: the least
// that any server on net/http costs. The reply is chosen by what the request's
// action ends in.
func serveBare(ctx context.Context, dir string) error {
	replies := map[string][]byte{}
	for _, name := range []string{"create", "state", "state-two", "destroy"} {
		text, err := os.ReadFile(filepath.Join(dir, name+".xml"))
		if err != nil {
			return err
		}
		replies[name] = text
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			reply := replies[operation(r.Header.Get("SOAPAction"))]
			w.Header().Set("Content-Type", "text/xml; charset=utf-8")
			w.Header().Set("Content-Length", strconv.Itoa(len(reply)))
			_, _ = w.Write(reply)
		})}
	fmt.Println("listening on http://" + l.Addr().String())
	go func() { <-ctx.Done(); _ = server.Close() }()
	if err := server.Serve(l); err != http.ErrServerClosed {
		return err
	}
	return nil
}

func operation(action string) string {
	switch action = strings.Trim(action, `"`); {
	case strings.HasSuffix(action, "/createRequest"):
		return "create"
	case strings.HasSuffix(action, "/GetResourceProperty"):
		return "state"
	case strings.HasSuffix(action, "/GetResourcePropertyRequest"):
		return "state-two"
	}
	return "destroy"
}

// bareRuns drives the bare handler as the daemon was driven.
func bareRuns(ctx context.Context, o options, s scene) error {
	dir := filepath.Join(s.dir, "bare")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, text := range s.samples.text {
		if err := os.WriteFile(filepath.Join(dir, name+".xml"), text, 0o644); err != nil {
			return err
		}
	}
	t, end, err := startBare(dir)
	if err != nil {
		return err
	}
	defer end()
	for range o.runs {
		if err := s.bareRun(ctx, t, o); err != nil {
			return err
		}
	}
	s.table.share(readShare, readEight)
	s.table.share(readTwoShare, readTwoEight)
	return nil
}

// startBare starts this program again as the bare handler.
func startBare(dir string) (target, func(), error) {
	self, err := os.Executable()
	if err != nil {
		return target{}, nil, err
	}
	cmd := exec.Command(self, "-bare", dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return target{}, nil, err
	}
	if err := cmd.Start(); err != nil {
		return target{}, nil, err
	}
	end := func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }
	line := make([]byte, 256)
	n, err := out.Read(line)
	addr, ok := bytes.CutPrefix(bytes.TrimSpace(line[:n]), []byte("listening on http://"))
	if err != nil || !ok {
		end()
		return target{}, nil, fmt.Errorf("the bare handler says %q: %w", line[:n], err)
	}
	return target{string(addr), cmd.Process.Pid}, end, nil
}

// bareRun measures the operations once.
func (s scene) bareRun(ctx context.Context, t target, o options) error {
	for _, op := range []struct {
		message    daemon.Message
		calls      int
		cpu        goal
		one, eight goal
	}{
		{daemon.Create, o.reads / 2, createCPU, createOne, createEight},
		{daemon.State, o.reads, readCPU, readOne, readEight},
		{daemon.StateTwo, o.reads, readTwoCPU, readTwoOne, readTwoEight},
		{daemon.Destroy, o.reads / 2, destroyCPU, destroyOne, destroyEight},
	} {
		l := load{message: op.message, clients: 1,
			bodies: bodies(op.message, []string{"1"}, op.calls/4)}
		a, err := t.drive(ctx, l)
		if err != nil {
			return err
		}
		l.clients, l.bodies = 8, bodies(op.message, []string{"1"}, op.calls)
		b, err := t.drive(ctx, l)
		if err != nil {
			return err
		}
		s.table.addBare(op.cpu, b.milliseconds())
		s.table.addBare(op.one, a.rate())
		s.table.addBare(op.eight, b.rate())
	}
	return nil
}
