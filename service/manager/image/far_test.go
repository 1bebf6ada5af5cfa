package image_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/adapters/access/local"
	"github.com/philoxenia/philoxenia/service/change"
	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/manager/image"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// far is another machine, as far as anybody can tell: a directory that is reached
// by transfers alone.
type far struct {
	local.Access
	yard   *yard
	id     workspace.HostID
	deaf   bool // it can fetch from nowhere
	mute   bool // nobody can fetch from it
	broken bool // what it gives is not what it has
}

// yard is what the hosts have to do with each other.
type yard struct {
	mu    sync.Mutex
	ways  []string // of the transfers, as FROM>TO
	gives map[string]int
	most  int           // that one host gave at a time
	pair  chan struct{} // closed when a host gives two; nil: nobody waits for that
}

// enter notes that one more takes from the place.
func (y *yard) enter(place string) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.gives[place]++
	y.most = max(y.most, y.gives[place])
	if y.gives[place] == 2 && !y.paired() {
		close(y.pair)
	}
}

// paired tells whether nobody needs to wait for a second one.
func (y *yard) paired() bool {
	select {
	case <-y.pair:
		return true
	default:
		return y.pair == nil
	}
}

func (y *yard) leave(place string) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.gives[place]--
}

func (f *far) Local() bool { return false }

func (f *far) note(from string) {
	f.yard.mu.Lock()
	defer f.yard.mu.Unlock()
	f.yard.ways = append(f.yard.ways, from+">"+string(f.id))
}

func (f *far) Put(ctx context.Context, from, to string, p workspace.Progress) error {
	f.note("daemon")
	return f.Access.Put(ctx, from, to, p)
}

func (f *far) Offer(path string) (workspace.Source, bool) {
	if f.broken {
		path += ".not-there"
	}
	return workspace.Source{Scheme: "sftp", Address: string(f.id), Path: path}, !f.mute
}

func (f *far) Pull(ctx context.Context, p workspace.Pull) (workspace.ImageInfo, error) {
	if f.deaf {
		return workspace.ImageInfo{}, workspace.Errorf(workspace.Unavailable, "pull", p.Path,
			"it hears nothing")
	}
	if p.Growing {
		return workspace.ImageInfo{}, workspace.Errorf(workspace.Unavailable, "pull", p.Path,
			"it takes nothing before it is all there")
	}
	f.yard.enter(p.Source.Address)
	defer f.yard.leave(p.Source.Address)
	if f.yard.pair != nil && p.Source.Address != origin {
		<-f.yard.pair
	}
	<-time.After(20 * time.Millisecond) // more than may begin meanwhile
	f.note(p.Source.Address)
	if err := f.copy(ctx, p); err != nil {
		return workspace.ImageInfo{}, err
	}
	if p.Trusted && p.SHA256 == "" {
		return workspace.ImageInfo{}, nil
	}
	info, err := f.Examine(ctx, p.Path, true)
	if err == nil && p.SHA256 != "" && info.SHA256 != p.SHA256 {
		err = workspace.Refuse(workspace.Invalid, "got %s, expected %s", info.SHA256, p.SHA256)
	}
	return info, err
}

// copy is what a program on the host does: it reads what is there, and does not mind
// that a cache notes the file's use by its time meanwhile, as Put would.
func (f *far) copy(ctx context.Context, p workspace.Pull) error {
	data, err := os.ReadFile(p.Source.Path)
	if err != nil {
		return err
	}
	own, err := os.CreateTemp("", "pulled")
	if err != nil {
		return err
	}
	defer os.Remove(own.Name())
	_, err = own.Write(data)
	if err = errors.Join(err, own.Close()); err != nil {
		return err
	}
	return f.Access.Put(ctx, own.Name(), p.Path, p.Progress)
}

// open is a shelf from which hosts can fetch by themselves.
type open struct {
	*shelf
	dir string
}

func (o open) Source(location string) (workspace.Source, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.fetched = append(o.fetched, location)
	path := filepath.Join(o.dir, filepath.Base(location))
	err := os.WriteFile(path, o.images[location], 0o600)
	return workspace.Source{Scheme: "sftp", Address: origin, Path: path}, err == nil
}

// origin is the address of the repository.
const origin = "repository"

// newYard is a lab whose hosts are n other machines, h1, h2 and so on.
func newYard(t *testing.T, n int) (*lab, []*far) {
	l := &lab{t: t, shelf: &shelf{images: map[string][]byte{}}, pool: host.NewPool()}
	y := &yard{gives: map[string]int{}}
	var all []*far
	for i := range n {
		f := &far{yard: y, id: workspace.HostID(fmt.Sprintf("h%d", i+1))}
		all = append(all, f)
		l.pool.Add(&host.Node{Host: workspace.Host{ID: f.id}, Access: f, Dir: t.TempDir(),
			CacheMB: 100})
	}
	l.reopen(l.shelf)
	return l, all
}

// reopen starts anew, over the same hosts.
func (l *lab) reopen(t workspace.Transport) string {
	l.t.Helper()
	spool := filepath.Join(l.t.TempDir(), "spool")
	l.must(image.CleanSpool(spool))
	l.images = image.New(image.Options{Pool: l.pool, Spool: spool, SpoolMB: 2,
		Transports: map[string]workspace.Transport{"mem": t}})
	return spool
}

// patiently does a task as the engine would, again and again when asked to.
func patiently(t *testing.T, f change.Func, r *change.Run) error {
	return patientlyIn(t.Context(), f, r)
}

func patientlyIn(ctx context.Context, f change.Func, r *change.Run) error {
	for {
		_, err := f(ctx, r)
		var later *change.Retry
		if !errors.As(err, &later) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// TestOneImageToManyHosts has eight hosts want an image at once: the repository
// is asked for it once, and no host gives it to more than two at a time.
func TestOneImageToManyHosts(t *testing.T) {
	l, all := newYard(t, 8)
	all[0].yard.pair = make(chan struct{})
	l.put("mem://one", 'x', 1)
	l.reopen(open{l.shelf, t.TempDir()})
	var done sync.WaitGroup
	for i := range 16 { // two workspaces on each
		done.Go(func() {
			r := on(workspace.ID(i+1), all[i%8].id, "", "mem://one")
			if err := patiently(t, l.images.Propagate().Do, r); err != nil {
				t.Error(err)
			}
		})
	}
	done.Wait()
	y := all[0].yard
	if len(l.shelf.fetched) != 1 || len(y.ways) != 8 || y.most != 2 {
		t.Errorf("fetched %d times, %d at a time from one host, by %v",
			len(l.shelf.fetched), y.most, y.ways)
	}
	for i := range 16 {
		if got, _ := l.disk(workspace.ID(i+1), all[i%8].id, "mem://one"); got != "x" {
			t.Errorf("disk %d begins with %q", i+1, got)
		}
	}
}

// TestWays has images come to two hosts by each way that there is, when those
// before it are closed. Nothing is left in the spool.
func TestWays(t *testing.T) {
	for _, tt := range []struct {
		name   string
		shut   func(a, b *far)
		closed bool // the repository is for the daemon alone
		ways   []string
	}{
		{"directly, then from the other", func(_, _ *far) {}, false,
			[]string{"repository>h1", "h1>h2"}},
		{"through the daemon, then from the other", func(_, _ *far) {}, true,
			[]string{"daemon>h1", "h1>h2"}},
		{"a host that can fetch nothing", func(a, b *far) { a.deaf, b.deaf = true, true }, false,
			[]string{"daemon>h1", "daemon>h2"}},
		{"a host that gives nothing", func(a, _ *far) { a.mute = true }, false,
			[]string{"repository>h1", "daemon>h2"}},
		{"a host that fails", func(a, _ *far) { a.broken = true }, false,
			[]string{"repository>h1", "repository>h2"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, all := newYard(t, 2)
			tt.shut(all[0], all[1])
			l.put("mem://one", 'x', 1)
			var repository workspace.Transport = l.shelf
			if !tt.closed {
				repository = open{l.shelf, t.TempDir()}
			}
			spool := l.reopen(repository)
			for i, f := range all {
				r := on(workspace.ID(i+1), f.id, "", "mem://one")
				l.must(patiently(t, l.images.Propagate().Do, r))
				if got, _ := l.disk(workspace.ID(i+1), f.id, "mem://one"); got != "x" {
					t.Errorf("the disk begins with %q", got)
				}
			}
			ways := slices.DeleteFunc(all[0].yard.ways, func(way string) bool {
				return strings.HasSuffix(way, ".not-there")
			})
			if len(ways) == 3 { // one was tried in vain
				ways = slices.Delete(ways, 1, 2)
			}
			if !slices.Equal(ways, tt.ways) {
				t.Errorf("came by %v, want %v", ways, tt.ways)
			}
			if left, err := os.ReadDir(spool); err != nil || len(left) != 0 {
				t.Errorf("left in the spool: %v, %v", left, err)
			}
		})
	}
}

// TestReturnFromFar saves a disk of another machine, and moves one to another.
func TestReturnFromFar(t *testing.T) {
	l, all := newYard(t, 2)
	l.put("mem://one", 'x', 1)
	spool := l.reopen(l.shelf)
	l.must(patiently(t, l.images.Propagate().Do, on(1, "h1", "", "mem://one")))
	l.scribble(1, "h1")
	l.must(patiently(t, l.images.Return().Do, on(1, "h1", "mem://saved", "mem://one")))
	got := l.shelf.images["mem://saved"]
	if len(got) != 1<<20 || got[4096] != 119 || got[0] != 'x' {
		t.Errorf("the repository got %d bytes", len(got))
	}
	for _, mute := range []bool{false, true} {
		all[0].mute = mute
		w := on(1, "h2", "h1", "mem://one")
		l.must(os.WriteFile(l.node("h1").MemoryPath(w.Workspace), []byte("memory"), 0o600))
		l.must(patiently(t, l.images.Move().Do, w))
		if got, format := l.disk(1, "h2", "mem://one"); got != "x" || format != "qcow2" {
			t.Errorf("the disk that moved begins with %q, format %s", got, format)
		}
		l.must(patiently(t, l.images.Move().Undo, w))
		if left := l.files(l.node("h2")); len(left) != 0 {
			t.Errorf("left on the host: %v", left)
		}
	}
	if left, err := os.ReadDir(spool); err != nil || len(left) != 0 {
		t.Errorf("left in the spool: %v, %v", left, err)
	}
}
