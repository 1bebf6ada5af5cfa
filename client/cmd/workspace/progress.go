package main

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/philoxenia/philoxenia/client"
	"github.com/philoxenia/philoxenia/schema/wsa"
)

// How often the service is asked how far it is, while somebody waits.
const progressPeriod = 200 * time.Millisecond

// A transfer is how far the moving of an image is, as the status port's
// optional details tell it.
type transfer struct {
	task        string
	done, total int64 // bytes
}

var transferText = regexp.MustCompile(`^(\w+(?: \w+)*) (\d{1,18}) of (\d{1,18}) bytes$`)

// parseTransfer reads details that tell of bytes; ok is false for others.
func parseTransfer(details string) (t transfer, ok bool) {
	part := transferText.FindStringSubmatch(details)
	if part == nil {
		return transfer{}, false
	}
	t.task = part[1]
	t.done, _ = strconv.ParseInt(part[2], 10, 64)  // digits that fit, by the pattern
	t.total, _ = strconv.ParseInt(part[3], 10, 64) // likewise
	return t, t.total > 0 && t.done <= t.total
}

// percent returns how much is done, 0 to 100.
func (t transfer) percent() int { return int(100 * float64(t.done) / float64(t.total)) }

// megabytes says a number of bytes for people.
func megabytes(bytes int64) string { return fmt.Sprintf("%.1f", float64(bytes)/(1<<20)) }

// A progress tells how far transfers are: as a bar where there is a terminal,
// else as a line for each tenth.
type progress struct {
	app   *app
	line  *activity
	stop  context.CancelFunc
	ended sync.WaitGroup
	began map[string]time.Time // of the transfer under way, by workspace
	told  map[string]int       // tenths told of, by workspace
}

// startProgress asks how far the workspaces are, until close. A service that
// tells nothing is asked in vain; one that cannot be asked is left alone.
func startProgress(ctx context.Context, a *app, line *activity, all []wsa.EPR) *progress {
	ctx, stop := context.WithCancel(ctx)
	p := &progress{
		app: a, line: line, stop: stop,
		began: map[string]time.Time{}, told: map[string]int{},
	}
	keys := map[string]bool{}
	for _, epr := range all {
		keys[client.Key(epr)] = true
	}
	// A client of its own: what it hears is no part of the command's output.
	quiet, err := client.New(a.settings.text("service"), client.Options{
		UserAgent: "workspace/" + version,
	})
	if err == nil {
		p.ended.Go(func() { p.ask(ctx, quiet, keys) })
	}
	return p
}

func (p *progress) close() {
	p.stop()
	p.ended.Wait()
}

func (p *progress) ask(ctx context.Context, c *client.Client, keys map[string]bool) {
	tick := time.NewTicker(progressPeriod)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		list, err := c.Current(ctx)
		if err != nil {
			return
		}
		bar := ""
		for _, w := range list {
			key := client.Key(w.EPR)
			if t, ok := parseTransfer(w.Details); ok && keys[key] {
				bar = p.see(key, t, time.Now())
			}
		}
		p.line.show(bar)
	}
}

// see takes in how far a transfer is, tells of it where there is no terminal,
// and returns it as a bar.
func (p *progress) see(key string, t transfer, now time.Time) string {
	if p.began[key].IsZero() {
		p.began[key], p.told[key] = now, -1
	}
	if tenth := t.percent() / 10; tenth > p.told[key] && p.app.terminal() == nil {
		p.told[key] = tenth
		p.app.tell("%q %s: %d %%, %s of %s MB", "Workspace #"+key, t.task, t.percent(),
			megabytes(t.done), megabytes(t.total))
	}
	return bar(t, now.Sub(p.began[key]))
}

// bar draws a transfer: [#####-----] 50 %, 16.0 of 32.0 MB, 8.0 MB/s, 2s left.
func bar(t transfer, took time.Duration) string {
	const width = 20
	full := int(width * t.done / t.total)
	text := fmt.Sprintf("%s [%s%s] %d %%, %s of %s MB", t.task, strings.Repeat("#", full),
		strings.Repeat("-", width-full), t.percent(), megabytes(t.done), megabytes(t.total))
	rate := float64(t.done) / took.Seconds()
	if took < progressPeriod || rate <= 0 {
		return text
	}
	left := time.Duration(float64(t.total-t.done) / rate * float64(time.Second))
	return text + fmt.Sprintf(", %s MB/s, %s left", megabytes(int64(rate)), span(left))
}
