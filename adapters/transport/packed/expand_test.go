package packed

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"syscall"
	"testing"

	"github.com/philoxenia/philoxenia/adapters/transport/transfer"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// failing is what an expansion reads from, and at once fails.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// TestWhyAnExpansionFails tells an image that is no good from a disk that is none.
func TestWhyAnExpansionFails(t *testing.T) {
	disk := &fs.PathError{Op: "read", Path: "/disk", Err: syscall.EIO}
	for name, c := range map[string]struct {
		err  error
		want workspace.Kind
	}{
		"cut short":           {io.ErrUnexpectedEOF, workspace.Invalid},
		"cut short, in words": {fmt.Errorf("of the third block: %w", io.EOF), workspace.Invalid},
		"bent":                {errors.New("checksum"), workspace.Invalid},
		"a bad disk":          {fmt.Errorf("xz: %w", disk), workspace.Transient},
	} {
		err := new(expansion).write(t.Context(), failing{c.err})
		if err == nil || transfer.Kind(err) != c.want {
			t.Errorf("%s: got %v (%s), want %s", name, err, transfer.Kind(err), c.want)
		}
	}
	if err := new(expansion).write(t.Context(), failing{io.EOF}); err != nil {
		t.Errorf("an end is %v", err)
	}
}
