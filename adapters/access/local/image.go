package local

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/philoxenia/philoxenia/adapters/image/format"
	"github.com/philoxenia/philoxenia/adapters/image/sparse"
	"github.com/philoxenia/philoxenia/adapters/transport/transfer"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// diskMode lets nobody else read a disk.
const diskMode = 0o600

// Blank makes a sparse file.
func (Access) Blank(_ context.Context, path string, size int64) error {
	done, err := made(path)
	if err == nil && !done {
		err = produce(path, diskMode, time.Time{}, func(p *transfer.Part) error {
			return p.Truncate(size)
		})
	}
	return failed("make the disk", path, err)
}

// made tells whether a file of that name is there.
func made(path string) (bool, error) {
	if err := checked(path); err != nil {
		return false, err
	}
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err == nil && !info.Mode().IsRegular() {
		err = notRegular(info.Mode())
	}
	return err == nil, err
}

// Examine reads the image's header.
func (Access) Examine(
	ctx context.Context, path string, sum bool,
) (workspace.ImageInfo, error) {
	info, err := examine(ctx, path, sum)
	if err != nil {
		return workspace.ImageInfo{}, failed("examine the image", path, err)
	}
	return info, nil
}

func examine(ctx context.Context, path string, sum bool) (info workspace.ImageInfo, err error) {
	if err := checked(path); err != nil {
		return info, err
	}
	f, stat, err := transfer.OpenHost(path)
	if err != nil {
		return info, err
	}
	defer f.Close()
	if info, err = transfer.Inspect(f, stat.Size(), 0); err != nil || !sum {
		return info, err
	}
	s := transfer.NewSum()
	if err := s.AddReader(ctx, f); err != nil {
		return info, err
	}
	info.SHA256 = s.Text()
	return info, nil
}

// Copy makes a full copy with the time of the original. An existing file is
// left as it is.
func (Access) Copy(ctx context.Context, from, to string, p workspace.Progress) error {
	done, err := made(to)
	if err == nil && !done {
		err = duplicate(ctx, from, to, p)
	}
	return failed("copy the image to", to, err)
}

func duplicate(ctx context.Context, from, to string, report workspace.Progress) error {
	if err := checked(from, to); err != nil {
		return err
	}
	src, stat, err := transfer.OpenHost(from)
	if err != nil {
		return err
	}
	defer src.Close()
	meter := transfer.NewMeter(report, stat.Size())
	return produce(to, stat.Mode(), stat.ModTime(), func(p *transfer.Part) error {
		err := sparse.Copy(ctx, p.File, src, stat.Size(), meter.Reach)
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = workspace.Refuse(workspace.Transient, "%s was cut short meanwhile", from)
		}
		if err != nil {
			return err
		}
		return transfer.Unchanged(src, stat)
	})
}

// Clone makes a disk that begins as the image. An existing file is left as it is.
func (a Access) Clone(ctx context.Context, from, image, to string) (string, error) {
	found, err := a.clone(ctx, from, image, to)
	return found, failed("clone the image to", to, err)
}

func (a Access) clone(ctx context.Context, from, image, to string) (string, error) {
	if image != format.Raw && image != format.QCOW2 {
		return "", transfer.Invalid("the format is %q, expected %s or %s",
			image, format.Raw, format.QCOW2)
	}
	done, err := made(to)
	if err != nil {
		return "", err
	}
	if done {
		return standing(from, image, to)
	}
	if err := checked(from); err != nil {
		return "", err
	}
	src, stat, err := transfer.OpenHost(from)
	if err != nil {
		return "", err
	}
	defer src.Close()
	found := image
	err = produce(to, stat.Mode()|diskMode, time.Time{}, func(p *transfer.Part) error {
		shared, err := sparse.Share(p.File, src, stat.Size())
		if err != nil || shared {
			return err
		}
		found = format.QCOW2
		return a.overlay(ctx, from, image, p.Name())
	})
	return found, err
}

// standing returns the format of a disk that an earlier call made.
func standing(from, image, to string) (string, error) {
	f, _, err := transfer.OpenHost(to)
	if err != nil {
		return "", err
	}
	defer f.Close()
	head := make([]byte, format.HeadBytes)
	n, err := f.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	if behind, ok := format.Overlay(head[:n]); ok && behind == from {
		return format.QCOW2, nil
	}
	return image, nil
}

// overlay makes a qcow2 file that has the image behind it.
func (a Access) overlay(ctx context.Context, from, image, to string) error {
	err := a.Run(ctx, workspace.Command{Args: []string{
		"qemu-img", "create", "-q", "-f", format.QCOW2, "-F", image, "-b", from, to}})
	switch {
	case err == nil:
		return nil
	case workspace.KindOf(err) == workspace.NotFound:
		return workspace.Lacks(
			"the file system shares no blocks, and qemu-img is not there: install it "+
				"(Debian package qemu-utils): %w", err)
	case workspace.KindOf(err) == workspace.Internal:
		return workspace.Refuse(transfer.Said(err.Error()), "%w", err)
	}
	return err
}
