package login

import (
	"context"
	"crypto/ed25519"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/philoxenia/philoxenia/adapters/transport/login/sshdtest"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// connected gives f a connection to a server in the same bubble of time, which answers
// requests as OpenSSH does as long as it is alive.
func connected(t *testing.T, f func(c *Conn, alive *atomic.Bool)) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		key, err := ssh.NewSignerFromKey(ed25519.NewKeyFromSeed(make([]byte, 32)))
		if err != nil {
			t.Fatal(err)
		}
		var alive atomic.Bool
		alive.Store(true)
		go func() {
			config := &ssh.ServerConfig{NoClientAuth: true}
			config.AddHostKey(key)
			conn, _, requests, err := ssh.NewServerConn(newSender(there), config)
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			for r := range requests {
				if alive.Load() {
					r.Reply(false, nil)
				}
			}
		}()
		c, err := login(newCounted(here, new(atomic.Int64)), Server{Address: "there"},
			&ssh.ClientConfig{HostKeyCallback: ssh.InsecureIgnoreHostKey()})
		if err != nil {
			t.Fatal(err)
		}
		f(c, &alive)
		c.Close()
	})
}

// TestServerThatIsLongSilent has a server flush its disk for ten minutes, without a word
// of that: it lives. One that dies meanwhile is broken off.
func TestServerThatIsLongSilent(t *testing.T) {
	for _, dies := range []bool{false, true} {
		connected(t, func(c *Conn, alive *atomic.Bool) {
			release := c.Watch(context.Background(), 30*time.Second)
			attended := c.Attend()
			time.Sleep(5 * time.Minute) // of the test's own clock
			alive.Store(!dies)
			time.Sleep(5 * time.Minute)
			attended()
			release()
			if c.Failed() != dies {
				t.Errorf("a server that dies meanwhile (%t) is broken off: %t", dies, c.Failed())
			}
		})
	}
}

// TestLostIsLost: who is told that a connection was lost will not be given it again, also
// where its end has not been seen yet.
func TestLostIsLost(t *testing.T) {
	connected(t, func(c *Conn, _ *atomic.Bool) {
		err := c.Explain(io.EOF)
		if workspace.KindOf(err) != workspace.Unavailable || !c.Dead() {
			t.Errorf("after %v it is of use: %t", err, !c.Dead())
		}
	})
}

// idle is a session that nothing is done with.
type idle struct{ *Conn }

func (s idle) Line() *Conn { return s.Conn }
func (s idle) End()        { s.Close() }

// TestServerThatLetsNobodyBegin: who is let in, but no further, waits no longer than the
// context does.
func TestServerThatLetsNobodyBegin(t *testing.T) {
	s := sshdtest.Start(t)
	ctx, cancel := context.WithCancel(t.Context())
	pool := NewPool(Server{Address: s.Address, User: s.User, KeyFile: s.KeyFile,
		KnownHostsFile: s.KnownHosts}, Limits{StallTimeout: time.Hour}.Complete(),
		func(c *Conn) (idle, error) {
			cancel()
			return idle{}, c.Wait() // which the server does not end
		})
	defer pool.Close()
	ended := make(chan error, 1)
	go func() { ended <- pool.Use(ctx, func(idle) error { return nil }) }()
	select {
	case err := <-ended:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("it ends with %v", err)
		}
	case <-time.After(time.Minute):
		t.Error("it waits for ever")
	}
}
