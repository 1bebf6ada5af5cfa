package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/philoxenia/philoxenia/tests/daemon"
)

// The figures of reading, on either face.
var (
	readCPU    = goal{"GetResourceProperty, CPU", "ms", 0.1, false}
	readOne    = goal{"GetResourceProperty, 1 client", "/s", 0, true}
	readEight  = goal{"GetResourceProperty, 8 clients", "/s", 9000, true}
	readAllocs = goal{"GetResourceProperty, allocations", "/request", 0, false}
	readShare  = goal{"GetResourceProperty, share of bare", "", 0.5, true}

	readTwoCPU    = goal{"GetResourceProperty on face two, CPU", "ms", 0.1, false}
	readTwoOne    = goal{"GetResourceProperty on face two, 1 client", "/s", 0, true}
	readTwoEight  = goal{"GetResourceProperty on face two, 8 clients", "/s", 9000, true}
	readTwoAllocs = goal{"GetResourceProperty on face two, allocations", "/request", 0, false}
	readTwoShare  = goal{"GetResourceProperty on face two, share of bare", "", 0.5, true}

	queryMany = goal{"query by XPath over many workspaces", "ms", 100, false}
)

// A reading is how a property is read on a face.
type reading struct {
	message            daemon.Message
	name               string // of the reply that the bare handler returns
	cpu, one, eight, n goal   // n: allocations
}

var readings = []reading{
	{daemon.State, "state", readCPU, readOne, readEight, readAllocs},
	{daemon.StateTwo, "state-two", readTwoCPU, readTwoOne, readTwoEight, readTwoAllocs},
}

// reads asks for the state of the workspaces over and over.
func (s scene) reads(ctx context.Context, t target, o options, r reading, k *keys) error {
	l := load{message: r.message, clients: 1, bodies: bodies(r.message, k.all, o.reads/4),
		got: func(_ int, reply []byte) { s.samples.keep(r.name, reply) }}
	a, err := t.drive(ctx, l)
	if err != nil {
		return err
	}
	l.clients, l.bodies = 8, bodies(r.message, k.all, o.reads)
	b, err := t.drive(ctx, l)
	if err != nil {
		return err
	}
	s.table.add(r.cpu, b.milliseconds())
	s.table.add(r.one, a.rate())
	s.table.add(r.eight, b.rate())
	return nil
}

// counted is over how many requests allocations are counted.
const counted = 5000

// allocations counts what the daemon takes from the heap for one request, all
// of net/http included. Pprof is where it serves its profiles.
func (s scene) allocations(
	ctx context.Context, t target, pprof string, r reading, k *keys,
) error {
	l := load{message: r.message, clients: 1, bodies: bodies(r.message, k.all, counted)}
	before, err := mallocs(ctx, pprof)
	if err != nil {
		return err
	}
	if err := t.push(ctx, l); err != nil {
		return err
	}
	after, err := mallocs(ctx, pprof)
	if err != nil {
		return err
	}
	s.table.add(r.n, float64(after-before)/counted)
	return nil
}

// mallocs returns how often the daemon took memory from its heap so far.
func mallocs(ctx context.Context, pprof string) (int64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet,
		"http://"+pprof+"/debug/pprof/heap?debug=1", nil)
	if err != nil {
		return 0, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		if n, ok := strings.CutPrefix(lines.Text(), "# Mallocs = "); ok {
			return strconv.ParseInt(n, 10, 64)
		}
	}
	return 0, errors.Join(lines.Err(), errors.New("the heap profile does not count allocations"))
}

// queries asks the service group of the many workspaces how many of them run.
// The first answer of a daemon that was just started does not count: it reads
// what later ones find read.
func (s scene) queries(ctx context.Context, t target, o options) error {
	if _, err := awaitRest(ctx, t.pid); err != nil {
		return err
	}
	c := daemon.NewCaller(t.addr)
	defer c.Close()
	for i := range o.runs + 1 {
		begin := time.Now()
		status, reply, err := c.Send(daemon.CountTwo, daemon.Values{})
		if err != nil {
			return err
		}
		if status != http.StatusOK {
			return fmt.Errorf("status %d to a query: %.600s", status, reply)
		}
		if i > 0 {
			s.table.add(queryMany, time.Since(begin).Seconds()*1000)
		}
	}
	return nil
}
