package image_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/service/change"
	"github.com/philoxenia/philoxenia/service/lease/learn"
	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/manager/image"
	"github.com/philoxenia/philoxenia/service/workspace"
)

const diskMB, memoryMB = 48, 16

// suspended puts the files of a suspended workspace on host a. The disk has a hole.
func (l *lab) suspended() (disk, memory []byte) {
	l.t.Helper()
	home := l.node("a")
	w := on(1, "a", "", "mem://one").Workspace
	disk, memory = make([]byte, diskMB<<20), bytes.Repeat([]byte("memory!\n"), memoryMB<<17)
	copy(disk, "the first sector")
	copy(disk[30<<20:], bytes.Repeat([]byte("data"), 4<<20))
	f, err := os.Create(home.DiskPath(w, 0) + ".qcow2")
	l.must(err)
	l.must(f.Truncate(int64(len(disk))))
	_, err = f.WriteAt(disk[:4096], 0)
	l.must(err)
	_, err = f.WriteAt(disk[30<<20:46<<20], 30<<20)
	l.must(err)
	l.must(f.Close())
	l.must(os.WriteFile(home.MemoryPath(w), memory, 0o600))
	return disk, memory
}

// have checks that the host has the workspace's files as they were, or none.
func (l *lab) have(n *host.Node, disk, memory []byte) {
	l.t.Helper()
	w := on(1, n.ID, "", "mem://one").Workspace
	for path, want := range map[string][]byte{
		n.DiskPath(w, 0) + ".qcow2": disk, n.MemoryPath(w): memory,
	} {
		got, err := os.ReadFile(path)
		if want == nil {
			if !os.IsNotExist(err) {
				l.t.Errorf("%s is there, %v", path, err)
			}
			continue
		}
		if err != nil || !bytes.Equal(got, want) {
			l.t.Errorf("%s is not what it was: %d bytes, %v", path, len(got), err)
		}
	}
}

func (l *lab) do(f change.Func, home string) {
	l.t.Helper()
	_, err := f(l.t.Context(), on(1, "b", home, "mem://one"))
	l.must(err)
}

func TestMove(t *testing.T) {
	l := newLab(t, 0)
	disk, memory := l.suspended()
	home, to := l.node("a"), l.node("b")

	l.do(l.images.Move().Do, "a")
	l.do(l.images.Move().Do, "a")
	l.have(home, disk, memory)
	l.have(to, disk, memory)
	if l.took[0] != learn.Migrate {
		t.Errorf("told of %v", l.took)
	}
	l.do(l.images.Move().Undo, "a")
	l.do(l.images.Move().Undo, "a")
	l.have(home, disk, memory)
	l.have(to, nil, nil)

	l.do(l.images.Move().Do, "a")
	l.do(l.images.Leave().Do, "a")
	l.do(l.images.Leave().Do, "a")
	l.have(home, nil, nil)
	l.have(to, disk, memory)
	for _, f := range []change.Func{l.images.Move().Do, l.images.Move().Undo, l.images.Leave().Do} {
		l.do(f, "b") // it is at home there
		l.do(f, "")
	}
	l.have(to, disk, memory)
}

// TestMoveBetweenHostsOfOneDirectory has the disks stay where they are.
func TestMoveBetweenHostsOfOneDirectory(t *testing.T) {
	l := newLab(t, 0)
	disk, memory := l.suspended()
	home, to := l.node("a"), l.node("b")
	to.Dir = home.Dir

	l.do(l.images.Move().Do, "a")
	l.do(l.images.Move().Undo, "a")
	l.have(home, disk, memory)
	l.have(to, disk, nil)

	l.do(l.images.Move().Do, "a")
	w := on(1, "b", "a", "mem://one").Workspace
	l.must(image.Spend(t.Context(), home, to, w))
	l.have(to, disk, memory)
	l.do(l.images.Leave().Do, "a")
	l.have(home, disk, nil)
	l.have(to, disk, memory)
}

// TestMemoryElsewhere refuses to move a guest without its memory.
func TestMemoryElsewhere(t *testing.T) {
	l := newLab(t, 0)
	l.suspended()
	w := on(1, "b", "a", "mem://one")
	l.must(os.Remove(l.node("a").MemoryPath(w.Workspace)))
	_, err := l.images.Move().Do(t.Context(), w)
	if workspace.KindOf(err) != workspace.Conflict {
		t.Errorf("got %v", err)
	}
	l.have(l.node("b"), nil, nil)
}

// moving tells the process that it is to move what is in these directories.
const moving = "PHILOXENIA_MOVE"

// TestMoveIsKilled kills processes that move and leave, at moments of chance.
// Each finds what the last one left; nothing half made ever has a file's name.
func TestMoveIsKilled(t *testing.T) {
	l := newLab(t, 0)
	if dirs := os.Getenv(moving); dirs != "" {
		all := filepath.SplitList(dirs)
		l.node("a").Dir, l.node("b").Dir = all[0], all[1]
		for range 1000 {
			l.do(l.images.Move().Do, "a")
			l.do(l.images.Move().Undo, "a")
		}
		return
	}
	disk, memory := l.suspended()
	l.put("mem://one", 'x', 1)
	home, to := l.node("a"), l.node("b")
	w := on(1, "b", "a", "mem://one").Workspace
	for range 12 {
		ctx, cancel := context.WithTimeout(t.Context(),
			300*time.Millisecond+rand.N(200*time.Millisecond))
		child := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestMoveIsKilled$")
		child.Env = append(os.Environ(), moving+"="+home.Dir+string(os.PathListSeparator)+to.Dir)
		if out, err := child.CombinedOutput(); err == nil {
			t.Fatalf("it was not killed: %s", out)
		}
		cancel()
		l.have(home, disk, memory)
		for path, want := range map[string][]byte{
			to.DiskPath(w, 0) + ".qcow2": disk, to.MemoryPath(w): memory,
		} {
			if got, err := os.ReadFile(path); err == nil && !bytes.Equal(got, want) {
				t.Errorf("%s is half made: %d bytes", path, len(got))
			}
		}
	}
	l.do(l.images.Move().Do, "a")
	l.have(to, disk, memory)
	l.do(l.images.Leave().Do, "a")
	l.have(home, nil, nil)
}
