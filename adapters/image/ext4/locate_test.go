package ext4

import (
	"bytes"
	"testing"
)

// FuzzPartitions reads partition tables that a stranger wrote.
func FuzzPartitions(f *testing.F) {
	disk := make([]byte, 4096)
	disk[510], disk[511] = 0x55, 0xaa
	f.Add(bytes.Clone(disk))
	disk[446+8] = 1
	f.Add(bytes.Clone(disk))
	copy(disk[512:], "EFI PART")
	disk[512+72], disk[512+80], disk[512+84], disk[1024+32] = 2, 128, 128, 34
	f.Add(bytes.Clone(disk))
	f.Fuzz(func(t *testing.T, disk []byte) {
		for _, start := range partitions(bytes.NewReader(disk)) {
			if start <= 0 {
				t.Errorf("a partition begins at %d", start)
			}
			isExt(bytes.NewReader(disk), start)
		}
	})
}
