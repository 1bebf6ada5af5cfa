package main

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/philoxenia/philoxenia/tests/daemon"
)

// profileTime is how long the daemon is watched, in seconds.
const profileTime = 5

// profile puts the daemon under a mixed load and returns the ten functions in
// which it spends most of its processor time.
func profile(ctx context.Context, o options, dir string) (string, error) {
	addr, err := freePort()
	if err != nil {
		return "", err
	}
	p, err := daemon.Start(ctx, daemon.Options{Bin: o.bin, Data: filepath.Join(dir, "profile"),
		Args: []string{"--pprof", addr}})
	if err != nil {
		return "", err
	}
	defer p.Kill()
	watched, stop := context.WithTimeout(ctx, (profileTime+2)*time.Second)
	defer stop()
	done := make(chan error, 1)
	go func() { done <- mixed(watched, target{p.Addr(), p.PID()}, o) }()
	top, err := pprofTop(ctx, filepath.Join(o.bin, "workspaced"), addr)
	stop()
	if busy := <-done; err == nil {
		err = busy
	}
	return top, err
}

// mixed creates, reads and destroys until ctx ends, as many of each.
func mixed(ctx context.Context, t target, o options) error {
	for ctx.Err() == nil {
		k := &keys{}
		l := load{clients: 8, message: daemon.Create, got: func(_ int, r []byte) { k.add(r) },
			bodies: bodies(daemon.Create, nil, o.batch/5)}
		if err := t.push(ctx, l); err != nil {
			return ended(ctx, err)
		}
		for _, m := range []daemon.Message{daemon.State, daemon.Destroy} {
			l = load{clients: 8, message: m, bodies: bodies(m, k.all, len(k.all))}
			if err := t.push(ctx, l); err != nil {
				return ended(ctx, err)
			}
		}
	}
	return nil
}

// ended forgives an error that only says that time is up.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func pprofTop(ctx context.Context, binary, addr string) (string, error) {
	url := fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", addr, profileTime)
	cmd := exec.CommandContext(ctx, "go", "tool", "pprof", "-top", "-nodecount=10", binary, url)
	var notes strings.Builder
	cmd.Stderr = &notes
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("cannot profile: %w: %s", err, notes.String())
	}
	return string(out), nil
}

// freePort returns a loopback address on which nobody listens at the moment.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
