package image_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/adapters/image/imagetest"
	"github.com/philoxenia/philoxenia/adapters/transport/file"
	"github.com/philoxenia/philoxenia/adapters/transport/web"
	"github.com/philoxenia/philoxenia/service/change"
	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/manager/image"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// fragile is a web server that hangs up on all that is asked for after so many parts.
type fragile struct {
	mu    sync.Mutex
	data  []byte
	at    time.Time
	bears int // parts; below 0: all
	// given are the parts that were given. One may be asked for twice: who was told of an
	// end elsewhere has requests on the way yet, which may come when all begins anew.
	given map[string]bool
}

const parts = 16 // of a mebibyte each

func (f *fragile) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.URL.Path != "/image" {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	if asked := r.Header.Get("Range"); asked != "" && asked != "bytes=0-4095" {
		if f.bears == 0 {
			panic(http.ErrAbortHandler)
		}
		f.bears--
		f.given[asked] = true
	}
	http.ServeContent(w, r, "", f.at, bytes.NewReader(f.data))
}

// is makes it a server of an image of that seed, which bears so much.
func (f *fragile) is(seed byte, bears int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.data, f.at, f.bears, f.given = imagetest.Random(parts<<20, seed),
		time.Unix(1e9+int64(seed), 0), bears, map[string]bool{}
}

// staging stages an image in from a fragile server.
type staging struct {
	*lab
	server            *fragile
	spool, repository string
	run               *change.Run
}

func newStaging(t *testing.T) *staging {
	s := &staging{lab: &lab{t: t}, server: &fragile{}, repository: t.TempDir(),
		spool: filepath.Join(t.TempDir(), "spool")}
	server := httptest.NewServer(s.server)
	t.Cleanup(server.Close)
	s.must(image.CleanSpool(s.spool))
	there, err := web.New(web.Options{Servers: []web.Server{{Plain: true,
		Address: server.Listener.Addr().String()}}})
	s.must(err)
	t.Cleanup(func() { there.Close() })
	here, err := file.Open(s.repository)
	s.must(err)
	t.Cleanup(func() { here.Close() })
	s.images = image.New(image.Options{Pool: host.NewPool(), Spool: s.spool, SpoolMB: parts,
		Transports: map[string]workspace.Transport{"http": there, "file": here}})
	s.run = on(1, "", "", "file://staged")
	s.run.Workspace.Spec.StageIn = &workspace.Transfer{Source: server.URL + "/image",
		Destination: "file://staged"}
	return s
}

// breaks stages an image of which half comes.
func (s *staging) breaks(seed byte) {
	s.t.Helper()
	s.server.is(seed, parts/2)
	_, err := s.images.StageIn().Do(s.t.Context(), s.run)
	if err == nil || workspace.KindOf(err) != workspace.Unavailable {
		s.t.Fatalf("from a server that hangs up: %v", err)
	}
}

// comes stages an image from a server that bears all, and returns in how many parts.
func (s *staging) comes(seed byte) int {
	s.t.Helper()
	s.server.is(seed, -1)
	_, err := s.images.StageIn().Do(s.t.Context(), s.run)
	s.must(err)
	imagetest.Same(s.t, filepath.Join(s.repository, "staged"), s.server.data)
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	return len(s.server.given)
}

// spooled fails the test unless something is in the spool, or nothing.
func (s *staging) spooled(want bool) {
	s.t.Helper()
	if left, err := os.ReadDir(s.spool); err != nil || len(left) > 0 != want {
		s.t.Errorf("in the spool are %v, %v", left, err)
	}
}

// TestStagingGoesOn with what came before it was broken off, where that is of the same file.
func TestStagingGoesOn(t *testing.T) {
	s := newStaging(t)
	s.breaks(1)
	s.spooled(true)
	// Of those that were asked for before the first that failed, three may be on their way.
	if given := s.comes(1); given > parts-(parts/2-3) {
		t.Errorf("%d of %d parts came again", given, parts)
	}
	s.spooled(false)

	s.breaks(2)
	if given := s.comes(3); given != parts {
		t.Errorf("%d of %d parts of another image came", given, parts)
	}
	s.spooled(false)
}

// TestStagingThatIsGivenUp keeps nothing, whether it is undone or its workspace ends. What
// it kept stands in nobody's way.
func TestStagingThatIsGivenUp(t *testing.T) {
	s := newStaging(t)
	for name, end := range map[string]change.Func{
		"undone": s.images.StageIn().Undo, "ended": s.images.Discard().Do,
	} {
		t.Run(name, func(t *testing.T) {
			s.breaks(1)
			s.spooled(true)
			_, err := end(t.Context(), s.run)
			s.must(err)
			s.spooled(false)
		})
	}
	s.breaks(1)
	other := on(2, "", "", "file://staged")
	other.Workspace.Spec.StageIn = s.run.Workspace.Spec.StageIn
	s.server.is(2, -1)
	_, err := s.images.StageIn().Do(t.Context(), other) // the spool has room for one
	s.must(err)
	s.spooled(false)
}
