package accesstest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/adapters/image/imagetest"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// run passes arguments that a shell would not leave as they are.
func run(t *testing.T, h *host) {
	args := []string{"a b", "", "'", `"`, "$HOME", "`id`", "$(id)", "*", "\\", "a\nb", ";", "-n",
		"é"}
	var out bytes.Buffer
	ok(t, h.Run(t.Context(), workspace.Command{
		Args: append([]string{"printf", "%s\x1f"}, args...), Stdout: &out}))
	if want := strings.Join(args, "\x1f") + "\x1f"; out.String() != want {
		t.Errorf("the arguments arrived as %q, expected %q", out.String(), want)
	}
	ok(t, h.Run(t.Context(), workspace.Command{Args: []string{"printf", "thrown away"}}))
}

func runWithInput(t *testing.T, h *host) {
	data := imagetest.Random(1<<20, 30)
	var out bytes.Buffer
	ok(t, h.Run(t.Context(), workspace.Command{
		Args: []string{"cat"}, Stdin: bytes.NewReader(data), Stdout: &out}))
	if imagetest.Sum(out.Bytes()) != imagetest.Sum(data) {
		t.Errorf("%d other bytes came back", out.Len())
	}
	// Without input a program that reads must not wait.
	ok(t, h.Run(t.Context(), workspace.Command{Args: []string{"cat"}}))
	// A program that does not read its input ends all the same.
	ok(t, h.Run(t.Context(), workspace.Command{
		Args: []string{"true"}, Stdin: bytes.NewReader(imagetest.Random(4<<20, 31))}))
}

func runFails(t *testing.T, h *host) {
	err := h.Run(t.Context(), workspace.Command{
		Args: []string{"sh", "-c", "echo some advice >&2; exit 3"}})
	kind(t, err, workspace.Internal)
	if !strings.Contains(err.Error(), "some advice") || !strings.Contains(err.Error(), "3") {
		t.Errorf("%q does not say what the program said, and its status", err)
	}
	for _, program := range []string{"no-such-program-anywhere", h.path("nothing")} {
		kind(t, h.Run(t.Context(), workspace.Command{Args: []string{program}}), workspace.NotFound)
	}
	kind(t, h.Run(t.Context(), workspace.Command{}), workspace.Invalid)
	kind(t, h.Run(t.Context(), workspace.Command{Args: []string{"sh", "-c", "kill -9 $$"}}),
		workspace.Internal)
}

// cancelled makes sure that a program ends with its context.
func cancelled(t *testing.T, h *host) {
	ctx, cancel := context.WithCancel(t.Context())
	started, out := io.Pipe()
	born := make(chan string, 1)
	go func() {
		pid, _ := bufio.NewReader(started).ReadString('\n')
		born <- strings.TrimSpace(pid)
		cancel()
	}()
	err := h.Run(ctx, workspace.Command{
		Args: []string{"sh", "-c", "sleep 600 & echo $!; wait"}, Stdout: out})
	gone(t, <-born)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("it ended with %v", err)
	}
	kind(t, err, workspace.Transient)
	if _, err := h.Stat(ctx, h.dir); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("Stat ended with %v", err)
	}
	if _, err = h.Stat(t.Context(), h.dir); err != nil {
		t.Errorf("the host is gone after a program was called off: %v", err)
	}
}

// dial speaks with servers that listen on the host.
func dial(t *testing.T, h *host) {
	socket, err := os.MkdirTemp("", "d") // the path of a socket must be short
	ok(t, err)
	t.Cleanup(func() { os.RemoveAll(socket) })
	// Who connects from 127.0.0.1 may be given the very port that nobody listens at any
	// more, and meet himself.
	for network, at := range map[string]string{
		"tcp": "127.0.0.2:0", "unix": filepath.Join(socket, "s"),
	} {
		l, err := net.Listen(network, at)
		ok(t, err)
		go func() {
			c, err := l.Accept()
			if err == nil {
				io.Copy(c, c)
				c.Close()
			}
		}()
		c, err := h.Dial(t.Context(), network, l.Addr().String())
		ok(t, err)
		_, err = c.Write([]byte("echo"))
		ok(t, err)
		got := make([]byte, 4)
		_, err = io.ReadFull(c, got)
		ok(t, err)
		if string(got) != "echo" {
			t.Errorf("%s: %q came back", network, got)
		}
		ok(t, c.Close())
		ok(t, l.Close())
		_, err = h.Dial(t.Context(), network, l.Addr().String())
		kind(t, err, workspace.Unavailable)
	}
	_, err = h.Dial(t.Context(), "udp", "127.0.0.1:9")
	kind(t, err, workspace.Invalid)
}

// gone waits until there is no such process.
func gone(t *testing.T, pid string) {
	t.Helper()
	limit := time.After(time.Minute)
	for {
		stat, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
		select {
		case <-limit:
			t.Fatalf("process %s outlives the program that started it", pid)
		case <-time.After(10 * time.Millisecond): // of another process only asking tells
		}
	}
}
