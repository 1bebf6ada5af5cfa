package transfer

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// Suffix is what a half-made file has after the name of its target.
const Suffix = ".part"

// Passing returns the name under which the file of this machine passes to target on
// a server: two machines may deliver under one name at the same time.
func Passing(target, file string) string {
	host, _ := os.Hostname()
	mark := sha256.Sum256([]byte(host + "\x00" + file))
	return fmt.Sprintf("%s.%x%s", target, mark[:4], Suffix)
}

// Directory is where targets are made: Host, or a repository.
type Directory interface {
	OpenFile(name string, flag int, perm fs.FileMode) (*os.File, error)
	Lstat(name string) (fs.FileInfo, error)
	Rename(from, to string) error
	Remove(name string) error
	Chtimes(name string, accessed, modified time.Time) error
}

// Host is the whole file system of the host, by absolute paths.
type Host struct{}

// OpenFile is os.OpenFile.
func (Host) OpenFile(name string, flag int, perm fs.FileMode) (*os.File, error) {
	return os.OpenFile(name, flag, perm)
}

// Lstat is os.Lstat.
func (Host) Lstat(name string) (fs.FileInfo, error) { return os.Lstat(name) }

// Rename is os.Rename without its look at what it replaces: a target that is
// a directory is an error of the system call as well.
func (Host) Rename(from, to string) error {
	if err := unix.Rename(from, to); err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}

// Remove is os.Remove.
func (Host) Remove(name string) error { return os.Remove(name) }

// Chtimes is os.Chtimes.
func (Host) Chtimes(name string, accessed, modified time.Time) error {
	return os.Chtimes(name, accessed, modified)
}

// Part is the half-made file of one target, held by one transfer at a time.
type Part struct {
	*os.File
	dir    Directory
	target string
}

// Open opens the half-made file of target in dir, with what an earlier
// transfer left in it, and locks it until Close. It is readable by its owner
// alone. The error has kind Busy while another transfer holds it.
func Open(dir Directory, target string) (*Part, error) {
	name := target + Suffix
	f, err := dir.OpenFile(name, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0o600)
	if err != nil {
		return nil, err
	}
	p := &Part{File: f, dir: dir, target: target}
	if err := p.lock(name); err != nil {
		f.Close()
		return nil, err
	}
	return p, nil
}

// Create is Open with whatever an earlier transfer left cut away.
func Create(dir Directory, target string) (*Part, error) {
	p, err := Open(dir, target)
	if err != nil {
		return nil, err
	}
	if err := p.Cut(0); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// Cut is Truncate that leaves a file alone whose size is right. An empty one that is cut
// to nothing is written to the disk as it is closed, all of it, because ext4 takes it
// for one that is replaced (auto_da_alloc).
func (p *Part) Cut(size int64) error {
	info, err := p.Stat()
	if err != nil || info.Size() == size {
		return err
	}
	return p.Truncate(size)
}

// lock locks the file and makes sure that it still has its name: between the
// opening and the locking another transfer may have landed it as its target,
// which must not be written to any more.
func (p *Part) lock(name string) error {
	err := unix.Flock(int(p.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return busy(p.target)
	}
	if err != nil {
		return &os.PathError{Op: "lock", Path: name, Err: err}
	}
	named, err := p.dir.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return busy(p.target)
	}
	if err != nil {
		return err
	}
	opened, err := p.Stat()
	if err != nil {
		return err
	}
	if !named.Mode().IsRegular() {
		return workspace.Errorf(workspace.Invalid, "write the file", name,
			"it is no regular file; remove it")
	}
	if !os.SameFile(named, opened) {
		return busy(p.target)
	}
	return nil
}

func busy(target string) error {
	return workspace.Errorf(workspace.Busy, "write the file", target,
		"another transfer to it is under way")
}

// Land makes the half-made file the target, in one stroke, with the time of
// modification of its source, by which a repeated transfer finds the work done;
// the zero time leaves it as it is. With sync the target survives a power cut
// once Land has returned.
func (p *Part) Land(sync bool, modified time.Time) error {
	name := p.target + Suffix
	if !modified.IsZero() {
		if err := p.dir.Chtimes(name, time.Time{}, modified); err != nil {
			return err
		}
	}
	if sync {
		if err := p.Sync(); err != nil {
			return err
		}
	}
	if err := p.dir.Rename(name, p.target); err != nil {
		return err
	}
	if !sync {
		return nil
	}
	return SyncParent(p.dir, p.target)
}

// Discard removes the half-made file.
func (p *Part) Discard() error { return p.dir.Remove(p.target + Suffix) }

// SyncParent makes the names in the directory of name survive a power cut.
func SyncParent(dir Directory, name string) error {
	d, err := dir.OpenFile(filepath.Dir(name), os.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// Landed tells whether target is there with this size and time of modification,
// as Land left it.
func Landed(dir Directory, target string, size int64, modified time.Time) bool {
	info, err := dir.Lstat(target)
	return err == nil && info.Mode().IsRegular() && info.Size() == size &&
		info.ModTime().Equal(modified)
}
