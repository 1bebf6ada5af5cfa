package file

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// share makes the target another name of the source, which costs neither room
// nor time: nothing is going to write to it. It is as complete and as verified
// as a copy would be. ok is false where the file systems do not allow it, and
// the image has to be copied.
func (j *job) share(ctx context.Context) (info workspace.ImageInfo, ok bool, err error) {
	info, err = j.inspect(j.src.File)
	if err != nil {
		return workspace.ImageInfo{}, false, err
	}
	if sum := j.newSum(); sum != nil {
		if err := sum.AddReader(ctx, j.src.whole()); err != nil {
			return workspace.ImageInfo{}, false, err
		}
		if err := sum.Verify(j.expected); err != nil {
			return workspace.ImageInfo{}, false, err
		}
		info.SHA256 = sum.Text()
	}
	switch err = link(j.src.File, j.target); {
	case err == nil:
		return info, true, nil
	case errors.Is(err, unix.EXDEV), errors.Is(err, unix.EMLINK), errors.Is(err, unix.EPERM),
		errors.Is(err, unix.ENOTSUP), errors.Is(err, unix.ENOENT): // replaced while open
		return workspace.ImageInfo{}, false, nil
	}
	return workspace.ImageInfo{}, false, err
}

// link gives the open file one more name. A name that is that file's already
// is left; another file of that name is replaced.
func link(f *os.File, target string) error {
	source := fmt.Sprintf("/proc/self/fd/%d", f.Fd())
	name := func() error {
		err := unix.Linkat(unix.AT_FDCWD, source, unix.AT_FDCWD, target, unix.AT_SYMLINK_FOLLOW)
		return wrap("link", target, err)
	}
	err := name()
	if !errors.Is(err, unix.EEXIST) {
		return err
	}
	there, statErr := os.Lstat(target)
	own, ownErr := f.Stat()
	if statErr == nil && ownErr == nil && os.SameFile(there, own) {
		return nil
	}
	if err := os.Remove(target); err != nil {
		return err
	}
	return name()
}

func wrap(op, path string, err error) error {
	if err == nil {
		return nil
	}
	return &os.PathError{Op: op, Path: path, Err: err}
}
