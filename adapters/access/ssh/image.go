package ssh

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/philoxenia/philoxenia/adapters/image/checksum"
	"github.com/philoxenia/philoxenia/adapters/image/format"
	"github.com/philoxenia/philoxenia/adapters/transport/sftp/lanes"
	"github.com/philoxenia/philoxenia/adapters/transport/transfer"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// diskMode lets nobody else read a disk.
const diskMode = 0o600

// Blank makes a sparse file.
func (a *Access) Blank(ctx context.Context, name string, size int64) error {
	err := a.produce(ctx, target{path: name, mode: diskMode},
		func(_ *session, f *lanes.File) error { return f.Truncate(size) })
	return failed("make the disk", name, err)
}

// Examine reads the image's header; the host computes the checksum.
func (a *Access) Examine(
	ctx context.Context, name string, sum bool,
) (info workspace.ImageInfo, err error) {
	look := func(s *session) error {
		info, err = examine(ctx, s, name, 0, sum)
		return err
	}
	if err = checked(name); err == nil && sum {
		err = a.moves.Use(ctx, look)
	} else if err == nil {
		err = a.calls.Use(ctx, look)
	}
	if err != nil {
		return workspace.ImageInfo{}, failed("examine the image", name, err)
	}
	return info, nil
}

func examine(
	ctx context.Context, s *session, name string, maxBytes int64, sum bool,
) (workspace.ImageInfo, error) {
	f, err := open(s, name)
	if err != nil {
		return workspace.ImageInfo{}, err
	}
	defer f.Close()
	info, err := transfer.Inspect(f, f.info.Size(), maxBytes)
	if err == nil && sum {
		info.SHA256, err = sumOf(ctx, s, name)
	}
	return info, err
}

// sumOf has the host compute a checksum.
func sumOf(ctx context.Context, s *session, name string) (string, error) {
	out, err := s.script(ctx, "sha256sum < "+Quote(name))
	if err != nil {
		return "", toldBy("sha256sum", err)
	}
	first, _, _ := strings.Cut(out, " ")
	return checksum.Normal(first)
}

// Copy has the host make a full copy.
func (a *Access) Copy(ctx context.Context, from, to string, p workspace.Progress) error {
	err := checked(from)
	if err == nil {
		err = a.produce(ctx, target{path: to, mode: diskMode, long: true},
			func(s *session, part *lanes.File) error { return duplicate(ctx, s, from, part, p) })
	}
	return failed("copy the image to", to, err)
}

func duplicate(
	ctx context.Context, s *session, from string, part *lanes.File, p workspace.Progress,
) error {
	src, err := open(s, from)
	if err != nil {
		return err
	}
	defer src.Close()
	meter := transfer.NewMeter(p, src.info.Size())
	stop := follow(meter, func() (int64, error) {
		info, err := part.Stat()
		if err != nil {
			return 0, err
		}
		return info.Size(), nil
	})
	_, err = s.tool(ctx, "cp", "--reflink=auto", "--sparse=always",
		"--preserve=mode,timestamps", "--", from, part.Name())
	stop()
	if err != nil {
		return err
	}
	if err := transfer.Unchanged(src, src.info); err != nil {
		return err
	}
	meter.Reach(src.info.Size())
	return nil
}

// followEvery is how often the length of a file that a program writes is asked for.
const followEvery = 500 * time.Millisecond

// follow tells the meter how long a file is until stop is called.
func follow(meter *transfer.Meter, length func() (int64, error)) (stop func()) {
	done := make(chan struct{})
	var follower sync.WaitGroup
	follower.Go(func() {
		tick := time.NewTicker(followEvery)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
			}
			n, err := length()
			if err != nil {
				return
			}
			meter.Reach(n)
		}
	})
	return func() {
		close(done)
		follower.Wait()
	}
}

// cloning shares the blocks where the file system can, and says so; else it
// makes a qcow2 file before the image. Its arguments: image, its format, file to make.
const cloning = `cp --reflink=always -- "$1" "$3" 2>/dev/null && exec echo shared
exec qemu-img create -q -f qcow2 -F "$2" -b "$1" "$3"`

// Clone has the host make a disk that begins as the image.
func (a *Access) Clone(ctx context.Context, from, image, to string) (string, error) {
	made, err := a.clone(ctx, from, image, to)
	return made, failed("clone the image to", to, err)
}

func (a *Access) clone(ctx context.Context, from, image, to string) (string, error) {
	if image != format.Raw && image != format.QCOW2 {
		return "", transfer.Invalid("the format is %q, expected %s or %s",
			image, format.Raw, format.QCOW2)
	}
	if err := checked(from); err != nil {
		return "", err
	}
	made := ""
	err := a.produce(ctx, target{path: to, mode: diskMode},
		func(s *session, part *lanes.File) error {
			src, err := open(s, from)
			if err != nil {
				return err
			}
			defer src.Close()
			said, err := s.tool(ctx, "sh", "-c", cloning, "sh", from, image, part.Name())
			if made = format.QCOW2; strings.TrimSpace(said) == "shared" {
				made = image
			}
			return lacking(err)
		})
	if err == nil && made == "" { // an earlier call made it
		made, err = a.standing(ctx, from, image, to)
	}
	return made, err
}

// lacking says what to do about a host on which qemu-img is not installed.
func lacking(err error) error {
	var exit *exitError
	if errors.As(err, &exit) && exit.status == notFound {
		return workspace.Lacks("the file system shares no blocks, and the "+
			"host has no qemu-img: install it there (Debian package qemu-utils): %w", err)
	}
	return err
}

// standing returns the format of a disk that an earlier call made.
func (a *Access) standing(ctx context.Context, from, image, to string) (string, error) {
	head := make([]byte, format.HeadBytes)
	err := a.calls.Use(ctx, func(s *session) error {
		f, err := open(s, to)
		if err != nil {
			return err
		}
		defer f.Close()
		n, err := f.ReadAt(head, 0)
		head = head[:n]
		if err == io.EOF { // wrapped, it says that the request could not be sent
			err = nil
		}
		return err
	})
	if behind, ok := format.Overlay(head); ok && behind == from {
		return format.QCOW2, err
	}
	return image, err
}
