package consoles_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/adapters/access/local"
	"github.com/philoxenia/philoxenia/adapters/access/ssh"
	"github.com/philoxenia/philoxenia/adapters/transport/login"
	"github.com/philoxenia/philoxenia/adapters/transport/login/sshdtest"
	"github.com/philoxenia/philoxenia/service/manager/consoles"
	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// everywhere runs a test by each way onto a host, on the disk and in memory: the
// one can mostly take blocks out of a file, the other cannot.
func everywhere(t *testing.T, test func(t *testing.T, a workspace.Access, dir string)) {
	memory, err := os.MkdirTemp("/dev/shm", "consoles")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(memory) })
	s := sshdtest.Start(t)
	far := ssh.New(ssh.Options{Server: login.Server{Address: s.Address, User: s.User,
		KeyFile: s.KeyFile, KnownHostsFile: s.KnownHosts}})
	t.Cleanup(func() { far.Close() })
	for way, a := range map[string]workspace.Access{"local": local.Access{}, "ssh": far} {
		for kind, root := range map[string]string{"disk": t.TempDir(), "memory": memory} {
			dir := filepath.Join(root, way)
			must(t, os.MkdirAll(dir, 0o700))
			t.Run(way+" "+kind, func(t *testing.T) { test(t, a, dir) })
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

const lineBytes = 16

// lines are numbered, and each of 16 bytes.
func lines(from, to int) []byte {
	var b bytes.Buffer
	for i := from; i < to; i++ {
		fmt.Fprintf(&b, "line %010d\n", i)
	}
	return b.Bytes()
}

// TestCut keeps the end of a log, byte by byte, and leaves a short one as it is.
func TestCut(t *testing.T) {
	everywhere(t, func(t *testing.T, a workspace.Access, dir string) {
		const sum = 5<<20 + 4096
		name := filepath.Join(dir, "workspace-'7 $(id).log")
		all := lines(0, sum/lineBytes)
		must(t, os.WriteFile(name, all, 0o600))
		must(t, consoles.Cut(t.Context(), a, name, 2<<20))
		got, err := os.ReadFile(name)
		must(t, err)
		if len(got) != 2<<20+4096 || !bytes.HasSuffix(all, got) {
			t.Fatalf("%d bytes are left, that begin with %.32q", len(got), got)
		}
		must(t, consoles.Cut(t.Context(), a, name, 2<<20))
		if again, _ := os.ReadFile(name); !bytes.Equal(again, got) {
			t.Errorf("the second time there are %d bytes", len(again))
		}
		must(t, consoles.Cut(t.Context(), a, filepath.Join(dir, "none.log"), 1<<20))
		link := filepath.Join(dir, "link.log")
		must(t, os.Symlink(name, link))
		must(t, consoles.Cut(t.Context(), a, link, 0))
		if info, _ := os.Stat(name); info.Size() != int64(len(got)) {
			t.Errorf("through a link it was cut to %d bytes", info.Size())
		}
	})
}

// TestCutOnce: of hosts that share a directory one at a time cuts a log, and those that
// would have cut the same find that it is done.
func TestCutOnce(t *testing.T) {
	everywhere(t, func(t *testing.T, a workspace.Access, dir string) {
		const keep = 2 << 20
		name := filepath.Join(dir, "workspace-7.log")
		all := lines(0, 7<<20/lineBytes)
		must(t, os.WriteFile(name, all, 0o600))
		other, err := os.OpenFile(name, os.O_RDWR, 0)
		must(t, err)
		defer other.Close()
		must(t, syscall.Flock(int(other.Fd()), syscall.LOCK_EX))
		must(t, consoles.Cut(t.Context(), a, name, keep))
		if now, _ := os.ReadFile(name); !bytes.Equal(now, all) {
			t.Fatalf("while another cuts it there are %d bytes", len(now))
		}
		must(t, syscall.Flock(int(other.Fd()), syscall.LOCK_UN))
		failed := make([]error, 6)
		var cuts sync.WaitGroup
		for i := range failed {
			cuts.Go(func() { failed[i] = consoles.Cut(t.Context(), a, name, keep) })
		}
		cuts.Wait()
		must(t, errors.Join(failed...))
		now, err := os.ReadFile(name)
		must(t, err)
		if len(now) != keep || !bytes.HasSuffix(all, now) {
			t.Errorf("of %d cuts at once there are %d bytes, that begin with %.32q", len(failed),
				len(now), now)
		}
	})
}

// TestKeeper holds the log of a machine that talks without end to its bounds, keeps
// what was said in order, and leaves other files alone.
func TestKeeper(t *testing.T) {
	everywhere(t, func(t *testing.T, a workspace.Access, dir string) {
		n := &host.Node{Host: workspace.Host{ID: "one"}, Dir: dir, Access: a}
		must(t, os.MkdirAll(n.ConsoleDir(), 0o700))
		name := filepath.Join(n.ConsoleDir(), "workspace-7.log")
		other := filepath.Join(n.ConsoleDir(), "other.log")
		must(t, os.WriteFile(other, make([]byte, 9<<20), 0o600))
		k := consoles.New(consoles.Options{Pool: host.NewPool(n), MostMB: 2,
			Every: 10 * time.Millisecond, Logger: slog.New(slog.DiscardHandler)})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- k.Run(ctx) }()
		defer func() { cancel(); must(t, <-ended) }()
		var shrunk atomic.Int64
		last := talk(t, name, &shrunk)
		settled(t, name)
		cancel()
		must(t, <-ended)
		ended <- nil
		got, err := os.ReadFile(name)
		must(t, err)
		inOrder(t, got, last, int(shrunk.Load()))
		if info, _ := os.Stat(other); info.Size() != 9<<20 {
			t.Errorf("another file has %d bytes now", info.Size())
		}
	})
}

// talk appends to a log until it was cut several times, and returns the last line's
// number.
func talk(t *testing.T, name string, shrunk *atomic.Int64) int {
	t.Helper()
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	must(t, err)
	defer f.Close()
	before, at := int64(0), 0
	for limit := time.Now().Add(5 * time.Minute); shrunk.Load() < 3; {
		if time.Now().After(limit) {
			t.Fatalf("%s was cut %d times, and has %d bytes", name, shrunk.Load(), before)
		}
		_, err = f.Write(lines(at, at+256))
		must(t, err)
		at += 256
		info, err := f.Stat()
		must(t, err)
		if info.Size() < before {
			shrunk.Add(1)
		}
		if before = info.Size(); before > 8<<20 {
			<-time.After(5 * time.Millisecond) // the cuts lag behind
		}
	}
	_, err = f.Write(lines(at, at+1))
	must(t, err)
	return at
}

// settled waits until the log is within its bounds.
func settled(t *testing.T, name string) {
	t.Helper()
	for limit := time.After(5 * time.Minute); ; {
		info, err := os.Stat(name)
		must(t, err)
		if info.Size() <= 2<<20 {
			return
		}
		select {
		case <-limit:
			t.Fatalf("it still has %d bytes", info.Size())
		case <-time.After(10 * time.Millisecond): // only asking tells
		}
	}
}

// inOrder fails the test unless the lines rise, but for one torn or missing place for
// each cut.
func inOrder(t *testing.T, got []byte, last, cuts int) {
	t.Helper()
	all := strings.Split(strings.TrimSuffix(string(got), "\n"), "\n")
	before, gaps, torn := -1, 0, 0
	for i, line := range all {
		number := -1
		if _, err := fmt.Sscanf(line, "line %010d", &number); err != nil ||
			len(line) != lineBytes-1 {
			if torn++; i == 0 {
				torn--
			}
			continue
		}
		if number <= before {
			t.Fatalf("line %d comes after %d", number, before)
		}
		if before >= 0 && number != before+1 {
			gaps++
		}
		before = number
	}
	if gaps > cuts+1 || torn > cuts+1 || len(got) < 1<<20 {
		t.Errorf("%d gaps and %d torn lines in %d bytes, after %d cuts", gaps, torn, len(got), cuts)
	}
	t.Logf("%d bytes, %d gaps, %d torn lines, cut %d times; the last is %d of %d", len(got),
		gaps, torn, cuts, before, last)
}
