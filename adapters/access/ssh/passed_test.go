package ssh_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/adapters/access/ssh"
	"github.com/philoxenia/philoxenia/adapters/image/imagetest"
	"github.com/philoxenia/philoxenia/adapters/transport/login/sshdtest"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// A passage is an image that comes to one host, from which another takes it.
type passage struct {
	t        *testing.T
	from, to string // the whole file on either
	taker    *ssh.Access
	pull     workspace.Pull
	done     chan error
	info     workspace.ImageInfo
}

func newPassage(t *testing.T, data []byte) *passage {
	t.Helper()
	p := &passage{t: t, from: filepath.Join(t.TempDir(), "a"),
		to: filepath.Join(t.TempDir(), "b"), done: make(chan error, 1)}
	giver := open(t, sshdtest.Start(t))
	p.taker = open(t, sshdtest.Start(t))
	source, ok := giver.Offer(p.from)
	if !ok {
		t.Fatal("nothing is offered")
	}
	p.pull = workspace.Pull{Source: source, Path: p.to, Growing: true,
		Size: int64(len(data)), SHA256: imagetest.Sum(data)}
	return p
}

func (p *passage) start(ctx context.Context) {
	go func() {
		info, err := p.taker.Pull(ctx, p.pull)
		p.info = info
		p.done <- err
	}()
}

// comes adds to what has come to the giver.
func (p *passage) comes(data []byte) {
	p.t.Helper()
	f, err := os.OpenFile(p.from+".part", os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err == nil {
		_, err = f.Write(data)
		f.Close()
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// until waits for a condition of other processes: only asking helps.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !is(); {
		if time.Now().After(deadline) {
			t.Fatalf("not within a minute: %s", what)
		}
		<-time.After(10 * time.Millisecond)
	}
}

// has waits until the taker has so much.
func (p *passage) has(size int64) {
	p.t.Helper()
	until(p.t, "what has come to the one comes to the other", func() bool {
		info, err := os.Stat(p.to + ".part")
		return err == nil && info.Size() == size
	})
}

// quiet waits until no process is left that has to do with the image.
func (p *passage) quiet() {
	p.t.Helper()
	until(p.t, "all processes end", func() bool {
		all, err := filepath.Glob("/proc/[0-9]*/cmdline")
		if err != nil {
			p.t.Fatal(err)
		}
		for _, name := range all {
			line, _ := os.ReadFile(name) // it may have ended
			if bytes.Contains(line, []byte(p.from)) || bytes.Contains(line, []byte(p.to)) {
				return false
			}
		}
		return true
	})
}

// TestPullWhileItComes has one host take an image that still comes to another: each
// part arrives before the next one is there.
func TestPullWhileItComes(t *testing.T) {
	data := imagetest.Random(3<<20+5, 7)
	p := newPassage(t, data)
	p.start(t.Context())
	p.comes(data[:1<<20])
	p.has(1 << 20)
	p.comes(data[1<<20 : 2<<20])
	p.has(2 << 20)
	p.comes(data[2<<20:])
	if err := os.Rename(p.from+".part", p.from); err != nil {
		t.Fatal(err)
	}
	if err := <-p.done; err != nil {
		t.Fatal(err)
	}
	want := workspace.ImageInfo{Size: p.pull.Size, Format: "raw", SHA256: p.pull.SHA256}
	got, err := os.ReadFile(p.to)
	if err != nil || !bytes.Equal(got, data) || p.info != want {
		t.Errorf("%d other bytes came, told of as %+v, %v", len(got), p.info, err)
	}
	if entries, _ := os.ReadDir(filepath.Dir(p.to)); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
	p.quiet()

	t.Log("one that is all there is taken too, under the name that it has by then")
	p.pull.Path += "again"
	if err := os.Rename(p.from, p.from+".raw"); err != nil {
		t.Fatal(err)
	}
	p.pull.Becomes = []string{p.from + ".qcow2", p.from + ".raw"}
	if _, err := p.taker.Pull(t.Context(), p.pull); err != nil {
		t.Error(err)
	}
}

// TestPullOfWhatComesNoMore has the giver lose the image midway, and the taker go on
// when it comes again. What begins otherwise is found out in the end.
func TestPullOfWhatComesNoMore(t *testing.T) {
	data := imagetest.Random(3<<20, 7)
	p := newPassage(t, data)
	p.start(t.Context())
	p.comes(data[:2<<20])
	p.has(2 << 20)
	if err := os.Remove(p.from + ".part"); err != nil {
		t.Fatal(err)
	}
	refusal(t, <-p.done, workspace.Transient, "does not come there any more")
	p.has(2 << 20)
	p.quiet()

	p.comes(data[:1<<20]) // less than the taker has
	p.start(t.Context())
	p.comes(data[1<<20:])
	if err := <-p.done; err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(p.to); err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d other bytes came, %v", len(got), err)
	}

	if err := os.Rename(p.to, p.to+".part"); err != nil {
		t.Fatal(err)
	}
	spoilt := bytes.Repeat([]byte("x"), 1<<20)
	if err := os.WriteFile(p.to+".part", spoilt, 0o600); err != nil {
		t.Fatal(err)
	}
	p.start(t.Context())
	refusal(t, <-p.done, workspace.Transient, "begins anew")
	empty(t, filepath.Dir(p.to))
	p.start(t.Context())
	if err := <-p.done; err != nil {
		t.Fatal(err)
	}
}

func TestPullOfAnotherImageThatComes(t *testing.T) {
	data := imagetest.Random(1<<20, 7)
	p := newPassage(t, data)
	p.comes(bytes.Repeat([]byte("x"), 1<<20))
	p.start(t.Context())
	refusal(t, <-p.done, workspace.Invalid, "expected "+imagetest.Sum(data))
	empty(t, filepath.Dir(p.to))
}

// TestPullCalledOffWhileItComes leaves no process, on either host.
func TestPullCalledOffWhileItComes(t *testing.T) {
	p := newPassage(t, imagetest.Random(2<<20, 7))
	ctx, cancel := context.WithCancel(t.Context())
	p.start(ctx)
	p.comes(imagetest.Random(1<<20, 7))
	p.has(1 << 20)
	cancel()
	if err := <-p.done; !errors.Is(err, context.Canceled) {
		t.Errorf("Pull = %v", err)
	}
	p.quiet()
}

// TestPullWhileItComesNeedsToKnow refuses what could not be followed to its end.
func TestPullWhileItComesNeedsToKnow(t *testing.T) {
	p := newPassage(t, imagetest.Random(1<<20, 7))
	for _, alter := range []func(*workspace.Pull){
		func(p *workspace.Pull) { p.Size = 0 }, func(p *workspace.Pull) { p.SHA256 = "" },
		func(p *workspace.Pull) { p.Source.Scheme = "http" },
	} {
		pull := p.pull
		alter(&pull)
		_, err := p.taker.Pull(t.Context(), pull)
		refusal(t, err, workspace.Invalid)
	}
	empty(t, filepath.Dir(p.to))
	pull := p.pull
	pull.Source.Address = "127.0.0.1:1"
	_, err := p.taker.Pull(t.Context(), pull)
	refusal(t, err, workspace.Unavailable)
	if strings.Contains(err.Error(), "PRIVATE") {
		t.Errorf("the key is told: %v", err)
	}
}
