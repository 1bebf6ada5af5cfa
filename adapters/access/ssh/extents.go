package ssh

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"

	"github.com/philoxenia/philoxenia/adapters/image/sparse"
	"github.com/philoxenia/philoxenia/adapters/transport/transfer"
)

// extentsOf lists the stretches of a host's file that hold data. Neither SFTP nor
// coreutils can ask for them, but GNU tar writes the list before the data, and is
// then hung up on. A host without it, or whose file has no holes: all is one stretch.
func extentsOf(
	ctx context.Context, s *session, f *file, name string,
) ([]sparse.Extent, error) {
	size := f.info.Size()
	whole := []sparse.Extent{{Length: size}}
	all, err := describe(ctx, s, name)
	if err != nil || len(all) == 0 || all[0].OnDisk >= size {
		return whole, err
	}
	list, err := listed(ctx, s, name, size)
	if err != nil && ctx.Err() == nil && !s.Line().Dead() {
		return whole, nil
	}
	return list, err
}

func listed(ctx context.Context, s *session, name string, size int64) ([]sparse.Extent, error) {
	out, in := io.Pipe()
	tar, err := s.Line().NewSession()
	if err != nil {
		return nil, err
	}
	// Closing hangs up on tar, which the list is all that is wanted of.
	defer tar.Close()
	tar.Stdout = in
	err = tar.Start("exec " + Quote("env", "LC_ALL=C", "tar", "-c", "-f", "-", "--format=posix",
		"--sparse", "--sparse-version=1.0", "-C", path.Dir(name), "--", "./"+path.Base(name)))
	if err != nil {
		return nil, err
	}
	go func() {
		in.CloseWithError(errors.Join(io.ErrUnexpectedEOF, tar.Wait()))
	}()
	stop := context.AfterFunc(ctx, func() { out.CloseWithError(ctx.Err()) })
	defer stop()
	list, err := parseExtents(bufio.NewReader(out), size)
	out.Close()
	return list, err
}

// The layout of an archive, see pax(5) of POSIX and "PAX Format, Version 1.0" of
// GNU tar's manual: a header of type x with its data, the file's header, the list.
const (
	tarBlock  = 512
	sizeField = 124 // 12 octal digits
	typeField = 156
	maxList   = 64 << 20 // bytes of a list that is still believed
)

func parseExtents(r *bufio.Reader, size int64) ([]sparse.Extent, error) {
	header := make([]byte, tarBlock)
	if _, err := io.ReadFull(r, header); err != nil {
		return nil, err
	}
	octal := strings.Trim(string(header[sizeField:sizeField+11]), " \x00")
	length, err := strconv.ParseInt(octal, 8, 64)
	if err != nil || header[typeField] != 'x' || length > 1<<20 {
		return nil, errors.New("tar writes no extended header")
	}
	records := make([]byte, (length+tarBlock-1)/tarBlock*tarBlock)
	if _, err := io.ReadFull(r, records); err != nil {
		return nil, err
	}
	if !strings.Contains(string(records), "GNU.sparse.major=1\n") {
		return nil, errors.New("tar finds no holes")
	}
	if _, err := io.ReadFull(r, header); err != nil {
		return nil, err
	}
	return parseList(bufio.NewReader(io.LimitReader(r, maxList)), size)
}

// parseList reads a number of extents, and offset and length of each, a line each.
func parseList(r *bufio.Reader, size int64) ([]sparse.Extent, error) {
	count, err := number(r)
	if err != nil {
		return nil, err
	}
	var all []sparse.Extent
	end := int64(0)
	for range count {
		var e sparse.Extent
		if e.Offset, err = number(r); err == nil {
			e.Length, err = number(r)
		}
		if err != nil {
			return nil, err
		}
		if e.Offset < end || e.Length > size-e.Offset {
			return nil, fmt.Errorf("tar tells of data at %d to %d of %d", e.Offset, e.End(), size)
		}
		if end = e.End(); e.Length > 0 {
			all = append(all, e)
		}
	}
	return all, nil
}

func number(r *bufio.Reader) (int64, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(strings.TrimSuffix(line, "\n"), 10, 64)
	if err == nil && n < 0 {
		err = transfer.Invalid("tar tells of %d bytes", n)
	}
	return n, err
}
