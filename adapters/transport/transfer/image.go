package transfer

import (
	"io"
	"os"
	"path"

	"golang.org/x/sys/unix"

	"github.com/philoxenia/philoxenia/adapters/image/checksum"
	"github.com/philoxenia/philoxenia/adapters/image/format"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// OpenHost opens an image on the host for reading. O_NONBLOCK keeps a fifo
// from holding us; it means nothing to a regular file.
func OpenHost(path string) (*os.File, os.FileInfo, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil {
		err = Regular(info)
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

// Inspect looks at the header of an image of size bytes and refuses one of
// more than maxBytes; 0 refuses none.
func Inspect(r io.ReaderAt, size, maxBytes int64) (workspace.ImageInfo, error) {
	seen, err := format.Inspect(r, size)
	if err != nil {
		return workspace.ImageInfo{}, err
	}
	return workspace.ImageInfo{Size: seen.FileSize, Format: seen.Format}, seen.Admit(maxBytes)
}

// ReadSum reads the file of the checksum beside the image of that name.
func ReadSum(r io.Reader, name string) (string, error) {
	text, err := io.ReadAll(io.LimitReader(r, checksum.MaxBytes))
	if err != nil {
		return "", err
	}
	sum, err := checksum.Parse(string(text), path.Base(name))
	if err != nil {
		return "", Invalid("%w", err)
	}
	return sum, nil
}

// Wanted is the checksum that an image must have: the one asked for, else what
// is found beside it; "" when nobody says.
func Wanted(asked string, beside func() (string, error)) (string, error) {
	if asked == "" {
		return beside()
	}
	sum, err := checksum.Normal(asked)
	if err != nil {
		return "", Invalid("%w", err)
	}
	return sum, nil
}
