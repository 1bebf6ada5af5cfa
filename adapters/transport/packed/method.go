package packed

import (
	"bytes"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// A method is a way to compress: what names end in, what files begin with.
type method struct {
	suffix string
	name   string
	magic  []byte
	reader func(io.Reader) (io.Reader, func(), error)
	writer func(io.Writer) (io.WriteCloser, error)
}

// window is how much memory the expansion of one zstd image may take.
const window = 128 << 20

var methods = []method{
	{".gz", "gzip", []byte{0x1f, 0x8b},
		func(r io.Reader) (io.Reader, func(), error) {
			z, err := gzip.NewReader(r)
			return z, func() {}, err
		},
		func(w io.Writer) (io.WriteCloser, error) {
			return gzip.NewWriterLevel(w, gzip.BestSpeed)
		}},
	{".xz", "xz", []byte{0xfd, '7', 'z', 'X', 'Z', 0},
		func(r io.Reader) (io.Reader, func(), error) {
			z, err := xz.ReaderConfig{DictCap: window}.NewReader(r)
			return z, func() {}, err
		},
		func(w io.Writer) (io.WriteCloser, error) { return xz.NewWriter(w) }},
	{".zst", "zstd", []byte{0x28, 0xb5, 0x2f, 0xfd},
		func(r io.Reader) (io.Reader, func(), error) {
			z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1),
				zstd.WithDecoderMaxWindow(window))
			if err != nil {
				return nil, nil, err
			}
			return z, z.Close, nil
		},
		func(w io.Writer) (io.WriteCloser, error) {
			return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1),
				zstd.WithEncoderLevel(zstd.SpeedFastest))
		}},
}

// begins reports whether a file begins as the method's files do.
func (m *method) begins(r io.ReaderAt) bool {
	head := make([]byte, len(m.magic))
	_, err := r.ReadAt(head, 0)
	return err == nil && bytes.Equal(head, m.magic)
}
