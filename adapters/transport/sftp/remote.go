package sftp

import (
	"io"
	"os"
	"strings"

	"github.com/philoxenia/philoxenia/adapters/transport/sftp/lanes"
	"github.com/philoxenia/philoxenia/adapters/transport/transfer"
)

// contain returns the path of a file or directory on the server without
// symbolic links, and refuses one that they lead out of the repository. Between this
// answer and the file's opening a link may change: whoever can do that can write
// to the repository anyway. Servers that share it with strangers should also
// confine the login (ChrootDirectory).
func (c *connection) contain(full string) (string, error) {
	if c.Line().Server.Root == "" {
		return full, nil
	}
	if c.root == "" {
		root, err := c.RealPath(c.Line().Server.Root)
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
		return "", transfer.Invalid("it leads out of the repository")
	}
	return real, nil
}

// regular refuses what is no regular file, before it is opened: to open a fifo
// would hang the server.
func (c *connection) regular(full string) error {
	info, err := c.Stat(full)
	if err != nil {
		return err
	}
	return transfer.Regular(info)
}

// source is an image on the server, opened for reading.
type source struct {
	*lanes.Source
	path string // without symbolic links
	info os.FileInfo
}

func (c *connection) open(p place) (*source, error) {
	full, err := c.contain(p.Full())
	if err != nil {
		return nil, err
	}
	if err := c.regular(full); err != nil {
		return nil, err
	}
	f, err := c.Source(full)
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

// again opens over this connection what is open over another.
func (c *connection) again(src *source) (*lanes.Source, error) {
	f, err := c.Source(src.path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !transfer.Same(info, src.info) {
		err = transfer.Changed("it was replaced as it was opened")
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// expected returns the checksum beside the image, by the name that its location has; ""
// when there is none.
func (c *connection) expected(p place) (string, error) {
	return transfer.Beside(p.Full(), c.sums)
}

// sums opens a file of checksums.
func (c *connection) sums(path string) (io.ReadCloser, error) {
	real, err := c.contain(path)
	if err == nil {
		err = c.regular(real)
	}
	if err != nil {
		return nil, err
	}
	return c.Open(real)
}

// wanted is the checksum that an image must have, "" when nobody says. The
// one beside the image is looked for beside the name that the location has.
func (c *connection) wanted(p place, asked string) (string, error) {
	return transfer.Wanted(asked, func() (string, error) { return c.expected(p) })
}
