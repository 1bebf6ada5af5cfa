package sftp

import (
	"errors"
	"io"
	"os"
	"path"
	"strings"

	pkgsftp "github.com/pkg/sftp"

	"github.com/philoxenia/philoxenia/adapters/image/checksum"
	"github.com/philoxenia/philoxenia/adapters/image/format"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// contain returns the path of a file or directory on the server without
// symbolic links, and refuses one that they lead out of the repository. Between this
// answer and the file's opening a link may change: whoever can do that can write
// to the repository anyway. Servers that share it with strangers should also
// confine the login (ChrootDirectory).
func (c *connection) contain(full string) (string, error) {
	if c.server.Root == "" {
		return full, nil
	}
	if c.root == "" {
		root, err := c.RealPath(c.server.Root)
		if err != nil {
			return "", err
		}
		c.root = root
	}
	real, err := c.RealPath(full)
	if err != nil {
		return "", err
	}
	if real != c.root && !strings.HasPrefix(real, strings.TrimSuffix(c.root, "/")+"/") {
		return "", invalid("it leads out of the repository")
	}
	return real, nil
}

// regular describes a file and refuses what is none, before it is opened: to
// open a fifo would hang the server.
func (c *connection) regular(full string) (os.FileInfo, error) {
	info, err := c.Stat(full)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, invalid("it is no regular file but %s", info.Mode().Type())
	}
	return info, nil
}

// source is an image on the server, opened for reading.
type source struct {
	*pkgsftp.File
	path string // without symbolic links
	info os.FileInfo
}

func (c *connection) open(p place) (*source, error) {
	full, err := c.contain(p.full())
	if err != nil {
		return nil, err
	}
	if _, err := c.regular(full); err != nil {
		return nil, err
	}
	f, err := c.Open(full)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	return &source{f, full, info}, nil
}

// same tells whether two descriptions are of the same bytes, as far as SFTP
// can tell.
func same(a, b os.FileInfo) bool {
	return a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// inspect looks at the header of an image of size bytes.
func inspect(r io.ReaderAt, size, maxBytes int64) (workspace.ImageInfo, error) {
	seen, err := format.Inspect(r, size)
	if err != nil {
		return workspace.ImageInfo{}, err
	}
	return workspace.ImageInfo{Size: seen.FileSize, Format: seen.Format}, seen.Admit(maxBytes)
}

// expected returns the checksum beside the image at the resolved path full; ""
// when there is none. name is what users call the image.
func (c *connection) expected(full, name string) (string, error) {
	beside, err := c.contain(full + checksum.Suffix)
	if err == nil {
		_, err = c.regular(beside)
	}
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	f, err := c.Open(beside)
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
		return "", invalid("%w", err)
	}
	return sum, nil
}

// wanted is the checksum that an image must have, "" when nobody says. The
// one beside the image is looked for beside the name that the location has.
func (c *connection) wanted(p place, asked string) (string, error) {
	if asked == "" {
		return c.expected(p.full(), p.name)
	}
	sum, err := checksum.Normal(asked)
	if err != nil {
		return "", invalid("%w", err)
	}
	return sum, nil
}
