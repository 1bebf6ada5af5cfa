package sqlite

import (
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// A use is what workspaces hold of each host. Hosts that are no longer
// configured keep their entry while a workspace is on them.
type use map[workspace.HostID]workspace.Capacity

// add counts the workspace's demand n times; nil counts nothing.
func (u use) add(w *workspace.Workspace, n int64) {
	if w == nil || !w.HoldsHost() {
		return
	}
	c := u[w.Host]
	c.CPUShare += n * w.Demand.CPUShare()
	c.CPUs = (c.CPUShare + 99) / 100
	c.MemoryMB += n * w.Demand.MemoryMB
	c.DiskMB += n * w.Demand.DiskMB
	c.NetInKbps += n * w.Demand.NetInKbps
	c.NetOutKbps += n * w.Demand.NetOutKbps
	if c == (workspace.Capacity{}) {
		delete(u, w.Host)
		return
	}
	u[w.Host] = c
}

// A pool is the addresses of one association. An address is free when no
// workspace holds it; a list of the free ones, oldest first, says which is
// next. Entries of the list that are held meanwhile are passed over.
type pool struct {
	network workspace.Network
	prefix  hardware // the first three octets
	slots   []slot
	byIP    map[string]int
	free    []int // indices of slots, from head on
	head    int
	asked   map[int]bool // slots that the update under way took by their address
}

// A slot is what is known of one address.
type slot struct {
	address workspace.Address
	ip      netip.Addr
	pooled  bool // it goes to whoever comes
	granted bool // who asks for it may have it
	holders int  // workspaces; more than one only if clients brought it themselves
	listed  bool // in the free list, or taken from it by the update under way
}

// newPool checks the network and returns its pool, all free.
func newPool(n workspace.Network) (*pool, error) {
	p := &pool{network: n, byIP: make(map[string]int, len(n.Addresses)),
		slots: make([]slot, 0, len(n.Addresses)), asked: map[int]bool{}}
	prefix, err := net.ParseMAC(n.MACPrefix + ":00:00:00")
	if err != nil || len(prefix) != len(hardware{}) {
		return nil, fmt.Errorf("network %s: MAC prefix %q is not three octets such as A2:AA:BB",
			n.Name, n.MACPrefix)
	}
	copy(p.prefix[:], prefix)
	for _, a := range n.Addresses {
		if err := p.add(a, true); err != nil {
			return nil, err
		}
	}
	for _, a := range n.Asked {
		if i, known := p.byIP[a.IP]; known {
			p.slots[i].granted = true
			continue
		}
		if err := p.add(a, false); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// add adds an address, for whoever comes or for who asks for it.
func (p *pool) add(a workspace.Address, pooled bool) error {
	ip, err := netip.ParseAddr(a.IP)
	if err != nil || !ip.Is4() {
		return fmt.Errorf("network %s: %q is not an IPv4 address", p.network.Name, a.IP)
	}
	if _, twice := p.byIP[a.IP]; twice {
		return fmt.Errorf("network %s: address %s is listed twice", p.network.Name, a.IP)
	}
	i := len(p.slots)
	p.byIP[a.IP] = i
	p.slots = append(p.slots, slot{address: a, ip: ip, pooled: pooled, granted: !pooled})
	p.list(i)
	return nil
}

// A hardware is a MAC address.
type hardware [6]byte

// String returns the address in upper case, with colons.
func (h hardware) String() string {
	return strings.ToUpper(net.HardwareAddr(h[:]).String())
}

// mac returns the MAC of an address of the pool: the network's three octets,
// then the last three of the IP, so that it is the same for ever and needs no
// record.
func (p *pool) mac(ip string) hardware {
	h := p.prefix
	if addr, err := netip.ParseAddr(ip); err == nil {
		a := addr.As4()
		copy(h[3:], a[1:])
	}
	return h
}

// list puts the slot at the end of the free list.
func (p *pool) list(i int) {
	if p.slots[i].listed || !p.slots[i].pooled {
		return
	}
	p.slots[i].listed = true
	if p.head > len(p.free)/2 {
		p.free = append(p.free[:0], p.free[p.head:]...)
		p.head = 0
	}
	p.free = append(p.free, i)
}

// take removes the next free slot from the list; those on hold stay in it. It must
// be settled when the update ends.
func (p *pool) take(onHold func(netip.Addr) bool) (int, bool) {
	for range len(p.free) - p.head {
		i := p.free[p.head]
		p.head++
		free := p.slots[i].holders == 0
		if free && !p.asked[i] && !onHold(p.slots[i].ip) {
			return i, true
		}
		p.slots[i].listed = false
		if free {
			p.list(i)
		}
	}
	return 0, false
}

// settle ends the taking of a slot: one that nobody holds goes back to where
// it was.
func (p *pool) settle(i int) {
	switch {
	case p.slots[i].holders > 0:
		p.slots[i].listed = false
	case p.head > 0:
		p.head--
		p.free[p.head] = i
	default: // the list has moved on
		p.slots[i].listed = false
		p.list(i)
	}
}

// hold counts n more holders of the address, if it is one of ours.
func (p *pool) hold(ip string, n int) {
	i, ok := p.byIP[ip]
	if !ok {
		return
	}
	p.slots[i].holders += n
	if p.slots[i].holders == 0 {
		p.list(i)
	}
}

// pools are the address pools by association.
type pools map[string]*pool

// newPools checks the networks against each other and returns their pools.
func newPools(networks []workspace.Network) (pools, error) {
	all := make(pools, len(networks))
	seen := make(map[hardware]string)
	for _, n := range networks {
		if all[n.Name] != nil {
			return nil, fmt.Errorf("network %s is listed twice", n.Name)
		}
		p, err := newPool(n)
		if err != nil {
			return nil, err
		}
		all[n.Name] = p
		for _, slot := range p.slots {
			a := slot.address
			h := p.mac(a.IP)
			if other, twice := seen[h]; twice {
				return nil, fmt.Errorf("addresses %s and %s (network %s) get the same MAC %s; "+
					"give their networks different MAC prefixes", other, a.IP, n.Name, h)
			}
			seen[h] = a.IP
		}
	}
	return all, nil
}

// add counts the workspace as a holder of its addresses n times.
func (ps pools) add(w *workspace.Workspace, n int) {
	if w == nil || !w.Holds() {
		return
	}
	for i := range w.NICs {
		if p := ps[w.NICs[i].Association]; p != nil && w.NICs[i].Leases() {
			p.hold(w.NICs[i].IP, n)
		}
	}
}
