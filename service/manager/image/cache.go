package image

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/philoxenia/philoxenia/service/change"
	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/workspace"
)

const (
	cacheDir   = "cache"
	newSuffix  = ".new"          // ends the name of an image that is not ready yet
	shareAgain = time.Second / 4 // between looks at a fetch that another began
	abandoned  = 48 * time.Hour  // since something half made was last written to
)

// cache is a directory of images that were fetched to a host, each under a
// name that stands for its checksum, or for its location and version: an image that
// changes in its repository is another one. What is in use stays: an image that a task works
// with, and one that has another name beside a disk, which stands on it. Of the
// rest stays what was used last, as far as the limit goes.
type cache struct {
	dir   string // on the host
	disks string // where the disks are that stand on its images

	mu       sync.Mutex
	users    map[string]int    // how many tasks are using an image
	fetching map[string]bool   // one of them brings it
	there    map[string]string // formats of the images that are known to be there
	known    map[string][]held // of which images the names are
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

// cacheOf returns the cache in the host's directory, which hosts of this machine
// may share.
func (im *Images) cacheOf(n *host.Node) *cache {
	dir := filepath.Join(n.Dir, cacheDir)
	key := dir
	if !n.Access.Local() {
		key = string(n.ID) + ":" + dir
	}
	im.mu.Lock()
	defer im.mu.Unlock()
	c := im.caches[key]
	if c == nil {
		c = &cache{
			dir: dir, disks: n.Dir, users: map[string]int{}, fetching: map[string]bool{},
			there: map[string]string{}, known: map[string][]held{},
			hosts: map[workspace.HostID]bool{},
		}
		im.caches[key] = c
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hosts[n.ID] = true
	return c
}

// settling is how old a file must be before its time tells it from one that replaces
// it: clocks and time stamps are coarse.
const settling = 10 * time.Second

// cacheName is the name of an image in caches; empty when it cannot be known again.
// What has one checksum is one image, wherever it lies, if its repository says so. Who
// only asks for a checksum must find it where he says, or else whoever knew that of
// an image would get it.
func (im *Images) cacheName(location string, info workspace.ImageInfo, asked string) string {
	var of string
	switch {
	case asked != "" && asked != info.SHA256:
		of = location + "\n" + asked
	case info.SHA256 != "" && info.Format == "": // packed there, and here it is not
		of = "packed\n" + info.SHA256
	case info.SHA256 != "":
		of = info.SHA256
	case im.summed || !versioned(info):
		return ""
	default:
		of = "version\n" + location + "\n" + info.Version
	}
	sum := sha256.Sum256([]byte(of))
	return hex.EncodeToString(sum[:16])
}

// versioned reports whether what the repository says of an image tells it from all
// others that are, were or will be there.
func versioned(info workspace.ImageInfo) bool {
	return info.Version != "" &&
		(info.Changed.IsZero() || time.Since(info.Changed) > settling)
}

// Cached reports whether the image is on the host already, as it is in its
// repository now: to propagate it needs no transfer.
func (im *Images) Cached(ctx context.Context, id workspace.HostID, location string) bool {
	n, err := im.pool.Node(id)
	if err != nil || n.CacheMB == 0 {
		return false
	}
	info, err := im.Check(ctx, location)
	name := im.cacheName(location, info, "")
	if err != nil || name == "" {
		return false
	}
	_, ok, err := im.cacheOf(n).find(ctx, n.Access, name)
	return ok && err == nil
}

// Survey tells Options.Kept which hosts have the image as it is now in its
// repository, and which have it no more. Of hosts that are other machines it
// tells what is known without asking them.
func (im *Images) Survey(ctx context.Context, location string, info workspace.ImageInfo) {
	name := im.cacheName(location, info, "")
	if im.kept == nil || name == "" {
		return
	}
	h := held{location, megabytes(info.Size)}
	for _, n := range im.pool.Nodes() {
		if n.CacheMB == 0 || n.Inert {
			continue
		}
		c := im.cacheOf(n)
		there := c.has(name)
		if n.Access.Local() {
			_, there, _ = c.find(ctx, n.Access, name)
		}
		if there {
			c.learn(name, h)
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

// file is where the image is, or is to be.
func (c *cache) file(name, format string) string {
	if format == "qcow2" {
		name += qcow2Suffix
	}
	return filepath.Join(c.dir, name)
}

// find looks for the image, and returns its format.
func (c *cache) find(
	ctx context.Context, a workspace.Access, name string,
) (format string, ok bool, err error) {
	for _, format := range []string{"qcow2", "raw"} {
		ok, err := exists(ctx, a, c.file(name, format))
		if err != nil {
			return "", false, err
		}
		if ok {
			c.found(name, format)
			return format, true, nil
		}
	}
	c.found(name, "")
	return "", false, nil
}

// found notes the format of an image that is there; empty: it is not.
func (c *cache) found(name, format string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if format == "" {
		delete(c.there, name)
		return
	}
	c.there[name] = format
}

// has reports whether the image was there when somebody looked last.
func (c *cache) has(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.there[name] != ""
}

// enter begins a use of the image: it stays until leave. It is errShared while
// another one brings it.
func (c *cache) enter(name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fetching[name] {
		return errShared
	}
	c.users[name]++
	return nil
}

// hold begins a use of an image that is there, though the task that brought it
// may not have ended.
func (c *cache) hold(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.users[name]++
}

// fetches makes the caller the one who brings the image, until leave. Others
// who looked for it in vain at the same time are told errShared.
func (c *cache) fetches(name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fetching[name] {
		return errShared
	}
	c.fetching[name] = true
	return nil
}

// leave ends a use; brought says that it was the one who was to bring it.
func (c *cache) leave(name string, brought bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if brought {
		delete(c.fetching, name)
	}
	if c.users[name]--; c.users[name] <= 0 {
		delete(c.users, name)
	}
}

// learn notes which image it is that has the name.
func (c *cache) learn(name string, h held) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !slices.Contains(c.known[name], h) {
		c.known[name] = append(c.known[name], h)
	}
}

// entry is a file of the cache.
type entry struct {
	name string
	path string
	size int64 // bytes that it takes on the disk
	used time.Time
	half bool
}

// trim keeps the cache to the host's limit, and tells of what it removes. What
// it cannot remove now is for the next time.
func (im *Images) trim(ctx context.Context, n *host.Node, c *cache) {
	gone, err := c.trim(ctx, n)
	im.tell(c, gone, false)
	if err != nil {
		im.log.Warn("cache cannot be trimmed", "host", n.ID, "error", err)
	}
}

// trim removes what is out of use and beyond the limit, the longest unused
// first, and what was left half made long ago. It returns what it knows of that.
func (c *cache) trim(ctx context.Context, n *host.Node) (gone []held, err error) {
	idle, err := c.idle(ctx, n.Access)
	if err != nil {
		return nil, err
	}
	var sum int64
	for _, e := range idle {
		sum += e.size
	}
	for _, e := range idle {
		if sum <= n.CacheMB<<20 && !e.half {
			break
		}
		h, removed, err := c.evict(ctx, n.Access, e)
		if err != nil {
			return gone, err
		}
		if !removed {
			continue
		}
		sum -= e.size
		gone = append(gone, h...)
	}
	return gone, nil
}

// idle lists what is out of use: what is half made first, then by rising time of use.
func (c *cache) idle(ctx context.Context, a workspace.Access) ([]entry, error) {
	list, err := a.List(ctx, c.dir)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	disks, err := a.List(ctx, c.disks) // after the images: a disk made meanwhile has a user
	if err != nil {
		return nil, err
	}
	stoodOn := map[string]bool{}
	for _, f := range disks {
		if b, ok := baseOf(f.Path); ok {
			stoodOn[b.image] = true
		}
	}
	var idle []entry
	for _, f := range list {
		name, _, half := strings.Cut(strings.TrimSuffix(filepath.Base(f.Path), qcow2Suffix), ".")
		if stoodOn[name] && !half || half && time.Since(f.Changed) < abandoned {
			continue
		}
		idle = append(idle, entry{name, f.Path, f.OnDisk, f.Changed, half})
	}
	slices.SortFunc(idle, func(a, b entry) int {
		if a.half != b.half {
			if a.half {
				return -1
			}
			return 1
		}
		return a.used.Compare(b.used)
	})
	return idle, nil
}

// evict removes an entry unless a task uses it now. Nobody enters meanwhile.
func (c *cache) evict(
	ctx context.Context, a workspace.Access, e entry,
) (h []held, removed bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.users[e.name] > 0 {
		return nil, false, nil
	}
	if err := a.Remove(ctx, e.path); err != nil {
		return nil, false, err
	}
	if e.half {
		return nil, true, nil
	}
	h = c.known[e.name]
	delete(c.known, e.name)
	delete(c.there, e.name)
	return h, true, nil
}
