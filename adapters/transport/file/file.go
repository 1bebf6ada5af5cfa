// Package file is the transport whose repository is a directory of the host
// itself. Nothing outside that directory is read or written, whatever a location
// or a symbolic link says. It must not know what an image is for, nor any
// other transport.
package file

import (
	"cmp"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/philoxenia/philoxenia/adapters/transport/location"
	"github.com/philoxenia/philoxenia/adapters/transport/transfer"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Scheme is the scheme of the locations: file://NAME, file://DIRECTORY/NAME or
// file:///ABSOLUTE/PATH, all inside the repository.
const Scheme = "file"

// Transport brings images from and to one repository directory. It may be used
// by many at once.
type Transport struct {
	root *os.Root
	// directories are the names by which absolute locations may call the
	// repository: as configured, and with its symbolic links resolved.
	directories []string
}

var _ workspace.Transport = (*Transport)(nil)

// Open opens the repository at directory, which must exist. The error has kind
// NotFound, Denied or Invalid.
func Open(directory string) (*Transport, error) {
	t, err := open(directory)
	if err != nil {
		return nil, transfer.Error("open the repository", directory, err)
	}
	return t, nil
}

func open(directory string) (*Transport, error) {
	absolute, err := filepath.Abs(directory)
	if err != nil {
		return nil, err
	}
	resolved, err := filepath.EvalSymlinks(absolute)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(resolved)
	if err != nil {
		return nil, err
	}
	return &Transport{root: root, directories: []string{absolute, resolved}}, nil
}

// Close gives the repository up. Transfers under way may fail.
func (t *Transport) Close() error { return t.root.Close() }

// name returns what location calls a file, relative to the repository.
func (t *Transport) name(loc string) (string, error) {
	scheme, rest, err := location.Split(loc)
	if err != nil {
		return "", transfer.Invalid("%w", err)
	}
	if scheme != Scheme {
		return "", transfer.Invalid("the scheme is %q, expected %q", scheme, Scheme)
	}
	name, err := location.Clean(rest)
	if err != nil {
		return "", transfer.Invalid("%w", err)
	}
	if !strings.HasPrefix(rest, "/") {
		return name, transfer.Unreserved(name)
	}
	for _, directory := range t.directories {
		if inside, ok := strings.CutPrefix("/"+name, strings.TrimRight(directory, "/")+"/"); ok {
			return inside, transfer.Unreserved(inside)
		}
	}
	return "", transfer.Invalid("the path is outside the repository")
}

func (t *Transport) in() repository { return repository{t.root} }

// source is an image opened for reading.
type source struct {
	*os.File
	info os.FileInfo
}

// openIn opens an image in the repository. O_NONBLOCK keeps a fifo from
// holding us; it means nothing to a regular file.
func (t *Transport) openIn(name string) (*source, error) {
	f, err := t.in().OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil, workspace.Errorf(workspace.NotFound, "open the image", name,
			"the repository has no such image")
	}
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil {
		err = transfer.Regular(info)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &source{f, info}, nil
}

// openHost opens an image on the host.
func openHost(path string) (*source, error) {
	f, info, err := transfer.OpenHost(path)
	if err != nil {
		return nil, err
	}
	return &source{f, info}, nil
}

// whole reads the image from its beginning.
func (s *source) whole() io.Reader { return io.NewSectionReader(s, 0, s.info.Size()) }

// expected returns the checksum beside an image, "" when there is none.
func (t *Transport) expected(name string) (string, error) {
	return transfer.Beside(name, t.sums)
}

// sums opens a file of checksums.
func (t *Transport) sums(name string) (io.ReadCloser, error) {
	f, err := t.in().OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err != nil || transfer.Regular(info) != nil {
		f.Close()
		return nil, cmp.Or(err, transfer.Invalid("its checksum is no regular file"))
	}
	return f, nil
}
