package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
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
	"github.com/philoxenia/philoxenia/adapters/transport/web"
	"github.com/philoxenia/philoxenia/service/change"
	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/manager/image"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// A link is a proxy before a server that lets so many bytes a second pass, of
// all connections together, and counts them.
type link struct {
	net.Listener
	to     string
	rate   int64
	passed atomic.Int64

	mu   sync.Mutex
	free time.Time // when the next byte may pass
}

func newLink(b *testing.B, to string, rate int64) *link {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	p := &link{Listener: l, to: to, rate: rate}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go p.pass(c)
		}
	}()
	return p
}

func (l *link) pass(c net.Conn) {
	defer c.Close()
	far, err := net.Dial("tcp", l.to)
	if err != nil {
		return
	}
	defer far.Close()
	go func() {
		_, _ = io.Copy(far, c) // an end on either side ends both
		far.Close()
	}()
	buffer := make([]byte, 64<<10)
	for {
		n, err := far.Read(buffer)
		l.wait(n)
		if _, failed := c.Write(buffer[:n]); err != nil || failed != nil {
			return
		}
	}
}

// wait holds n bytes back until the link is free for them.
func (l *link) wait(n int) {
	l.passed.Add(int64(n))
	l.mu.Lock()
	now := time.Now()
	if l.free.Before(now) {
		l.free = now
	}
	l.free = l.free.Add(time.Duration(int64(n) * int64(time.Second) / l.rate))
	until := l.free
	l.mu.Unlock()
	time.Sleep(time.Until(until))
}

// A repository is a web server with one image of so many MB behind a capped link.
type repository struct {
	*link
	location string
	sizeMB   int64
}

func newRepository(b *testing.B, sizeMB, rateMB int64) *repository {
	b.Helper()
	dir := b.TempDir()
	data := make([]byte, sizeMB<<20)
	if _, err := rand.Read(data); err != nil {
		b.Fatal(err)
	}
	sum := sha256.Sum256(data)
	for name, content := range map[string][]byte{
		"disk": data, "disk.sha256": []byte(hex.EncodeToString(sum[:]) + "  disk\n"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	server := httptest.NewServer(http.FileServer(http.Dir(dir)))
	b.Cleanup(server.Close)
	l := newLink(b, server.Listener.Addr().String(), rateMB<<20)
	return &repository{l, "http://" + l.Addr().String() + "/disk", sizeMB}
}

// farm is n hosts of this machine, each with a directory of its own.
func (r *repository) farm(b *testing.B, n int, access func(*testing.B) workspace.Access,
) *image.Images {
	b.Helper()
	transport, err := web.New(web.Options{Servers: []web.Server{{Address: r.Addr().String(),
		Plain: true}}})
	if err != nil {
		b.Fatal(err)
	}
	pool := host.NewPool()
	for i := range n {
		pool.Add(&host.Node{Host: workspace.Host{ID: hostID(i)}, Access: access(b),
			Dir: b.TempDir(), CacheMB: 4 * r.sizeMB})
	}
	spool := filepath.Join(b.TempDir(), "spool")
	if err := image.CleanSpool(spool); err != nil {
		b.Fatal(err)
	}
	return image.New(image.Options{Pool: pool, Spool: spool,
		Transports: map[string]workspace.Transport{"http": transport}})
}

// apart are hosts of this machine whose disks are apart.
func apart(*testing.B) workspace.Access { return separate{} }

// overSSH returns hosts that are other machines as far as anybody can tell, behind
// one server of SSH.
func overSSH(s *sshdtest.Server) func(*testing.B) workspace.Access {
	return func(b *testing.B) workspace.Access {
		a := ssh.New(ssh.Options{Server: login.Server{Address: s.Address, User: s.User,
			KeyFile: s.KeyFile, KnownHostsFile: s.KnownHosts}})
		b.Cleanup(func() { a.Close() })
		return a
	}
}

// separate is this machine as several whose disks are apart: no file of the one
// can get a name on the other.
type separate struct{ local.Access }

func (s separate) Link(ctx context.Context, from, to string) error {
	host := strings.TrimSuffix(filepath.Dir(from), "/cache")
	if strings.TrimSuffix(filepath.Dir(to), "/cache") == host {
		return s.Access.Link(ctx, from, to)
	}
	return workspace.Errorf(workspace.Conflict, "link", from, "it is on another disk")
}

func hostID(i int) workspace.HostID { return workspace.HostID(fmt.Sprintf("h%d", i)) }

// propagate brings the image to n hosts at once, as the engine would, and returns
// how long that took.
func (r *repository) propagate(b *testing.B, images *image.Images, n, first int) time.Duration {
	b.Helper()
	begun := time.Now()
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			run := &change.Run{Change: &workspace.Change{}, Workspace: &workspace.Workspace{
				ID: workspace.ID(first + i), Host: hostID(i),
				Spec: workspace.Spec{Disks: []workspace.Disk{
					{Role: workspace.RootDisk, Location: r.location, MountAs: "sda1"}}}}}
			if err := patiently(b.Context(), images.Propagate().Do, run); err != nil {
				b.Error(err)
			}
		})
	}
	all.Wait()
	return time.Since(begun)
}

// patiently does a task again whenever it asks for that.
func patiently(ctx context.Context, f change.Func, r *change.Run) error {
	for {
		_, err := f(ctx, r)
		var later *change.Retry
		if !errors.As(err, &later) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(later.After):
		}
	}
}

// BenchmarkOneImageToEightHosts brings an image over a capped link to one host,
// and one to eight: the ratio of the times, how often it passed the link, and what
// processors did for it. Eight hosts share this machine's.
func BenchmarkOneImageToEightHosts(b *testing.B) {
	const hosts = 8
	for _, way := range []string{"local", "ssh"} {
		for _, size := range []struct{ mb, rate int64 }{{64, 6}, {256, 32}} {
			b.Run(fmt.Sprintf("%s/%dMB/%dMBps", way, size.mb, size.rate), func(b *testing.B) {
				access, spent := apart, ownTime
				if way == "ssh" {
					s := sshdtest.Start(b)
					access = overSSH(s)
					spent = func() time.Duration { return ownTime() + s.Spent() }
				}
				for b.Loop() {
					one := newRepository(b, size.mb, size.rate)
					alone := one.propagate(b, one.farm(b, 1, access), 1, 1)
					many := newRepository(b, size.mb, size.rate)
					before := spent()
					all := many.propagate(b, many.farm(b, hosts, access), hosts, 1)
					b.ReportMetric(alone.Seconds(), "one-s")
					b.ReportMetric(all.Seconds(), "eight-s")
					b.ReportMetric(all.Seconds()/alone.Seconds(), "eight/one")
					b.ReportMetric((spent() - before).Seconds(), "eight-cpu-s")
					b.ReportMetric(float64(many.passed.Load())/float64(size.mb<<20),
						"images-over-link")
				}
			})
		}
	}
}

// ownTime is the processor time that this process has used.
func ownTime() time.Duration {
	var used syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &used) != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// BenchmarkCachedClone makes a disk of an image that the host has, of two sizes:
// the time does not depend on it.
func BenchmarkCachedClone(b *testing.B) {
	for _, sizeMB := range []int64{16, 1024} {
		b.Run(fmt.Sprintf("%dMB", sizeMB), func(b *testing.B) {
			r := newRepository(b, sizeMB, 4096)
			images := r.farm(b, 1, apart)
			r.propagate(b, images, 1, 1)
			var took []float64
			for b.Loop() {
				for range 15 {
					took = append(took, milliseconds(func() {
						r.propagate(b, images, 1, 2+len(took))
					}))
				}
			}
			b.ReportMetric(median(took), "clone-ms")
		})
	}
}
