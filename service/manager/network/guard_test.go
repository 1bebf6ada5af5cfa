package network

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/philoxenia/philoxenia/service/change"
	"github.com/philoxenia/philoxenia/service/workspace"
)

const (
	ownMAC   = "A2:AA:BB:00:00:05"
	ownIP    = "10.9.0.5"
	ownLocal = "fe80::a0aa:bbff:fe00:5"
	otherMAC = "A2:AA:BB:00:00:06"
	otherIP  = "10.9.0.6"
)

func leased(method workspace.Method) *workspace.Workspace {
	return &workspace.Workspace{ID: 77, NICs: []workspace.NIC{{Association: "public",
		Method: method, MAC: ownMAC, Address: workspace.Address{IP: ownIP}}}}
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

// frames are what guests say, and what they must not.
func frames() []frame {
	me, other := mac(ownMAC), mac(otherMAC)
	const ra, rs, ns, na, redirect, icmp = 134, 133, 135, 136, 137, 58
	data := udp(5000, 6000)
	behind := append([]byte{icmp, 0, 1, 4, 0, 0, 0, 0}, icmp6(ra, "::", nil)...)
	return []frame{
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
		{"a VLAN", false, vlan(ip4(me, ownIP, data))},
		{"spanning tree", false, ether(me, 38, append([]byte{0x42, 0x42, 3}, make([]byte, 35)...))},
	}
}

const (
	unixUDP  = 17
	etherARP = 0x0806
)

// vlan tags a frame.
func vlan(f []byte) []byte {
	return append(append(append([]byte{}, f[:12]...), 0x81, 0, 0, 7), f[12:]...)
}

// TestGuardDropsFrames sends real frames through a real bridge.
func TestGuardDropsFrames(t *testing.T) {
	l, ns, w := newLab(t), guarded(), leased(workspace.AllocateAndConfigure)
	must(t, ns.Connect(t.Context(), l.node, w))
	must(t, ns.Connect(t.Context(), l.node, w)) // the same again
	device := ns.NICs(l.node, w)[0].Device
	guest, other := l.guest(device, "g0"), l.guest("other", "g1")
	for i, f := range frames() {
		mark := ip4(mac(ownMAC), ownIP, udp(7000, uint16(i)))
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
		"it answers for nobody":      true,
		"another link-local address": true, "an IPv6 address that it has not": true,
		"whether another's is free": true, "it advertises another": true}
	for i, f := range frames() {
		mark := ip4(mac(ownMAC), ownIP, udp(7000, uint16(i)))
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
	stranger := l.guest("stranger", "g0")
	var replaced []string
	ns := New(Options{Installation: "test", Rules: map[string]Rule{
		"public": {Probe: true}, "inner": {Probe: true}},
		Replace: func(_ context.Context, id workspace.ID, i int, comment string) error {
			replaced = append(replaced, fmt.Sprint(id, " ", i, " ", comment))
			return nil
		}})
	answer := func() { // whoever asks for otherIP is told, once
		question := make([]byte, 64)
		for {
			n, err := syscall.Read(stranger.fd, question)
			if err != nil {
				return
			}
			if n >= 42 && bytes.Equal(question[12:14], []byte{8, 6}) &&
				netip.AddrFrom4([4]byte(question[38:42])).String() == otherIP {
				asker := net.HardwareAddr(question[6:12])
				reply := ether(mac(otherMAC), etherARP, arp(2, mac(otherMAC), otherIP, "0.0.0.0"))
				copy(reply[0:6], asker)
				copy(reply[32:38], asker)
				stranger.send(reply)
				return
			}
		}
	}
	w := leased(workspace.AllocateAndConfigure)
	must(t, ns.Probe(t.Context(), l.node, w)) // nobody has it
	w.NICs[0].IP = otherIP
	var all sync.WaitGroup
	all.Go(answer)
	err := ns.Probe(t.Context(), l.node, w)
	all.Wait()
	var retry *change.Retry
	if !errors.As(err, &retry) || len(replaced) != 1 ||
		!strings.HasPrefix(replaced[0], "77 0 in use on the wire by "+otherMAC+", heard on host") {
		t.Errorf("%v, %q", err, replaced)
	}
	w.NICs[0].Method = workspace.AcceptAndConfigure
	all.Go(answer)
	err = ns.Probe(t.Context(), l.node, w)
	all.Wait()
	if workspace.KindOf(err) != workspace.Conflict || !strings.Contains(err.Error(), otherMAC) {
		t.Errorf("an address that was brought: %v", err)
	}
	w.NICs[0].Association = "inner"
	must(t, ns.Probe(t.Context(), l.node, w)) // its wire is not known
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
		l.ip("link", "set", nic.Device, "master", nic.Bridge)
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
		l.ip("link", "set", device, "master", ns.NICs(l.node, all[i])[0].Bridge)
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
