package manager

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// Brought says which addresses requests may bring to a network, and what else
// they must say of them there: an empty field leaves it to them.
type Brought struct {
	Accept                      Addresses // with AcceptAndConfigure
	Advisory                    Addresses // with Advisory
	Netmask, Gateway, Broadcast string

	// Private: the nodes of a group are to be where their network is: on one host, or on
	// hosts that Overlay connects.
	Private bool
}

// Overlay is how private networks span hosts.
type Overlay struct {
	// MTU is that of the guests of a new group, with the hosts that the pool has now. 0: none
	// of them has an address for it, so a group is on one host; nil: each always is.
	MTU         func() int
	First, Last int // VNIs that may be given
	Offset      int // of installations whose VNIs are to differ
}

// mtu is that of the guests of a new group; 0: its network does not span hosts.
func (o Overlay) mtu() int {
	if o.MTU == nil {
		return 0
	}
	return o.MTU()
}

// Addresses are ranges of addresses.
type Addresses struct {
	Texts []string // for people
	Has   func(netip.Addr) bool
}

// admitNetworks refuses unknown networks, MACs, and addresses that the client
// brings along to a network that takes none, or not these.
func (m *Manager) admitNetworks(r *workspace.Request) error {
	for i, n := range r.Spec.NICs {
		c := complaint{kind: workspace.Denied}
		element := ""
		switch {
		case n.Association != "" && !slices.Contains(m.policy.Associations, n.Association):
			element = "association"
			c.cause = fmt.Errorf("'%s' is not a valid network name", n.Association)
			c.expected = "one of " + strings.Join(m.policy.Associations, ", ")
		case n.MAC != "":
			element, c.hint = "MAC", "leave it out"
			c.cause = errors.New("this site assigns MAC addresses itself")
		case n.Method != workspace.AllocateAndConfigure:
			element, c = m.brings(n, r.Nodes)
		case n.Address != (workspace.Address{}):
			c.kind, element = workspace.Invalid, "ipConfig"
			c.cause = fmt.Errorf("it gives addresses, which %s does not take", n.Method)
			c.hint = "leave them out"
		}
		if c.cause == nil {
			continue
		}
		c.path = fmt.Sprintf(atNIC, i+1, element)
		return refuse(r, c)
	}
	m.keepTogether(r)
	return nil
}

// keepTogether has the nodes of a group with a private network be where it can be.
func (m *Manager) keepTogether(r *workspace.Request) {
	private := func(n workspace.NIC) bool { return m.policy.Brought[m.association(n)].Private }
	near := func(rule workspace.AffinityRule) bool {
		return rule.Relation == workspace.Near && !rule.Soft &&
			len(rule.Workspaces)+len(rule.Hosts) == 0
	}
	if r.Nodes < 2 || !slices.ContainsFunc(r.Spec.NICs, private) ||
		slices.ContainsFunc(r.Terms.Affinity, near) {
		return
	}
	rule := workspace.AffinityRule{Relation: workspace.Near}
	if m.policy.Overlay.mtu() > 0 {
		rule.Relation = workspace.Within
	}
	r.Terms.Affinity = append(slices.Clone(r.Terms.Affinity), rule)
}

// number gives the private networks of a group that may span hosts their VNIs. They
// begin with the number of the lease, so that they are given again as late as can be,
// and no network of a workspace that is in the record has them.
func (m *Manager) number(tx workspace.Tx, b *workspace.Booking, nics [][]workspace.NIC) error {
	o := m.policy.Overlay
	mtu := o.mtu()
	if mtu == 0 || !slices.ContainsFunc(b.Terms.Affinity, func(r workspace.AffinityRule) bool {
		return r.Relation == workspace.Within
	}) {
		return nil
	}
	taken := map[int]bool{}
	for _, w := range tx.AllWorkspaces() {
		for _, nic := range w.NICs {
			taken[nic.VNI] = true
		}
	}
	given, span := map[string]int{}, o.Last-o.First+1
	for i := range nics {
		for j := range nics[i] {
			nic := &nics[i][j]
			if !m.policy.Brought[nic.Association].Private {
				continue
			}
			vni, known := given[nic.Association]
			for tries := 0; !known && tries < span; tries++ {
				vni = o.First + int((int64(b.ID)+int64(o.Offset)+int64(tries))%int64(span))
				known = !taken[vni]
			}
			if !known {
				return workspace.Errorf(workspace.NoResource, opCreate, "",
					"all %d VNIs of the site are given to private networks", span)
			}
			given[nic.Association], taken[vni] = vni, true
			nic.VNI, nic.MTU = vni, mtu
		}
	}
	return nil
}

// hostname is what a guest may be called (RFC 1123, section 2.1).
var hostname = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?$`)

// brings says what is wrong with a NIC that brings its address along; nothing,
// for a complaint without a cause.
func (m *Manager) brings(n workspace.NIC, nodes int) (element string, c complaint) {
	site := m.policy.Brought[m.association(n)]
	allowed := site.Accept
	if n.Method == workspace.Advisory {
		allowed = site.Advisory
	}
	c.kind = workspace.Denied
	if len(allowed.Texts) == 0 {
		c.expected = string(workspace.AllocateAndConfigure)
		c.cause = fmt.Errorf("%s is asked for; this site assigns addresses itself", n.Method)
		return "ipConfig/acquisitionMethod", c
	}
	if nodes > 1 {
		c.expected = string(workspace.AllocateAndConfigure)
		c.cause = fmt.Errorf("one address is given for %d nodes", nodes)
		return "ipConfig/ipAddress", c
	}
	ip, err := netip.ParseAddr(n.IP)
	if err != nil || !ip.Is4() || ip.String() != n.IP {
		c.kind, c.expected = workspace.Invalid, "an IPv4 address in dotted form"
		c.cause = fmt.Errorf("%q is not one", n.IP)
		return "ipConfig/ipAddress", c
	}
	if !allowed.Has(ip) {
		c.expected = strings.Join(allowed.Texts, ", ")
		c.cause = fmt.Errorf("%s is none of the addresses that network %q takes with %s", ip,
			m.association(n), n.Method)
		return "ipConfig/ipAddress", c
	}
	if n.Hostname != "" && !hostname.MatchString(n.Hostname) {
		c.kind, c.expected = workspace.Invalid, "a host name such as node1.example.org"
		c.cause = fmt.Errorf("%.60q is not one", n.Hostname)
		return "ipConfig/hostname", c
	}
	return site.agrees(n)
}

// agrees says what of the rest of an address is not as the site has it.
func (b Brought) agrees(n workspace.NIC) (element string, c complaint) {
	for _, part := range []struct{ name, given, site string }{
		{"netmask", n.Netmask, b.Netmask}, {"gateway", n.Gateway, b.Gateway},
		{"broadcast", n.Broadcast, b.Broadcast},
	} {
		ip, err := netip.ParseAddr(part.given)
		switch {
		case part.given == "" || part.given == part.site:
		case err != nil || !ip.Is4():
			c.kind, c.expected = workspace.Invalid, "an IPv4 address in dotted form"
			c.cause = fmt.Errorf("%.60q is not one", part.given)
			return "ipConfig/" + part.name, c
		case part.site != "":
			c.kind, c.expected = workspace.Denied, part.site
			c.cause = fmt.Errorf("%s is not the network's", part.given)
			return "ipConfig/" + part.name, c
		}
	}
	return "", complaint{}
}

// allocate takes an address for the i-th NIC: the next of its network, or the
// one that the request brings.
func (m *Manager) allocate(
	tx workspace.Tx, r *workspace.Request, i int,
) (workspace.NIC, error) {
	nic := r.Spec.NICs[i]
	nic.Association = m.association(nic)
	take, element := func() (workspace.Address, string, error) {
		return tx.TakeAddress(nic.Association)
	}, "association"
	if nic.Method != workspace.AllocateAndConfigure {
		element = "ipConfig/ipAddress"
		take = func() (workspace.Address, string, error) {
			return tx.AskAddress(nic.Association, nic.IP)
		}
	}
	address, mac, err := take()
	if err != nil {
		return nic, refuse(r, complaint{
			kind: workspace.KindOf(err), path: fmt.Sprintf(atNIC, i+1, element), cause: err,
		})
	}
	given := nic.Address
	address.Hostname = cmp.Or(given.Hostname, address.Hostname)
	address.Netmask = cmp.Or(given.Netmask, address.Netmask)
	address.Gateway = cmp.Or(given.Gateway, address.Gateway)
	address.Broadcast = cmp.Or(given.Broadcast, address.Broadcast)
	address.Network = cmp.Or(given.Network, address.Network)
	nic.Address, nic.MAC = address, mac
	return nic, nil
}
