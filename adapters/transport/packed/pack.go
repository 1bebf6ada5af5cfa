package packed

import (
	"context"
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/philoxenia/philoxenia/adapters/transport/transfer"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// pack compresses the image into the file at path, which gets the image's time
// of modification: by it the transport behind finds work that is done.
func pack(ctx context.Context, d workspace.Deliver, path string, m *method) error {
	in, stat, err := transfer.OpenHost(d.Path)
	if err != nil {
		return err
	}
	defer in.Close()
	if _, err := transfer.Inspect(in, stat.Size(), 0); err != nil {
		return err
	}
	if whole(path, stat) {
		return nil
	}
	flags := os.O_WRONLY | os.O_CREATE | os.O_TRUNC | unix.O_NOFOLLOW
	out, err := os.OpenFile(path, flags, 0o600)
	if err != nil {
		return err
	}
	meter := transfer.NewMeter(half(d.Progress, 0), stat.Size())
	meter.Reach(0)
	z, err := m.writer(out)
	if err == nil {
		err = squeeze(ctx, z, meter.Reader(in))
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return err
	}
	if err := transfer.Unchanged(in, stat); err != nil {
		return err
	}
	return os.Chtimes(path, stat.ModTime(), stat.ModTime())
}

// whole tells whether an earlier Deliver has compressed the image: only a file
// that is complete has its time of modification.
func whole(path string, stat os.FileInfo) bool {
	there, err := os.Lstat(path)
	return err == nil && there.Mode().IsRegular() && there.ModTime().Equal(stat.ModTime())
}

// squeeze copies all into the compressor, looking at ctx now and then.
func squeeze(ctx context.Context, z io.WriteCloser, in io.Reader) error {
	buffer := transfer.Buffer()
	defer transfer.Recycle(buffer)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := in.Read(*buffer)
		if _, err := z.Write((*buffer)[:n]); err != nil {
			return err
		}
		if errors.Is(err, io.EOF) {
			return z.Close()
		}
		if err != nil {
			return err
		}
	}
}
