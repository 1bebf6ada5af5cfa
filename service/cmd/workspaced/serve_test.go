package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/service/store/sqlite"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// A log is what was said and logged so far.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// longEnough is how long a test waits for what takes no time at all, but on a machine
// that is busy: only what hangs takes as long.
const longEnough = 5 * time.Minute

// waitFor waits until the text was logged, and returns the rest of its line.
func (l *log) waitFor(t *testing.T, text string) string {
	t.Helper()
	for end := time.Now().Add(longEnough); ; time.Sleep(time.Millisecond) {
		l.mu.Lock()
		all := l.text.String()
		l.mu.Unlock()
		if _, after, ok := strings.Cut(all, text); ok {
			rest, _, _ := strings.Cut(after, "\n")
			return rest
		}
		if time.Now().After(end) {
			t.Fatalf("%q was not logged, but\n%s", text, all)
		}
	}
}

// site writes a configuration of one simulated host.
func site(t *testing.T, dir, more string) *flags {
	t.Helper()
	path := filepath.Join(dir, "workspaced.toml")
	text := "data = \"data\"\n[listen]\naddress = \"127.0.0.1:0\"\ncaller = \"/CN=me\"\n" +
		"[[host]]\nid = \"here\"\nadapter = \"sim\"\ncpus = 4\nmemory_mb = 1024\n" + more
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return &flags{Config: path}
}

// begin runs a daemon; end stops it and returns what it ended with.
func begin(t *testing.T, f *flags) (l *log, end func() error) {
	t.Helper()
	c, _, err := f.config()
	if err != nil {
		t.Fatal(err)
	}
	l = new(log)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		err := serve(ctx, c, f, l, slog.New(slog.NewTextHandler(l, nil)))
		fmt.Fprintln(l, "ended:", err)
		done <- err
	}()
	return l, func() error { stop(); return <-done }
}

// leave puts a workspace that somebody left on a host, whose lease is over.
func leave(t *testing.T, data string, on workspace.HostID) workspace.ID {
	t.Helper()
	store, err := sqlite.Open(t.Context(), sqlite.Options{
		Path: filepath.Join(data, "record.db"),
	})
	if err != nil {
		t.Fatal(err)
	}
	var id workspace.ID
	err = store.Update(t.Context(), func(tx workspace.Tx) error {
		id = tx.NextID()
		return tx.PutWorkspace(&workspace.Workspace{
			ID: id, Owner: "ada", Host: on, State: workspace.Propagated,
			Initial: workspace.Propagated, Demand: workspace.Allocation{MemoryMB: 1, CPUs: 1},
			Lease: workspace.Lease{Start: time.Now().Add(-time.Hour), Duration: time.Minute},
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	return id
}

// TestStartTellsWhatItFinds starts on a record with a workspace of a host that
// left the configuration, whose lease ended while no daemon ran: both is told,
// and the end of the lease is applied.
func TestStartTellsWhatItFinds(t *testing.T) {
	dir := t.TempDir()
	f := site(t, dir, "")
	_, end := begin(t, f)
	if err := end(); err != nil {
		t.Fatal(err)
	}
	leave(t, filepath.Join(dir, "data"), "away")
	l, end := begin(t, f)
	l.waitFor(t, `msg=starting hosts=1 workspaces=1 changes=0 undelivered=0`)
	l.waitFor(t, `msg="host with workspaces is out of reach" host=away workspaces=1`)
	l.waitFor(t, `msg="lease has ended" workspace=1 owner=ada`)
	if err := end(); err != nil {
		t.Fatal(err)
	}
}

func TestSecondDaemonIsRefused(t *testing.T) {
	f := site(t, t.TempDir(), "")
	l, end := begin(t, f)
	l.waitFor(t, "msg=starting")
	_, endSecond := begin(t, f)
	second := endSecond()
	if second == nil || !strings.Contains(second.Error(), "another process has it open") {
		t.Errorf("the second daemon ended with %v", second)
	}
	if err := end(); err != nil {
		t.Fatal(err)
	}
}

// TestHangingHostDoesNotKeepTheServiceFromItsCallers starts beside a libvirtd
// that takes connections and never answers: who waited for it would wait for ever.
func TestHangingHostDoesNotKeepTheServiceFromItsCallers(t *testing.T) {
	dir := t.TempDir()
	socket := filepath.Join(dir, "libvirt-sock")
	silent, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	f := site(t, dir, "[[host]]\nid = \"mute\"\nadapter = \"libvirt\"\nuri = "+
		"\"qemu+unix:///system?socket="+socket+"\"\nacceleration = \"tcg\"\n")
	l, end := begin(t, f)
	l.waitFor(t, `msg="host is out of reach" host=mute`)
	l.waitFor(t, "msg=starting hosts=2")
	if err := end(); err != nil {
		t.Fatal(err)
	}
}
