package image_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/adapters/access/ssh"
	"github.com/philoxenia/philoxenia/adapters/transport/login"
	"github.com/philoxenia/philoxenia/adapters/transport/login/sshdtest"
	"github.com/philoxenia/philoxenia/adapters/transport/web"
	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/manager/image"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// A stream is a web server that gives its image up to its gate, and the rest when
// that is opened; and four hosts that want it, which are other machines as far as
// anybody can tell.
type stream struct {
	*lab
	server *httptest.Server
	data   []byte
	sum    string
	gate   int64
	opened chan struct{}
	sent   atomic.Int64 // of images
	hosts  []*sshdtest.Server
}

const streamHosts = 4

// patience is how long all wait at the gate, where nothing moves.
const patience = time.Hour

func newStream(t *testing.T) *stream {
	t.Helper()
	s := &stream{lab: &lab{t: t, pool: host.NewPool()}, data: make([]byte, 8<<20), gate: 4 << 20,
		opened: make(chan struct{})}
	rand.NewChaCha8([32]byte{1}).Read(s.data)
	s.sum = sumOf(s.data)
	s.server = httptest.NewServer(s)
	t.Cleanup(s.server.Close)
	for i := range streamHosts {
		sshd := sshdtest.Start(t)
		s.hosts = append(s.hosts, sshd)
		a := ssh.New(ssh.Options{StallTimeout: patience, Server: login.Server{
			Address: sshd.Address, User: sshd.User, KeyFile: sshd.KeyFile,
			KnownHostsFile: sshd.KnownHosts}})
		t.Cleanup(func() { a.Close() })
		s.pool.Add(&host.Node{Host: workspace.Host{ID: at(i)}, Dir: t.TempDir(), CacheMB: 100,
			Access: a})
	}
	s.begin()
	return s
}

// begin makes a daemon, as a new one would be.
func (s *stream) begin() {
	s.t.Helper()
	transport, err := web.New(web.Options{StallTimeout: patience, Servers: []web.Server{{
		Plain: true, Address: s.server.Listener.Addr().String()}}})
	s.must(err)
	spool := filepath.Join(s.t.TempDir(), "spool")
	s.must(image.CleanSpool(spool))
	s.images = image.New(image.Options{Pool: s.pool, Spool: spool,
		Logger:     slog.New(slog.NewTextHandler(s.t.Output(), nil)),
		Transports: map[string]workspace.Transport{"http": transport}})
}

func at(i int) workspace.HostID { return workspace.HostID(fmt.Sprint("h", i)) }

func (s *stream) location() string { return s.server.URL + "/one" }

// ServeHTTP serves the image.
func (s *stream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, ".sha256") {
		io.WriteString(w, s.sum+"\n")
		return
	}
	w.Header().Set("ETag", `"one"`)
	http.ServeContent(w, r, "", time.Time{}, &gated{
		bytes.NewReader(s.data), s, r.Context(), http.NewResponseController(w)})
}

// gated reads no further than the gate before that is open.
type gated struct {
	*bytes.Reader
	s   *stream
	ctx context.Context
	out *http.ResponseController
}

func (g *gated) Read(b []byte) (int, error) {
	at := g.Size() - int64(g.Len())
	if left := g.s.gate - at; left > 0 {
		b = b[:min(int64(len(b)), left)]
	} else {
		g.out.Flush() // what has passed the gate is to arrive
		select {
		case <-g.s.opened:
		case <-g.ctx.Done():
			return 0, g.ctx.Err()
		}
	}
	n, err := g.Reader.Read(b)
	g.s.sent.Add(int64(n))
	return n, err
}

// propagate has all hosts want the image, and returns what came of each.
func (s *stream) propagate(ctx context.Context) (wait func() []error) {
	errs := make([]error, streamHosts)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() {
			r := on(workspace.ID(i+1), at(i), "", s.location())
			errs[i] = patientlyIn(ctx, s.images.Propagate().Do, r)
		})
	}
	return func() []error { all.Wait(); return errs }
}

// parts are the half-made files of the hosts' caches.
func (s *stream) parts() (all []os.FileInfo) {
	for i := range streamHosts {
		found, err := filepath.Glob(filepath.Join(s.node(at(i)).Dir, "cache", "*.part"))
		s.must(err)
		for _, name := range found {
			if info, err := os.Stat(name); err == nil {
				all = append(all, info)
			}
		}
	}
	return all
}

// half waits until all hosts have what passes the gate.
func (s *stream) half() {
	s.t.Helper()
	for deadline := time.Now().Add(5 * time.Minute); ; {
		have := 0
		for _, p := range s.parts() {
			if p.Size() > s.gate-64<<10 { // curl keeps a little back
				have++
			}
		}
		if have == streamHosts {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%d of %d hosts have what passed the gate", have, streamHosts)
		}
		<-time.After(10 * time.Millisecond)
	}
}

// came makes sure that the i-th host has the image.
func (s *stream) came(i int) {
	s.t.Helper()
	all, err := filepath.Glob(filepath.Join(s.node(at(i)).Dir, "cache", "*"))
	if err != nil || len(all) != 1 {
		s.t.Errorf("host %d has %v, %v", i, all, err)
		return
	}
	got, err := os.ReadFile(all[0])
	if err != nil || !bytes.Equal(got, s.data) {
		s.t.Errorf("host %d has %d other bytes, %v", i, len(got), err)
	}
}

// once makes sure that the image passed the repository's link about once: to look at
// its beginning costs something.
func (s *stream) once() {
	s.t.Helper()
	if sent := s.sent.Load(); sent > int64(len(s.data))*3/2 {
		s.t.Errorf("the repository sent %d bytes for an image of %d", sent, len(s.data))
	}
}

// TestImageIsPassedOnAsItComes holds the second half back until every host has the first.
func TestImageIsPassedOnAsItComes(t *testing.T) {
	s := newStream(t)
	wait := s.propagate(t.Context())
	s.half()
	close(s.opened)
	for i, err := range wait() {
		s.must(err)
		s.came(i)
	}
	s.once()
}

// TestRottenImageIsKeptByNobody has the repository give another image than it says.
func TestRottenImageIsKeptByNobody(t *testing.T) {
	s := newStream(t)
	s.sum = sumOf(nil)
	wait := s.propagate(t.Context())
	s.half()
	close(s.opened)
	for i, err := range wait() {
		if err == nil || workspace.KindOf(err) != workspace.Invalid ||
			!strings.Contains(err.Error(), "its SHA-256 is "+sumOf(s.data)) {
			t.Errorf("host %d: %v", i, err)
		}
		left, err := filepath.Glob(filepath.Join(s.node(at(i)).Dir, "cache", "*"))
		disks := s.files(s.node(at(i)))
		if err != nil || len(left)+len(disks) != 0 {
			t.Errorf("host %d keeps %v, %v", i, left, disks)
		}
	}
	s.once()
}

// TestGiverDiesMidway kills the host that fetches the image: the others go on with
// what they have, and so does that host when it is back.
func TestGiverDiesMidway(t *testing.T) {
	s := newStream(t)
	wait := s.propagate(t.Context())
	s.half()
	root := s.root()
	s.hosts[root].Stop()
	s.awaitAnother(root)
	close(s.opened)
	for i, err := range wait() {
		if i == root {
			if err == nil {
				t.Error("the host that died has its image")
			}
			continue
		}
		s.must(err)
		s.came(i)
	}
	s.once()
	s.hosts[root].Restart()
	for i, err := range s.propagate(t.Context())() {
		s.must(err)
		s.came(i)
	}
	s.once()
}

// root tells which host fetches from the repository.
func (s *stream) root() int {
	s.t.Helper()
	for i, sshd := range s.hosts {
		for _, line := range sshd.Commands() {
			if strings.Contains(line, "curl") {
				return i
			}
		}
	}
	s.t.Fatal("no host fetches the image")
	return 0
}

// awaitAnother waits until another host fetches.
func (s *stream) awaitAnother(but int) {
	s.t.Helper()
	for deadline := time.Now().Add(5 * time.Minute); time.Now().Before(deadline); {
		for i, sshd := range s.hosts {
			if i != but && strings.Contains(strings.Join(sshd.Commands(), "\n"), "curl") {
				return
			}
		}
		<-time.After(10 * time.Millisecond)
	}
	s.t.Fatal("no other host fetches the image")
}

// TestDaemonIsGoneMidway breaks all off, and has a new daemon go on.
func TestDaemonIsGoneMidway(t *testing.T) {
	s := newStream(t)
	ctx, cancel := context.WithCancel(t.Context())
	wait := s.propagate(ctx)
	s.half()
	cancel()
	for i, err := range wait() {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("host %d: %v", i, err)
		}
	}
	if n := len(s.parts()); n != streamHosts {
		t.Errorf("%d hosts have something to go on with", n)
	}
	close(s.opened)
	s.begin()
	for i, err := range s.propagate(t.Context())() {
		s.must(err)
		s.came(i)
	}
	s.once()
}
