package ssh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/philoxenia/philoxenia/adapters/transport/sftp/lanes"
	"github.com/philoxenia/philoxenia/adapters/transport/transfer"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Stat describes a file, or the symbolic link of that name.
func (a *Access) Stat(ctx context.Context, name string) (workspace.FileStat, error) {
	var all []workspace.FileStat
	err := a.use(ctx, func(s *session) (err error) {
		all, err = describe(ctx, s, name)
		if err == nil && len(all) == 0 {
			err = fs.ErrNotExist
		}
		return err
	}, name)
	if err != nil {
		return workspace.FileStat{}, failed("look at", name, err)
	}
	return all[0], nil
}

// statForm has stat(1) tell: mode, size, blocks and their unit, time of
// modification, name.
const statForm = `%f %s %b %B %.9Y %n\0`

// atOnce is how many names go onto one command line.
const atOnce = 200

// describe asks for files by name. Those that are not there are left out.
func describe(ctx context.Context, s *session, names ...string) ([]workspace.FileStat, error) {
	var all []workspace.FileStat
	for len(names) > 0 {
		n := min(len(names), atOnce)
		args := append([]string{"stat", "--printf", statForm, "--"}, names[:n]...)
		names = names[n:]
		out, err := s.tool(ctx, args...)
		if err != nil && transfer.Kind(err) != workspace.NotFound {
			return nil, err
		}
		for record := range strings.SplitSeq(strings.TrimSuffix(out, "\x00"), "\x00") {
			if record == "" {
				continue
			}
			one, err := parseStat(record)
			if err != nil {
				return nil, err
			}
			all = append(all, one)
		}
	}
	return all, nil
}

func parseStat(record string) (workspace.FileStat, error) {
	fields := strings.SplitN(record, " ", 6)
	if len(fields) < 6 {
		return workspace.FileStat{}, fmt.Errorf("the host's stat says %q", record)
	}
	mode, err := strconv.ParseUint(fields[0], 16, 32)
	var numbers [3]int64
	for i := range numbers {
		if err == nil {
			numbers[i], err = strconv.ParseInt(fields[i+1], 10, 64)
		}
	}
	var changed time.Time
	if err == nil {
		changed, err = parseTime(fields[4])
	}
	if err != nil {
		return workspace.FileStat{}, fmt.Errorf("the host's stat says %q: %w", record, err)
	}
	m := lanes.FileMode(uint32(mode))
	return workspace.FileStat{Path: fields[5], Size: numbers[0], OnDisk: numbers[1] * numbers[2],
		Changed: changed, Dir: m.IsDir(), Regular: m.IsRegular(), Mode: m}, nil
}

// parseTime reads SECONDS.NANOSECONDS since the epoch. Some locales write a comma.
func parseTime(s string) (time.Time, error) {
	whole, part, _ := strings.Cut(strings.Replace(s, ",", ".", 1), ".")
	seconds, err := strconv.ParseInt(whole, 10, 64)
	if err != nil {
		return time.Time{}, err
	}
	nanos, err := strconv.ParseInt((part + "000000000")[:9], 10, 64)
	return time.Unix(seconds, nanos), err
}

// List returns what is in the directory.
func (a *Access) List(ctx context.Context, dir string) ([]workspace.FileStat, error) {
	var all []workspace.FileStat
	err := a.use(ctx, func(s *session) error {
		if info, err := s.Lstat(dir); err == nil && !info.IsDir() {
			return workspace.Refuse(workspace.Conflict, "it is no directory")
		}
		entries, err := s.ReadDirContext(ctx, dir)
		if err != nil {
			return err
		}
		var names []string
		for _, e := range entries {
			names = append(names, path.Join(dir, e.Name()))
		}
		slices.Sort(names)
		all, err = describe(ctx, s, names...)
		return err
	}, dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return all, failed("list", dir, err)
}

// MakeDir makes the directory.
func (a *Access) MakeDir(ctx context.Context, dir string, mode fs.FileMode) error {
	err := a.use(ctx, func(s *session) error {
		_, err := s.script(ctx, fmt.Sprintf("( umask %03o; exec %s )",
			^mode.Perm()&0o777|0o022, Quote("mkdir", "-p", "--", dir)))
		return toldBy("mkdir", err)
	}, dir)
	var exit *exitError
	if errors.As(err, &exit) && (strings.Contains(exit.said, "Not a directory") ||
		strings.Contains(exit.said, "File exists")) {
		err = workspace.Refuse(workspace.Conflict, "a file is in the way: %w", err)
	}
	return failed("make the directory", dir, err)
}

// Remove removes files, and directories that are empty.
func (a *Access) Remove(ctx context.Context, names ...string) error {
	var all []error
	for _, name := range names {
		err := a.use(ctx, func(s *session) error {
			err := remove(s, name)
			if err != nil && lanes.Vague(err) {
				err = workspace.Refuse(workspace.Conflict, "there are files in it: %w", err)
			}
			return err
		}, name)
		all = append(all, failed("remove", name, err))
	}
	return errors.Join(all...)
}

// remove removes what may be there.
func remove(s *session, name string) error {
	if err := s.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Rename replaces to. When from is gone and to is there it has happened already.
func (a *Access) Rename(ctx context.Context, from, to string) error {
	err := a.use(ctx, func(s *session) error {
		err := s.Replace(from, to)
		if errors.Is(err, fs.ErrNotExist) && isThere(s, to) && !isThere(s, from) {
			err = nil
		}
		if err != nil {
			return err
		}
		return s.FlushDir(path.Dir(to))
	}, from, to)
	return failed("rename", from, err)
}

func isThere(s *session, name string) bool {
	_, err := s.Lstat(name)
	return err == nil
}

// Link gives a file another name.
func (a *Access) Link(ctx context.Context, from, to string) error {
	err := a.use(ctx, func(s *session) error {
		_, err := s.tool(ctx, "ln", "-T", "-P", "--", from, to)
		if err != nil && isThere(s, to) {
			same, cannot := s.tool(ctx, "stat", "--printf", `%d:%i\n`, "--", from, to)
			one, other, _ := strings.Cut(strings.TrimSpace(same), "\n")
			if cannot == nil && one == other {
				err = nil
			}
		}
		if transfer.Kind(err) == workspace.Denied && err != nil {
			err = workspace.Refuse(workspace.Conflict, "%w", err)
		}
		if err != nil {
			return err
		}
		return s.FlushDir(path.Dir(to))
	}, from, to)
	return failed("link", from, err)
}

// Touch gives the file, or the symbolic link, the host's present time.
func (a *Access) Touch(ctx context.Context, name string) error {
	err := a.use(ctx, func(s *session) error {
		if _, err := s.Lstat(name); err != nil {
			return err
		}
		_, err := s.tool(ctx, "touch", "-c", "-h", "--", name)
		return err
	}, name)
	return failed("touch", name, err)
}

// Read returns a small file, which no symbolic link may stand for.
func (a *Access) Read(ctx context.Context, name string, limit int64) ([]byte, error) {
	var data []byte
	err := a.use(ctx, func(s *session) error {
		f, err := open(s, name)
		if err != nil {
			return err
		}
		defer f.Close()
		data, err = io.ReadAll(io.LimitReader(f, limit+1))
		if err == nil && int64(len(data)) > limit {
			data, err = nil, transfer.Invalid("it has more than %d bytes", limit)
		}
		return err
	}, name)
	return data, failed("read", name, err)
}

// file is a regular file of the host, opened, as it was then.
type file struct {
	*lanes.Source
	info fs.FileInfo
}

// open opens a regular file. What a link leads to is not opened, and what has
// become one since it was looked at does no harm: it is only read.
func open(s *session, name string) (*file, error) {
	info, err := s.Lstat(name)
	if err == nil {
		err = transfer.Regular(info)
	}
	if err != nil {
		return nil, err
	}
	f, err := s.Source(name)
	if err != nil {
		return nil, err
	}
	if info, err = f.Stat(); err != nil {
		f.Close()
		return nil, err
	}
	return &file{f, info}, nil
}

// Write replaces a small file as a whole.
func (a *Access) Write(ctx context.Context, name string, data []byte, mode fs.FileMode) error {
	err := a.produce(ctx, target{path: name, mode: mode, replace: true},
		func(s *session, f *lanes.File) error {
			_, err := f.Write(data)
			return err
		})
	return failed("write", name, err)
}

// target is a file to be made.
type target struct {
	path    string
	mode    fs.FileMode
	changed time.Time // zero: when it is made
	replace bool      // what is there; otherwise it is left as it is
	long    bool      // it takes as long as an image is large
}

// produce has fill make a file beside the target, which then has its name for
// good. A program that fills it may put another file in the place of f.
func (a *Access) produce(
	ctx context.Context, t target, fill func(s *session, f *lanes.File) error,
) error {
	if err := checked(t.path); err != nil {
		return err
	}
	release, err := a.alone(t.path)
	if err != nil {
		return err
	}
	defer release()
	pool := a.calls
	if t.long {
		pool = a.moves
	}
	return pool.Hold(ctx, func(s *session) error {
		if done, err := t.found(s); done || err != nil {
			return err
		}
		part := t.path + transfer.Suffix
		if err := remove(s, part); err != nil {
			return err
		}
		f, err := s.OpenFile(part, os.O_RDWR|os.O_CREATE|os.O_EXCL)
		if err != nil {
			return s.WhyFailed(part, err)
		}
		err = fill(s, f)
		if err = errors.Join(err, f.Close()); err == nil {
			err = t.land(s)
		}
		if err != nil && !s.Line().Dead() {
			err = s.WhyFailed(part, err)
			err = errors.Join(err, remove(s, part))
		}
		return err
	})
}

// found tells whether the target need not be made.
func (t target) found(s *session) (bool, error) {
	info, err := s.Lstat(t.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	case info.IsDir(), !t.replace && !info.Mode().IsRegular():
		return false, inTheWay(info.Mode())
	}
	return !t.replace, nil
}

// land gives what was made its name.
func (t target) land(s *session) error {
	part := t.path + transfer.Suffix
	if err := s.Chmod(part, t.mode.Perm()); err != nil {
		return err
	}
	if !t.changed.IsZero() {
		if err := s.Chtimes(part, t.changed, t.changed); err != nil {
			return err
		}
	}
	f, err := s.OpenFile(part, os.O_RDWR)
	if err != nil {
		return err
	}
	if err := errors.Join(s.Flush(f), f.Close()); err != nil {
		return err
	}
	if err := s.Replace(part, t.path); err != nil {
		return err
	}
	return s.FlushDir(path.Dir(t.path))
}

// Space returns what is free for plain users, and what there is in all.
func (a *Access) Space(ctx context.Context, dir string) (free, total int64, err error) {
	err = a.use(ctx, func(s *session) error {
		v, err := s.StatVFS(dir)
		if err != nil {
			return err
		}
		free, total = int64(v.Bavail*v.Frsize), int64(v.Blocks*v.Frsize)
		return nil
	}, dir)
	return free, total, failed("measure the disk of", dir, err)
}
