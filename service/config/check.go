package config

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strings"
)

// Check finds what cannot be right, naming table and entry.
func (c *Config) Check() error {
	if err := c.checkListen(); err != nil {
		return err
	}
	for _, prefix := range c.Notify.Allow {
		if _, err := netip.ParsePrefix(prefix); err != nil {
			return fmt.Errorf("notify.allow: %q is not a CIDR prefix such as 10.0.0.0/8", prefix)
		}
	}
	seen := map[string]bool{}
	for i, h := range c.Hosts {
		if err := h.check(); err != nil {
			return fmt.Errorf("host %d (%q): %w", i+1, h.ID, err)
		}
		if seen[h.ID] {
			return fmt.Errorf("host %d: id %q is used twice", i+1, h.ID)
		}
		seen[h.ID] = true
	}
	seen = map[string]bool{}
	for i, n := range c.Networks {
		if err := n.check(); err != nil {
			return fmt.Errorf("network %d (%q): %w", i+1, n.Name, err)
		}
		if seen[n.Name] {
			return fmt.Errorf("network %d: name %q is used twice", i+1, n.Name)
		}
		seen[n.Name] = true
	}
	if c.Site.DefaultDuration > c.Site.MaximumDuration {
		return fmt.Errorf("site: default_duration is longer than maximum_duration")
	}
	for i, r := range c.Repositories.SFTP {
		if r.Address == "" || r.User == "" || r.KnownHosts == "" {
			return fmt.Errorf("repository.sftp %d: address, user and known_hosts are needed", i+1)
		}
	}
	return nil
}

// checkListen refuses to offer a service without authentication to anyone but
// this machine: on plain http every caller is the same person.
func (c *Config) checkListen() error {
	host, _, err := net.SplitHostPort(c.Listen.Address)
	if err != nil {
		return fmt.Errorf("listen.address %q is not HOST:PORT", c.Listen.Address)
	}
	ip, err := netip.ParseAddr(host)
	if host != "localhost" && (err != nil || !ip.IsLoopback()) {
		return fmt.Errorf("listen.address %q is not a loopback address: plain http has no "+
			"authentication; put a TLS front end that authenticates callers before it",
			c.Listen.Address)
	}
	return nil
}

var plainName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

func (h *Host) check() error {
	switch {
	case !plainName.MatchString(h.ID):
		return fmt.Errorf("id must be a plain name")
	case h.Adapter != "libvirt" && h.Adapter != "sim":
		return fmt.Errorf("adapter %q is neither libvirt nor sim", h.Adapter)
	case h.Adapter == "libvirt" && h.URI == "":
		return fmt.Errorf("uri is needed, such as qemu+unix:///system")
	case h.Adapter == "sim" && (h.CPUs <= 0 || h.MemoryMB <= 0):
		return fmt.Errorf("a simulated host needs cpus and memory_mb")
	case h.Adapter == "libvirt" && h.Count > 1:
		return fmt.Errorf("count is for simulated hosts")
	}
	for association, target := range h.Networks {
		kind, name, ok := strings.Cut(target, ":")
		if !ok || name == "" || (kind != "network" && kind != "bridge") {
			return fmt.Errorf("networks.%s: %q is neither network:NAME nor bridge:NAME",
				association, target)
		}
	}
	return nil
}

func (n *Network) check() error {
	if !plainName.MatchString(n.Name) {
		return fmt.Errorf("name must be a plain name")
	}
	first, err1 := netip.ParseAddr(n.First)
	last, err2 := netip.ParseAddr(n.Last)
	if err1 != nil || err2 != nil || !first.Is4() || !last.Is4() || last.Less(first) {
		return fmt.Errorf("first and last must be IPv4 addresses in order, not %q and %q",
			n.First, n.Last)
	}
	if size := span(first, last); size > 1<<20 {
		return fmt.Errorf("%d addresses are too many for one pool", size)
	}
	if strings.Count(n.Hostname, "%") != 1 || !strings.Contains(n.Hostname, "%d") {
		return fmt.Errorf("hostname %q needs exactly one %%d", n.Hostname)
	}
	if !macPrefix.MatchString(n.MACPrefix) {
		return fmt.Errorf("mac_prefix %q is not three octets such as A2:AA:BB", n.MACPrefix)
	}
	return nil
}

var macPrefix = regexp.MustCompile(`^[0-9A-F][26AE048C](:[0-9A-F]{2}){2}$`)

// span returns how many addresses lie between first and last, both included.
func span(first, last netip.Addr) int64 {
	a, b := first.As4(), last.As4()
	return int64(binary.BigEndian.Uint32(b[:])) - int64(binary.BigEndian.Uint32(a[:])) + 1
}
