package file_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/philoxenia/philoxenia/adapters/transport/file"
	"github.com/philoxenia/philoxenia/adapters/transport/transporttest"
	"github.com/philoxenia/philoxenia/service/workspace"
)

func TestTransport(t *testing.T) {
	transporttest.Exercise(t, transporttest.Fixture{
		Open: func(t *testing.T, repository string) workspace.Transport {
			transport, err := file.Open(repository)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { transport.Close() })
			return transport
		},
		Location: func(name string) string { return "file://" + name },
	})
}

// TestChecksumThatIsNoFile makes sure that nobody waits at a fifo in a checksum's place.
func TestChecksumThatIsNoFile(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "image"), []byte("data"), 0o600); err != nil {
		t.Fatal(err)
	}
	fifo := filepath.Join(dir, "image.sha256")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	writer, err := os.OpenFile(fifo, os.O_RDWR, 0) // who never writes
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	transport, err := file.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer transport.Close()
	answer := make(chan error)
	go func() {
		_, err := transport.Check(context.Background(), "file://image")
		answer <- err
	}()
	select {
	case err := <-answer:
		if workspace.KindOf(err) != workspace.Invalid || err == nil {
			t.Errorf("%v, expected kind %s", err, workspace.Invalid)
		}
	case <-time.After(time.Minute):
		t.Error("it waits for a fifo")
	}
}
