package main

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/philoxenia/philoxenia/client"
	"github.com/philoxenia/philoxenia/client/notify"
	"github.com/philoxenia/philoxenia/schema/wsa"
)

// How often the service is asked how far it is, while somebody waits and cannot be
// told; and how far apart two lines about one transfer are at the least.
const (
	progressPeriod = 200 * time.Millisecond
	progressPause  = time.Second
)

// A transfer is how far the moving of an image is.
type transfer struct {
	task        string
	done, total int64 // bytes
}

var transferText = regexp.MustCompile(`^(\w+(?: \w+)*) (\d{1,18}) of (\d{1,18}) bytes$`)

// parseTransfer reads details of the status port that tell of bytes; ok is false for
// others.
func parseTransfer(details string) (t transfer, ok bool) {
	part := transferText.FindStringSubmatch(details)
	if part == nil {
		return transfer{}, false
	}
	t.task = part[1]
	t.done, _ = strconv.ParseInt(part[2], 10, 64)  // digits that fit, by the pattern
	t.total, _ = strconv.ParseInt(part[3], 10, 64) // likewise
	return t, t.sane()
}

// sane reports whether there is something of which a part can be done.
func (t transfer) sane() bool { return t.total > 0 && t.done >= 0 && t.done <= t.total }

// percent returns how much is done, 0 to 100.
func (t transfer) percent() int { return int(100 * float64(t.done) / float64(t.total)) }

// line tells how far the transfer is.
func (t transfer) line() string {
	return fmt.Sprintf("%s: %d %%, %s of %s MB", t.task, t.percent(), megabytes(t.done),
		megabytes(t.total))
}

// megabytes says a number of bytes for people.
func megabytes(bytes int64) string { return fmt.Sprintf("%.1f", float64(bytes)/(1<<20)) }

// A moving is a transfer under way, as it was seen.
type moving struct {
	transfer
	from  int64     // bytes that were there when it was first seen
	began time.Time // then
	seen  time.Time // last
	told  time.Time // a line was said of it last
	tenth int       // that it told of
}

// A progress tells how far transfers are: as a bar where there is a terminal,
// else as a line now and then.
type progress struct {
	line  *activity                    // at the foot of the terminal
	say   func(key string, t transfer) // writes a line; nil: there is a bar
	wants func(key string) bool        // whose transfers are told of
	stop  context.CancelFunc
	ended sync.WaitGroup
	asks  atomic.Bool // nobody tells: the service has to be asked

	mu    sync.Mutex
	under map[string]*moving // by workspace
}

// startProgress tells of the workspaces' transfers as they are reported by heard,
// until close.
func startProgress(ctx context.Context, f *follower, p *progress, every time.Duration) *progress {
	ctx, p.stop = context.WithCancel(ctx)
	p.under = map[string]*moving{}
	p.asks.Store(f.watcher.Polling())
	if f.app.quiet {
		p.say = func(string, transfer) {}
		return p
	}
	// A client of its own: what it hears is no part of the command's output.
	quiet, err := client.New(f.app.settings.text("service"), client.Options{
		UserAgent: "workspace/" + version,
	})
	if err == nil {
		p.ended.Go(func() { p.ask(ctx, quiet, every) })
	}
	return p
}

// among returns what keeps to the transfers of those workspaces.
func among(all []wsa.EPR) func(string) bool {
	keys := map[string]bool{}
	for _, epr := range all {
		keys[client.Key(epr)] = true
	}
	return func(key string) bool { return keys[key] }
}

func (p *progress) close() {
	p.stop()
	p.ended.Wait()
}

// heard takes in an event: how far a transfer is, or a state, with which the
// transfers that led to it are over. polling says whether the service has to be
// asked from now on.
func (p *progress) heard(e notify.Event, polling bool) {
	p.asks.Store(polling)
	switch {
	case e.Transfer != nil:
		p.see(e.Workspace, transfer{e.Transfer.Task, e.Transfer.Done, e.Transfer.Total}, e.At)
	case e.Changed() && (!coming(e.State) || e.Fault != ""):
		p.over(e.Workspace)
	}
}

// coming reports whether images come in the state, which may be told after the first
// that is told of them.
func coming(state string) bool {
	return state == client.Unstaged || state == client.Unpropagated
}

// ask asks how far the workspaces are, while nobody tells. A service that says
// nothing of it is asked in vain; one that cannot be asked now is asked later.
func (p *progress) ask(ctx context.Context, c *client.Client, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if !p.asks.Load() {
			continue
		}
		list, err := c.Current(ctx)
		if err != nil {
			continue
		}
		for _, w := range list {
			key := client.Key(w.EPR)
			if t, ok := parseTransfer(w.Details); ok {
				p.see(key, t, time.Now())
			} else {
				p.over(key)
			}
		}
	}
}

// see takes in how far a transfer is.
func (p *progress) see(key string, t transfer, now time.Time) {
	if !t.sane() || !p.wants(key) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.under[key]
	if m == nil || m.task != t.task || m.total != t.total || t.done < m.done {
		m = &moving{from: t.done, began: now, tenth: -1}
		p.under[key] = m
	}
	m.transfer, m.seen = t, now
	if p.say == nil {
		p.draw()
		return
	}
	soon := m.tenth >= 0 && now.Sub(m.told) < progressPause && t.done < t.total
	if tenth := t.percent() / 10; tenth > m.tenth && !soon {
		m.tenth, m.told = tenth, now
		p.say(key, t)
	}
}

// over forgets the transfer of a workspace.
func (p *progress) over(key string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.under, key)
	p.draw()
}

// draw shows the transfers under way as one bar. The caller holds mu.
func (p *progress) draw() {
	if p.say == nil && p.line != nil {
		p.line.show(bar(slices.Collect(maps.Values(p.under))))
	}
}

// bar draws transfers: [#####-----] 50 %, 16.0 of 32.0 MB, 8.0 MB/s, 2s left.
func bar(all []*moving) string {
	if len(all) == 0 {
		return ""
	}
	sum, rate := transfer{task: all[0].task}, 0.0
	if len(all) > 1 {
		sum.task = fmt.Sprintf("%d transfers", len(all))
	}
	for _, m := range all {
		sum.done, sum.total = sum.done+m.done, sum.total+m.total
		if took := m.seen.Sub(m.began); took >= progressPeriod {
			rate += float64(m.done-m.from) / took.Seconds()
		}
	}
	const width = 20
	full := int(width * float64(sum.done) / float64(sum.total))
	text := fmt.Sprintf("%s [%s%s] %d %%, %s of %s MB", sum.task, strings.Repeat("#", full),
		strings.Repeat("-", width-full), sum.percent(), megabytes(sum.done), megabytes(sum.total))
	if rate < 1 {
		return text
	}
	left := time.Duration(float64(sum.total-sum.done) / rate * float64(time.Second))
	return text + fmt.Sprintf(", %s MB/s, %s left", megabytes(int64(rate)), span(left))
}
