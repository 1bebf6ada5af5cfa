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

// Beside finds the checksum of the image of that name: that of the file which stands
// beside it for it alone, else that of the list in its directory; "" when neither has
// it. open opens a file by its name; an error of kind NotFound says that it is not there.
func Beside(name string, open func(name string) (io.ReadCloser, error)) (string, error) {
	sum, err := BesideAlone(name, open)
	if err != nil || sum != "" {
		return sum, err
	}
	text, err := readAll(path.Join(path.Dir(name), checksum.List), checksum.MaxListBytes, open)
	if err != nil {
		return "", err
	}
	if len(text) > checksum.MaxListBytes {
		return "", Invalid("%s beside it has more than %d bytes", checksum.List,
			checksum.MaxListBytes)
	}
	if sum, err = checksum.Find(text, path.Base(name)); err != nil {
		return "", Invalid("%w", err)
	}
	return sum, nil
}

// BesideAlone is Beside without the list, which is not ours to write.
func BesideAlone(name string, open func(name string) (io.ReadCloser, error)) (string, error) {
	f, err := open(name + checksum.Suffix)
	if Kind(err) == workspace.NotFound {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, checksum.MaxBytes))
	if err != nil {
		return "", err
	}
	sum, err := checksum.Parse(string(text), path.Base(name))
	if err != nil {
		return "", Invalid("%w", err)
	}
	return sum, nil
}

// readAll reads up to a byte more than the limit of a file, "" of one that is not there.
func readAll(
	name string, limit int64, open func(name string) (io.ReadCloser, error),
) (string, error) {
	f, err := open(name)
	if Kind(err) == workspace.NotFound {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	return string(text), err
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
