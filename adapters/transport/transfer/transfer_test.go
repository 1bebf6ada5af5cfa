package transfer_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"github.com/philoxenia/philoxenia/adapters/transport/transfer"
	"github.com/philoxenia/philoxenia/service/workspace"
)

func TestOneTransferAtATime(t *testing.T) {
	target := filepath.Join(t.TempDir(), "disk")
	first, err := transfer.Create(transfer.Host{}, target)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := transfer.Open(transfer.Host{}, target); workspace.KindOf(err) != workspace.Busy {
		t.Errorf("a second transfer began: %v", err)
	}
	if _, err := first.WriteString("half"); err != nil {
		t.Fatal(err)
	}
	first.Close()
	second, err := transfer.Open(transfer.Host{}, target)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	past := time.Unix(1e9, 0)
	if err := second.Land(true, past); err != nil {
		t.Fatal(err)
	}
	if !transfer.Landed(transfer.Host{}, target, 4, past) {
		t.Error("what landed is not there")
	}
	if _, err := os.Lstat(target + transfer.Suffix); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the half-made file is still there: %v", err)
	}
}

func TestPartIsNoLink(t *testing.T) {
	dir := t.TempDir()
	precious := filepath.Join(dir, "precious")
	if err := os.WriteFile(precious, []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(precious, filepath.Join(dir, "disk.part")); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if p, err := transfer.Create(root, "disk"); err == nil {
		p.Close()
		t.Error("a link was taken for a half-made file")
	}
	if text, _ := os.ReadFile(precious); string(text) != "kept" {
		t.Error("what the link names was cut")
	}
}

func TestMeter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []int64
		m := transfer.NewMeter(func(done, _ int64) { told = append(told, done) }, 10<<20)
		for _, at := range []int64{0, 1, 1000, 1 << 20, 1<<20 + 5, 500, 3 << 20} {
			m.Reach(at)
		}
		time.Sleep(time.Second) // of the test's own clock
		m.Reach(3<<20 + 1)
		m.Reach(10 << 20)
		m.Reach(10 << 20)
		want := fmt.Sprint([]int64{0, 1 << 20, 3 << 20, 3<<20 + 1, 10 << 20})
		if got := fmt.Sprint(told); got != want {
			t.Errorf("told %s, expected %s", got, want)
		}
	})
}

func TestKind(t *testing.T) {
	tests := []struct {
		err  error
		want workspace.Kind
	}{
		{&os.PathError{Err: unix.ENOSPC}, workspace.NoResource},
		{&os.PathError{Err: unix.EDQUOT}, workspace.NoResource},
		{&os.PathError{Err: unix.ENOENT}, workspace.NotFound},
		{&os.PathError{Err: unix.EACCES}, workspace.Denied},
		{&os.PathError{Err: unix.ELOOP}, workspace.Invalid},
		{&os.PathError{Err: unix.EIO}, workspace.Transient},
		{fs.ErrNotExist, workspace.NotFound},
		{fmt.Errorf("x: %w", workspace.Errorf(workspace.Busy, "a", "b", "c")), workspace.Busy},
		{errors.New("odd"), workspace.Internal},
	}
	for _, test := range tests {
		if got := workspace.KindOf(transfer.Error("move", "x", test.err)); got != test.want {
			t.Errorf("%v has kind %s, expected %s", test.err, got, test.want)
		}
	}
}
