package ssh_test

import (
	"bytes"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/adapters/image/imagetest"
	"github.com/philoxenia/philoxenia/adapters/transport/login/sshdtest"
	"github.com/philoxenia/philoxenia/service/workspace"
)

func refusal(t *testing.T, err error, kind workspace.Kind, words ...string) {
	t.Helper()
	if err == nil || workspace.KindOf(err) != kind {
		t.Fatalf("error %v, expected one of kind %s", err, kind)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q does not say %q", err, word)
		}
	}
}

// empty fails the test unless nothing is in the directory.
func empty(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) > 0 {
		t.Errorf("%s holds %v, %v", dir, entries, err)
	}
}

// places are the servers from which a host fetches, each with an image of its own.
func places(t *testing.T, data []byte) map[string]workspace.Source {
	t.Helper()
	repository := sshdtest.Start(t)
	image := filepath.Join(repository.Root, "image.raw")
	if err := os.WriteFile(image, data, 0o644); err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile(repository.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	by := workspace.Source{Scheme: "sftp", Address: repository.Address, Path: image,
		User: repository.User, Key: key, HostKeys: []string{repository.KnownHostsLine()}}
	old := by
	old.Scheme = "scp"
	server := httptest.NewTLSServer(guarded(image))
	t.Cleanup(server.Close)
	plain := httptest.NewServer(guarded(image))
	t.Cleanup(plain.Close)
	certificate := &pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}
	web := workspace.Source{Scheme: "https", Path: "/image", Headers: map[string]string{
		"Authorization": `Bearer a"b\c`}, Address: strings.TrimPrefix(server.URL, "https://"),
		Trust: pem.EncodeToMemory(certificate)}
	open := web
	open.Scheme, open.Address = "http", strings.TrimPrefix(plain.URL, "http://")
	open.Trust = nil
	return map[string]workspace.Source{"sftp": by, "scp": old, "https": web, "http": open}
}

// guarded serves the file to who knows the word, by the modest means of net/http.
func guarded(file string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Authorization") != `Bearer a"b\c`:
			w.WriteHeader(http.StatusForbidden)
		case r.URL.Path == "/moved":
			http.Redirect(w, r, "/image", http.StatusFound)
		case r.URL.Path != "/image":
			w.WriteHeader(http.StatusNotFound)
		default:
			http.ServeFile(w, r, file)
		}
	})
}

func TestPull(t *testing.T) {
	data := imagetest.Random(3<<20+5, 7)
	host := open(t, sshdtest.Start(t))
	for name, source := range places(t, data) {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "disk")
			last := int64(-1)
			p := workspace.Pull{Source: source, Path: path, Size: int64(len(data)),
				SHA256: imagetest.Sum(data), MaxBytes: 4 << 20, Progress: func(done, total int64) {
					if done < last || total != int64(len(data)) {
						t.Errorf("told of %d of %d after %d", done, total, last)
					}
					last = done
				}}
			for range 2 {
				info, err := host.Pull(t.Context(), p)
				want := workspace.ImageInfo{Size: p.Size, Format: "raw", SHA256: p.SHA256}
				if err != nil || info != want {
					t.Fatalf("Pull = %+v, %v", info, err)
				}
				got, err := os.ReadFile(path)
				if err != nil || !bytes.Equal(got, data) {
					t.Fatalf("%d other bytes came, %v", len(got), err)
				}
			}
			if last != p.Size {
				t.Errorf("the last that was told is %d", last)
			}
			if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 1 {
				t.Errorf("left behind: %v", entries)
			}
		})
	}
}

// TestPullGoesOn leaves the first part of the image, as a broken Pull does.
func TestPullGoesOn(t *testing.T) {
	data := imagetest.Random(3<<20+5, 7)
	host := open(t, sshdtest.Start(t))
	for name, source := range places(t, data) {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "disk")
			for _, begun := range [][]byte{data[:2<<20], imagetest.Random(1<<20, 7)[1:]} {
				if err := os.WriteFile(path+".part", begun, 0o600); err != nil {
					t.Fatal(err)
				}
				p := workspace.Pull{Source: source, Path: path, Size: int64(len(data)),
					SHA256: imagetest.Sum(data)}
				_, err := host.Pull(t.Context(), p)
				if err != nil { // what was there is of another image
					refusal(t, err, workspace.Transient)
					_, err = host.Pull(t.Context(), p)
				}
				if err != nil {
					t.Fatal(err)
				}
				got, err := os.ReadFile(path)
				if err != nil || !bytes.Equal(got, data) {
					t.Fatalf("%d other bytes came, %v", len(got), err)
				}
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// spoiled is a Pull that must not come to anything.
type spoiled struct {
	name  string
	data  []byte
	alter func(*workspace.Pull)
	kind  workspace.Kind
	word  string
}

// badImages makes images that a host must not open.
func badImages(t *testing.T) map[string][]byte {
	t.Helper()
	dir := t.TempDir()
	made := map[string][]byte{}
	path := func(name string) string { return filepath.Join(dir, name) }
	for _, args := range [][]string{{"qcow2", path("base"), "1M"}, {"qcow2", path("huge"), "1T"},
		{"qcow2", "-F", "qcow2", "-b", path("base"), path("backed")},
		{"qcow2", "-o", "data_file=" + path("data"), path("outside"), "1M"}} {
		args = append([]string{"create", "-q", "-f"}, args...)
		if out, err := exec.Command("qemu-img", args...).CombinedOutput(); err != nil {
			t.Fatalf("qemu-img (Debian package qemu-utils): %v: %s", err, out)
		}
	}
	for _, name := range []string{"backed", "huge", "outside"} {
		data, err := os.ReadFile(path(name))
		if err != nil {
			t.Fatal(err)
		}
		made[name] = data
	}
	return made
}

func TestPullRefusals(t *testing.T) {
	good, bad := imagetest.Random(1<<20, 7), badImages(t)
	host := open(t, sshdtest.Start(t))
	all := places(t, good)
	image := all["sftp"].Path
	tests := []spoiled{
		{"checksum mismatch", good, func(p *workspace.Pull) { p.SHA256 = imagetest.Sum(nil) },
			workspace.Invalid, imagetest.Sum(good)},
		{"backing file", bad["backed"], nil, workspace.Invalid, "backing"},
		{"external data", bad["outside"], nil, workspace.Invalid, "data"},
		{"absurd virtual size", bad["huge"], nil, workspace.Invalid, "virtual size"},
		{"pretender", append([]byte("QFI\xfb\x00\x00\x00\x03"), good...), nil,
			workspace.Invalid, ""},
		{"too large", good, func(p *workspace.Pull) { p.MaxBytes = 1 << 10 },
			workspace.Invalid, ""},
		{"truncated", good, func(p *workspace.Pull) { p.Size = 2 << 20 },
			workspace.Transient, ""},
		{"missing", good, func(p *workspace.Pull) { p.Source.Path += "x" },
			workspace.NotFound, ""},
		{"out of reach", good, func(p *workspace.Pull) { p.Source.Address = "127.0.0.1:1" },
			workspace.Unavailable, ""},
		{"no checksum", good, func(p *workspace.Pull) { p.SHA256 = "x" }, workspace.Invalid, ""},
	}
	for scheme, source := range all {
		for _, test := range tests {
			t.Run(scheme+" "+test.name, func(t *testing.T) {
				if err := os.WriteFile(image, test.data, 0o644); err != nil {
					t.Fatal(err)
				}
				to := t.TempDir()
				p := workspace.Pull{Source: source, Path: filepath.Join(to, "disk"),
					MaxBytes: 8 << 20}
				if test.alter != nil {
					test.alter(&p)
				}
				_, err := host.Pull(t.Context(), p)
				refusal(t, err, test.kind, test.word)
				empty(t, to)
			})
		}
	}
}

// TestPullOfAnImageReplacedMidway has the second half come from another image.
func TestPullOfAnImageReplacedMidway(t *testing.T) {
	old, now := imagetest.Random(2<<20, 7), bytes.Repeat([]byte("new"), 1<<20)[:2<<20]
	mixed := true
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		served := now
		if mixed {
			served = append(append([]byte(nil), old[:1<<20]...), now[1<<20:]...)
		}
		http.ServeContent(w, r, "image", time.Time{}, bytes.NewReader(served))
	}))
	defer server.Close()
	host, to := open(t, sshdtest.Start(t)), t.TempDir()
	p := workspace.Pull{Path: filepath.Join(to, "disk"), Size: int64(len(old)),
		SHA256: imagetest.Sum(old),
		Source: workspace.Source{Scheme: "http", Path: "/image",
			Address: strings.TrimPrefix(server.URL, "http://")}}
	_, err := host.Pull(t.Context(), p)
	refusal(t, err, workspace.Invalid, "expected "+imagetest.Sum(old))
	empty(t, to)
	mixed, p.SHA256 = false, imagetest.Sum(now)
	if _, err := host.Pull(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(p.Path)
	if err != nil || !bytes.Equal(got, now) {
		t.Fatalf("%d other bytes came, %v", len(got), err)
	}
}

func TestPullIsDenied(t *testing.T) {
	host := open(t, sshdtest.Start(t))
	other := sshdtest.Start(t)
	key, err := os.ReadFile(other.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	all := places(t, imagetest.Random(1<<20, 7))
	tests := []struct {
		name, scheme string
		alter        func(*workspace.Source)
		kind         workspace.Kind
	}{
		{"changed host key", "sftp", func(s *workspace.Source) {
			s.HostKeys = []string{strings.Replace(other.KnownHostsLine(), other.Address[10:],
				s.Address[10:], 1)}
		}, workspace.Denied},
		{"unknown host key", "scp", func(s *workspace.Source) { s.HostKeys = nil },
			workspace.Denied},
		{"wrong key", "sftp", func(s *workspace.Source) { s.Key = key }, workspace.Denied},
		{"password", "sftp", func(s *workspace.Source) { s.Key = nil }, workspace.Unavailable},
		{"hostile name", "sftp", func(s *workspace.Source) { s.Path += "\"\n!id" },
			workspace.Unavailable},
		{"wrong token", "https", func(s *workspace.Source) { s.Headers = nil }, workspace.Denied},
		{"untrusted", "https", func(s *workspace.Source) { s.Trust = nil }, workspace.Denied},
		{"redirected", "http", func(s *workspace.Source) { s.Path = "/moved" },
			workspace.Unavailable},
		{"other scheme", "http", func(s *workspace.Source) { s.Scheme = "gopher" },
			workspace.Unavailable},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			to, source := t.TempDir(), all[test.scheme]
			test.alter(&source)
			_, err := host.Pull(t.Context(), workspace.Pull{Source: source,
				Path: filepath.Join(to, "disk")})
			refusal(t, err, test.kind)
			empty(t, to)
		})
	}
}

func TestPullToAFullDisk(t *testing.T) {
	host := open(t, sshdtest.Start(t))
	data := imagetest.Random(4<<20, 7)
	for name, source := range places(t, data) {
		t.Run(name, func(t *testing.T) {
			full := imagetest.Small(t, "1m")
			_, err := host.Pull(t.Context(), workspace.Pull{Source: source,
				SHA256: imagetest.Sum(data),
				Path:   filepath.Join(full, "disk"), Size: int64(len(data))})
			refusal(t, err, workspace.NoResource)
			empty(t, full)
		})
	}
}

// TestPullAtARate takes its time: curl lets a burst pass first.
func TestPullAtARate(t *testing.T) {
	host := open(t, sshdtest.Start(t))
	source := places(t, imagetest.Random(16<<20, 7))["http"]
	began := time.Now()
	_, err := host.Pull(t.Context(), workspace.Pull{Source: source, Rate: 4 << 20,
		Path: filepath.Join(t.TempDir(), "disk")})
	if took := time.Since(began); err != nil || took < time.Second {
		t.Errorf("16 MiB at 4 MiB/s took %s, %v", took, err)
	}
}

// TestOffer has one host fetch from another what that offers.
func TestOffer(t *testing.T) {
	first, second := open(t, sshdtest.Start(t)), open(t, sshdtest.Start(t))
	data := imagetest.Random(2<<20, 7)
	from, to := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b")
	if err := os.WriteFile(from, data, 0o600); err != nil {
		t.Fatal(err)
	}
	source, ok := first.Offer(from)
	if !ok {
		t.Fatal("nothing is offered")
	}
	_, err := second.Pull(t.Context(), workspace.Pull{Source: source, Path: to,
		Size: int64(len(data)), SHA256: imagetest.Sum(data)})
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(to)
	if err != nil || !bytes.Equal(got, data) {
		t.Fatalf("%d other bytes came, %v", len(got), err)
	}
	for _, path := range []string{"relative", "/a/../b", "/a\"b", "/*"} {
		if _, ok := first.Offer(path); ok {
			t.Errorf("%q is offered", path)
		}
	}
}
