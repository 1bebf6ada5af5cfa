package transfer

import (
	"io/fs"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// Unchanged refuses a file, by its Stat, that somebody wrote to since it was as
// described. The error has kind Transient.
func Unchanged(f interface{ Stat() (fs.FileInfo, error) }, before fs.FileInfo) error {
	now, err := f.Stat()
	if err != nil {
		return err
	}
	if now.Size() == before.Size() && now.ModTime().Equal(before.ModTime()) {
		return nil
	}
	return workspace.Errorf(workspace.Transient, "read the image", "",
		"it changed meanwhile, from %d bytes of %s to %d bytes of %s", before.Size(),
		before.ModTime().UTC(), now.Size(), now.ModTime().UTC())
}
