// Package sparse copies images without their holes: it finds the stretches of
// a file that hold data, and writes streams of bytes without the zeros in them. It
// knows files and bytes, nothing of transports or of image formats.
package sparse

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"os"

	"golang.org/x/sys/unix"
)

// block is the unit in which zeros are looked for, that of common file systems.
const block = 4096

var zeros [64 << 10]byte

// Zero tells whether b holds nothing but zeros.
func Zero(b []byte) bool {
	for len(b) > 0 {
		n := min(len(b), len(zeros))
		if !bytes.Equal(b[:n], zeros[:n]) {
			return false
		}
		b = b[n:]
	}
	return true
}

// Extent is a stretch of a file.
type Extent struct{ Offset, Length int64 }

// End returns the offset after the stretch.
func (e Extent) End() int64 { return e.Offset + e.Length }

// Extents yields those stretches of f, from offset to size, that are not
// holes. On a file system that does not tell, the whole is one stretch.
func Extents(f *os.File, offset, size int64) iter.Seq2[Extent, error] {
	return func(yield func(Extent, error) bool) {
		for offset < size {
			e, err := next(f, offset, size)
			if err != nil {
				yield(Extent{}, err)
				return
			}
			if e.Length == 0 || !yield(e, nil) {
				return
			}
			offset = e.End()
		}
	}
}

// next returns the first data at or after offset, an empty extent when only a
// hole is left.
func next(f *os.File, offset, size int64) (Extent, error) {
	start, err := seek(f, offset, unix.SEEK_DATA)
	switch {
	case errors.Is(err, unix.ENXIO):
		return Extent{Offset: size}, nil
	case errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EOPNOTSUPP):
		return Extent{offset, size - offset}, nil
	case err != nil:
		return Extent{}, err
	case start >= size:
		return Extent{Offset: size}, nil
	}
	end, err := seek(f, start, unix.SEEK_HOLE)
	if err != nil {
		return Extent{}, err
	}
	return Extent{start, min(end, size) - start}, nil
}

func seek(f *os.File, offset int64, whence int) (int64, error) {
	at, err := unix.Seek(int(f.Fd()), offset, whence)
	if err != nil {
		return 0, &os.PathError{Op: "seek", Path: f.Name(), Err: err}
	}
	return at, nil
}

// WriteAt writes b at offset but for its blocks of zeros, which it leaves as
// holes: w must hold nothing there yet. It returns how much of b is written or
// left out when it fails.
func WriteAt(w io.WriterAt, b []byte, offset int64) (int, error) {
	for done := 0; done < len(b); {
		skip := run(b[done:], offset+int64(done), true)
		done += skip
		n := run(b[done:], offset+int64(done), false)
		if n == 0 {
			continue
		}
		if w, err := w.WriteAt(b[done:done+n], offset+int64(done)); err != nil {
			return done + w, err
		}
		done += n
	}
	return len(b), nil
}

// run returns the length of the stretch at the beginning of b whose blocks,
// aligned in the file, are all zero, or all not.
func run(b []byte, offset int64, zero bool) int {
	done := 0
	for done < len(b) {
		n := min(len(b)-done, block-int((offset+int64(done))%block))
		if Zero(b[done:done+n]) != zero {
			break
		}
		done += n
	}
	return done
}

// Punch makes a hole of the stretch: it reads as zeros afterwards.
func Punch(f *os.File, offset, length int64) error {
	const mode = unix.FALLOC_FL_PUNCH_HOLE | unix.FALLOC_FL_KEEP_SIZE
	if err := unix.Fallocate(int(f.Fd()), mode, offset, length); err != nil {
		return &os.PathError{Op: "punch", Path: f.Name(), Err: err}
	}
	return nil
}
