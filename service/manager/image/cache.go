package image

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/philoxenia/philoxenia/service/change"
	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/workspace"
)

const (
	cacheDir   = "cache"
	newSuffix  = ".new"          // ends the name of an image that is not ready yet
	shareAgain = time.Second / 2 // between looks at a fetch that another began
	abandoned  = 48 * time.Hour  // since something half made was last written to
)

// cache is a directory of images that were fetched to a host, each under a
// name that stands for its location and its checksum: an image that changes in
// its repository is another one. What is in use stays; of the rest, what was
// used last, as far as the limit goes.
type cache struct {
	dir string

	mu       sync.Mutex
	users    map[string]int  // how many are using an image
	fetching map[string]bool // one of them brings it
	known    map[string]held // of which images the names are
	hosts    map[workspace.HostID]bool
}

// held is what a name of the cache stands for.
type held struct {
	location string
	sizeMB   int64
}

// errShared says that another one is bringing the image just now.
var errShared = &change.Retry{After: shareAgain,
	Reason: "another workspace fetches the same image to the same host"}

// cacheOf returns the cache in the host's directory, which hosts may share.
func (im *Images) cacheOf(n *host.Node) *cache {
	im.mu.Lock()
	defer im.mu.Unlock()
	dir := filepath.Join(n.Dir, cacheDir)
	c := im.caches[dir]
	if c == nil {
		c = &cache{
			dir: dir, users: map[string]int{}, fetching: map[string]bool{},
			known: map[string]held{}, hosts: map[workspace.HostID]bool{},
		}
		im.caches[dir] = c
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hosts[n.ID] = true
	return c
}

// cacheName is the name of an image in caches; empty when it cannot be known
// again, because no checksum lies beside it.
func cacheName(location string, info workspace.ImageInfo) string {
	if info.SHA256 == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(location + "\n" + info.SHA256))
	return hex.EncodeToString(sum[:16])
}

// Cached reports whether the image is on the host already, as it is in its
// repository now: to propagate it needs no transfer.
func (im *Images) Cached(ctx context.Context, id workspace.HostID, location string) bool {
	n, err := im.pool.Node(id)
	if err != nil || n.CacheMB == 0 {
		return false
	}
	info, err := im.Check(ctx, location)
	name := cacheName(location, info)
	if err != nil || name == "" {
		return false
	}
	_, _, ok := im.cacheOf(n).find(name)
	return ok
}

// Survey tells Options.Kept which hosts have the image as it is now in its
// repository, and which have it no more.
func (im *Images) Survey(location string, info workspace.ImageInfo) {
	name := cacheName(location, info)
	if im.kept == nil || name == "" {
		return
	}
	h := held{location, megabytes(info.Size)}
	for _, n := range im.pool.Nodes() {
		if n.CacheMB == 0 || n.Inert {
			continue
		}
		c := im.cacheOf(n)
		_, _, there := c.find(name)
		if there {
			c.mu.Lock()
			c.known[name] = h
			c.mu.Unlock()
		}
		im.kept(Held{n.ID, location, h.sizeMB, there})
	}
}

// megabytes rounds up.
func megabytes(size int64) int64 { return (size + 1<<20 - 1) >> 20 }

// tell tells what hosts with the cache have, or have no more.
func (im *Images) tell(c *cache, images []held, there bool) {
	if im.kept == nil || len(images) == 0 {
		return
	}
	c.mu.Lock()
	hosts := slices.Sorted(maps.Keys(c.hosts))
	c.mu.Unlock()
	for _, h := range images {
		for _, id := range hosts {
			im.kept(Held{id, h.location, h.sizeMB, there})
		}
	}
}

// find returns the image's file and format.
func (c *cache) find(name string) (path, format string, ok bool) {
	path = filepath.Join(c.dir, name)
	if _, err := os.Lstat(path + qcow2Suffix); err == nil {
		return path + qcow2Suffix, "qcow2", true
	}
	_, err := os.Lstat(path)
	return path, "raw", err == nil
}

// enter begins a use of the image; it stays until leave. fetch is true for the
// one that has to bring it.
func (c *cache) enter(name string) (fetch bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fetching[name] {
		return false, errShared
	}
	c.users[name]++
	_, _, there := c.find(name)
	c.fetching[name] = !there
	return !there, nil
}

// leave ends a use, and drops what is beyond the limit. It returns what.
func (c *cache) leave(name string, limit int64) ([]held, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.fetching, name)
	if c.users[name]--; c.users[name] == 0 {
		delete(c.users, name)
	}
	return c.trim(limit)
}

// entry is a file of the cache.
type entry struct {
	name string
	path string
	size int64 // bytes that it takes on the disk
	used time.Time
}

// trim removes what is out of use and beyond the limit, the longest unused
// first, and what was left half made long ago. It returns what it knows of that.
// The caller holds mu.
func (c *cache) trim(limit int64) (gone []held, err error) {
	list, err := os.ReadDir(c.dir)
	if err != nil {
		return nil, err
	}
	var idle []entry
	var sum int64
	for _, f := range list {
		name, _, half := strings.Cut(strings.TrimSuffix(f.Name(), qcow2Suffix), ".")
		info, err := f.Info()
		if errors.Is(err, fs.ErrNotExist) || c.users[name] > 0 {
			continue
		}
		if err != nil {
			return nil, err
		}
		e := entry{name, filepath.Join(c.dir, f.Name()), onDisk(info), info.ModTime()}
		if half && time.Since(e.used) < abandoned {
			continue
		}
		if half {
			e.used = time.Time{}
		}
		idle, sum = append(idle, e), sum+e.size
	}
	slices.SortFunc(idle, func(a, b entry) int { return a.used.Compare(b.used) })
	for _, e := range idle {
		if sum <= limit && !e.used.IsZero() {
			break
		}
		if err := os.Remove(e.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return gone, err
		}
		if h, known := c.known[e.name]; known && !e.used.IsZero() {
			gone = append(gone, h)
			delete(c.known, e.name)
		}
		sum -= e.size
	}
	return gone, nil
}

// onDisk is what a file takes, holes left out.
func onDisk(info fs.FileInfo) int64 {
	const block = 512 // stat(2)
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return s.Blocks * block
	}
	return info.Size()
}

// A want is a disk that is to be made of an image of a repository.
type want struct {
	n        *host.Node
	t        workspace.Transport
	location string
	sha256   string // that it must have; empty: what the repository says
	path     string // of the disk
	progress workspace.Progress
}

// throughCache makes the disk of the host's copy of the image, which is
// fetched first when it is not there. done is false when the image is none for
// the cache.
func (im *Images) throughCache(ctx context.Context, w want) (done bool, err error) {
	limit := w.n.CacheMB << 20
	if limit == 0 || w.n.Inert {
		return false, nil
	}
	info, err := w.t.Check(ctx, w.location)
	if w.sha256 != "" { // an image that was replaced meanwhile is not the one that was asked for
		info.SHA256 = w.sha256
	}
	name := cacheName(w.location, info)
	if err != nil || name == "" || info.Size > limit {
		return false, err
	}
	c := im.cacheOf(w.n)
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return false, err
	}
	fetch, err := c.enter(name)
	if err != nil {
		return false, err
	}
	defer func() {
		gone, failed := c.leave(name, limit)
		im.tell(c, gone, false)
		err = errors.Join(err, failed)
	}()
	if fetch {
		if err := im.intoCache(ctx, w, filepath.Join(c.dir, name)); err != nil {
			return false, err
		}
	}
	im.tell(c, []held{c.learn(name, w.location, info)}, true)
	return true, c.copyTo(ctx, name, w.path)
}

// learn notes which image it is that has the name.
func (c *cache) learn(name, location string, info workspace.ImageInfo) held {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known[name] = held{location, megabytes(info.Size)}
	return c.known[name]
}

// intoCache fetches the image. It is known by its final name once it is there
// and its format is settled.
func (im *Images) intoCache(ctx context.Context, w want, path string) error {
	info, err := im.timed(ctx, w, workspace.Fetch{
		Location: w.location, Path: path + newSuffix, SHA256: w.sha256,
		MaxBytes: w.n.MaxImageMB << 20, Progress: w.progress,
	})
	if err != nil {
		return err
	}
	if info.Format == "qcow2" {
		return os.Rename(path+newSuffix, path+qcow2Suffix)
	}
	return os.Rename(path+newSuffix, path)
}

// copyTo makes a disk of an image and notes the use.
func (c *cache) copyTo(ctx context.Context, name, disk string) error {
	path, format, _ := c.find(name)
	now := time.Now()
	if err := os.Chtimes(path, now, now); err != nil {
		return err
	}
	if format == "qcow2" {
		disk += qcow2Suffix
	}
	return bring(ctx, path, disk)
}
