package agenda

import (
	"slices"

	"github.com/philoxenia/philoxenia/service/lease/book"
	"github.com/philoxenia/philoxenia/service/lease/slot"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// keep tells a new Book which images are on hosts, and on their way there: what
// workspaces tell, and what else hosts were found to have.
func (a *Agenda) keep(tx workspace.Tx, b *book.Book, at slot.Time) {
	if a.o.Repository <= 0 {
		return // images are everywhere
	}
	var coming []book.Replica
	for _, w := range tx.AllWorkspaces() {
		booking, err := tx.Booking(w.Booking)
		h, known := a.index[w.Host]
		if err != nil || !known || booking.Image == "" {
			continue
		}
		k := book.Replica{
			Host: h, Image: book.Image{Name: booking.Image, SizeMB: booking.ImageMB}, Begun: true,
			Used: at,
		}
		switch w.State {
		case workspace.Unpropagated:
		case workspace.Propagating:
			k.Fetch = slot.Span{Start: at, End: at + 1}
			if from := stamp(booking.From); from != slot.Never {
				k.Fetch.End = max(from, at+1) // as was planned, or as soon as can be
			}
			coming = append(coming, k)
		default:
			b.Keep(at, k)
		}
	}
	for _, k := range coming {
		b.Keep(at, k)
	}
	for s, sizeMB := range a.spare {
		a.hold(b, at, s, sizeMB)
	}
}

// A spare is an image on a host that may be of use again.
type spare struct {
	host  workspace.HostID
	image string
}

// hold tells a Book of an image that a host has.
func (a *Agenda) hold(b *book.Book, at slot.Time, s spare, sizeMB int64) {
	if h, known := a.index[s.host]; known {
		b.Keep(at, book.Replica{
			Host: h, Image: book.Image{Name: s.image, SizeMB: sizeMB}, Begun: true, Used: at,
		})
	}
}

// Kept tells that a host has an image that nobody has to bring again, or that it
// has it no more.
func (a *Agenda) Kept(id workspace.HostID, image string, sizeMB int64, there bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := spare{id, image}
	if there {
		a.spare[s] = sizeMB
	} else {
		delete(a.spare, s)
	}
	h, known := a.index[id]
	if a.book == nil || !known || a.o.Repository <= 0 {
		return
	}
	if there {
		a.hold(a.book, stamp(now()), s, sizeMB)
	} else {
		a.book.Drop(stamp(now()), h, image)
	}
}

// moored reports whether the image of a lease that has not begun is on its way to
// the hosts that it is to have.
func moored(tx workspace.Tx, b *workspace.Booking) bool {
	return b.Status == workspace.LeaseAccepted &&
		slices.ContainsFunc(b.Members, func(id workspace.ID) bool {
			w, err := tx.Workspace(id)
			return err == nil && w.Host != ""
		})
}
