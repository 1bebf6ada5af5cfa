package lanes_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/philoxenia/philoxenia/adapters/image/sparse"
	"github.com/philoxenia/philoxenia/adapters/transport/sftp/lanes"
	"github.com/philoxenia/philoxenia/adapters/transport/transfer"
)

// failing is a file on a server of which nothing can be read.
type failing struct{ err error }

func (f failing) ReadAt([]byte, int64) (int, error) { return 0, f.err }

// TestEndOfFileAndOfConnection: the library says EOF itself where the server says that
// the file ends, and wraps EOF where a request could not be sent. Only the first means
// that the file has changed.
func TestEndOfFileAndOfConnection(t *testing.T) {
	for _, test := range []struct {
		err     error
		changed bool
	}{{io.EOF, true}, {fmt.Errorf("failed to send packet: %w", io.EOF), false}} {
		to, err := os.Create(filepath.Join(t.TempDir(), "image"))
		if err != nil {
			t.Fatal(err)
		}
		defer to.Close()
		const size = 1 << 20
		d := lanes.Download{From: []io.ReaderAt{failing{test.err}}, To: to, Size: size,
			Extents: []sparse.Extent{{Length: size}}, Touch: func() {},
			Meter:   transfer.NewMeter(nil, size),
			Account: func(int64) error { return nil }}
		err = d.Run(t.Context())
		if err == nil || transfer.HasChanged(err) != test.changed {
			t.Errorf("after %v: %v, want changed to be %t", test.err, err, test.changed)
		}
	}
}
