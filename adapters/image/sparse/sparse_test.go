package sparse_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/philoxenia/philoxenia/adapters/image/sparse"
)

func TestWriteAtLeavesZerosOut(t *testing.T) {
	data := make([]byte, 1<<20+100)
	rand.NewChaCha8([32]byte{}).Read(data)
	clear(data[100<<10 : 900<<10])
	clear(data[1<<20-10:])
	for _, step := range []int{1000, 4096, 70000, len(data)} {
		f, err := os.Create(filepath.Join(t.TempDir(), "image"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for at := 0; at < len(data); at += step {
			part := data[at:min(at+step, len(data))]
			if n, err := sparse.WriteAt(f, part, int64(at)); err != nil || n != len(part) {
				t.Fatalf("%d, %v of %d bytes at %d", n, err, len(part), at)
			}
		}
		if err := f.Truncate(int64(len(data))); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(f.Name())
		if err != nil || !bytes.Equal(got, data) {
			t.Fatalf("in steps of %d, other bytes were read (%v)", step, err)
		}
		var stat unix.Stat_t
		if err := unix.Fstat(int(f.Fd()), &stat); err != nil {
			t.Fatal(err)
		}
		if taken := stat.Blocks * 512; taken > 300<<10 {
			t.Errorf("in steps of %d, %d bytes are taken", step, taken)
		}
	}
}

func TestExtents(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "image"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const size = 16 << 20
	for _, at := range []int64{0, 5 << 20, size - 4096} {
		if _, err := f.WriteAt(bytes.Repeat([]byte{1}, 4096), at); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Truncate(size + 1<<20); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		from int64
		want []int64 // offsets at which extents begin
	}{
		{0, []int64{0, 5 << 20, size - 4096}},
		{1 << 20, []int64{5 << 20, size - 4096}},
		{5<<20 + 100, []int64{5<<20 + 100, size - 4096}},
		{size, nil},
		{size + 1<<20, nil},
	}
	for _, test := range tests {
		var got []int64
		for e, err := range sparse.Extents(f, test.from, size+1<<20) {
			if err != nil {
				t.Fatal(err)
			}
			if e.Length > 64<<10 {
				t.Errorf("from %d: %+v is no small stretch", test.from, e)
			}
			got = append(got, e.Offset)
		}
		if len(got) != len(test.want) {
			t.Fatalf("from %d: extents at %d, expected %d", test.from, got, test.want)
		}
		for i := range got {
			if got[i] != test.want[i] {
				t.Errorf("from %d: extents at %d, expected %d", test.from, got, test.want)
			}
		}
	}
}
