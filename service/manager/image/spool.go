package image

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/philoxenia/philoxenia/service/change"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// spoolAgain is how long to wait for room in the spool.
const spoolAgain = time.Second

// spool is a directory of this machine for what passes through it between a
// repository and a host, or between hosts that cannot reach each other. What is
// there belongs to a transfer under way, or to one that was broken off and will be tried
// again; what an earlier process left is of no use.
type spool struct {
	dir   string
	limit int64 // bytes; 0: no limit

	mu   sync.Mutex
	used int64
	open map[string]*place // files in use
	kept []*place          // files of what was broken off, the oldest first
}

// CleanSpool makes the spool's directory and removes what an earlier process
// left there. It is for the start, before any transfer.
func CleanSpool(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return workspace.Errorf(workspace.Internal, "prepare the spool", dir, "%w", err)
	}
	list, err := os.ReadDir(dir)
	if err != nil {
		return workspace.Errorf(workspace.Internal, "prepare the spool", dir, "%w", err)
	}
	for _, f := range list {
		if err := os.Remove(filepath.Join(dir, f.Name())); err != nil {
			return workspace.Errorf(workspace.Internal, "clean the spool", dir, "%w", err)
		}
	}
	return nil
}

// A place is a file of the spool, held for one transfer.
type place struct {
	path   string
	name   string
	size   int64
	of     *spool
	unkept bool // nobody will go on with it
}

// nameOf is the name of the file for a key.
func nameOf(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:16])
}

// take gives room for size bytes under a name that nobody else uses, with what was kept
// under it. One that is larger than all the spool gets it when it is empty. What was kept
// under other names makes room first. Without room, or while the name is in use, it is a
// Retry.
func (s *spool) take(key string, size int64) (*place, error) {
	if s.dir == "" {
		return nil, workspace.Errorf(workspace.Unavailable, "pass a file through", key,
			"this service has no directory for it")
	}
	name := nameOf(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.woken(name)
	err := s.evict(size)
	if err == nil && (s.full(size) || s.open[name] != nil) {
		err = &change.Retry{After: spoolAgain,
			Reason: "the spool has no room for it before another transfer ends"}
	}
	if err != nil && before != nil {
		s.keep(before)
	}
	if err != nil {
		return nil, err
	}
	p := &place{path: filepath.Join(s.dir, name), name: name, size: size, of: s}
	s.open[name] = p
	s.used += size
	return p, nil
}

// evict removes what was kept until there is room for so many bytes, or nothing is left.
func (s *spool) evict(size int64) error {
	for s.full(size) && len(s.kept) > 0 {
		if err := s.woken(s.kept[0].name).remove(); err != nil {
			return err
		}
	}
	return nil
}

// full tells whether there is no room for so many bytes more.
func (s *spool) full(size int64) bool {
	return s.limit > 0 && s.used > 0 && s.used+size > s.limit
}

// keep holds what has come, and its room, until it is woken.
func (s *spool) keep(p *place) {
	s.kept = append(s.kept, p)
	s.used += p.size
}

// woken returns what was kept under a name, whose room is free again; nil: nothing was.
func (s *spool) woken(name string) *place {
	i := slices.IndexFunc(s.kept, func(p *place) bool { return p.name == name })
	if i < 0 {
		return nil
	}
	p := s.kept[i]
	s.kept = slices.Delete(s.kept, i, i+1)
	s.used -= p.size
	return p
}

// forget removes what was kept under the key, and keeps nothing of a transfer under way:
// nobody will try again.
func (s *spool) forget(key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.open[nameOf(key)]; p != nil {
		p.unkept = true
	}
	if p := s.woken(nameOf(key)); p != nil {
		return p.remove()
	}
	return nil
}

// short says of an error for want of room how much there is in the spool, and how much
// was needed where that is known; others stay as they are.
func (p *place) short(err error) error {
	var later *change.Retry
	var room syscall.Statfs_t
	dir := filepath.Dir(p.path)
	if err == nil || errors.As(err, &later) || workspace.KindOf(err) != workspace.NoResource ||
		syscall.Statfs(dir, &room) != nil {
		return err
	}
	free := int64(room.Bavail) * room.Bsize
	return workspace.Refuse(workspace.NoResource, "it passes through this machine, where of the "+
		"%d bytes that are needed %d are free in %s: %w", p.size, free, dir, err)
}

// drop removes the file and gives the room back.
func (p *place) drop() error {
	p.of.mu.Lock()
	defer p.of.mu.Unlock()
	p.close()
	return p.remove()
}

// leave is drop for a transfer that ends with err. After one that is worth trying again
// what has come stays for that; transports go on with it where they can prove that it is of
// the same file.
func (p *place) leave(err error) error {
	p.of.mu.Lock()
	defer p.of.mu.Unlock()
	kind := workspace.KindOf(err)
	again := err != nil && (kind == workspace.Transient || kind == workspace.Unavailable)
	p.close()
	if again && !p.unkept && p.begun() {
		p.of.keep(p)
		return err
	}
	return errors.Join(err, p.remove())
}

// close gives the room back.
func (p *place) close() {
	delete(p.of.open, p.name)
	p.of.used -= p.size
}

// begun tells whether anything has come.
func (p *place) begun() bool {
	return slices.ContainsFunc(p.files(), func(name string) bool {
		_, err := os.Lstat(name)
		return err == nil
	})
}

// remove removes the file, and all that stands beside it.
func (p *place) remove() error {
	var all []error
	for _, name := range p.files() {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			all = append(all, err)
		}
	}
	return errors.Join(all...)
}

// files are the names that belong to it.
func (p *place) files() []string {
	all := []string{p.path}
	for _, suffix := range workspace.Leftovers {
		all = append(all, p.path+suffix)
	}
	return all
}
