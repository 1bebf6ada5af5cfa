package config

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// mostAddresses is how many addresses one pool may have.
const mostAddresses = 1 << 20

// Range is addresses in a row, both ends included.
type Range struct{ First, Last netip.Addr }

// ParseRange reads ADDRESS, ADDRESS-ADDRESS or ADDRESS/BITS, of IPv4. Of a
// prefix the addresses of the network and of its broadcasts are left out.
func ParseRange(text string) (Range, error) {
	wrong := func() (Range, error) {
		return Range{}, fmt.Errorf("%q is not ADDRESS, ADDRESS-ADDRESS or ADDRESS/BITS of IPv4",
			text)
	}
	if prefix, err := netip.ParsePrefix(text); err == nil {
		const bits, least = 32, 30
		if !prefix.Addr().Is4() || prefix.Bits() > least || prefix.Bits() < bits-20 {
			return wrong()
		}
		first := number(prefix.Masked().Addr())
		size := uint32(1) << (bits - prefix.Bits())
		return Range{address(first + 1), address(first + size - 2)}, nil
	}
	from, to, two := strings.Cut(text, "-")
	if !two {
		to = from
	}
	first, err1 := netip.ParseAddr(strings.TrimSpace(from))
	last, err2 := netip.ParseAddr(strings.TrimSpace(to))
	if err1 != nil || err2 != nil || !first.Is4() || !last.Is4() || last.Less(first) {
		return wrong()
	}
	if span(first, last) > mostAddresses {
		return Range{}, fmt.Errorf("%q is too many addresses", text)
	}
	return Range{first, last}, nil
}

// address is the IPv4 address of a number.
func address(n uint32) netip.Addr {
	return netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
}

// All calls yield for each address, in order.
func (r Range) All(yield func(netip.Addr) bool) {
	for i := range span(r.First, r.Last) {
		if !yield(address(number(r.First) + uint32(i))) {
			return
		}
	}
}

// sameMACs reports whether an address of each get the same last three octets of a
// MAC.
func (r Range) sameMACs(other Range) bool {
	const octets = 1<<24 - 1
	behind := (number(r.First) - number(other.First)) & octets
	before := (number(other.First) - number(r.First)) & octets
	return int64(behind) < span(other.First, other.Last) || int64(before) < span(r.First, r.Last)
}

// checkRanges refuses what are no ranges.
func checkRanges(key string, texts []string) error {
	var all []error
	for _, text := range texts {
		if _, err := ParseRange(text); err != nil {
			all = append(all, fmt.Errorf("%s: %w", key, err))
		}
	}
	return errors.Join(all...)
}

// all returns the ranges of every address that a guest could have.
func (n *Network) all() []Range {
	var ranges []Range
	if first, last, err := n.ends(); err == nil {
		ranges = append(ranges, Range{first, last})
	}
	for _, texts := range [][]string{n.Accept, n.Advisory} {
		for _, text := range texts {
			if r, err := ParseRange(text); err == nil {
				ranges = append(ranges, r)
			}
		}
	}
	return ranges
}

// checkSix refuses IPv6 addresses that could not be leased.
func (n *Network) checkSix() error {
	if n.First6 == "" {
		if n.Gateway6 != "" {
			return errors.New("gateway6 is of no use without first6")
		}
		return nil
	}
	first, err := netip.ParsePrefix(n.First6)
	if err != nil || !first.Addr().Is6() || first.Addr().Is4In6() {
		return fmt.Errorf("first6 %q is not an IPv6 address with its network's length, such as "+
			"2001:db8::20/64", n.First6)
	}
	begin, end, err := n.ends()
	if err != nil {
		return nil //nolint:nilerr // it is told of the network itself
	}
	last, ok := After(first.Addr(), span(begin, end)-1)
	if !ok || !first.Contains(last) {
		return fmt.Errorf("first6 %s leaves no room for %d addresses in its network", n.First6,
			span(begin, end))
	}
	gateway, err := netip.ParseAddr(n.Gateway6)
	switch {
	case n.Gateway6 == "":
	case err != nil || !gateway.Is6():
		return fmt.Errorf("gateway6 %q is not an IPv6 address", n.Gateway6)
	case !gateway.Less(first.Addr()) && !last.Less(gateway):
		return fmt.Errorf("gateway6 %s is among the addresses to be leased", n.Gateway6)
	}
	return nil
}

// After returns the IPv6 address n further on; false when there is none.
func After(a netip.Addr, n int64) (netip.Addr, bool) {
	octets, carry := a.As16(), uint64(n)
	for i := len(octets) - 1; i >= 0 && carry > 0; i-- {
		carry += uint64(octets[i])
		octets[i] = byte(carry)
		carry >>= 8
	}
	return netip.AddrFrom16(octets), carry == 0
}
