package sparse

import (
	"context"
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// What is copied between two looks at the context: by the kernel, and by hand.
const (
	kernelStep = 4 << 20
	handStep   = 1 << 20
)

// Copy makes the empty file to the same as the first size bytes of from: all
// blocks shared where the file system can, else without the holes, by the kernel
// where it can. It tells how far it is, if tell is given. A file that turns out
// shorter is io.ErrUnexpectedEOF.
func Copy(ctx context.Context, to, from *os.File, size int64, tell func(done int64)) error {
	if tell == nil {
		tell = func(int64) {}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	shared, err := Share(to, from, size)
	if err == nil && !shared {
		c := copier{to: to, from: from, tell: tell}
		err = c.run(ctx, size)
	}
	if err != nil {
		return err
	}
	tell(size)
	return nil
}

// Share makes the empty file to share all its blocks with from, in a moment
// whatever the size; false: the file system cannot. See ioctl_ficlone(2).
func Share(to, from *os.File, size int64) (bool, error) {
	if err := unix.IoctlFileClone(int(to.Fd()), int(from.Fd())); err != nil {
		return false, nil // whatever the reason, a copy will tell it better
	}
	info, err := to.Stat()
	switch {
	case err != nil:
		return false, err
	case info.Size() < size:
		return false, io.ErrUnexpectedEOF
	}
	return true, to.Truncate(size)
}

// copier copies without sharing the whole.
type copier struct {
	to, from *os.File
	tell     func(done int64)
	byHand   bool // the kernel has declined
}

func (c *copier) run(ctx context.Context, size int64) error {
	for e, err := range Extents(c.from, 0, size) {
		if err != nil {
			return err
		}
		for at := e.Offset; at < e.End(); {
			if err := ctx.Err(); err != nil {
				return err
			}
			n, err := c.step(at, e.End()-at)
			if err != nil {
				return err
			}
			at += n
			c.tell(at)
		}
	}
	return c.to.Truncate(size) // makes the hole at the end
}

func (c *copier) step(at, length int64) (int64, error) {
	if c.byHand {
		return c.hand(at, length)
	}
	n, err := Kernel(c.to, c.from, at, length)
	if n == 0 && err == nil {
		c.byHand = true
		return c.hand(at, length)
	}
	return n, err
}

// Kernel has the kernel copy some of length bytes at an offset to the same place of
// another file, sharing blocks where the file system can, and tells how many it was.
// None, and no error: the kernel cannot copy between these two. A file that has no
// more is io.ErrUnexpectedEOF. See copy_file_range(2).
func Kernel(to, from *os.File, offset, length int64) (int64, error) {
	read, written := offset, offset
	n, err := unix.CopyFileRange(int(from.Fd()), &read, int(to.Fd()), &written,
		int(min(length, kernelStep)), 0)
	switch {
	case errors.Is(err, unix.EXDEV), errors.Is(err, unix.EINVAL),
		errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EOPNOTSUPP):
		return 0, nil
	case err != nil:
		return 0, &os.PathError{Op: "copy", Path: to.Name(), Err: err}
	case n == 0:
		return 0, io.ErrUnexpectedEOF
	}
	return int64(n), nil
}

// hand copies a little, zeros left out.
func (c *copier) hand(at, length int64) (int64, error) {
	b := make([]byte, min(length, handStep))
	n, err := c.from.ReadAt(b, at)
	if n == 0 && errors.Is(err, io.EOF) {
		return 0, io.ErrUnexpectedEOF
	}
	if n == 0 {
		return 0, err
	}
	_, err = WriteAt(c.to, b[:n], at)
	return int64(n), err
}
