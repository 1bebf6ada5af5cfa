package transfer

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// changedError says that a file was written to while it was read.
type changedError struct{ what string }

func (e *changedError) Error() string { return e.what }

// Changed is the failure to read one state of a file, because somebody wrote to
// it meanwhile. Its kind is Transient.
func Changed(format string, args ...any) error {
	return &workspace.Error{Op: "read the image", Kind: workspace.Transient,
		Err: &changedError{fmt.Sprintf(format, args...)}}
}

// HasChanged reports whether err is of Changed: what came so far is of no use.
func HasChanged(err error) bool {
	var changed *changedError
	return errors.As(err, &changed)
}

// Promised refuses a file of so many bytes when it has more than it was to have: there
// may be room for no more than that.
func Promised(f workspace.Fetch, size int64) error {
	if f.Promised <= 0 || size <= f.Promised {
		return nil
	}
	return Changed("it grew meanwhile, from %d bytes to %d", f.Promised, size)
}

// Same tells whether two descriptions are of the same bytes, as far as size and
// time of modification tell.
func Same(a, b fs.FileInfo) bool {
	return a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// Unchanged refuses a file that somebody wrote to since it was as described.
func Unchanged(f interface{ Stat() (fs.FileInfo, error) }, before fs.FileInfo) error {
	now, err := f.Stat()
	if err != nil || Same(now, before) {
		return err
	}
	return Changed("it changed meanwhile, from %d bytes of %s to %d bytes of %s", before.Size(),
		before.ModTime().UTC(), now.Size(), now.ModTime().UTC())
}

// Mark says which version of a file it is that info is about. Of a file of this
// machine the system says more than its time, which whoever copies it may set.
func Mark(info *workspace.ImageInfo, file fs.FileInfo) {
	MarkTime(info, file.ModTime())
	if s, ok := file.Sys().(*syscall.Stat_t); ok {
		info.Version += fmt.Sprintf(" %d:%d %d.%09d", s.Dev, s.Ino, s.Ctim.Sec, s.Ctim.Nsec)
		if at := time.Unix(s.Ctim.Unix()); at.After(info.Changed) {
			info.Changed = at
		}
	}
}

// MarkTime is Mark where only size and time of modification are known.
func MarkTime(info *workspace.ImageInfo, modified time.Time) {
	info.Version = fmt.Sprintf("%d %d", info.Size, modified.UnixNano())
	info.Changed = modified
}
