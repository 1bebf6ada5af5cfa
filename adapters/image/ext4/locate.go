package ext4

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"strconv"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// Where things are on a disk.
const (
	sector      = 512
	magicAt     = 1024 + 0x38 // of an ext file system's magic, from its beginning
	mbrEntries  = 446
	mbrEntry    = 16
	gptEntryMin = 128
	gptMost     = 128 // entries that are looked at
)

// locate returns where in the image its ext file system begins.
func (c Customiser) locate(ctx context.Context, image string) (int64, error) {
	f := &far{path: image, run: func(command workspace.Command) error {
		return c.Access.Run(ctx, command)
	}}
	var found []int64
	switch {
	case isExt(f, 0):
		found = []int64{0}
	default:
		for _, start := range partitions(f) {
			if isExt(f, start) {
				found = append(found, start)
			}
		}
	}
	switch {
	case f.err != nil:
		return 0, f.err
	case len(found) == 1:
		return found[0], nil
	case len(found) == 0:
		return 0, workspace.Refuse(workspace.Invalid, "it has no ext2, ext3 or ext4 file system")
	}
	return 0, workspace.Refuse(workspace.Invalid,
		"it has %d partitions with ext file systems, and which is the root is not known",
		len(found))
}

// far reads a file of the host. The beginning, where all tables are, is read once.
type far struct {
	run  func(workspace.Command) error // on the host
	path string
	head []byte
	err  error // the first that was none of the file's end
}

// headBytes hold a GPT with all its entries, and an ext file system's superblock.
const headBytes = 64 << 10

// ReadAt reads from the file; past its end it is io.EOF.
func (f *far) ReadAt(b []byte, at int64) (int, error) {
	if f.head == nil && f.err == nil {
		f.head, f.err = f.read(0, headBytes)
	}
	if f.err != nil {
		return 0, f.err
	}
	part := f.head[min(at, int64(len(f.head))):]
	if at+int64(len(b)) > headBytes {
		if part, f.err = f.read(at, len(b)); f.err != nil {
			return 0, f.err
		}
	}
	n := copy(b, part)
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// read has the host read so many bytes from there on, or fewer at the end.
func (f *far) read(at int64, count int) ([]byte, error) {
	var out bytes.Buffer
	err := f.run(workspace.Command{Args: []string{
		"dd", "if=" + f.path, "bs=64K", "iflag=skip_bytes,count_bytes", "status=none",
		"skip=" + strconv.FormatInt(at, 10), "count=" + strconv.Itoa(count)}, Stdout: &out})
	return out.Bytes(), err
}

// isExt reports whether an ext file system begins at the offset.
func isExt(r io.ReaderAt, offset int64) bool {
	magic := make([]byte, 2)
	_, err := r.ReadAt(magic, offset+magicAt)
	return err == nil && binary.LittleEndian.Uint16(magic) == 0xef53
}

// partitions returns where the partitions begin, by a GPT or an MBR's four entries.
func partitions(r io.ReaderAt) []int64 {
	head := make([]byte, 2*sector)
	if _, err := r.ReadAt(head, 0); err != nil || head[510] != 0x55 || head[511] != 0xaa {
		return nil
	}
	if gpt := head[sector:]; bytes.HasPrefix(gpt, []byte("EFI PART")) {
		return gptPartitions(r, gpt)
	}
	var starts []int64
	for i := range 4 {
		entry := head[mbrEntries+i*mbrEntry:]
		if lba := binary.LittleEndian.Uint32(entry[8:]); lba > 0 {
			starts = append(starts, int64(lba)*sector)
		}
	}
	return starts
}

// gptPartitions reads the entries that a GPT header tells of.
func gptPartitions(r io.ReaderAt, header []byte) []int64 {
	at := int64(binary.LittleEndian.Uint64(header[72:])) * sector
	count := binary.LittleEndian.Uint32(header[80:])
	size := binary.LittleEndian.Uint32(header[84:])
	if size < gptEntryMin || size > sector*8 || at <= 0 {
		return nil
	}
	var starts []int64
	for i := range min(count, gptMost) {
		entry := make([]byte, gptEntryMin)
		if _, err := r.ReadAt(entry, at+int64(i)*int64(size)); err != nil {
			return starts
		}
		if lba := int64(binary.LittleEndian.Uint64(entry[32:])); lba > 0 && lba < 1<<40 {
			starts = append(starts, lba*sector)
		}
	}
	return starts
}
