package web_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/adapters/image/imagetest"
	"github.com/philoxenia/philoxenia/adapters/transport/web"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// liar is a web server with one image that is honest until it is asked for another part
// than the beginning, by which a client learns what the image is.
type liar struct {
	data, other []byte
	tag         string // of both; empty: none is told
	mu          sync.Mutex
	lie         func(l *liar, w http.ResponseWriter, from, to int64) // nil: it is honest
}

func (l *liar) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.URL.Path != "/image" {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	var from, to int64
	fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-%d", &from, &to)
	if l.lie != nil && r.Method == http.MethodGet && from > 0 {
		l.lie(l, w, from, to)
		return
	}
	if l.tag != "" {
		w.Header().Set("ETag", l.tag)
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(l.data))
}

// tell sets what the server does from now on.
func (l *liar) tell(data []byte, lie func(*liar, http.ResponseWriter, int64, int64)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.data, l.lie = data, lie
}

// told is how a server tells of a part.
func told(from, to int64, total int) string {
	return fmt.Sprintf("bytes %d-%d/%d", from, to, total)
}

// part answers with a part of an image, and with a header that may tell of another.
func part(w http.ResponseWriter, data []byte, told string) {
	w.Header().Set("Content-Range", told)
	w.WriteHeader(http.StatusPartialContent)
	w.Write(data)
}

// lies are what a server may do that says that it gives parts, and what is said of it.
var lies = map[string]struct {
	lie  func(l *liar, w http.ResponseWriter, from, to int64)
	kind workspace.Kind
	says string
}{
	"another range": {func(l *liar, w http.ResponseWriter, from, to int64) {
		part(w, l.data[from-1:to], told(from-1, to-1, len(l.data)))
	}, workspace.Transient, "were asked for"},
	"another range, told as the right one": {func(l *liar, w http.ResponseWriter, from, to int64) {
		w.Header().Set("Content-Length", fmt.Sprint(to-from))
		part(w, l.data[from:to], told(from, to, len(l.data)))
	}, workspace.Transient, "bytes where"},
	"all of it": {func(l *liar, w http.ResponseWriter, _, _ int64) {
		w.Write(l.data)
	}, workspace.Transient, "answers 200 OK where"},
	"another size": {func(l *liar, w http.ResponseWriter, from, to int64) {
		part(w, l.data[from:to+1], told(from, to, len(l.data)+1))
	}, workspace.Transient, "were asked for"},
	"no range at all": {func(l *liar, w http.ResponseWriter, from, to int64) {
		w.WriteHeader(http.StatusPartialContent)
		w.Write(l.data[from : to+1])
	}, workspace.Transient, `sends "" where`},
	"less than it says": {func(l *liar, w http.ResponseWriter, from, to int64) {
		w.Header().Set("Content-Length", fmt.Sprint(to+1-from))
		part(w, l.data[from:to], told(from, to, len(l.data)))
	}, workspace.Unavailable, "unexpected EOF"},
	"another version": {func(l *liar, w http.ResponseWriter, from, to int64) {
		w.Header().Set("ETag", `"two"`)
		part(w, l.other[from:to+1], told(from, to, len(l.data)))
	}, workspace.Transient, "replaced meanwhile"},
	"not there any more": {func(_ *liar, w http.ResponseWriter, _, _ int64) {
		w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
	}, workspace.Transient, "replaced meanwhile"},
}

// TestServersThatLie: what lies about parts brings no image, says why, and leaves nothing
// that the next try would go on with, if that lied too; when the server is honest, the
// image comes.
func TestServersThatLie(t *testing.T) {
	for name, test := range lies {
		t.Run(name, func(t *testing.T) {
			l := &liar{data: imagetest.Random(5<<20, 1), other: imagetest.Random(5<<20, 2),
				tag: `"one"`}
			fetch, host := fetching(t, l)
			l.tell(l.data, test.lie)
			err := fetch(t.Context(), nil)
			if workspace.KindOf(err) != test.kind || err == nil ||
				!strings.Contains(err.Error(), test.says) {
				t.Errorf("it says %v, expected %s: %s", err, test.kind, test.says)
			}
			if test.kind == workspace.Transient {
				imagetest.Only(t, host)
			} else { // the line may have broken
				imagetest.Only(t, host, "disk.part", "disk.part.state")
			}
			l.tell(l.data, nil)
			if err := fetch(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			imagetest.Same(t, filepath.Join(host, "disk"), l.data)
			imagetest.Only(t, host, "disk")
		})
	}
}

// fetching serves the image, and returns what fetches it into a directory.
func fetching(
	t *testing.T, h http.Handler,
) (fetch func(context.Context, workspace.Progress) error, host string) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	address := server.Listener.Addr().String()
	transport, err := web.New(web.Options{StallTimeout: time.Minute,
		Servers: []web.Server{{Address: address, Plain: true}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { transport.Close() })
	host = t.TempDir()
	return func(ctx context.Context, p workspace.Progress) error {
		_, err := transport.Fetch(ctx, workspace.Fetch{Location: "http://" + address + "/image",
			Path: filepath.Join(host, "disk"), Progress: p})
		return err
	}, host
}

// TestServerThatGivesNoParts says that it does. Its image comes in one piece.
func TestServerThatGivesNoParts(t *testing.T) {
	data := imagetest.Random(3<<20, 1)
	fetch, host := fetching(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/image" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Accept-Ranges", "bytes")
		w.Header().Set("Content-Length", fmt.Sprint(len(data)))
		w.Write(data)
	}))
	if err := fetch(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	imagetest.Same(t, filepath.Join(host, "disk"), data)
}

// TestServerThatTellsNoVersions: nothing says that what comes is of the same image as what
// came before, so it begins anew.
func TestServerThatTellsNoVersions(t *testing.T) {
	l := &liar{data: imagetest.Random(16<<20, 1)}
	fetch, host := fetching(t, l)
	ctx, cancel := context.WithCancel(t.Context())
	err := fetch(ctx, func(done, _ int64) {
		if done > 8<<20 {
			cancel()
		}
	})
	if err == nil {
		t.Fatal("it was not broken off")
	}
	l.tell(imagetest.Random(16<<20, 2), nil)
	if err := fetch(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	imagetest.Same(t, filepath.Join(host, "disk"), l.data)
}

// TestPartsComeSideBySide holds each part back until four are asked for.
func TestPartsComeSideBySide(t *testing.T) {
	const parallel = 4 // which is usual
	data := imagetest.Random(16<<20, 1)
	var mu sync.Mutex
	var once sync.Once
	asked, most := 0, 0
	all := make(chan struct{})
	fetch, host := fetching(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var from, to int
		fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-%d", &from, &to)
		if to-from > 64<<10 { // not the look at the beginning
			mu.Lock()
			asked++
			if most = max(most, asked); asked == parallel {
				once.Do(func() { close(all) })
			}
			mu.Unlock()
			select {
			case <-all:
			case <-r.Context().Done():
			}
			mu.Lock()
			asked-- // before it is answered, after which the next one may be asked for
			mu.Unlock()
		}
		if r.URL.Path != "/image" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		http.ServeContent(w, r, "", time.Unix(1e9, 0), bytes.NewReader(data))
	}))
	if err := fetch(t.Context(), nil); err != nil {
		t.Fatalf("of %d parts at a time: %v", most, err)
	}
	imagetest.Same(t, filepath.Join(host, "disk"), data)
	if most != parallel {
		t.Errorf("%d parts came at a time, expected %d", most, parallel)
	}
}
