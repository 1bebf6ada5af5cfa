package sim

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// Options say what a World is made of.
type Options struct {
	// Dir holds the journal, and is made when it is missing. Empty: nothing is
	// kept, and the pool dies with the process.
	Dir string
	// Hosts are the pool. A capacity of zero is boundless.
	Hosts []workspace.Host
	// Script is the fault script that is in force from the start; see ParseScript.
	Script string
	// CompactAbove is the size in bytes from which the journal is rewritten as
	// the bare present, losing its past. 0: 4 MiB; negative: never.
	CompactAbove int64
}

// World is a simulated pool. All its methods may be called at any time from
// any goroutine.
type World struct {
	fates fates

	mu      sync.Mutex
	journal *journal
	compact int64 // as Options.CompactAbove
	hosts   map[workspace.HostID]*host
	counts  map[Op]int
}

// host is one simulated VMM node. Its fields are guarded by World.mu.
type host struct {
	id       workspace.HostID
	capacity workspace.Capacity
	usedMB   int64
	down     bool
	machines map[workspace.ID]machine
	watches  map[*watch]struct{}
	lines    map[workspace.ID]*echo // serial lines that somebody is connected to
}

// Open makes the pool, with the machines that the journal in o.Dir remembers.
// Machines of hosts that are no longer configured are forgotten. The error has
// kind Invalid (host names, script) or Internal (the journal).
func Open(o Options) (*World, error) {
	rules, err := ParseScript(o.Script)
	if err != nil {
		return nil, err
	}
	w := &World{hosts: make(map[workspace.HostID]*host), counts: make(map[Op]int),
		journal: &journal{}, compact: o.CompactAbove}
	if w.compact == 0 {
		w.compact = 4 << 20
	}
	w.fates.add(rules)
	for _, h := range o.Hosts {
		if err := w.addHost(h); err != nil {
			return nil, err
		}
	}
	if err := w.remember(o.Dir); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

// addHost adds an empty host.
func (w *World) addHost(h workspace.Host) error {
	if h.ID == "" || strings.ContainsAny(string(h.ID), " \t\r\n") || w.hosts[h.ID] != nil {
		return workspace.Errorf(workspace.Invalid, "open the simulated pool", string(h.ID),
			"a host's name must be one word that no other host has")
	}
	w.hosts[h.ID] = newHost(h)
	return nil
}

func newHost(h workspace.Host) *host {
	return &host{id: h.ID, capacity: h.Capacity,
		machines: make(map[workspace.ID]machine), watches: make(map[*watch]struct{}),
		lines: make(map[workspace.ID]*echo)}
}

// remember opens the journal, if there is to be one, and fills the hosts from it.
func (w *World) remember(dir string) error {
	if dir == "" {
		return nil
	}
	j, records, err := openJournal(dir)
	if err != nil {
		return workspace.Errorf(workspace.Internal, "open the simulated pool", dir, "%w", err)
	}
	w.journal = j
	for at, past := range Replay(records) {
		if h := w.hosts[at.Host]; h != nil {
			h.put(at.Machine, machineOf(past))
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.tidy()
}

// put sets a machine and keeps the sum of memory.
func (h *host) put(id workspace.ID, m machine) {
	m.since = h.machines[id].since
	if m.condition != running {
		m.since = 0
	} else if m.since == 0 {
		m.since = time.Now().UnixMilli()
	}
	h.drop(id)
	h.machines[id] = m
	if m.inMemory() {
		h.usedMB += m.shape.MemoryMB
		return
	}
	h.hangUp(id)
}

// hangUp ends the connection to a machine's serial line, if there is one.
func (h *host) hangUp(id workspace.ID) {
	if l := h.lines[id]; l != nil {
		l.Close()
		delete(h.lines, id)
	}
}

// drop removes a machine, if it is there, and keeps the sum of memory.
func (h *host) drop(id workspace.ID) {
	if m, ok := h.machines[id]; ok && m.inMemory() {
		h.usedMB -= m.shape.MemoryMB
	}
	delete(h.machines, id)
}

// tidy rewrites the journal when it has grown over the limit and most of it is
// past. The caller holds mu.
func (w *World) tidy() error {
	if w.compact < 0 || w.journal.file == nil || w.journal.size <= w.compact {
		return nil
	}
	var lines []byte
	for _, h := range w.hosts {
		for id, m := range h.machines {
			lines = appendRecord(lines, verbState, Place{h.id, id}, m)
		}
	}
	if err := w.journal.rewrite(lines); err != nil {
		return workspace.Errorf(workspace.Internal, "compact the journal", w.journal.path,
			"%w", err)
	}
	w.compact = max(w.compact, 2*w.journal.size)
	return nil
}

// Close lets the journal go, so that another World may open it. The machines
// stay as they are.
func (w *World) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.journal.Close()
}

// Host returns the deployment adapter of one host. All calls of a host that
// was not configured fail as Unavailable.
func (w *World) Host(id workspace.HostID) workspace.Deployment {
	w.mu.Lock()
	defer w.mu.Unlock()
	h := w.hosts[id]
	if h == nil {
		h = newHost(workspace.Host{ID: id})
		h.down = true
	}
	return &deployment{world: w, host: h}
}

// Script adds rules to those in force, from now on.
func (w *World) Script(rules ...Rule) { w.fates.add(rules) }

// ClearScript lifts every rule.
func (w *World) ClearScript() { w.fates.clear() }

// SetDown takes a host off the network or brings it back. Its machines go on;
// its watches end with an error.
func (w *World) SetDown(id workspace.HostID, down bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	h := w.hosts[id]
	h.down = down
	if down {
		for watch := range h.watches {
			watch.lose()
		}
	}
}

// PowerOff is what a guest does that switches itself off. The error has kind
// NotFound or Conflict.
func (w *World) PowerOff(host workspace.HostID, id workspace.ID) error {
	return w.fall(host, id, wishPowerOff, "power off the guest")
}

// Crash is what happens to a guest whose kernel panics. The error has kind
// NotFound or Conflict.
func (w *World) Crash(host workspace.HostID, id workspace.ID) error {
	return w.fall(host, id, wishCrash, "crash the guest")
}

func (w *World) fall(host workspace.HostID, id workspace.ID, does wish, name string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.change(w.hosts[host], id, does, name)
}

// Machines returns what a host remembers of each machine.
func (w *World) Machines(host workspace.HostID) map[workspace.ID]History {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := make(map[workspace.ID]History, len(w.hosts[host].machines))
	for id, m := range w.hosts[host].machines {
		all[id] = historyOf(m)
	}
	return all
}

// Calls returns how often an operation was called on any host, whatever became of it.
func (w *World) Calls(op Op) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.counts[op]
}

// change does one row of the table of effects. The caller holds mu.
func (w *World) change(h *host, id workspace.ID, to wish, name string) error {
	m, ok := h.machines[id]
	if !ok {
		return workspace.Errorf(workspace.NotFound, name, id.String(),
			"host %s has no such machine", h.id)
	}
	v := effects[to][m.condition]
	if v == verbNone {
		return nil
	}
	if v == illegal {
		return workspace.Errorf(workspace.Conflict, name, id.String(),
			"it is %s", conditions[m.condition])
	}
	after := m.after(v)
	if err := h.room(m, after); err != nil {
		return &workspace.Error{Op: name, Kind: workspace.Internal, ID: id.String(), Err: err}
	}
	return w.commit(h, id, v, after)
}

// room refuses what the host's memory cannot hold. The scheduler never asks
// for it, so it is a defect when it happens.
func (h *host) room(before, after machine) error {
	if before.inMemory() || !after.inMemory() || h.capacity.MemoryMB == 0 {
		return nil
	}
	if h.usedMB+after.shape.MemoryMB > h.capacity.MemoryMB {
		return fmt.Errorf("%d MB do not fit: host %s has %d MB and %d are taken",
			after.shape.MemoryMB, h.id, h.capacity.MemoryMB, h.usedMB)
	}
	return nil
}

// commit writes the verb down, makes it so and tells the watches. The caller
// holds mu.
func (w *World) commit(h *host, id workspace.ID, v verb, after machine) error {
	if err := w.journal.write(v, Place{h.id, id}, after); err != nil {
		return workspace.Errorf(workspace.Transient, "write the journal", id.String(), "%w", err)
	}
	if v == verbUndefine {
		h.drop(id)
		h.hangUp(id)
	} else {
		h.put(id, after)
	}
	for watch := range h.watches {
		watch.tell(workspace.Observed{ID: id, Condition: conditions[after.condition]})
	}
	return w.tidy()
}
