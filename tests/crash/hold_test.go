package crash

import (
	"encoding/xml"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/philoxenia/philoxenia/tests/daemon"
)

// A hold is what the clients know of a few addresses that are kept from being leased, or not.
type hold struct {
	first, last netip.Addr
	busy        bool      // a client is at it, or died at it
	since       time.Time // when it was acknowledged; zero: it is not on hold
}

// covers reports whether the address is one of these.
func (h *hold) covers(ip string) bool {
	a, err := netip.ParseAddr(ip)
	return err == nil && !a.Less(h.first) && !h.last.Less(a)
}

// holdable are addresses of a pool, by what it begins with: ten times four.
func holdable(prefix string) (all []*hold) {
	for n := range 10 {
		at := func(i int) netip.Addr {
			return netip.MustParseAddr(fmt.Sprintf("%s%d", prefix, 10*n+i))
		}
		all = append(all, &hold{first: at(11), last: at(14)})
	}
	return all
}

// hold puts addresses on hold that are not, or releases some that are; nil when there are
// none.
func (c *client) hold(a *act) *act {
	some := slices.DeleteFunc(slices.Clone(c.ledger.holds), func(h *hold) bool {
		return h.busy || h.since.IsZero() == (a.name == "release")
	})
	if len(some) == 0 {
		return nil
	}
	h := some[c.rand.IntN(len(some))]
	h.busy, a.free = true, func() { h.busy = false }
	a.values.First, a.values.Last = h.first.String(), h.last.String()
	if a.name == "release" {
		a.message = daemon.Release
		a.answer = func([]byte) error { h.since = time.Time{}; return nil }
		a.once("it is not on hold")
		return a
	}
	a.message = daemon.Hold
	a.answer = func([]byte) error { h.since = time.Now(); return nil }
	a.once("is on hold already")
	return a
}

// A pool is the service's answer to what of addresses is taken.
type pool struct {
	Networks []struct {
		Name         string
		Leased, Held int
		Leases       []struct{ Workspace, IPAddress string } `xml:"AddressLease"`
		Holds        []struct{ First, Last string }          `xml:"Hold"`
	} `xml:"Body>QueryNetworksResponse>Network"`
}

// leased holds the service's own answer about addresses against the record and against what
// clients know: who has which address, what is on hold, and that nobody was given since what
// is on hold.
func (b *books) leased(addr string, rows map[string]row, l *ledger) (wrong []string, err error) {
	c := daemon.NewCaller(addr)
	defer c.Close()
	_, reply, err := c.Send(daemon.Networks, daemon.Values{})
	if err != nil {
		return nil, err
	}
	var told pool
	if err := xml.Unmarshal(reply, &told); err != nil || len(told.Networks) == 0 {
		return nil, fmt.Errorf("no networks (%w): %.600s", err, reply)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	has := map[string]string{} // address to workspace
	for _, r := range rows {
		for _, ip := range r.ips {
			if !r.released {
				has[ip] = r.key
			}
		}
	}
	var holds []string
	for _, n := range told.Networks {
		held := 0
		for _, h := range n.Holds {
			holds = append(holds, h.First+"-"+h.Last)
			held += 4
		}
		for _, lease := range n.Leases {
			if has[lease.IPAddress] != lease.Workspace {
				wrong = append(wrong, fmt.Sprintf("the service says that %s has %s, by the record "+
					"%q has it", lease.Workspace, lease.IPAddress, has[lease.IPAddress]))
			}
			delete(has, lease.IPAddress)
			if slices.ContainsFunc(l.holds, func(h *hold) bool {
				return !h.since.IsZero() && h.covers(lease.IPAddress)
			}) {
				held--
			}
		}
		if n.Leased != len(n.Leases) || n.Held != held {
			wrong = append(wrong, fmt.Sprintf("of network %s %d addresses are said to be leased "+
				"and %d held, and are %d and %d", n.Name, n.Leased, n.Held, len(n.Leases), held))
		}
	}
	if len(has) > 0 {
		wrong = append(wrong, fmt.Sprintf("the service does not say that %v are leased", has))
	}
	return append(wrong, l.withheld(holds, rows)...), nil
}

// withheld holds what is on hold against what clients know; the ledger is locked.
func (l *ledger) withheld(holds []string, rows map[string]row) (wrong []string) {
	for _, h := range l.holds {
		name := h.first.String() + "-" + h.last.String()
		if is := slices.Contains(holds, name); is == h.since.IsZero() {
			wrong = append(wrong, fmt.Sprintf("%s is on hold: %t, by what clients know: %t", name,
				is, !is))
		}
		for key, t := range l.living {
			if h.since.IsZero() || !t.asked.After(h.since) {
				continue
			}
			if i := slices.IndexFunc(rows[key].ips, h.covers); i >= 0 {
				wrong = append(wrong, fmt.Sprintf("workspace %s was given %s, which was on hold",
					key, rows[key].ips[i]))
			}
		}
	}
	return wrong
}
