package file

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/philoxenia/philoxenia/adapters/image/checksum"
	"github.com/philoxenia/philoxenia/adapters/transport/transfer"
)

// repository is the directory of the repository as the place of targets.
type repository struct{ root *os.Root }

// OpenFile opens a file inside the repository.
func (r repository) OpenFile(name string, flag int, perm fs.FileMode) (*os.File, error) {
	f, err := r.root.OpenFile(name, flag, perm)
	return f, escape(err)
}

// Lstat describes a file, or the symbolic link, inside the repository.
func (r repository) Lstat(name string) (fs.FileInfo, error) {
	info, err := r.root.Lstat(name)
	return info, escape(err)
}

// Remove removes a file inside the repository.
func (r repository) Remove(name string) error { return escape(r.root.Remove(name)) }

// Chtimes sets the times of a file inside the repository.
func (r repository) Chtimes(name string, accessed, modified time.Time) error {
	return escape(r.root.Chtimes(name, accessed, modified))
}

// Rename moves a file to another name inside the repository.
func (r repository) Rename(from, to string) error { return escape(r.root.Rename(from, to)) }

// images is the repository as the place of images. An image and its checksum
// cannot be replaced at one stroke, so Rename first removes, for good, the checksum
// of the image that it replaces: a crash may then leave an image without a checksum,
// which the next delivery mends, but never with a wrong one.
type images struct{ repository }

// Rename puts an image under its name.
func (i images) Rename(from, to string) error {
	err := i.Remove(to + checksum.Suffix)
	if err == nil {
		err = transfer.SyncParent(i, to)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return i.repository.Rename(from, to)
}

// escape marks the error of os.Root for a path that leaves it, which is the
// one that comes from no system call.
func escape(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	var cause error
	switch {
	case errors.As(err, &path):
		cause = path.Err
	case errors.As(err, &link):
		cause = link.Err
	default:
		return err
	}
	if cause.Error() != escapes {
		return err
	}
	return transfer.Invalid("it leads out of the repository: %w", err)
}

// escapes is the text of an error that package os does not export; a test
// holds it against the real one.
const escapes = "path escapes from parent"
