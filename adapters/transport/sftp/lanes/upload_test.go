package lanes

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/philoxenia/philoxenia/adapters/transport/transfer"
)

// held is a file on a server that takes nothing until it is let.
type held struct {
	*os.File
	asked func()
	until chan struct{}
}

// WriteAt tells that it was asked, waits and writes.
func (h held) WriteAt(b []byte, offset int64) (int, error) {
	h.asked()
	<-h.until
	return h.File.WriteAt(b, offset)
}

// upload is an Upload of so many bytes to a new file, opened twice.
func upload(t *testing.T, size int) (*Upload, [2]*os.File) {
	t.Helper()
	dir := t.TempDir()
	name := filepath.Join(dir, "from")
	data := make([]byte, size)
	for i := range data {
		data[i] = byte(1 + i%251)
	}
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	var files [3]*os.File
	for i, at := range []string{name, filepath.Join(dir, "to"), filepath.Join(dir, "to")} {
		f, err := os.OpenFile(at, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		files[i] = f
	}
	u := &Upload{From: files[0], Size: int64(size), Touch: func() {},
		To: []io.WriterAt{files[1], files[2]}, Meter: transfer.NewMeter(nil, int64(size)),
		Account: func(int64) error { return nil }}
	return u, [2]*os.File{files[1], files[2]}
}

// A connection that stands still holds up none of the others: all but what it has
// in hand goes over these, and the account counts nothing behind that.
func TestUploadGoesOnBesideAConnectionThatStandsStill(t *testing.T) {
	const size = checkpointBytes + 8*lanes*packetBytes
	u, to := upload(t, size)
	taken, until := make(chan struct{}), make(chan struct{})
	// The first begins when the second has something in hand.
	u.To[0] = held{to[0], func() {}, taken}
	u.To[1] = held{to[1], sync.OnceFunc(func() { close(taken) }), until}
	var told []int64
	u.Account = func(offset int64) error {
		told = append(told, offset)
		close(until) // a checkpoint is reached while the second still holds its first chunks
		return nil
	}
	if err := u.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(told) != 1 || told[0] >= lanes*packetBytes {
		t.Fatalf("told that all had arrived before %d", told)
	}
	same(t, u.From, to[0])
}

// A flush that fails ends the upload, of which nothing new is to be relied on.
func TestUploadFailsWithItsFlush(t *testing.T) {
	u, _ := upload(t, 2*checkpointBytes+packetBytes)
	broken := errors.New("the disk is gone")
	u.Flush = func() error { return broken }
	last := int64(-1)
	u.Account = func(offset int64) error { last = offset; return nil }
	if err := u.Run(t.Context()); !errors.Is(err, broken) {
		t.Fatalf("got %v, want %v", err, broken)
	}
	if last != 0 {
		t.Fatalf("the account says that all before %d is there", last)
	}
}

// same compares files.
func same(t *testing.T, a, b *os.File) {
	t.Helper()
	sums := [2]string{}
	for i, f := range []*os.File{a, b} {
		sum := transfer.NewSum()
		if err := sum.AddReader(t.Context(), io.NewSectionReader(f, 0, 1<<62)); err != nil {
			t.Fatal(err)
		}
		sums[i] = sum.Text()
	}
	if sums[0] != sums[1] {
		t.Fatal("other bytes arrived")
	}
}
