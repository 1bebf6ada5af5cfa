package image

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// copyStep is how much is copied between two looks at the context.
const copyStep = 16 << 20

// bring copies a file to another name, holes left out and blocks shared where
// the file system can. It appears there complete and durable, with the time of
// the original, or not at all; one that is there already is taken to be it.
func bring(ctx context.Context, from, to string) error {
	if _, err := os.Lstat(to); err == nil {
		return nil
	}
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	info, err := src.Stat()
	if err != nil {
		return err
	}
	part := to + partSuffix
	dst, err := os.OpenFile(part, os.O_RDWR|os.O_CREATE|os.O_TRUNC, info.Mode().Perm())
	if err != nil {
		return err
	}
	err = clone(ctx, src, dst, info.Size())
	if err == nil {
		err = dst.Sync()
	}
	if err = errors.Join(err, dst.Close()); err != nil {
		return err
	}
	if err := os.Chtimes(part, info.ModTime(), info.ModTime()); err != nil {
		return err
	}
	if err := os.Rename(part, to); err != nil {
		return err
	}
	return syncDir(filepath.Dir(to))
}

// syncDir makes names in a directory survive a power cut.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Where the data of a sparse file are, for Seek (lseek(2)).
const (
	seekData = 3
	seekHole = 4
)

// clone fills dst with what src holds, stretch by stretch of data.
func clone(ctx context.Context, src, dst *os.File, size int64) error {
	for at := int64(0); at < size; {
		begin, err := src.Seek(at, seekData)
		if errors.Is(err, syscall.ENXIO) {
			break // a hole to the end
		}
		if err != nil {
			return err
		}
		end, err := src.Seek(begin, seekHole)
		if err != nil {
			return err
		}
		if err := copyRange(ctx, src, dst, begin, end); err != nil {
			return err
		}
		at = end
	}
	return dst.Truncate(size)
}

// copyRange copies the bytes from begin to end. Between files the library has
// the kernel do it, which shares the blocks where the file system can.
func copyRange(ctx context.Context, src, dst *os.File, begin, end int64) error {
	if _, err := src.Seek(begin, io.SeekStart); err != nil {
		return err
	}
	if _, err := dst.Seek(begin, io.SeekStart); err != nil {
		return err
	}
	for at := begin; at < end; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := io.CopyN(dst, src, min(copyStep, end-at))
		if err != nil {
			return err
		}
		at += n
	}
	return nil
}
