package agenda

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/philoxenia/philoxenia/service/lease/book"
	"github.com/philoxenia/philoxenia/service/lease/calendar"
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
		if a.lost[i] == a.reachable(a.pool[i].ID) && !a.gone(slot.Host(i)) {
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
		case a.lost[i] != there || a.gone(h):
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
	return b.Windows(at, h, a.windows(h, a.every(a.pool[h].ID, mode.Windows)))
}

// every returns all windows of a host: those of its operators, and those that
// they cannot change.
func (a *Agenda) every(
	id workspace.HostID, operators []workspace.Window,
) []workspace.Window {
	if a.o.Fixed == nil {
		return operators
	}
	return slices.Concat(operators, a.o.Fixed(id))
}

// windows writes out windows of a host as the Book has them.
func (a *Agenda) windows(h slot.Host, all []workspace.Window) (out []book.Window) {
	from := now()
	for _, w := range all {
		left := room(calendar.Left(w, a.pool[h].Capacity))
		spans, err := calendar.Spans(w, from, from.Add(horizon))
		if err != nil {
			a.log.Error("window of a host is not kept", "host", a.pool[h].ID, "error", err)
		}
		for _, s := range spans {
			out = append(out, book.Window{
				Span: slot.Span{Start: stamp(s.Start), End: stamp(s.End)}, Left: left,
			})
		}
	}
	return out
}

// SetHost gives a host the mode that the update has put, and refuses (Conflict)
// windows that leases stand in which nobody can move.
func (a *Agenda) SetHost(tx workspace.Tx, mode workspace.HostMode) error {
	a.mu.Lock()
	defer a.unlock()
	if err := a.ready(tx); err != nil {
		return err
	}
	h, ok := a.index[mode.Host]
	if !ok {
		return workspace.Refuse(workspace.NotFound, "no such host")
	}
	at := stamp(now())
	tx.OnUndone(a.void)
	var anyway []book.ID // in windows that this does not change
	if fixed := a.every(mode.Host, nil); len(fixed) > 0 {
		anyway = a.book.Windows(at, h, a.windows(h, fixed))
	}
	stay := slices.DeleteFunc(a.equip(a.book, at, h, mode), func(id book.ID) bool {
		return slices.Contains(anyway, id)
	})
	if len(stay) > 0 {
		return workspace.Refuse(workspace.Conflict,
			"leases that cannot be moved are in the windows: %s", listed(stay))
	}
	return a.step(tx)
}

// listed names the first of some leases.
func listed(ids []book.ID) string {
	const some = 8
	var b strings.Builder
	for i, id := range ids[:min(some, len(ids))] {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprint(&b, id)
	}
	if more := len(ids) - some; more > 0 {
		fmt.Fprintf(&b, " and %d more", more)
	}
	return b.String()
}

// renew writes windows out anew when that was long ago.
func (a *Agenda) renew(tx workspace.Tx, at slot.Time) {
	if time.Since(a.renewed) < renewal {
		return
	}
	a.renewed = time.Now()
	modes := a.modes(tx)
	for i, h := range a.pool {
		if m := modes[h.ID]; len(a.every(h.ID, m.Windows)) > 0 {
			a.equip(a.book, at, slot.Host(i), m)
		}
	}
}

// ranking is how often it is looked at where owners stand in the queue, and how
// fast hosts are.
const ranking = time.Minute

// rank tells the Book how far back in the queue owners stand, when that was told
// long ago; at once for a new Book.
func (a *Agenda) rank(tx workspace.Tx, b *book.Book, at slot.Time) {
	if b == a.book && time.Since(a.ranked) < ranking {
		return
	}
	if b != a.book {
		a.ranks = nil
	}
	a.ranked = time.Now()
	a.pace(b)
	var fresh map[workspace.Owner]time.Duration
	if a.o.Behind != nil {
		fresh = a.o.Behind(tx, now())
	}
	for _, owner := range slices.Sorted(maps.Keys(a.ranks)) {
		if _, still := fresh[owner]; !still {
			b.SetRank(at, string(owner), 0)
		}
	}
	for _, owner := range slices.Sorted(maps.Keys(fresh)) {
		b.SetRank(at, string(owner), length(fresh[owner]))
	}
	a.ranks = fresh
}

// pace tells a Book how fast images come, and the hosts save and restore.
func (a *Agenda) pace(b *book.Book) {
	if a.o.Transfer != nil {
		b.SetTransfer(cmp.Or(a.o.Transfer(), a.o.Policy.Transfer))
	}
	if a.o.Rates == nil {
		return
	}
	for i, h := range a.pool {
		b.SetRates(slot.Host(i), a.o.Rates(h.ID))
	}
}
