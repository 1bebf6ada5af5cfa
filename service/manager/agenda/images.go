package agenda

import (
	"slices"

	"github.com/philoxenia/philoxenia/service/lease/book"
	"github.com/philoxenia/philoxenia/service/lease/slot"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// keep tells a new Book which images are on hosts, and on their way there, as far
// as workspaces tell: what nobody uses is not in the record.
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
