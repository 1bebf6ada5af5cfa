package packed

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/philoxenia/philoxenia/adapters/image/format"
	"github.com/philoxenia/philoxenia/adapters/image/sparse"
	"github.com/philoxenia/philoxenia/adapters/transport/transfer"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// expansion makes the disk of one Fetch out of what came.
type expansion struct {
	workspace.Fetch
	method *method
	part   *transfer.Part
	at     int64
}

func (e *expansion) run(ctx context.Context, from string) (workspace.ImageInfo, error) {
	in, stat, err := transfer.OpenHost(from)
	if err != nil {
		return workspace.ImageInfo{}, err
	}
	defer in.Close()
	if !e.method.begins(in) {
		return workspace.ImageInfo{}, transfer.Invalid(
			"its name ends in %s, but it is not compressed by %s", e.method.suffix, e.method.name)
	}
	if e.part, err = transfer.Create(transfer.Host{}, e.Path); err != nil {
		return workspace.ImageInfo{}, err
	}
	defer e.part.Close()
	info, err := e.expand(ctx, in, stat.Size())
	if err == nil {
		err = e.part.Land(e.Sync, stat.ModTime())
	}
	if err != nil {
		return workspace.ImageInfo{}, errors.Join(err, e.part.Discard())
	}
	return info, nil
}

func (e *expansion) expand(
	ctx context.Context, in *os.File, size int64,
) (workspace.ImageInfo, error) {
	meter := transfer.NewMeter(half(e.Progress, 1), size)
	z, done, err := e.method.reader(meter.Reader(in))
	if err != nil {
		return workspace.ImageInfo{}, cannotExpand(err)
	}
	defer done()
	if err := e.write(ctx, z); err != nil {
		return workspace.ImageInfo{}, err
	}
	meter.Reach(size)
	if err := e.part.Truncate(e.at); err != nil {
		return workspace.ImageInfo{}, err
	}
	return transfer.Inspect(e.part, e.at, e.MaxBytes)
}

// write writes what the reader expands, without the zeros in it. The limit
// holds while it grows: a few kilobytes may stand for any number of them.
func (e *expansion) write(ctx context.Context, z io.Reader) error {
	buffer := transfer.Buffer()
	defer transfer.Recycle(buffer)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := fill(z, *buffer)
		if _, err := sparse.WriteAt(e.part, (*buffer)[:n], e.at); err != nil {
			return err
		}
		if e.at += int64(n); e.MaxBytes > 0 && e.at > 2*e.MaxBytes+format.HeadBytes {
			return transfer.Invalid("it expands to more than the %d bytes allowed", e.MaxBytes)
		}
		if err == io.EOF { // wrapped, it says that the file ends too early
			return nil
		}
		if err != nil {
			return cannotExpand(err)
		}
	}
}

// cannotExpand tells what came in a form that is no good from a disk of the host that
// cannot be read, which says nothing of the image.
func cannotExpand(err error) error {
	var disk *fs.PathError
	if errors.As(err, &disk) {
		return err
	}
	return transfer.Invalid("it cannot be expanded: %w", err)
}

// fill reads until the buffer is full or the reader fails, whose own error it
// returns: io.ReadFull would hide a truncated file behind the word for an end.
func fill(r io.Reader, buffer []byte) (n int, err error) {
	for n < len(buffer) && err == nil {
		var more int
		more, err = r.Read(buffer[n:])
		n += more
	}
	return n, err
}
