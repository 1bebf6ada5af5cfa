package web_test

import (
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/philoxenia/philoxenia/adapters/image/sparse"
	"github.com/philoxenia/philoxenia/adapters/transport/transporttest"
	"github.com/philoxenia/philoxenia/adapters/transport/web"
	"github.com/philoxenia/philoxenia/service/workspace"
)

func TestConformance(t *testing.T) {
	for _, ranges := range []bool{true, false} {
		t.Run(fmt.Sprintf("ranges=%t", ranges), func(t *testing.T) {
			var address string
			transporttest.Exercise(t, transporttest.Fixture{
				Open: func(t *testing.T, repository string) workspace.Transport {
					var transport *web.Transport
					transport, address = open(t, &warehouse{dir: repository, whole: !ranges})
					return transport
				},
				Location: func(name string) string { return "http://" + address + "/" + name },
				Resumes:  ranges, Resends: true,
			})
		})
	}
}

// open serves the warehouse and returns a transport for it.
func open(t *testing.T, w *warehouse) (*web.Transport, string) {
	t.Helper()
	server := httptest.NewUnstartedServer(w)
	server.Start()
	t.Cleanup(server.Close)
	address := server.Listener.Addr().String()
	transport, err := web.New(web.Options{
		Servers: []web.Server{{Address: address, Plain: true}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { transport.Close() })
	return transport, address
}

// warehouse is a web server over a directory that takes PUT and DELETE, as
// WebDAV servers do: what is put shows when it is whole.
type warehouse struct {
	dir    string
	whole  bool // it gives no ranges
	ranges atomic.Int64
	puts   sync.Mutex                                    // one after the other
	wrong  func(http.ResponseWriter, *http.Request) bool // answers instead
}

func (h *warehouse) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h.wrong != nil && h.wrong(w, r) {
		return
	}
	root, err := os.OpenRoot(h.dir)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer root.Close()
	name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
	switch r.Method {
	case http.MethodPut:
		err = h.put(root, name, r.Body, r.ContentLength)
		io.Copy(io.Discard, r.Body) // or its sender never hears the answer
	case http.MethodDelete:
		err = root.Remove(name)
	default:
		err = h.get(root, name, w, r)
		if err == nil {
			return
		}
	}
	w.WriteHeader(statusOf(err))
}

func statusOf(err error) int {
	switch {
	case err == nil:
		return http.StatusNoContent
	case errors.Is(err, fs.ErrNotExist):
		return http.StatusNotFound
	case errors.Is(err, unix.ENOSPC):
		return http.StatusInsufficientStorage
	case errors.Is(err, io.ErrUnexpectedEOF):
		return http.StatusInternalServerError
	}
	return http.StatusBadRequest
}

func (h *warehouse) get(root *os.Root, name string, w http.ResponseWriter, r *http.Request) error {
	f, err := root.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errors.New("no file")
	}
	w.Header().Set("ETag", fmt.Sprintf(`"%x-%x"`, info.Size(), info.ModTime().UnixNano()))
	if h.whole {
		w.Header().Set("Content-Length", fmt.Sprint(info.Size()))
		w.Header().Set("Last-Modified", info.ModTime().UTC().Format(http.TimeFormat))
		if r.Method == http.MethodGet {
			io.Copy(w, io.LimitReader(f, info.Size()))
		}
		return nil
	}
	if r.Header.Get("Range") != "" {
		h.ranges.Add(1)
	}
	http.ServeContent(w, r, name, info.ModTime(), f)
	return nil
}

// put takes a file in. One that was broken off is to have ended, and to have taken
// away what it wrote, before the next one of the same name is answered.
func (h *warehouse) put(root *os.Root, name string, body io.Reader, size int64) error {
	h.puts.Lock()
	defer h.puts.Unlock()
	if info, err := root.Stat(name); err == nil && !info.Mode().IsRegular() {
		return errors.New("no file")
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	temp := path.Join(path.Dir(name), ".put-"+rand.Text())
	f, err := root.Create(temp)
	if err != nil {
		return err
	}
	err = store(f, body, size)
	if err = errors.Join(err, f.Close()); err == nil {
		err = root.Rename(temp, name)
	}
	if err != nil {
		root.Remove(temp)
	}
	return err
}

func store(f *os.File, body io.Reader, size int64) error {
	buffer := make([]byte, 1<<20)
	for at := int64(0); at < size; {
		n, err := io.ReadFull(body, buffer[:min(int64(len(buffer)), size-at)])
		if err != nil {
			return err
		}
		if _, err := sparse.WriteAt(f, buffer[:n], at); err != nil {
			return err
		}
		at += int64(n)
	}
	return f.Truncate(size)
}

func TestLocations(t *testing.T) {
	transport, err := web.New(web.Options{Servers: []web.Server{
		{Address: "images.example:443", Root: "/pub/vm"},
		{Address: "other.example:8080", Plain: true},
	}})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		location string
		want     workspace.Kind
	}{
		{"https://images.example/pub/vm/a.img", workspace.Internal},
		{"https://images.example:443/pub/vm/sub/a.img", workspace.Internal},
		{"http://other.example:8080/a.img", workspace.Internal},
		{"https://images.example/pub/a.img", workspace.Invalid},
		{"https://images.example/pub/vm/../a.img", workspace.Invalid},
		{"http://images.example/pub/vm/a.img", workspace.Denied},
		{"https://169.254.169.254/latest", workspace.Denied},
		{"https://me@images.example/pub/vm/a.img", workspace.Invalid},
		{"ftp://images.example/a.img", workspace.Invalid},
		{"https://images.example", workspace.Invalid},
	}
	for _, tt := range tests {
		err := transport.CheckLocation(tt.location)
		fine := tt.want == workspace.Internal
		if fine != (err == nil) || (!fine && workspace.KindOf(err) != tt.want) {
			t.Errorf("%s: %v", tt.location, err)
		}
	}
}

// TestAnswers holds the kinds of errors against what servers answer.
func TestAnswers(t *testing.T) {
	tests := []struct {
		status int
		want   workspace.Kind
	}{
		{http.StatusUnauthorized, workspace.Denied}, {http.StatusForbidden, workspace.Denied},
		{http.StatusNotFound, workspace.NotFound},
		{http.StatusInternalServerError, workspace.Transient},
		{http.StatusServiceUnavailable, workspace.Unavailable},
		{http.StatusTeapot, workspace.Internal},
	}
	for _, tt := range tests {
		transport, address := open(t, &warehouse{dir: t.TempDir(),
			wrong: func(w http.ResponseWriter, _ *http.Request) bool {
				http.Error(w, "no such luck", tt.status)
				return true
			}})
		_, err := transport.Check(t.Context(), "http://"+address+"/image")
		if workspace.KindOf(err) != tt.want || err == nil {
			t.Errorf("%d: %v, expected kind %s", tt.status, err, tt.want)
		}
	}
}

// TestElsewhere makes sure that a server cannot send us to another one.
func TestElsewhere(t *testing.T) {
	var asked atomic.Bool
	secret := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		asked.Store(true)
	}))
	defer secret.Close()
	transport, address := open(t, &warehouse{dir: t.TempDir(),
		wrong: func(w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, secret.URL+"/image", http.StatusFound)
			return true
		}})
	_, err := transport.Check(t.Context(), "http://"+address+"/image")
	if workspace.KindOf(err) != workspace.Denied || asked.Load() {
		t.Errorf("it followed to another server: %v", err)
	}
}

// TestSecrets makes sure that the server hears who asks, from files.
func TestSecrets(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	for name, text := range map[string]string{"image": "data", "secret": "s3cret\nrest"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	heard := make(chan string, 10)
	server := httptest.NewUnstartedServer(&warehouse{dir: dir,
		wrong: func(_ http.ResponseWriter, r *http.Request) bool {
			heard <- r.Header.Get("Authorization")
			return false
		}})
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it tells of who does not trust it
	server.StartTLS()
	defer server.Close()
	address := server.Listener.Addr().String()
	for _, tt := range []struct {
		server web.Server
		want   string
	}{
		{web.Server{User: "ada", PasswordFile: secret}, "Basic YWRhOnMzY3JldA=="},
		{web.Server{TokenFile: secret}, "Bearer s3cret"},
	} {
		tt.server.Address, tt.server.CAFile = address, certificate(t, server)
		transport, err := web.New(web.Options{Servers: []web.Server{tt.server}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := transport.Check(t.Context(), "https://"+address+"/image"); err != nil {
			t.Fatal(err)
		}
		if got := <-heard; got != tt.want {
			t.Errorf("the server heard %q, expected %q", got, tt.want)
		}
		for len(heard) > 0 {
			<-heard
		}
		transport.Close()
	}
	stranger, err := web.New(web.Options{Servers: []web.Server{{Address: address}}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = stranger.Check(t.Context(), "https://"+address+"/image")
	if workspace.KindOf(err) != workspace.Denied || err == nil {
		t.Errorf("a certificate of nobody was trusted: %v", err)
	}
}

// TestOutOfReach makes sure that a dead server is told as such.
func TestOutOfReach(t *testing.T) {
	const address = "127.0.0.1:1" // no process is given so low a port by chance
	transport, err := web.New(web.Options{Servers: []web.Server{{Address: address, Plain: true}}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = transport.Check(t.Context(), "http://"+address+"/image")
	if workspace.KindOf(err) != workspace.Unavailable {
		t.Errorf("a dead server: %v", err)
	}
}

// certificate writes the server's certificate into a file.
func certificate(t *testing.T, server *httptest.Server) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestServerThatDies has the server die in the middle of an answer: of the image
// nothing is known then.
func TestServerThatDies(t *testing.T) {
	for _, name := range []string{"image", "image.sha256"} {
		t.Run(name, func(t *testing.T) {
			dir, host := t.TempDir(), t.TempDir()
			transport, address := open(t, &warehouse{dir: dir,
				wrong: func(w http.ResponseWriter, r *http.Request) bool {
					if r.URL.Path != "/"+name || r.Method != http.MethodGet {
						return false
					}
					w.Header().Set("Content-Length", "72")
					io.WriteString(w, strings.Repeat("ab", 20))
					w.(http.Flusher).Flush()
					panic(http.ErrAbortHandler)
				}})
			image := filepath.Join(dir, "image")
			if err := os.WriteFile(image, make([]byte, 72), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := transport.Fetch(t.Context(), workspace.Fetch{
				Location: "http://" + address + "/image", Path: filepath.Join(host, "disk")})
			if err == nil || workspace.KindOf(err) != workspace.Unavailable {
				t.Errorf("got %v (%s)", err, workspace.KindOf(err))
			}
		})
	}
}

// TestEndless makes sure that a server's word for a size costs us nothing by itself: the
// account of what has come stays small.
func TestEndless(t *testing.T) {
	const announced = 1 << 40
	transport, address := open(t, &warehouse{
		wrong: func(w http.ResponseWriter, r *http.Request) bool {
			switch r.Header.Get("Range") {
			case "":
				w.Header().Set("Accept-Ranges", "bytes")
				w.Header().Set("ETag", `"one"`)
				w.Header().Set("Content-Length", fmt.Sprint(announced))
			case "bytes=0-4095":
				w.Header().Set("Content-Range", fmt.Sprintf("bytes 0-4095/%d", announced))
				w.WriteHeader(http.StatusPartialContent)
				w.Write(make([]byte, 4096))
			default:
				w.WriteHeader(http.StatusServiceUnavailable)
			}
			return true
		}})
	path := filepath.Join(t.TempDir(), "disk")
	_, err := transport.Fetch(t.Context(), workspace.Fetch{
		Location: "http://" + address + "/image", Path: path, SHA256: strings.Repeat("0", 64)})
	if workspace.KindOf(err) != workspace.Unavailable {
		t.Fatalf("%v, expected kind %s", err, workspace.Unavailable)
	}
	info, err := os.Stat(path + ".part.state")
	if err != nil {
		t.Fatal(err)
	}
	if most := int64(4 << 20); info.Size() > most {
		t.Errorf("its account has %d bytes, expected at most %d", info.Size(), most)
	}
}
