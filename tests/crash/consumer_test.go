package crash

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/tests/daemon"
)

// A word is one state that a consumer was told of, under which number and in
// which life of the daemon.
type word struct {
	life   int64
	number int64
	text   string
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
	c.live = server.URL
	const closed = "http://127.0.0.1:1/" // no process is given so low a port by chance
	c.dead = []string{closed, "http://" + silent.Addr().String() + "/"}
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

var (
	sequence = regexp.MustCompile(`SequenceNumber[^>]*>(\d+)<`)
	one      = regexp.MustCompile(`(?s)<(?:\w+:)?NotificationMessage[ >].*?NotificationMessage>`)
)

// ServeHTTP takes one Notify, of one message or several.
func (c *consumers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return // the daemon died while it spoke: it will say it again
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	numbers, messages := sequence.FindAllSubmatch(body, -1), one.FindAll(body, -1)
	if len(numbers) != len(messages) || len(messages) == 0 {
		c.wrong = append(c.wrong, fmt.Sprintf("%d numbers for %d messages: %.600s",
			len(numbers), len(messages), body))
		return
	}
	for i, m := range messages {
		number, _ := strconv.ParseInt(string(numbers[i][1]), 10, 64)
		c.take(r.URL.Path, number, m)
	}
	w.WriteHeader(http.StatusOK)
}

// take writes one message down.
func (c *consumers) take(path string, number int64, message []byte) {
	text := daemon.StateOf(message)
	if text == "" && strings.Contains(string(message), "TerminationTime") {
		text = ended
		c.ended[path]++
	}
	if text == "" {
		c.wrong = append(c.wrong, fmt.Sprintf("a message says nothing known: %.600s", message))
		return
	}
	c.heard[path] = append(c.heard[path], word{c.life.Load(), number, text})
}

// ended stands for the message that a workspace is no more.
const ended = "ended"

// total returns how many messages came.
func (c *consumers) total() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, words := range c.heard {
		n += len(words)
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
// allows, numbered from 1 without a gap. The daemon may say again what it said
// before: then it has the number and the words that it had.
func ordered(words []word) error {
	var told []string // by number
	for _, w := range words {
		switch n := int(w.number); {
		case n < 1 || n > len(told)+1:
			return fmt.Errorf("after number %d came %d in %v", len(told), n, words)
		case n <= len(told) && told[n-1] != w.text:
			return fmt.Errorf("number %d says %s and says %s in %v", n, told[n-1], w.text, words)
		case n > 1 && n == len(told)+1 && !steps[[2]string{told[n-2], w.text}]:
			return fmt.Errorf("%s follows %s in %v", w.text, told[n-2], words)
		case n == len(told)+1:
			told = append(told, w.text)
		}
	}
	return nil
}

// last returns the highest number of the words.
func last(words []word) int64 {
	var n int64
	for _, w := range words {
		n = max(n, w.number)
	}
	return n
}

// mourned says whether who asked was told of the end.
func (t *tenancy) mourned(c *consumers) []string {
	var wrong []string
	for _, s := range t.streams {
		if s.acked && s.end && c.ended[s.path] == 0 {
			wrong = append(wrong, fmt.Sprintf("workspace %s ended, its subscriber was not told",
				t.key))
		}
		if err := ordered(c.heard[s.path]); err != nil {
			wrong = append(wrong, fmt.Sprintf("workspace %s: %v", t.key, err))
		}
	}
	return wrong
}
