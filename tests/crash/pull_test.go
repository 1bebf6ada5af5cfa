package crash

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"sync"

	"github.com/philoxenia/philoxenia/tests/daemon"
)

// A puller is a consumer that nobody can reach: it fetches the messages about
// all workspaces from a pull point that it made in the first life.
type puller struct {
	mu      sync.Mutex
	key     string
	request string // message ID of the last request; sent again when the answer was lost
	told    []string
	again   int // messages that came more than once
	wrong   []string
}

// open makes the pull point, with a subscription to everything.
func (p *puller) open(c *daemon.Caller) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.key != "" {
		return nil
	}
	status, reply, err := c.Send(daemon.CreatePullPoint, daemon.Values{})
	if err != nil || status != http.StatusOK || daemon.PullPointKey(reply) == "" {
		return fmt.Errorf("status %d to the making of a pull point: %.600s %w", status, reply, err)
	}
	p.key = daemon.PullPointKey(reply)
	return nil
}

// run fetches until the daemon no longer answers.
func (p *puller) run(addr string) {
	c := daemon.NewCaller(addr)
	defer c.Close()
	for {
		if _, err := p.fetch(c); err != nil {
			return
		}
	}
}

// rest fetches until nothing is left, and says so to the daemon.
func (p *puller) rest(c *daemon.Caller) error {
	for {
		if n, err := p.fetch(c); n == 0 || err != nil {
			return err
		}
	}
}

// fetch asks once and returns how many messages came. After an answer that was
// lost it asks again as the same request.
func (p *puller) fetch(c *daemon.Caller) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.request == "" {
		p.request = daemon.NewMessageID()
	}
	status, reply, err := c.Send(daemon.Pull, daemon.Values{Key: p.key, Message: p.request})
	if err != nil {
		return 0, err
	}
	p.request = ""
	if status != http.StatusOK {
		p.wrong = append(p.wrong, fmt.Sprintf("status %d to a fetch: %.600s", status, reply))
		return 0, nil
	}
	all := one.FindAll(reply, -1)
	for _, m := range all {
		p.take(string(root.ReplaceAll(m, nil)))
	}
	return len(all), nil
}

// root is the part of an address that another life changes.
var root = regexp.MustCompile(`http://127\.0\.0\.1:\d+`)

// take writes a message down: the next number, or the same as before.
func (p *puller) take(message string) {
	number := 0
	if found := sequence.FindStringSubmatch(message); found != nil {
		number, _ = strconv.Atoi(found[1])
	}
	switch {
	case number == len(p.told)+1:
		p.told = append(p.told, message)
	case number < 1 || number > len(p.told):
		p.wrong = append(p.wrong, fmt.Sprintf("the pull point gave number %d after %d",
			number, len(p.told)))
	case p.told[number-1] != message:
		p.wrong = append(p.wrong, fmt.Sprintf("number %d was %s and is %s", number,
			p.told[number-1], message))
	default:
		p.again++
	}
}

// check holds what came against a fresh copy of the record.
func (p *puller) check(ctx context.Context, b *books) ([]string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, b.limit)
	defer cancel()
	err := b.awaitNone(ctx, "messages of the pull point not fetched, or never meant for it",
		`SELECT ? - max(s.last, coalesce(max(o.number), 0)) FROM subscription s
			LEFT JOIN outbox o ON o.subscription = s.id WHERE s.pull_point = ?`,
		len(p.told), p.key)
	if err != nil {
		return append(p.wrong, err.Error()), nil
	}
	return p.wrong, nil
}
