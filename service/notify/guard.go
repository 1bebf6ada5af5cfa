package notify

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// Guard decides which addresses a consumer may have. A server that posts to
// any URL it is told is a way into its own network, so addresses that only
// make sense on this host or this link are refused, unless Allow names them.
// The decision that counts is made on the address really dialled (Control),
// because a name may point anywhere, and elsewhere the next time.
type Guard struct {
	Allow []netip.Prefix // exceptions, such as 127.0.0.0/8 for a demonstration
	// Own is where this server itself listens, and where it says it does: one
	// that talks to itself asks with its own rights.
	Own []netip.AddrPort
}

// Loopback are the prefixes a demonstration allows.
func Loopback() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"),
	}
}

// A closedRange is a range of addresses that consumers may not have.
type closedRange struct {
	prefix netip.Prefix
	reason string
}

// closedRanges lists them. Private IPv4 networks (RFC 1918) are not among
// them: grid sites put their users' machines there. Forms that carry an IPv4
// address inside an IPv6 one are closed whole, whatever they carry.
var closedRanges = func() []closedRange {
	rows := []struct{ prefix, reason string }{
		{"0.0.0.0/8", "means this host"},
		{"127.0.0.0/8", "is a loopback address"},
		{"169.254.0.0/16", "is link-local, where clouds keep their metadata services"},
		{"100.64.0.0/10", "is shared address space (RFC 6598)"},
		{"192.0.0.0/24", "is reserved for protocols (RFC 6890)"},
		{"224.0.0.0/4", "is a multicast address"},
		{"240.0.0.0/4", "is reserved or broadcast"},
		{"::/96", "is unspecified, loopback or an IPv4-compatible form"},
		{"::ffff:0:0:0/96", "is an IPv4-translated form"},
		{"64:ff9b::/96", "is a NAT64 form (RFC 6052)"},
		{"64:ff9b:1::/48", "is a NAT64 form (RFC 8215)"},
		{"100::/64", "is discard-only (RFC 6666)"},
		{"2001::/32", "is a Teredo form"},
		{"2002::/16", "is a 6to4 form"},
		{"fc00::/7", "is a unique local address"},
		{"fe80::/10", "is link-local"},
		{"fec0::/10", "is site-local"},
		{"ff00::/8", "is a multicast address"},
	}
	ranges := make([]closedRange, len(rows))
	for i, r := range rows {
		ranges[i] = closedRange{netip.MustParsePrefix(r.prefix), r.reason}
	}
	return ranges
}()

// Address tells whether ip may be dialled; the error says why not.
func (g Guard) Address(ip netip.Addr) error {
	ip = ip.Unmap().WithZone("")
	for _, p := range g.Allow {
		if p.Contains(ip) {
			return nil
		}
	}
	for _, c := range closedRanges {
		if c.prefix.Contains(ip) {
			return fmt.Errorf("consumer address %s %s", ip, c.reason)
		}
	}
	return nil
}

// Control is for net.Dialer.Control: it refuses the connection before the
// first packet when the address is closed.
func (g Guard) Control(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("consumer address %q is not an address and a port", address)
	}
	ap = netip.AddrPortFrom(ap.Addr().Unmap().WithZone(""), ap.Port())
	if slices.Contains(g.Own, ap) {
		return fmt.Errorf("consumer address %s is this server's own", ap)
	}
	return g.Address(ap.Addr())
}

// URL checks a consumer's URL as far as its text goes, without asking a name
// server: http or https, a host, no user information, and no closed address.
func (g Guard) URL(text string) error {
	if len(text) > 2048 {
		return errors.New("consumer address is longer than 2048 characters")
	}
	u, err := url.Parse(text)
	if err != nil {
		return fmt.Errorf("consumer address %q is not a URL", xmlstrict.Clip(text))
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("consumer address %q is not an http or https URL", xmlstrict.Clip(text))
	case u.User != nil:
		return fmt.Errorf("consumer address %q carries user information", xmlstrict.Clip(text))
	case u.Opaque != "" || u.Hostname() == "":
		return fmt.Errorf("consumer address %q names no host", xmlstrict.Clip(text))
	}
	if err := checkPort(u.Port()); err != nil {
		return err
	}
	return g.host(u.Hostname())
}

// host refuses literal addresses that are closed, spellings of addresses that
// resolvers understand although they are no proper form, and local names.
func (g Guard) host(host string) error {
	if ip, err := netip.ParseAddr(host); err == nil {
		return g.Address(ip)
	}
	name := strings.ToLower(strings.TrimRight(host, "."))
	if looksNumeric(name) {
		return fmt.Errorf("consumer host %q is an odd spelling of an address", xmlstrict.Clip(host))
	}
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return g.Address(netip.AddrFrom4([4]byte{127, 0, 0, 1}))
	}
	for _, r := range name {
		if r > 126 || !strings.ContainsRune(hostCharacters, r) {
			return fmt.Errorf("consumer host %q has characters that no host name has",
				xmlstrict.Clip(host))
		}
	}
	return nil
}

const hostCharacters = "abcdefghijklmnopqrstuvwxyz0123456789-._"

// looksNumeric reports whether the last label of name is a number, decimal,
// octal or hexadecimal: no top-level domain is, but inet_aton takes it.
func looksNumeric(name string) bool {
	label := name[strings.LastIndexByte(name, '.')+1:]
	if label == "" {
		return true
	}
	if digits, ok := strings.CutPrefix(label, "0x"); ok {
		return strings.Trim(digits, "0123456789abcdef") == ""
	}
	return strings.Trim(label, "0123456789") == ""
}

// checkPort refuses a port that is none; empty is the scheme's own.
func checkPort(port string) error {
	if port == "" {
		return nil
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return fmt.Errorf("consumer port %q is not a port number", xmlstrict.Clip(port))
	}
	return nil
}
