// Package learn says how long hosts take to boot, save, move and stop guests,
// from how long it took them before: by host and by size of guest, with room
// for the unusual.
//
// It must not know leases, hypervisors, a database or the hour. It keeps a
// mean and a mean deviation for each host and size, as round-trip times are
// kept (Jacobson, Congestion avoidance and control, 1988; RFC 6298). Times is
// not safe for concurrent use.
package learn

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/bits"
	"slices"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// What is a thing that takes time.
type What string

// The things that take time. Those of which a guest twice as large takes twice
// as long are learned as rates.
const (
	Boot     What = "boot"
	Shutdown What = "shutdown"
	Suspend  What = "suspend" // proportional, as those that follow
	Resume   What = "resume"
	Migrate  What = "migrate"
	Transfer What = "transfer" // of an image
)

// rated reports whether the time is proportional to the size.
func (w What) rated() bool { return w != Boot && w != Shutdown }

const (
	enough     = 3              // observations before they are believed
	deviations = 3              // beyond the mean, for the unusual
	longest    = 24 * time.Hour // what took longer was something else
	anySize    = -1
)

// Policy is what is planned with where nothing has been learned, and on top.
type Policy struct {
	Times  map[What]time.Duration // of Boot and Shutdown
	Rates  map[What]int64         // of the others, in MB/s; 0: no time
	Margin int64                  // percent that is added to all
}

// Times is what has been learned.
type Times struct {
	policy Policy
	seen   map[key]memory
	fresh  bool // something was learned since it was last written
}

// A key is a host and a class of sizes: the power of two; an empty host is all.
type key struct {
	what  What
	host  workspace.HostID
	class int
}

// A memory is what observations came to: of proportional ones, milliseconds
// for a GB.
type memory struct {
	n         int64
	mean, dev float64
}

// New returns Times that know nothing yet.
func New(p Policy) *Times { return &Times{policy: p, seen: map[key]memory{}} }

// keys lists what an observation counts for, the nearest first.
func keys(w What, host workspace.HostID, sizeMB int64) [4]key {
	class := bits.Len64(uint64(max(sizeMB, 0)))
	return [...]key{{w, host, class}, {w, host, anySize}, {w, "", class}, {w, "", anySize}}
}

// Observe tells how long something took on a host, for a guest or image of a
// size in MB. What cannot be true is not believed.
func (t *Times) Observe(w What, host workspace.HostID, sizeMB int64, took time.Duration) {
	if took < 0 || took > longest || sizeMB <= 0 && w.rated() {
		return
	}
	value := float64(took) / float64(time.Millisecond)
	if w.rated() {
		value *= 1024 / float64(sizeMB)
	}
	for _, k := range keys(w, host, sizeMB) {
		t.seen[k] = t.seen[k].with(value)
	}
	t.fresh = true
}

// with returns the memory after another observation.
func (m memory) with(value float64) memory {
	const gain, devGain = 1.0 / 8, 1.0 / 4
	m.n++
	if m.n == 1 {
		return memory{1, value, value / 2}
	}
	off := value - m.mean
	m.dev += devGain * (max(off, -off) - m.dev)
	m.mean += gain * off
	return m
}

// recall returns the nearest memory that can be believed.
func (t *Times) recall(w What, host workspace.HostID, sizeMB int64) (memory, bool) {
	for _, k := range keys(w, host, sizeMB) {
		if m := t.seen[k]; m.n >= enough {
			return m, true
		}
	}
	return memory{}, false
}

// Expect returns how long something is to be planned for, with the margin: as
// the host did with guests of the size, or else with all, or as others did, or
// as the policy says. It is whole milliseconds.
func (t *Times) Expect(w What, host workspace.HostID, sizeMB int64) time.Duration {
	size := float64(max(sizeMB, 0))
	m, ok := t.recall(w, host, sizeMB)
	value := m.mean + deviations*m.dev
	switch {
	case ok && w.rated():
		value *= size / 1024
	case ok:
	case w.rated():
		value = 0
		if rate := t.policy.Rates[w]; rate > 0 {
			value = size / float64(rate) * 1000
		}
	default:
		value = float64(t.policy.Times[w] / time.Millisecond)
	}
	value *= 1 + float64(t.policy.Margin)/100
	return time.Duration(value+0.999) * time.Millisecond
}

// Rate returns how many MB a second are to be planned for, with the margin: of
// a host whatever the size; at least 1, and 0 when it takes no time.
func (t *Times) Rate(w What, host workspace.HostID) int64 {
	const large = 1 << 20
	took := t.Expect(w, host, large).Milliseconds()
	if took == 0 {
		return 0
	}
	return max(large*1000/took, 1)
}

// Stale tells that what Encode returned last was not kept.
func (t *Times) Stale() { t.fresh = true }

// Fresh reports whether something was learned since the last Encode or Decode.
func (t *Times) Fresh() bool { return t.fresh }

// A line is one memory as it is written.
type line struct {
	What  What
	Host  workspace.HostID `json:",omitempty"`
	Class int
	N     int64
	Mean  float64
	Dev   float64
}

// Encode writes what was learned of the hosts that are known, and of all
// together. The same is written the same way.
func (t *Times) Encode(known func(workspace.HostID) bool) []byte {
	lines := make([]line, 0, len(t.seen))
	for k, m := range t.seen {
		if k.host == "" || known(k.host) {
			lines = append(lines, line{k.what, k.host, k.class, m.n, m.mean, m.dev})
		}
	}
	slices.SortFunc(lines, func(a, b line) int {
		return cmp.Or(cmp.Compare(a.What, b.What), cmp.Compare(a.Host, b.Host),
			cmp.Compare(a.Class, b.Class))
	})
	data, err := json.Marshal(lines)
	if err != nil {
		panic(err) // numbers are finite: observations are
	}
	t.fresh = false
	return data
}

// Decode takes what Encode wrote; nothing, for nothing. With an error of kind
// Internal nothing is taken.
func (t *Times) Decode(data []byte) error {
	if len(data) == 0 {
		return nil
	}
	var lines []line
	if err := json.Unmarshal(data, &lines); err != nil {
		return workspace.Refuse(workspace.Internal, "the times that were learned: %w", err)
	}
	seen := make(map[key]memory, len(lines))
	for i, l := range lines {
		if l.N < 1 || l.Mean < 0 || l.Dev < 0 {
			return workspace.Refuse(workspace.Internal, "the times that were learned: %w",
				fmt.Errorf("entry %d makes no sense", i+1))
		}
		seen[key{l.What, l.Host, l.Class}] = memory{l.N, l.Mean, l.Dev}
	}
	t.seen, t.fresh = seen, false
	return nil
}
