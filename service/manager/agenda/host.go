package agenda

import (
	"fmt"
	"time"

	"github.com/philoxenia/philoxenia/service/lease/book"
	"github.com/philoxenia/philoxenia/service/lease/slot"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// How far ahead windows are written out, and how often that is done anew.
const (
	horizon = 400 * 24 * time.Hour
	renewal = 24 * time.Hour
)

func (a *Agenda) reachable(id workspace.HostID) bool {
	return a.o.Reachable == nil || a.o.Reachable(id)
}

// stirred reports whether a host went out of reach or came back.
func (a *Agenda) stirred() bool {
	for i := range a.pool {
		if a.lost[i] == a.reachable(a.pool[i].ID) {
			return true
		}
	}
	return false
}

// reach tells the Book which hosts went out of reach or came back, and reports
// whether any did.
func (a *Agenda) reach(at slot.Time) bool {
	changed := false
	for i := range a.pool {
		there, h := a.reachable(a.pool[i].ID), slot.Host(i)
		switch {
		case a.lost[i] != there:
			continue
		case there:
			a.book.Found(at, h)
		default:
			a.book.Lost(at, h)
		}
		a.lost[i], changed = !there, true
	}
	return changed
}

// modes returns what operators want of hosts.
func (a *Agenda) modes(tx workspace.Tx) map[workspace.HostID]workspace.HostMode {
	all := map[workspace.HostID]workspace.HostMode{}
	for _, m := range tx.HostModes() {
		all[m.Host] = m
	}
	return all
}

// equip gives a host of the Book its mode.
func (a *Agenda) equip(
	b *book.Book, at slot.Time, h slot.Host, mode workspace.HostMode,
) (inTheWay []book.ID) {
	b.Open(at, h, a.pool[h].Active && !mode.Drained)
	return b.Windows(at, h, a.windows(mode.Windows))
}

// windows writes out windows as the Book has them.
func (a *Agenda) windows(all []workspace.Window) []book.Window {
	if len(all) == 0 {
		return nil
	}
	from := now()
	until := from.Add(horizon)
	var out []book.Window
	for _, w := range a.expand(all, from, until) {
		out = append(out, book.Window{
			Span: slot.Span{Start: stamp(w.Start), End: stamp(w.End)}, Left: left(w.Left),
		})
	}
	return out
}

func (a *Agenda) expand(all []workspace.Window, from, until time.Time) []workspace.Window {
	if a.o.Expand != nil {
		return a.o.Expand(all, from, until)
	}
	var once []workspace.Window
	for _, w := range all {
		if w.Rule == "" && w.Start.Before(until) && w.End.After(from) {
			once = append(once, w)
		}
	}
	return once
}

// left is what a window leaves: what is not said of it is left as it is, except
// that nothing said at all leaves nothing.
func left(c workspace.Capacity) slot.Amount {
	if c == (workspace.Capacity{}) {
		return slot.Amount{}
	}
	return slot.Amount{
		slot.CPU: bounded(c.CPUs * percent), slot.Memory: bounded(c.MemoryMB),
		slot.Disk: counted(c.DiskMB), slot.NetIn: counted(c.NetInKbps),
		slot.NetOut: counted(c.NetOutKbps),
	}
}

// SetHost gives a host the mode that the update has put, and refuses (Conflict)
// windows that leases stand in which nobody can move.
func (a *Agenda) SetHost(tx workspace.Tx, mode workspace.HostMode) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.ready(tx); err != nil {
		return err
	}
	h, ok := a.index[mode.Host]
	if !ok {
		return workspace.Refuse(workspace.NotFound, "no such host")
	}
	at := stamp(now())
	tx.OnUndone(a.void)
	if stay := a.equip(a.book, at, h, mode); len(stay) > 0 {
		return workspace.Refuse(workspace.Conflict,
			"%d leases are in the windows and cannot be moved, the first is %s", len(stay),
			fmt.Sprint(stay[0]))
	}
	return a.step(tx)
}

// renew writes windows out anew when that was long ago.
func (a *Agenda) renew(tx workspace.Tx, at slot.Time) {
	if time.Since(a.renewed) < renewal {
		return
	}
	a.renewed = time.Now()
	modes := a.modes(tx)
	for i, h := range a.pool {
		if m, ok := modes[h.ID]; ok && len(m.Windows) > 0 {
			a.equip(a.book, at, slot.Host(i), m)
		}
	}
}
