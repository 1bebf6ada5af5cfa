package crash

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/tests/daemon"
)

// A word is one state that a consumer was told of, and in which life of the
// daemon.
type word struct {
	life int64
	text string
}

// consumers are who the daemon notifies: one that answers, one whose port is
// closed, and one that takes the connection and never says a thing.
type consumers struct {
	live string   // base URL of the one that answers
	dead []string // URLs of the others
	life atomic.Int64

	next  atomic.Int64
	mu    sync.Mutex
	heard map[string][]word // by path of the subscription
	ended map[string]int    // terminations by path
	wrong []string
}

func newConsumers(t *testing.T) *consumers {
	c := &consumers{heard: map[string][]word{}, ended: map[string]int{}}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	c.live = server.URL
	for _, l := range []net.Listener{closed, silent} {
		c.dead = append(c.dead, "http://"+l.Addr().String()+"/")
	}
	return c
}

// address returns a new address of the live consumer.
func (c *consumers) address() string { return fmt.Sprintf("%s/%d", c.live, c.next.Add(1)) }

func pathOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Path
}

// ServeHTTP takes one notification.
func (c *consumers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return // the daemon died while it spoke: it will say it again
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	state := daemon.StateOf(body)
	switch {
	case state != "":
		c.heard[r.URL.Path] = append(c.heard[r.URL.Path], word{c.life.Load(), state})
	case strings.Contains(string(body), "TerminationTime"):
		c.ended[r.URL.Path]++
	default:
		c.wrong = append(c.wrong, fmt.Sprintf("a notification says nothing known: %.600s", body))
	}
	w.WriteHeader(http.StatusOK)
}

// total returns how many messages came.
func (c *consumers) total() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, words := range c.heard {
		n += len(words)
	}
	for _, ends := range c.ended {
		n += ends
	}
	return n
}

// steps are the pairs of wire words that may follow each other: those of the
// state machine's table.
var steps = func() map[[2]string]bool {
	m := map[[2]string]bool{}
	for _, t := range workspace.Transitions() {
		m[[2]string{t.From.Wire(), t.To.Wire()}] = true
	}
	for _, s := range workspace.States() {
		m[[2]string{s.Wire(), s.Wire()}] = true
	}
	return m
}()

// ordered says whether the words came in an order that the state machine
// allows. In a new life the daemon may say again what it said before: its
// first word may be any that was heard earlier.
func ordered(words []word) error {
	for i := 1; i < len(words); i++ {
		before, now := words[i-1], words[i]
		if steps[[2]string{before.text, now.text}] {
			continue
		}
		repeats := slices.ContainsFunc(words[:i], func(w word) bool { return w.text == now.text })
		if before.life == now.life || !repeats {
			return fmt.Errorf("%s follows %s in %v", now.text, before.text, words)
		}
	}
	return nil
}
