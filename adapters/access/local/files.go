package local

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/philoxenia/philoxenia/adapters/transport/transfer"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Stat describes a file, or the symbolic link of that name.
func (Access) Stat(_ context.Context, path string) (workspace.FileStat, error) {
	err := checked(path)
	var info fs.FileInfo
	if err == nil {
		info, err = os.Lstat(path)
	}
	if err != nil {
		return workspace.FileStat{}, failed("look at", path, err)
	}
	return described(path, info), nil
}

func described(path string, info fs.FileInfo) workspace.FileStat {
	s := workspace.FileStat{Path: path, Size: info.Size(), Changed: info.ModTime(),
		Dir: info.IsDir(), Regular: info.Mode().IsRegular(), Mode: info.Mode()}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		s.OnDisk = stat.Blocks * blockBytes
	}
	return s
}

// blockBytes is the unit of st_blocks, see stat(2).
const blockBytes = 512

// List returns what is in the directory.
func (a Access) List(ctx context.Context, dir string) ([]workspace.FileStat, error) {
	if err := checked(dir); err != nil {
		return nil, failed("list", dir, err)
	}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, failed("list", dir, err)
	}
	var all []workspace.FileStat
	for _, e := range entries {
		s, err := a.Stat(ctx, filepath.Join(dir, e.Name()))
		if workspace.KindOf(err) == workspace.NotFound && err != nil {
			continue // removed meanwhile
		}
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// MakeDir makes the directory.
func (Access) MakeDir(_ context.Context, dir string, mode fs.FileMode) error {
	err := checked(dir)
	if err == nil {
		err = os.MkdirAll(dir, mode)
	}
	if errors.Is(err, unix.ENOTDIR) {
		err = workspace.Refuse(workspace.Conflict, "a file is in the way: %w", err)
	}
	return failed("make the directory", dir, err)
}

// Remove removes files, and directories that are empty.
func (Access) Remove(_ context.Context, paths ...string) error {
	var all []error
	for _, path := range paths {
		err := checked(path)
		if err == nil {
			err = os.Remove(path)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, unix.ENOTDIR) {
			all = append(all, failed("remove", path, err))
		}
	}
	return errors.Join(all...)
}

// Rename replaces to. When from is gone and to is there it has happened already.
func (Access) Rename(_ context.Context, from, to string) error {
	err := checked(from, to)
	if err == nil {
		err = transfer.Host{}.Rename(from, to)
	}
	if errors.Is(err, fs.ErrNotExist) && isThere(to) && !isThere(from) {
		err = nil
	}
	if err == nil {
		err = transfer.SyncParent(transfer.Host{}, to)
	}
	return failed("rename", from, err)
}

func isThere(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// Link gives a file another name.
func (Access) Link(_ context.Context, from, to string) error {
	err := checked(from, to)
	if err == nil {
		err = os.Link(from, to)
	}
	if errors.Is(err, fs.ErrExist) && oneFile(from, to) {
		err = nil
	}
	for _, cannot := range []error{unix.EXDEV, unix.EMLINK, unix.EPERM, unix.ENOTSUP} {
		if errors.Is(err, cannot) {
			err = workspace.Refuse(workspace.Conflict, "%w", err)
		}
	}
	if err == nil {
		err = transfer.SyncParent(transfer.Host{}, to)
	}
	return failed("link", from, err)
}

func oneFile(a, b string) bool {
	first, err := os.Lstat(a)
	if err != nil {
		return false
	}
	second, err := os.Lstat(b)
	return err == nil && os.SameFile(first, second)
}

// Touch gives the file, or the symbolic link, the present time.
func (Access) Touch(_ context.Context, path string) error {
	err := checked(path)
	if err == nil {
		now := []unix.Timespec{{Nsec: unix.UTIME_NOW}, {Nsec: unix.UTIME_NOW}}
		err = unix.UtimesNanoAt(unix.AT_FDCWD, path, now, unix.AT_SYMLINK_NOFOLLOW)
	}
	return failed("touch", path, err)
}

// Read returns a small file, which no symbolic link may stand for.
func (Access) Read(_ context.Context, path string, limit int64) ([]byte, error) {
	data, err := read(path, limit)
	return data, failed("read", path, err)
}

func read(path string, limit int64) ([]byte, error) {
	if err := checked(path); err != nil {
		return nil, err
	}
	f, _, err := transfer.OpenHost(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, transfer.Invalid("it has more than %d bytes", limit)
	}
	return data, nil
}

// Write replaces a small file as a whole.
func (Access) Write(_ context.Context, path string, data []byte, mode fs.FileMode) error {
	return failed("write", path, produce(path, mode, time.Time{}, func(p *transfer.Part) error {
		_, err := p.Write(data)
		return err
	}))
}

// produce has fill write a file, which then stands under its name for good.
func produce(
	path string, mode fs.FileMode, changed time.Time, fill func(*transfer.Part) error,
) error {
	if err := checked(path); err != nil {
		return err
	}
	if info, err := os.Lstat(path); err == nil && info.IsDir() {
		return notRegular(info.Mode())
	}
	part, err := transfer.Create(transfer.Host{}, path)
	if err != nil {
		return err
	}
	defer part.Close()
	if err = part.Chmod(mode.Perm()); err == nil {
		err = fill(part)
	}
	if err == nil {
		err = part.Land(true, changed)
	}
	if err == nil {
		return nil
	}
	if left := part.Discard(); !errors.Is(left, fs.ErrNotExist) { // the program that made it may
		err = errors.Join(err, left)
	}
	return err
}

// Space returns what is free for plain users, and what there is in all.
func (Access) Space(_ context.Context, dir string) (free, total int64, err error) {
	var s unix.Statfs_t
	if err = checked(dir); err == nil {
		err = unix.Statfs(dir, &s)
	}
	if err != nil {
		return 0, 0, failed("measure the disk of", dir, err)
	}
	return int64(s.Bavail) * s.Frsize, int64(s.Blocks) * s.Frsize, nil
}
