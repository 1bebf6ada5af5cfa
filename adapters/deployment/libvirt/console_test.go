package libvirt_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/adapters/access/local"
	"github.com/philoxenia/philoxenia/adapters/deployment/libvirt"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// TestConsoleHearsAndSays talks with a real guest by its serial line.
func TestConsoleHearsAndSays(t *testing.T) {
	f := newFarm(t)
	h := open(t, f.options)
	defer func() { must(t, h.Close()) }()
	const id = 71
	must(t, h.Define(t.Context(), f.machine(t, id)))
	must(t, h.Start(t.Context(), id, false))
	f.console(id).Await(t, "alive")
	line, err := h.Console(t.Context(), id, false)
	must(t, err)
	defer line.Close()
	log := filepath.Join(f.options.ConsoleDir, "workspace-71.log")
	must(t, os.Truncate(log, 0)) // QEMU goes on at the end, wherever that is
	if _, err := io.WriteString(line, "open sesame\n"); err != nil {
		t.Fatal(err)
	}
	heard := make(chan bool, 1)
	go func() {
		said := bufio.NewScanner(line)
		for said.Scan() {
			if strings.Contains(said.Text(), "heard open sesame") {
				heard <- true
				return
			}
		}
	}()
	select {
	case <-heard:
	case <-time.After(longEnough):
		t.Error("the guest did not answer")
	}
	said, err := os.ReadFile(log)
	if err != nil || !strings.Contains(string(said), "sesame") ||
		strings.Contains(string(said), "\x00") {
		t.Errorf("after the log was cut it is %.80q, %v", said, err)
	}
	// As virtlogd leaves what was said before.
	earlier := filepath.Join(f.options.ConsoleDir, "workspace-71.log.0")
	must(t, os.WriteFile(earlier, []byte("before"), 0o600))
	must(t, h.Undefine(t.Context(), id))
	if _, err := os.Stat(earlier); !os.IsNotExist(err) {
		t.Errorf("what the console said before stays: %v", err)
	}
	if said, _, err := h.ConsoleLog(t.Context(), id, 0, 10); err != nil || len(said) > 0 {
		t.Errorf("of a machine that is gone the console says %q, %v", said, err)
	}
}

// waySeen is a way to a host whose loopback cannot be reached: the test's own is another
// one, where anybody may listen.
type waySeen struct {
	local.Access
	asked string
}

func (w *waySeen) Dial(_ context.Context, network, address string) (net.Conn, error) {
	w.asked = network + " " + address
	return nil, workspace.Refuse(workspace.Unavailable, "nobody is there")
}

// TestScreenStaysClosed gives a machine another shape, which writes its definition
// anew: its screen must start as closed as before, and be open for a minute at most.
func TestScreenStaysClosed(t *testing.T) {
	f := newFarm(t)
	way := &waySeen{}
	f.options.Host, f.options.Pool, f.options.Access = "host1", "test pool", way
	h, err := libvirt.Open(t.Context(), f.options)
	must(t, err)
	defer func() { must(t, h.Close()) }()
	const id = 72
	must(t, h.Define(t.Context(), f.machine(t, id)))
	must(t, h.Resize(t.Context(), id, workspace.Shape{MemoryMB: 112}))
	text := f.Virsh("dumpxml", "--inactive", "--security-info", "workspace-72")
	if !strings.Contains(text, "passwd='closed' passwdValidTo='1970-01-01T00:00:01'") {
		t.Errorf("the screen is open to all at its next start:\n%s", text)
	}
	must(t, h.Start(t.Context(), id, true))
	_, err = h.Screen(t.Context(), id, "sesame")
	isKind(t, "connect to the screen", err, workspace.Unavailable)
	if !strings.HasPrefix(way.asked, "tcp 127.0.0.1:59") {
		t.Errorf("the screen was looked for at %s", way.asked)
	}
	text = f.Virsh("dumpxml", "--security-info", "workspace-72")
	_, until, _ := strings.Cut(text, "passwd='sesame' passwdValidTo='")
	until, _, _ = strings.Cut(until, "'")
	closes, err := time.Parse("2006-01-02T15:04:05", until)
	if err != nil || time.Until(closes) > time.Minute {
		t.Errorf("it is open until %q:\n%s", until, text)
	}
	must(t, h.Undefine(t.Context(), id))
}
