package simulate

import (
	"fmt"

	"github.com/philoxenia/philoxenia/service/lease/book"
	"github.com/philoxenia/philoxenia/service/lease/slot"
)

// A Window is a time in which some hosts take no leases: maintenance, or their
// owners' own work.
type Window struct {
	First, Last  int // hosts, counted from 1
	From, Length slot.Time
	Every        slot.Time // it recurs so long after it began; 0: it is one
}

// mostWindows is how often a window recurs at most.
const mostWindows = 1000

// close enters the windows into the Book, up to a time. Of leases nobody has
// asked yet, so that none can be in the way.
func (r *Run) close(until slot.Time) error {
	spans := map[slot.Host][]book.Window{}
	for _, w := range r.settings.Windows {
		if w.First < 1 || w.Last < w.First || w.Last > len(r.pool) {
			return fmt.Errorf("cannot close hosts %d to %d of %d", w.First, w.Last, len(r.pool))
		}
		if w.From < 0 || w.Length <= 0 || w.Every < 0 || w.Every > 0 && w.Every < w.Length {
			return fmt.Errorf("a window of %g s, every %g s from %g s on, makes no sense",
				seconds(w.Length), seconds(w.Every), seconds(w.From))
		}
		at := w.From
		for range mostWindows {
			span := slot.Span{Start: at, End: at + w.Length}
			for h := w.First - 1; h < w.Last; h++ {
				spans[slot.Host(h)] = append(spans[slot.Host(h)], book.Window{Span: span})
			}
			r.closed = append(r.closed, closing{span, w.First - 1, w.Last})
			if at += w.Every; w.Every == 0 || at > until {
				break
			}
		}
	}
	for h := range slot.Host(len(r.pool)) {
		if len(spans[h]) > 0 {
			r.book.Windows(0, h, spans[h])
		}
	}
	return nil
}

// A closing is some hosts while they are closed, from the first up to but
// without the last.
type closing struct {
	span        slot.Span
	first, last int
}
