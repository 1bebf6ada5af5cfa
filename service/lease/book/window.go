package book

import (
	"slices"

	"github.com/philoxenia/philoxenia/service/lease/slot"
)

// Window is a time in which a host gives leases no more than Left.
type Window struct {
	Span slot.Span
	Left slot.Amount
}

// Windows sets the windows of a host, in place of those that it had. They may
// overlap: the least that any of them leaves counts. Leases that wait are planned
// anew, those that can be interrupted make room, and accepted ones that have not
// begun move to other hosts where they start as promised. Returned are, by ID,
// those that stay in the way: nothing is done to them.
func (b *Book) Windows(now slot.Time, h slot.Host, windows []Window) []ID {
	b.now = max(b.now, now)
	return nil
}

// Open says whether a host takes leases. One that is closed keeps those that
// have begun; accepted ones move to other hosts where they start as promised.
// Returned are, by ID, those that are still on it or to be.
func (b *Book) Open(now slot.Time, h slot.Host, open bool) []ID {
	b.now = max(b.now, now)
	return nil
}

// Lost tells that a host is not to be reached: it takes no leases, as if it were
// closed, and memory saved on it cannot be moved away. What has become of leases
// that ran there is told with Ended. Returned are those that are on it or to be.
func (b *Book) Lost(now slot.Time, h slot.Host) []ID { return b.Open(now, h, false) }

// Found tells that a lost host is there again.
func (b *Book) Found(now slot.Time, h slot.Host) { b.Open(now, h, true) }

// A site is what the Book is told of hosts beyond their capacity.
type site struct {
	rates []Rates // by host; nil: the policy's
}

// clone returns a copy that shares nothing.
func (s *site) clone() site {
	return site{rates: slices.Clone(s.rates)}
}
