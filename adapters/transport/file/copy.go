package file

import (
	"context"
	"errors"
	"io"

	"github.com/philoxenia/philoxenia/adapters/image/sparse"
	"github.com/philoxenia/philoxenia/adapters/transport/transfer"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// copier copies one image into an empty file, holes left out.
type copier struct {
	from  *source
	to    *transfer.Part
	sum   *transfer.Sum // nil: nobody wants to know
	meter *transfer.Meter
	pace  *transfer.Pace
	// reading is set once the kernel has declined to copy by itself.
	reading bool
}

// run copies all.
func (c *copier) run(ctx context.Context) error {
	c.reading = c.sum != nil
	size, at := c.from.info.Size(), int64(0)
	for extent, err := range sparse.Extents(c.from.File, 0, size) {
		if err != nil {
			return err
		}
		if err := c.sum.AddZeros(ctx, extent.Offset-at); err != nil {
			return err
		}
		if err := c.extent(ctx, extent); err != nil {
			return err
		}
		at = extent.End()
	}
	if err := c.sum.AddZeros(ctx, size-at); err != nil {
		return err
	}
	// A trailing hole is made by the length alone.
	if err := c.to.Truncate(size); err != nil {
		return err
	}
	c.meter.Reach(size)
	return nil
}

// extent copies one stretch of data, by the kernel (which shares the blocks
// where the file system can) unless the bytes must pass by the checksum.
func (c *copier) extent(ctx context.Context, e sparse.Extent) error {
	for at := e.Offset; at < e.End(); {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := c.step(at, e.End()-at)
		if err != nil {
			return err
		}
		at += n
		c.meter.Reach(at)
		if err := c.pace.Wait(ctx, int(n)); err != nil {
			return err
		}
	}
	return nil
}

func (c *copier) step(at, length int64) (int64, error) {
	if c.reading {
		return c.read(at, length)
	}
	n, err := sparse.Kernel(c.to.File, c.from.File, at, length)
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return 0, short(at, c.from.info.Size())
	case n == 0 && err == nil:
		c.reading = true
		return c.read(at, length)
	}
	return n, err
}

// read copies a bufferful by hand.
func (c *copier) read(at, length int64) (int64, error) {
	buffer := transfer.Buffer()
	defer transfer.Recycle(buffer)
	b := (*buffer)[:min(length, int64(len(*buffer)))]
	n, err := c.from.ReadAt(b, at)
	if n == 0 && errors.Is(err, io.EOF) {
		return 0, short(at, c.from.info.Size())
	}
	if n == 0 {
		return 0, err
	}
	c.sum.Add(b[:n])
	if _, err := sparse.WriteAt(c.to, b[:n], at); err != nil {
		return 0, err
	}
	return int64(n), nil
}

func short(at, size int64) error {
	return workspace.Errorf(workspace.Transient, "read the image", "",
		"it was cut short meanwhile, to %d of %d bytes", at, size)
}
