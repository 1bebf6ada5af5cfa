package network

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// A port is the host's end of one guest's link, with what may come out of it.
type port struct {
	device string
	mac    net.HardwareAddr
	ips    []netip.Addr // the guest's own, without its link-local address
	loose  bool         // whatever IP addresses it says are its own
}

// linkLocal is the address that follows from a MAC (RFC 4291, appendix A).
func linkLocal(mac net.HardwareAddr) netip.Addr {
	return netip.AddrFrom16([16]byte{0: 0xfe, 1: 0x80, 8: mac[0] ^ 2, 9: mac[1], 10: mac[2],
		11: 0xff, 12: 0xfe, 13: mac[3], 14: mac[4], 15: mac[5]})
}

// own returns the guest's IPv4 addresses, or its IPv6 addresses with the
// link-local one.
func (p *port) own(six bool) []netip.Addr {
	var all []netip.Addr
	if six {
		all = append(all, linkLocal(p.mac))
	}
	for _, ip := range p.ips {
		if ip.Is6() == six {
			all = append(all, ip)
		}
	}
	return all
}

// header makes the table of an installation, as far as it is not there. A device
// of its name without rules passes nothing: so nothing passes for as long as its
// rules are not written yet.
func header(table, prefix string) string {
	return fmt.Sprintf(`add table bridge %[1]s
add map bridge %[1]s ports { type ifname : verdict; }
add chain bridge %[1]s guests { type filter hook prerouting priority -300; policy accept; }
flush chain bridge %[1]s guests
add rule bridge %[1]s guests iifname vmap @ports
add rule bridge %[1]s guests iifname "%[2]s*" drop
`, table, prefix)
}

// admit writes the rules of a port anew. All of it takes effect at once.
func admit(table string, p port) string {
	var b strings.Builder
	fmt.Fprintf(&b, "add chain bridge %[1]s %[2]s\nflush chain bridge %[1]s %[2]s\n",
		table, p.device)
	for _, rule := range p.rules() {
		fmt.Fprintf(&b, "add rule bridge %s %s %s\n", table, p.device, rule)
	}
	fmt.Fprintf(&b, "add element bridge %s ports { \"%s\" : goto %[2]s }\n", table, p.device)
	return b.String()
}

// dismiss removes the rules of a device, if there are any.
func dismiss(table, device string) string {
	return fmt.Sprintf(`add chain bridge %[1]s %[2]s
add element bridge %[1]s ports { "%[2]s" : goto %[2]s }
delete element bridge %[1]s ports { "%[2]s" }
flush chain bridge %[1]s %[2]s
delete chain bridge %[1]s %[2]s
`, table, device)
}

// rules are what a frame meets: the guest's own MAC, plain ARP, IPv4 and IPv6 of
// its own addresses, nothing that only a server or a router says. By RARP a hypervisor
// lets switches know where a guest is that has moved.
func (p *port) rules() []string {
	rules := []string{
		"ether saddr != " + p.mac.String() + " drop",
		fmt.Sprintf("ether type 0x8035 @nh,48,16 3 @nh,64,48 0x%[1]x @nh,144,48 0x%[1]x accept",
			[]byte(p.mac)),
		"ether type != { arp, ip, ip6 } drop", // no VLANs, no spanning tree
		"udp sport { 67, 547 } drop",          // a DHCP server's answers
		"udp dport { 68, 546 } drop",
		"icmpv6 type { nd-router-advert, nd-redirect, mld-listener-query, 151, 153 } drop",
		"icmp type { redirect, router-advertisement } drop",
		// Of multicast: who asks, and who is a router (RFC 4286; RFC 7761, section 4.9).
		"igmp type { membership-query, 0x30, 0x32 } drop",
		"meta l4proto pim drop",
		"icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert } " +
			"exthdr frag exists drop", // RFC 6980, section 5
		"ether type arp arp saddr ether != " + p.mac.String() + " drop",
		"ether type arp arp htype != 1 drop",
		"ether type arp arp ptype != ip drop",
		"ether type arp arp hlen != 6 drop",
		"ether type arp arp plen != 4 drop",
	}
	rules = append(rules, p.neighbour()...)
	if p.loose {
		return append(append(rules, "ether type != ip6 accept"), known("")...)
	}
	rules = append(rules,
		"ip saddr 0.0.0.0 udp sport 68 udp dport 67 accept")
	if four := set(p.own(false)); four != "" {
		// Whether another's address is in use is asked by who is about to have it, and
		// takes it from whoever asks at the same time (RFC 5227, section 2.1.1).
		rules = append(rules, "arp operation request arp saddr ip 0.0.0.0 arp daddr ip "+four+
			" accept", "arp saddr ip "+four+" accept", "ip saddr "+four+" accept")
	}
	rules = append(rules,
		"ip6 saddr :: icmpv6 type { nd-neighbor-solicit, nd-router-solicit, "+
			"mld2-listener-report } accept",
	)
	return append(rules, known("ip6 saddr "+set(p.own(true))+" ")...)
}

// known passes what matches and shows what it is, of IPv6. What is in fragments is what
// the first of them says (RFC 8200, section 4.5), and one that does not get that far
// (RFC 7112, section 5) could be anything that must not pass. Whether it does is asked for
// as something that all packets have: a match that cannot look is none.
func known(match string) []string {
	return []string{
		match + "meta l4proto != { udp, ipv6-icmp, 255 } accept",
		match + "udp dport != 0 accept",
		match + "icmpv6 type != 255 accept",
		match + "frag frag-off != 0 meta l4proto != 255 accept",
		"drop",
	}
}

// neighbour holds neighbour discovery to the guest's own addresses and MAC. An
// advertisement has the address at octet 8 and then its options, of which the
// second kind is the address's MAC; of a solicitation the first kind is the
// sender's (RFC 4861, sections 4.3, 4.4 and 4.6.1).
func (p *port) neighbour() []string {
	mac := fmt.Sprintf("%012x", []byte(p.mac))
	rules := []string{
		"icmpv6 type nd-neighbor-advert @th,192,64 != 0x0201" + mac + " drop",
		"icmpv6 type nd-neighbor-solicit @th,192,8 1 @th,192,64 != 0x0101" + mac + " drop",
	}
	if p.loose {
		return rules
	}
	var targets []string
	for _, ip := range p.own(true) {
		targets = append(targets, fmt.Sprintf("0x%032x", ip.As16()))
	}
	own := "{ " + strings.Join(targets, ", ") + " }"
	return append(rules,
		"icmpv6 type nd-neighbor-advert @th,64,128 != "+own+" drop",
		"ip6 saddr :: icmpv6 type nd-neighbor-solicit @th,64,128 != "+own+" drop")
}

// set writes addresses as a set of nftables; nothing when there are none.
func set(ips []netip.Addr) string {
	if len(ips) == 0 {
		return ""
	}
	words := make([]string, len(ips))
	for i, ip := range ips {
		words[i] = ip.String()
	}
	return "{ " + strings.Join(words, ", ") + " }"
}
