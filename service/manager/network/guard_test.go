package network

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/service/change"
	"github.com/philoxenia/philoxenia/service/workspace"
)

const (
	ownMAC   = "A2:AA:BB:00:00:05"
	ownIP    = "10.9.0.5"
	ownLocal = "fe80::a0aa:bbff:fe00:5"
	ownSix   = "2001:db8::5"
	otherMAC = "A2:AA:BB:00:00:06"
	otherIP  = "10.9.0.6"
)

func leased(method workspace.Method) *workspace.Workspace {
	return &workspace.Workspace{ID: 77, NICs: []workspace.NIC{{Association: "public",
		Method: method, MAC: ownMAC, Address: workspace.Address{IP: ownIP, IP6: ownSix}}}}
}

func guarded() *Networks {
	return New(Options{Installation: "test", Rules: map[string]Rule{"public": {Guard: true}}})
}

func option(kind byte, m net.HardwareAddr) []byte { return append([]byte{kind, 1}, m...) }

// A frame is one that a guest sends, and whether it may.
type frame struct {
	name   string
	passes bool
	bytes  []byte
}

// Kinds of ICMPv6, and its protocol.
const ra, rs, ns, na, redirect, icmp = 134, 133, 135, 136, 137, 58

// frames are what guests say, and what they must not.
func frames() []frame {
	me, other := mac(ownMAC), mac(otherMAC)
	data := udp(5000, 6000)
	behind := append([]byte{icmp, 0, 1, 4, 0, 0, 0, 0}, icmp6(ra, "::", nil)...)
	return slices.Concat([]frame{
		{"its address", true, ip4(me, ownIP, data)},
		{"another's MAC", false, ip4(other, ownIP, data)},
		{"another's address", false, ip4(me, otherIP, data)},
		{"no address", false, ip4(me, "0.0.0.0", data)},
		{"it asks for an address", true, ip4(me, "0.0.0.0", udp(68, 67))},
		{"it offers addresses", false, ip4(me, ownIP, udp(67, 68))},
		{"it offers them from elsewhere", false, ip4(me, ownIP, udp(4011, 68))},
		{"it asks who has an address", true, ether(me, etherARP, arp(1, me, ownIP, otherIP))},
		{"it asks whether its address is free", true,
			ether(me, etherARP, arp(1, me, "0.0.0.0", ownIP))},
		{"it answers for itself", true, ether(me, etherARP, arp(2, me, ownIP, otherIP))},
		{"it answers for another", false, ether(me, etherARP, arp(2, me, otherIP, ownIP))},
		{"it answers with another's MAC", false,
			ether(me, etherARP, arp(2, other, ownIP, otherIP))},
		{"it asks in another's name", false, ether(me, etherARP, arp(1, me, otherIP, ownIP))},
		{"it answers for nobody", false, ether(me, etherARP, arp(2, me, "0.0.0.0", otherIP))},
		{"its link-local address", true, ip6(me, ownLocal, unixUDP, data)},
		{"another link-local address", false, ip6(me, "fe80::1", unixUDP, data)},
		{"an IPv6 address that it has not", false, ip6(me, "2001:db8::6", unixUDP, data)},
		{"a router's advertisement", false, ip6(me, ownLocal, icmp, icmp6(ra, "::", nil))},
		{"one behind an extension header", false, ip6(me, ownLocal, 0, behind)},
		{"it redirects others", false, ip6(me, ownLocal, icmp, icmp6(redirect, "::", nil))},
		{"it looks for a router", true, ip6(me, "::", icmp, icmp6(rs, "::", nil))},
		{"it offers IPv6 addresses", false, ip6(me, ownLocal, unixUDP, udp(547, 546))},
		{"it asks for IPv6 addresses", true, ip6(me, ownLocal, unixUDP, udp(546, 547))},
		{"it looks for a neighbour", true,
			ip6(me, ownLocal, icmp, icmp6(ns, "fe80::1", option(1, me)))},
		{"with another's MAC", false,
			ip6(me, ownLocal, icmp, icmp6(ns, "fe80::1", option(1, other)))},
		{"whether its address is free", true, ip6(me, "::", icmp, icmp6(ns, ownLocal, nil))},
		{"whether another's is free", false, ip6(me, "::", icmp, icmp6(ns, "fe80::1", nil))},
		{"it advertises itself", true,
			ip6(me, ownLocal, icmp, icmp6(na, ownLocal, option(2, me)))},
		{"it advertises another", false,
			ip6(me, ownLocal, icmp, icmp6(na, "fe80::1", option(2, me)))},
		{"it advertises another's MAC", false,
			ip6(me, ownLocal, icmp, icmp6(na, ownLocal, option(2, other)))},
	}, sixFrames(), lowFrames(), routerFrames())
}

// sixFrames are about an IPv6 address, and about fragments.
func sixFrames() []frame {
	me, data := mac(ownMAC), udp(5000, 6000)
	behind, split := append([]byte{icmp, 0, 1, 4, 0, 0, 0, 0}, icmp6(ra, "::", nil)...),
		[]byte{icmp, 30, 1, 4, 0, 0, 0, 0} // a header that goes on in the next fragment
	return []frame{
		{"its IPv6 address", true, ip6(me, ownSix, unixUDP, data)},
		{"it advertises that", true, ip6(me, ownSix, icmp, icmp6(na, ownSix, option(2, me)))},
		{"it advertises another's IPv6 address", false,
			ip6(me, ownSix, icmp, icmp6(na, "2001:db8::6", option(2, me)))},
		{"it advertises itself without a MAC", true,
			ip6(me, ownSix, icmp, icmp6(na, ownSix, nil))},
		{"it advertises another without a MAC", false,
			ip6(me, ownSix, icmp, icmp6(na, "2001:db8::6", nil))},
		{"a first piece", true, ip6(me, ownSix, fragment, piece(unixUDP, 1, data))},
		{"it offers IPv6 addresses in pieces", false,
			ip6(me, ownLocal, fragment, piece(unixUDP, 1, udp(547, 546)))},
		{"TCP", true, ip6(me, ownSix, 6, make([]byte, 20))},
		{"an echo in pieces", true,
			ip6(me, ownSix, fragment, piece(icmp, 1, []byte{128, 0, 0, 0, 0, 1, 0, 1}))},
		{"the rest of it", true, ip6(me, ownSix, fragment, piece(icmp, 8, data))},
		{"whether its IPv6 address is free", true, ip6(me, "::", icmp, icmp6(ns, ownSix, nil))},
		{"whether another's IPv6 address is", false,
			ip6(me, "::", icmp, icmp6(ns, "2001:db8::6", nil))},
		{"a piece of IPv6", true, ip6(me, ownSix, fragment, piece(unixUDP, 8, data))},
		{"a piece of another's IPv6", false,
			ip6(me, "2001:db8::6", fragment, piece(unixUDP, 8, data))},
		{"an advertisement in pieces", false,
			ip6(me, ownLocal, fragment, piece(icmp, 1, icmp6(na, "fe80::1", nil)[:8]))},
		{"a router's, in pieces", false,
			ip6(me, ownLocal, fragment, piece(icmp, 1, icmp6(ra, "::", nil)[:8]))},
		{"pieces that hide what they are", false,
			ip6(me, ownLocal, fragment, piece(60, 1, split))},
		{"the second of these", false, ip6(me, ownLocal, fragment, piece(60, 8, behind))},
	}
}

// lowFrames are those that are not about IPv6.
func lowFrames() []frame {
	me, other, data := mac(ownMAC), mac(otherMAC), udp(5000, 6000)
	plain := ip4(me, ownIP, data)
	return []frame{
		{"a piece", true, more(ip4(me, ownIP, data), 0x0001)},
		{"another's piece", false, more(ip4(me, otherIP, data), 0x0001)},
		{"it offers addresses in pieces", false, more(ip4(me, ownIP, udp(67, 68)), 0x2000)},
		{"a VLAN", false, tagged(0x8100, 7, plain)},
		{"a priority", false, tagged(0x8100, 0xe000, plain)},
		{"a VLAN of a provider", false, tagged(0x88a8, 7, plain)},
		{"two VLANs", false, tagged(0x88a8, 7, tagged(0x8100, 8, plain))},
		{"spanning tree", false, ether(me, 38, append([]byte{0x42, 0x42, 3}, make([]byte, 35)...))},
		{"IPv4 in SNAP", false, ether(me, 40, append([]byte{0xaa, 0xaa, 3, 0, 0, 0, 8, 0},
			plain[14:]...))},
		{"it has moved", true, ether(me, etherRARP, rarp(3, me, me))},
		{"another has moved", false, ether(me, etherRARP, rarp(3, other, other))},
		{"it tells another who it is", false, ether(me, etherRARP, rarp(4, me, other))},
	}
}

// routerFrames are what routers say, of unicast and of multicast, and what their neighbours
// say to them.
func routerFrames() []frame {
	me := mac(ownMAC)
	query := []byte{0x11, 0, 0, 0, 0, 0, 0, 0}
	of := func(protocol byte, payload []byte) []byte {
		f := ip4(me, ownIP, payload)
		f[23], f[24], f[25] = protocol, 0, 0
		binary.BigEndian.PutUint16(f[24:], checksum(f[14:34]))
		return f
	}
	kind := func(of byte) []byte { return append([]byte{of}, query[1:]...) }
	const icmp4, igmp, pim = 1, 2, 103
	behind := func(kind byte) []byte {
		return append([]byte{icmp, 0, 5, 2, 0, 0, 1, 0}, icmp6(kind, "::", nil)...)
	}
	return []frame{
		{"an echo", true, of(icmp4, kind(8))},
		{"it redirects IPv4", false, of(icmp4, kind(5))},
		{"a router's advertisement of IPv4", false, of(icmp4, kind(9))},
		{"it looks for a router of IPv4", true, of(icmp4, kind(10))},
		{"it asks who listens", false, of(igmp, kind(0x11))},
		{"it listens", true, of(igmp, kind(0x22))},
		{"it leaves", true, of(igmp, kind(0x17))},
		{"a multicast router", false, of(igmp, kind(0x30))},
		{"one that ends", false, of(igmp, kind(0x32))},
		{"a PIM router", false, of(pim, []byte{0x20, 0, 0, 0})},
		{"a PIM router of IPv6", false, ip6(me, ownLocal, pim, []byte{0x20, 0, 0, 0})},
		{"it asks who listens, of IPv6", false, ip6(me, ownLocal, 0, behind(130))},
		{"it listens, of IPv6", true, ip6(me, ownLocal, 0, behind(143))},
		{"a multicast router of IPv6", false, ip6(me, ownLocal, 0, behind(151))},
		{"one of IPv6 that ends", false, ip6(me, ownLocal, icmp, icmp6(153, "::", nil))},
		{"whether another's IPv4 address is free", false,
			ether(me, etherARP, arp(1, me, "0.0.0.0", otherIP))},
		{"ARP of other lengths", false, ether(me, etherARP, longARP(me))},
	}
}

// longARP is ARP about addresses of 16 octets, of which the first four are another's.
func longARP(me net.HardwareAddr) []byte {
	b := append([]byte{0, 1, 8, 0, 6, 16, 0, 2}, me...)
	b = append(b, netip.MustParseAddr(otherIP).AsSlice()...)
	return append(b, make([]byte, 12+6+16)...)
}

// rarp is a message about a MAC.
func rarp(op uint16, sender, target net.HardwareAddr) []byte {
	b := arp(op, sender, "0.0.0.0", "0.0.0.0")
	copy(b[18:], target)
	return b
}

// piece is a fragment of IPv6: at is its offset in eights of octets, with 1 for more.
func piece(next byte, at uint16, payload []byte) []byte {
	return append([]byte{next, 0, byte(at >> 8), byte(at), 0, 0, 0, 7}, payload...)
}

// more makes a fragment of an IPv4 packet.
func more(f []byte, flags uint16) []byte {
	f[20], f[21] = byte(flags>>8), byte(flags)
	f[24], f[25] = 0, 0
	binary.BigEndian.PutUint16(f[24:], checksum(f[14:34]))
	return f
}

const (
	fragment  = 44
	etherRARP = 0x8035
)

const (
	unixUDP  = 17
	etherARP = 0x0806
)

// tagged tags a frame.
func tagged(kind, tag uint16, f []byte) []byte {
	b := binary.BigEndian.AppendUint16(append([]byte{}, f[:12]...), kind)
	return append(binary.BigEndian.AppendUint16(b, tag), f[12:]...)
}

// TestGuardDropsFrames sends real frames through a real bridge.
func TestGuardDropsFrames(t *testing.T) {
	l, ns, w := newLab(t), guarded(), leased(workspace.AllocateAndConfigure)
	must(t, ns.Connect(t.Context(), l.node, w))
	must(t, ns.Connect(t.Context(), l.node, w)) // the same again
	device := ns.NICs(l.node, w)[0].Device
	guest, other := l.guest(device, "g0"), l.guest("other", "g1")
	for i, f := range frames() {
		mark := ip4(mac(ownMAC), ownIP, udp(7000, uint16(7000+i)))
		guest.send(f.bytes)
		guest.send(mark)
		if heard := other.hears(f.bytes, mark); heard != f.passes {
			t.Errorf("%s: passes %v, want %v", f.name, heard, f.passes)
		}
	}
	forged := ip4(mac(otherMAC), otherIP, udp(1, 1))

	t.Log("a device without rules passes nothing, whoever has none of our names everything")
	must(t, ns.Connect(t.Context(), l.node, &workspace.Workspace{ID: 78, NICs: w.NICs}))
	must(t, ns.Disconnect(t.Context(), l.node, w))
	stranger := l.guest("stranger", "g2")
	mark := ip4(mac(otherMAC), otherIP, udp(1, 2))
	guest.send(forged)
	stranger.send(mark)
	if other.hears(forged, mark) {
		t.Error("a frame of a device without rules passed")
	}

	t.Log("nothing of it remains")
	must(t, ns.Disconnect(t.Context(), l.node, &workspace.Workspace{ID: 78, NICs: w.NICs}))
	must(t, ns.Disconnect(t.Context(), l.node, w))
	if left := run(t, "nsenter", "--net=/run/netns/"+l.name, "nft", "list", "ruleset"); left != "" {
		t.Errorf("rules are left:\n%s", left)
	}
}

// TestAdvisoryIsNotHeldToAddresses: what the site does not configure it does
// not enforce, but for the MAC and what servers say.
func TestAdvisoryIsNotHeldToAddresses(t *testing.T) {
	l, ns, w := newLab(t), guarded(), leased(workspace.Advisory)
	must(t, ns.Connect(t.Context(), l.node, w))
	guest, other := l.guest(ns.NICs(l.node, w)[0].Device, "g0"), l.guest("other", "g1")
	loose := map[string]bool{"another's address": true, "no address": true,
		"it answers for another": true, "it asks in another's name": true,
		"it answers for nobody":                  true,
		"whether another's IPv4 address is free": true,
		"another link-local address":             true, "an IPv6 address that it has not": true,
		"whether another's is free": true, "it advertises another": true,
		"it advertises another's IPv6 address": true, "whether another's IPv6 address is": true,
		"it advertises another without a MAC": true,
		"a piece of another's IPv6":           true, "another's piece": true}
	for i, f := range frames() {
		mark := ip4(mac(ownMAC), ownIP, udp(7000, uint16(7000+i)))
		guest.send(f.bytes)
		guest.send(mark)
		if heard := other.hears(f.bytes, mark); heard != (f.passes || loose[f.name]) {
			t.Errorf("%s: passes %v", f.name, heard)
		}
	}
}

// TestDeviceNames: they fit the kernel, and tell installations apart.
func TestDeviceNames(t *testing.T) {
	one, two := New(Options{Installation: "one"}), New(Options{Installation: "two"})
	if n := one.device(1<<36, 63); len(n) > 15 || !strings.HasPrefix(n, one.prefix()) {
		t.Errorf("device %q does not fit", n)
	}
	if one.device(7, 0) == two.device(7, 0) || one.table() == two.table() {
		t.Error("two installations have the same names")
	}
}

// TestAddressInUseOnTheWire: an address that somebody answers for is not leased.
func TestAddressInUseOnTheWire(t *testing.T) {
	l := newLab(t)
	l.node.Networks = map[string]string{"public": "bridge:br0", "inner": "network:default"}
	ns, replaced := probing()
	w := leased(workspace.AllocateAndConfigure)
	stranger := l.neighbour(otherMAC)
	stranger.ip("address", "add", otherIP+"/32", "dev", "s1")
	must(t, ns.Probe(t.Context(), l.node, w)) // nobody has it
	w.NICs[0].IP = otherIP
	err := ns.Probe(t.Context(), l.node, w)
	var retry *change.Retry
	if !errors.As(err, &retry) || len(*replaced) != 1 || !strings.HasPrefix((*replaced)[0],
		"77 0 in use on the wire by "+otherMAC+", heard on host") {
		t.Errorf("%v, %q", err, *replaced)
	}
	w.NICs[0].Method = workspace.AcceptAndConfigure
	err = ns.Probe(t.Context(), l.node, w)
	if workspace.KindOf(err) != workspace.Conflict || !strings.Contains(err.Error(), otherMAC) {
		t.Errorf("an address that was brought: %v", err)
	}
	w.NICs[0].Association = "inner"
	must(t, ns.Probe(t.Context(), l.node, w)) // its wire is not known
}

// probing are networks that ask, and what was replaced of what they asked about.
func probing() (ns *Networks, replaced *[]string) {
	replaced = new([]string)
	return New(Options{Installation: "test", Rules: map[string]Rule{
		"public": {Probe: true}, "inner": {Probe: true}},
		Replace: func(_ context.Context, id workspace.ID, i int, comment string) error {
			*replaced = append(*replaced, fmt.Sprint(id, " ", i, " ", comment))
			return nil
		}}), replaced
}

// TestIPv6AddressInUseOnTheWire: nor is one whose IPv6 address somebody answers for.
func TestIPv6AddressInUseOnTheWire(t *testing.T) {
	l := newLab(t)
	l.node.Networks = map[string]string{"public": "bridge:br0"}
	l.ip("address", "add", "fe80::1/64", "dev", "br0", "nodad")
	stranger := l.neighbour(otherMAC)
	ns, replaced := probing()
	w := leased(workspace.AllocateAndConfigure)
	must(t, ns.Probe(t.Context(), l.node, w)) // nobody has it
	stranger.ip("address", "add", ownSix+"/64", "dev", "s1", "nodad")
	err := ns.Probe(t.Context(), l.node, w)
	var retry *change.Retry
	if !errors.As(err, &retry) || len(*replaced) != 1 || !strings.HasPrefix((*replaced)[0],
		"77 0 in use on the wire as "+ownSix+" by "+otherMAC) {
		t.Errorf("%v, %q", err, *replaced)
	}
	w.NICs[0].Method = workspace.AcceptAndConfigure
	if err := ns.Probe(t.Context(), l.node, w); workspace.KindOf(err) != workspace.Conflict {
		t.Errorf("an address that was brought: %v", err)
	}
	stranger.ip("link", "set", "s1", "address", ownMAC)
	must(t, ns.Probe(t.Context(), l.node, w)) // it is its own
	if left := l.ip("-6", "neigh", "show", "to", ownSix); left != "" {
		t.Errorf("the host still knows %s", left)
	}
}

// TestPrivateNetworks: groups do not hear each other, and nothing is left of them.
func TestPrivateNetworks(t *testing.T) {
	l := newLab(t)
	ns := New(Options{Installation: "test", Rules: map[string]Rule{
		"own": {Private: true, Guard: true}}})
	node := func(id workspace.ID, group workspace.GroupID) *workspace.Workspace {
		w := leased(workspace.AllocateAndConfigure)
		w.ID, w.Group, w.NICs[0].Association = id, group, "own"
		return w
	}
	all := []*workspace.Workspace{node(1, "one"), node(2, "one"), node(3, "two"), node(4, "")}
	var wires []*wire
	seen := map[string]int{}
	for i, w := range all {
		must(t, ns.Connect(t.Context(), l.node, w))
		must(t, ns.Connect(t.Context(), l.node, w))
		nic := ns.NICs(l.node, w)[0]
		seen[nic.Bridge]++
		end := l.guest(nic.Device, fmt.Sprint("g", i))
		l.plug(nic.Device, nic.Bridge)
		wires = append(wires, end)
	}
	if len(seen) != 3 || seen[ns.NICs(l.node, all[0])[0].Bridge] != 2 {
		t.Errorf("the bridges are %v", seen)
	}
	said, mark := ip4(mac(ownMAC), ownIP, udp(1, 1)), ip4(mac(ownMAC), ownIP, udp(2, 2))
	wires[0].send(said)
	wires[0].send(mark)
	if !wires[1].hears(said, mark) {
		t.Error("the group does not hear itself")
	}
	for i := 2; i < len(all); i++ { // a neighbour there sends the mark
		device := fmt.Sprint("n", i)
		neighbour := l.guest(device, fmt.Sprint("h", i))
		l.plug(device, ns.NICs(l.node, all[i])[0].Bridge)
		neighbour.send(mark)
		if wires[i].hears(said, mark) {
			t.Error("another group hears it")
		}
		l.ip("link", "del", device)
	}
	for i, w := range all {
		l.ip("link", "del", ns.NICs(l.node, w)[0].Device)
		must(t, ns.Disconnect(t.Context(), l.node, w))
		must(t, ns.Disconnect(t.Context(), l.node, w))
		left := strings.Count(l.ip("-o", "link", "show", "type", "bridge"), "\n") - 1 // br0
		if want := []int{3, 2, 1, 0}[i]; left != want {
			t.Errorf("after %d of 4 there are %d private bridges, want %d", i+1, left, want)
		}
	}
}
