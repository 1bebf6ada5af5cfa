package sqlite

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"strings"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// A holdKey is a hold's association and first address.
type holdKey string

func keyOfHold(h *workspace.Hold) holdKey { return holdKey(h.Association + " " + h.First) }

// TakeAddress implements workspace.AddressTx.
func (t *tx) TakeAddress(association string) (workspace.Address, string, error) {
	const op = "take an address of the association"
	p := t.pools[association]
	if p == nil {
		return workspace.Address{}, "", workspace.Errorf(
			workspace.Invalid, op, association, "no such association")
	}
	i, ok := p.take(t.onHold(association))
	if !ok {
		return workspace.Address{}, "", &workspace.Error{
			Op: op, Kind: workspace.NoResource, ID: association, Err: t.shortage(association)}
	}
	t.taken = append(t.taken, takenAddress{p, i})
	a := p.slots[i].address
	return a, p.mac(a.IP).String(), nil
}

// shortage tells that the association has no address left, and until when.
func (t *tx) shortage(association string) *workspace.Refusal {
	r := &workspace.Refusal{Shortages: []workspace.Shortage{{
		Resource: "address", Unit: "addresses", Wanted: 1, Where: association}}}
	t.workspaces.all(func(_ workspace.ID, w *workspace.Workspace) {
		on := func(n workspace.NIC) bool { return n.Association == association && n.Leases() }
		if !w.Holds() || w.Lease.Start.IsZero() || !slices.ContainsFunc(w.NICs, on) {
			return // one that has not begun ends nobody knows when
		}
		if end := w.Lease.Termination(); r.Earliest.IsZero() || end.Before(r.Earliest) {
			r.Earliest = end
		}
	})
	return r
}

// AskAddress implements workspace.AddressTx.
func (t *tx) AskAddress(association, ip string) (workspace.Address, string, error) {
	const op = "take the address"
	refuse := func(kind workspace.Kind, format string, args ...any) (
		workspace.Address, string, error,
	) {
		return workspace.Address{}, "", workspace.Errorf(kind, op, ip, format, args...)
	}
	p := t.pools[association]
	if p == nil {
		return refuse(workspace.Invalid, "there is no association %q", association)
	}
	i, known := p.byIP[ip]
	if !known || !p.slots[i].granted {
		return refuse(workspace.Denied,
			"it is none of those that may be asked for in network %q", association)
	}
	if p.slots[i].holders > 0 || p.asked[i] || slices.Contains(t.taken, takenAddress{p, i}) {
		return refuse(workspace.NoResource, "another workspace has it")
	}
	if h := t.holdOf(association, p.slots[i].ip); h != nil {
		return refuse(workspace.NoResource, "it is on hold")
	}
	p.asked[i] = true
	return p.slots[i].address, p.mac(ip).String(), nil
}

// onHold tells which addresses of the association are on hold.
func (t *tx) onHold(association string) func(netip.Addr) bool {
	var holds []*workspace.Hold
	t.holds.all(func(_ holdKey, h *workspace.Hold) {
		if h.Association == association {
			holds = append(holds, h)
		}
	})
	return func(ip netip.Addr) bool {
		return slices.ContainsFunc(holds, func(h *workspace.Hold) bool { return h.Covers(ip) })
	}
}

// holdOf returns the hold of an address; nil: there is none.
func (t *tx) holdOf(association string, ip netip.Addr) (found *workspace.Hold) {
	t.holds.all(func(_ holdKey, h *workspace.Hold) {
		if h.Association == association && h.Covers(ip) {
			found = h
		}
	})
	return found
}

// PutHold implements workspace.AddressTx.
func (t *tx) PutHold(h workspace.Hold) error {
	const op = "hold the addresses"
	p := t.pools[h.Association]
	if p == nil {
		return workspace.Errorf(workspace.NotFound, op, h.First,
			"there is no association %q", h.Association)
	}
	some := false
	for _, s := range p.slots {
		if !h.Covers(s.ip) {
			continue
		}
		some = true
		if old := t.holdOf(h.Association, s.ip); old != nil {
			return workspace.Errorf(workspace.Conflict, op, h.First,
				"%s is on hold already: %s", s.ip, old.Comment)
		}
	}
	if !some {
		return workspace.Errorf(workspace.NotFound, op, h.First,
			"no address of network %q is from %s to %s", h.Association, h.First, h.Last)
	}
	t.holds.put(keyOfHold(&h), &h)
	return nil
}

// RemoveHold implements workspace.AddressTx.
func (t *tx) RemoveHold(association, ip string) (workspace.Hold, error) {
	addr, err := netip.ParseAddr(ip)
	if err == nil {
		if h := t.holdOf(association, addr); h != nil {
			t.holds.remove(keyOfHold(h))
			return *h, nil
		}
	}
	return workspace.Hold{}, workspace.Errorf(workspace.NotFound, "release the address", ip,
		"it is not on hold in network %q", association)
}

// PutNICs implements workspace.AddressTx.
func (t *tx) PutNICs(id workspace.ID, nics []workspace.NIC) error {
	was, err := t.Workspace(id)
	if err != nil {
		return err
	}
	w := *was
	w.NICs = slices.Clone(nics)
	w.Version = 1
	if before, ok := t.workspaces.under(id); ok {
		w.Version = before.Version + 1
	}
	t.shift(was, &w)
	t.workspaces.put(id, &w)
	return nil
}

// Networks implements workspace.AddressTx.
func (t *tx) Networks() []workspace.NetworkUse {
	leases := map[string][]workspace.AddressLease{}
	t.workspaces.all(func(_ workspace.ID, w *workspace.Workspace) {
		if !w.Holds() {
			return
		}
		for _, n := range w.NICs {
			if n.Freed {
				continue
			}
			leases[n.Association] = append(leases[n.Association], workspace.AddressLease{
				Workspace: w.ID, Owner: w.Owner, Host: w.Host, MAC: n.MAC, Address: n.Address})
		}
	})
	all := make([]workspace.NetworkUse, 0, len(t.pools))
	for name, p := range t.pools {
		u := p.use(t.onHold(name))
		u.Leases = leases[name]
		slices.SortFunc(u.Leases, func(a, b workspace.AddressLease) int {
			return cmp.Or(compareIP(a.IP, b.IP), cmp.Compare(a.Workspace, b.Workspace))
		})
		t.holds.all(func(_ holdKey, h *workspace.Hold) {
			if h.Association == name {
				u.Holds = append(u.Holds, *h)
			}
		})
		slices.SortFunc(u.Holds, func(a, b workspace.Hold) int {
			return compareIP(a.First,
				b.First)
		})
		all = append(all, u)
	}
	slices.SortFunc(all, func(a, b workspace.NetworkUse) int {
		return strings.Compare(a.Name,
			b.Name)
	})
	return all
}

// compareIP orders addresses as numbers.
func compareIP(a, b string) int {
	x, _ := netip.ParseAddr(a)
	y, _ := netip.ParseAddr(b)
	return x.Compare(y)
}

// use counts what of the pool is taken.
func (p *pool) use(onHold func(netip.Addr) bool) workspace.NetworkUse {
	u := workspace.NetworkUse{Name: p.network.Name, Addresses: len(p.network.Addresses)}
	if n := len(p.network.Addresses); n > 0 {
		u.First, u.Last = p.network.Addresses[0].IP, p.network.Addresses[n-1].IP
		u.First6 = p.network.Addresses[0].IP6
	}
	for _, s := range p.slots {
		switch {
		case !s.pooled:
		case s.holders > 0:
			u.Leased++
		case onHold(s.ip):
			u.Held++
		}
	}
	return u
}

func (r *rows) holds(s *state) error {
	for key, e := range s.holds.batch {
		var err error
		if e.there {
			err = r.document(putHold, string(key), e.value)
		} else {
			err = r.run(deleteHold, string(key))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) holds(ctx context.Context) error {
	return l.each(ctx, `SELECT hold, data FROM hold ORDER BY hold`, func(s scan) error {
		var key holdKey
		h := new(workspace.Hold)
		if err := scanDocument(s, &key, h); err != nil {
			return bad("the hold of", key, err)
		}
		l.state.holds.base[key] = h
		return nil
	})
}
