package workload

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/philoxenia/philoxenia/service/lease/book"
	"github.com/philoxenia/philoxenia/service/lease/slot"
)

// Time is a moment of a workload, in milliseconds from its beginning, or a
// length of time.
type Time = slot.Time

// Lengths of time in a schedule's unit.
const (
	Second = slot.Time(1000)
	Minute = 60 * Second
	Hour   = 60 * Minute
	Day    = 24 * Hour
)

// WholeCPU is one CPU in the unit of a host's capacity.
const WholeCPU = 100

// MostMemoryMB is the most memory that a node can have.
const MostMemoryMB = mostAmount

// Milliseconds returns a length of time in a schedule's unit.
func Milliseconds(d time.Duration) slot.Time { return slot.Time(d.Milliseconds()) }

// Node returns what a node with one CPU and so much memory needs.
func Node(memoryMB int32) slot.Amount {
	return slot.Amount{slot.CPU: WholeCPU, slot.Memory: memoryMB}
}

// The bounds of what a file may ask for, far above what any machine had; they
// keep sums in their types.
const (
	mostAmount = 1 << 30
	mostNodes  = 1 << 20
	mostTime   = 1 << 50 // milliseconds
)

// A Request is a lease that somebody asks for.
type Request struct {
	Terms book.Terms // Submitted is when it arrives
	// Real is for how long the lease is used; one that would be used longer
	// than asked for ends when what was asked for is over.
	Real slot.Time
}

// Hosts are so many equal hosts.
type Hosts struct {
	Count int
	Room  slot.Amount // of each; zero where the file does not say
}

// A Broken is a line, or the element that begins on it, that was left out.
type Broken struct {
	Line int
	Why  string
}

// A Workload is requests in order of their arrival, the first at or after 0.
type Workload struct {
	Name     string
	Site     []Hosts // the pool that the file describes, if it does
	Requests []Request
	Broken   []Broken
	Skipped  int // jobs of a log that never ran
}

// Options say how files are read.
type Options struct {
	// Scale is how many processors of a log make one node; 0: one.
	Scale int
	// MemoryMB is the memory of nodes for which a log tells none.
	MemoryMB int32
	// From and For cut a log to what was submitted in that span, counted from
	// the log's beginning, which then becomes time 0. For 0: to the end.
	From, For slot.Time
}

// Read reads a workload in the format that the text has.
func Read(name string, data []byte, o Options) (*Workload, error) {
	var w *Workload
	switch kind(data) {
	case "xml":
		w = LWF(data)
	case "swf":
		w = SWF(data, o)
	case "text":
		w = TextLWF(data)
	default:
		return nil, fmt.Errorf("cannot read %s: it is neither a log in SWF nor a workload in LWF",
			name)
	}
	w.Name = cmp.Or(w.Name, name)
	w.cut(o)
	w.sort()
	return w, nil
}

// kind tells formats apart by their first line that says something.
func kind(data []byte) string {
	for line := range bytes.Lines(data) {
		text := strings.TrimSpace(strings.TrimPrefix(string(line), "\ufeff"))
		switch {
		case text == "":
			continue
		case text[0] == '<':
			return "xml"
		case text[0] == ';':
			return "swf"
		case text[0] == '#':
			return "text"
		}
		switch len(strings.Fields(text)) {
		case swfFields:
			return "swf"
		case textFields:
			return "text"
		}
		return ""
	}
	return ""
}

// cut keeps what was submitted in the span that the options name.
func (w *Workload) cut(o Options) {
	if o.From <= 0 && o.For <= 0 {
		return
	}
	w.Requests = slices.DeleteFunc(w.Requests, func(r Request) bool {
		at := r.Terms.Submitted - o.From
		return at < 0 || o.For > 0 && at > o.For
	})
	for i := range w.Requests {
		t := &w.Requests[i].Terms
		t.Submitted -= o.From
		if t.Kind == book.Reservation || t.Kind == book.Deadline {
			t.Start = max(0, t.Start-o.From)
		}
		if t.Kind == book.Deadline {
			t.Deadline -= o.From
		}
	}
}

// sort puts the requests in order of their arrival.
func (w *Workload) sort() {
	slices.SortStableFunc(w.Requests, func(a, b Request) int {
		return cmp.Compare(a.Terms.Submitted, b.Terms.Submitted)
	})
}

// Join adds the requests of another workload. Those whose number is taken get
// the next that are free.
func (w *Workload) Join(other *Workload) {
	taken := make(map[book.ID]bool, len(w.Requests))
	next := book.ID(1)
	for _, r := range w.Requests {
		taken[r.Terms.ID] = true
		next = max(next, r.Terms.ID+1)
	}
	for _, r := range other.Requests {
		next = max(next, r.Terms.ID+1)
	}
	for _, r := range other.Requests {
		if taken[r.Terms.ID] {
			r.Terms.ID = next
			next++
		}
		taken[r.Terms.ID] = true
		w.Requests = append(w.Requests, r)
	}
	if w.Site == nil {
		w.Site = other.Site
	}
	w.Skipped += other.Skipped
	w.sort()
}

// broken notes a line that is left out.
func (w *Workload) broken(line int, format string, args ...any) {
	w.Broken = append(w.Broken, Broken{line, fmt.Sprintf(format, args...)})
}

// fault returns what is wrong with a request whatever the pool, or "".
func (r *Request) fault() string {
	t := &r.Terms
	switch {
	case t.Submitted < 0:
		return "arrives before the beginning"
	case t.Duration <= 0:
		return "asks for no time"
	case r.Real <= 0:
		return "runs for no time"
	case t.Kind == book.Reservation && t.Start < t.Submitted:
		return "starts before it arrives"
	case t.Kind == book.Deadline && t.Deadline-max(t.Start, t.Submitted) < t.Duration:
		return "has a deadline sooner than its duration allows"
	case len(t.Parts) == 0:
		return "asks for no nodes"
	}
	for _, p := range t.Parts {
		if p.Nodes <= 0 {
			return "asks for no nodes"
		}
		if p.Nodes > mostNodes {
			return "asks for more nodes than any pool has"
		}
	}
	return ""
}

// Nodes returns how many nodes the request is for.
func (r *Request) Nodes() int {
	n := 0
	for _, p := range r.Terms.Parts {
		n += p.Nodes
	}
	return n
}

// CPUs returns how much CPU all nodes have together, in hundredths.
func (r *Request) CPUs() int64 {
	var sum int64
	for _, p := range r.Terms.Parts {
		sum += int64(p.Nodes) * int64(p.Need[slot.CPU])
	}
	return sum
}

// Work returns for how long the lease runs if nothing goes wrong.
func (r *Request) Work() slot.Time { return min(r.Real, r.Terms.Duration) }
