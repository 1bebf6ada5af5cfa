package libvirt

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/digitalocean/go-libvirt"
	"github.com/digitalocean/go-libvirt/socket"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// opening is how many calls it takes to open a connection: which ways there are to log
// in, the driver, and two subscriptions.
const opening = 4

// brief is a connection to a libvirtd that answers so many calls, and is then gone
// before anybody can do anything.
type brief struct {
	net.Conn // nil: nothing else is asked for

	mu      sync.Mutex
	said    sync.Cond
	left    int
	answers bytes.Buffer
	held    bool // its answers are on the way
	ended   bool
}

func newBrief(answers int) *brief {
	b := &brief{left: answers}
	b.said.L = &b.mu
	return b
}

// Write takes a call, which the library hands over as a whole. The answer is the call's
// own number and a zero: of the first call there is one way to log in, which is none, and
// each subscription has a number of its own.
func (b *brief) Write(call []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer b.said.Broadcast()
	if b.ended {
		return 0, net.ErrClosed
	}
	if b.left--; b.left < 0 {
		b.ended = true
		return len(call), nil
	}
	answer := append(bytes.Clone(call[:headerSize]), call[20:24]...)
	answer = append(answer, 0, 0, 0, 0)
	binary.BigEndian.PutUint32(answer, uint32(len(answer)))
	binary.BigEndian.PutUint32(answer[16:], socket.Reply)
	b.answers.Write(answer)
	b.ended = b.left == 0
	return len(call), nil
}

func (b *brief) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for (b.answers.Len() == 0 || b.held) && !b.ended {
		b.said.Wait()
	}
	if b.answers.Len() == 0 {
		return 0, io.EOF
	}
	return b.answers.Read(p)
}

// hold keeps all answers back, or lets them come.
func (b *brief) hold(back bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.held = back
	b.said.Broadcast()
}

func (b *brief) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
	if b.held {
		b.answers.Reset() // they never come
	}
	b.said.Broadcast()
	return nil
}

// linkTo is a link whose connections answer so many calls each.
func linkTo(t *testing.T, answers ...int) *link {
	dial := func(context.Context) (net.Conn, error) {
		if len(answers) == 0 {
			return nil, errors.New("nobody is there any more")
		}
		conn := newBrief(answers[0])
		answers = answers[1:]
		return conn, nil
	}
	l := newLink(endpoint{uri: "test:///default"}, dial, slog.New(slog.DiscardHandler),
		func(event) {})
	t.Cleanup(l.close)
	return l
}

func version(l *link) error {
	_, err := ask(context.Background(), l, time.Hour, (*libvirt.Libvirt).ConnectGetLibVersion)
	return err
}

// often is how often a test tries what depends on which of two goroutines is first.
const often = 300

// TestConnectionEndsWhileItOpens has a libvirtd end with each of the answers by which a
// connection is opened. The next call is made on another connection.
func TestConnectionEndsWhileItOpens(t *testing.T) {
	for answers := range opening {
		for range often {
			synctest.Test(t, func(t *testing.T) {
				l := linkTo(t, answers, answers+1, opening+2)
				for range 2 {
					if err := version(l); kindOf(err) != workspace.Unavailable {
						t.Fatalf("after %d answers: %v", answers, err)
					}
				}
				if err := version(l); err != nil {
					t.Fatalf("on a whole connection: %v", err)
				}
			})
		}
	}
}

// TestCallAfterOneThatWasLost has a connection end instead of an answer, and with one:
// whoever asks again, as soon as he knows, has a new connection.
func TestCallAfterOneThatWasLost(t *testing.T) {
	for range often {
		synctest.Test(t, func(t *testing.T) {
			l := linkTo(t, opening, opening+2)
			if err := version(l); kindOf(err) != workspace.Unavailable {
				t.Fatalf("a lost answer is %v", err)
			}
			if err := version(l); err != nil {
				t.Fatalf("on a new connection: %v", err)
			}
		})
	}
}

// TestEffectIsWaitedFor calls off what libvirtd is at work on. Who asked for a change
// goes on when that is there, or the daemon is given up; nobody else waits.
func TestEffectIsWaitedFor(t *testing.T) {
	const soon, long = time.Minute, saveLimit
	change := func(ctx context.Context, l *link, limit time.Duration) error {
		return order(ctx, l, limit, func(rpc *libvirt.Libvirt) error {
			_, err := rpc.ConnectGetLibVersion()
			return err
		})
	}
	look := func(ctx context.Context, l *link, limit time.Duration) error {
		_, err := ask(ctx, l, limit, (*libvirt.Libvirt).ConnectGetLibVersion)
		return err
	}
	for name, c := range map[string]struct {
		call    func(context.Context, *link, time.Duration) error
		limit   time.Duration
		silent  bool
		returns time.Duration // after it was called off
		kind    workspace.Kind
	}{
		"a change":                         {change, soon, false, time.Second, 0},
		"a change, and a daemon is silent": {change, soon, true, pingLimit, workspace.Unavailable},
		"a change that takes long":         {change, long, false, 0, workspace.Transient},
		"a look":                           {look, soon, false, 0, workspace.Transient},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				daemon := newBrief(100)
				l := newLink(endpoint{uri: "test:///default"},
					func(context.Context) (net.Conn, error) { return daemon, nil },
					slog.New(slog.DiscardHandler), func(event) {})
				defer l.close()
				if err := version(l); err != nil {
					t.Fatal(err)
				}
				daemon.hold(true)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				ended := make(chan error, 1)
				go func() { ended <- c.call(ctx, l, c.limit) }()
				synctest.Wait()
				cancel()
				began := time.Now()
				if !c.silent {
					time.AfterFunc(time.Second, func() { daemon.hold(false) })
				}
				err := <-ended
				if took := time.Since(began); took != c.returns {
					t.Errorf("it came back after %v, want %v", took, c.returns)
				}
				if c.kind == 0 && err != nil || c.kind != 0 && kindOf(err) != c.kind {
					t.Errorf("it said %v", err)
				}
				daemon.hold(false)
			})
		})
	}
}
