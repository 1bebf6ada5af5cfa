package ext4

import (
	"bytes"
	"encoding/binary"
	"io"
	"os"
	"strings"

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
func locate(image string) (int64, error) {
	if strings.Contains(image, "?") {
		return 0, workspace.Refuse(workspace.Internal,
			"debugfs would misread the name of the image")
	}
	f, err := os.Open(image)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	if isExt(f, 0) {
		return 0, nil
	}
	var found []int64
	for _, start := range partitions(f) {
		if isExt(f, start) {
			found = append(found, start)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return 0, workspace.Refuse(workspace.Invalid, "it has no ext2, ext3 or ext4 file system")
	}
	return 0, workspace.Refuse(workspace.Invalid,
		"it has %d partitions with ext file systems, and which is the root is not known",
		len(found))
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
