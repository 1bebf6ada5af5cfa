package image

import (
	"sync/atomic"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// link is that of the repositories, as far as transfers may take it: it is shared
// among those that are under way.
type link struct {
	limit   int64 // bytes a second; 0: no limit
	sharing atomic.Int64
}

// enter begins a transfer, and returns what it may take until leave: less when more
// begin, more when some end.
func (l *link) enter() (share workspace.Rate, leave func()) {
	if l.limit == 0 {
		return nil, func() {}
	}
	l.sharing.Add(1)
	share = func() int64 { return max(1, l.limit/max(1, l.sharing.Load())) }
	return share, func() { l.sharing.Add(-1) }
}

// now is a share for whom it cannot change; 0: no limit.
func now(share workspace.Rate) int64 {
	if share == nil {
		return 0
	}
	return share()
}
