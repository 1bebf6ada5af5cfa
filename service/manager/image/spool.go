package image

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
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
// there belongs to a transfer under way; what an earlier process left is of no use.
type spool struct {
	dir   string
	limit int64 // bytes; 0: no limit

	mu   sync.Mutex
	used int64
	open map[string]bool // files in use
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
	path string
	name string
	size int64
	of   *spool
}

// take gives room for size bytes under a name that nobody else uses. One that
// is larger than all the spool gets it when it is empty. Without room, or while
// the name is in use, it is a Retry.
func (s *spool) take(key string, size int64) (*place, error) {
	if s.dir == "" {
		return nil, workspace.Errorf(workspace.Unavailable, "pass a file through", key,
			"this service has no directory for it")
	}
	sum := sha256.Sum256([]byte(key))
	name := hex.EncodeToString(sum[:16])
	s.mu.Lock()
	defer s.mu.Unlock()
	full := s.limit > 0 && s.used > 0 && s.used+size > s.limit
	if full || s.open[name] {
		return nil, &change.Retry{After: spoolAgain,
			Reason: "the spool has no room for it before another transfer ends"}
	}
	s.open[name] = true
	s.used += size
	return &place{filepath.Join(s.dir, name), name, size, s}, nil
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
	var all []error
	for _, suffix := range append([]string{""}, workspace.Leftovers...) {
		if err := os.Remove(p.path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			all = append(all, err)
		}
	}
	p.of.mu.Lock()
	defer p.of.mu.Unlock()
	delete(p.of.open, p.name)
	p.of.used -= p.size
	return errors.Join(all...)
}
