package transfer

import (
	"errors"
	"fmt"
	"io/fs"

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
