package config

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

var plainName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

// plain refuses what is no plain name.
func plain(key, name string) error {
	if plainName.MatchString(name) {
		return nil
	}
	return fmt.Errorf("%s %q must be a plain name: letters, digits and . _ -", key, name)
}

// IDs returns the names of the hosts that the entry stands for.
func (h *Host) IDs() []string {
	if h.Count <= 1 {
		return []string{h.ID}
	}
	ids := make([]string, 0, h.Count)
	for i := range h.Count {
		ids = append(ids, fmt.Sprintf("%s-%03d", h.ID, i+1))
	}
	return ids
}

func (c *Config) checkHosts() error {
	var all []error
	seen, overlays := once{}, once{}
	for i, h := range c.Hosts {
		err := errors.Join(h.check(), c.checkAssociations(&h), h.checkWindows())
		for _, id := range h.IDs() {
			err = errors.Join(err, seen.check("id", id))
		}
		if h.Overlay != "" {
			err = errors.Join(err, overlays.check("overlay", h.Overlay))
		}
		all = append(all, entry("host", i, h.ID, err))
	}
	return errors.Join(all...)
}

var libvirtURI = regexp.MustCompile(`^(qemu|xen|test)(\+unix|\+tcp|\+tls|\+ssh)?://`)

// longestDir is how long a host's dir may be, in bytes: the tools of its file systems read
// short lines, in which other paths stand too.
const longestDir = 300

// odd reports whether those tools would take the character of a path for another thing.
func odd(r rune) bool { return r < ' ' || r == 0x7f || r == '?' }

var peerURI = regexp.MustCompile(`^qemu\+(tcp|tls|ssh)://[^/]+/system`)

func (s *HostSSH) check() error {
	if s.Address == "" || s.User == "" || s.KnownHosts == "" {
		return errors.New("ssh.address, ssh.user and ssh.known_hosts are needed")
	}
	if s.KeyFile == "" && s.PasswordFile == "" {
		return errors.New("ssh.key_file or ssh.password_file is needed")
	}
	return nil
}

func (h *Host) check() error {
	all := []error{plain("id", h.ID)}
	refuse := func(wrong bool, format string, args ...any) {
		if wrong {
			all = append(all, fmt.Errorf(format, args...))
		}
	}
	real := h.Adapter == "libvirt"
	refuse(!real && h.Adapter != "sim", "adapter %q is neither libvirt nor sim", h.Adapter)
	refuse(real && !libvirtURI.MatchString(h.URI),
		"uri %q is needed as libvirt's: qemu:///system, qemu+tls://HOST/system, "+
			"qemu+ssh://USER@HOST/system, xen:///system", h.URI)
	refuse(h.TLS != HostTLS{} && !strings.Contains(h.URI, "+tls://"),
		"tls is for a uri with +tls, not %q", h.URI)
	refuse((h.TLS.CertFile == "") != (h.TLS.KeyFile == ""),
		"tls.cert_file and tls.key_file are needed both, or neither")
	if h.SSH != nil {
		all = append(all, h.SSH.check())
		refuse(h.Dir != "" && !strings.HasPrefix(h.Dir, "/"),
			"dir %q is on the host, and needed as an absolute path", h.Dir)
	}
	refuse(len(h.Dir) > longestDir || strings.ContainsFunc(h.Dir, odd),
		"dir %.80q is needed without ? and control characters, of at most %d bytes", h.Dir,
		longestDir)
	refuse(h.Adapter == "sim" && (h.CPUs == 0 || h.MemoryMB == 0),
		"a simulated host needs cpus and memory_mb")
	refuse(h.CPUs < 0 || h.MemoryMB < 0 || h.MaxImageMB < 0 || h.Count < 0 || h.DiskMB < 0,
		"cpus, memory_mb, disk_mb, max_image_mb and count cannot be negative")
	refuse(h.NetInKbps < 0 || h.NetOutKbps < 0 || h.NetInKbps > mostKbps ||
		h.NetOutKbps > mostKbps, "net_in_kbps and net_out_kbps are 0 to %d", mostKbps)
	refuse(h.DiskMBps < 0 || h.DiskIOPS < 0 || h.DiskMBps > mostKbps || h.DiskIOPS > mostKbps,
		"disk_mbps and disk_iops are 0 to %d", mostKbps)
	refuse(h.Peer != "" && !peerURI.MatchString(h.Peer),
		"peer %q is needed as qemu+tls://HOST/system, or with tcp or ssh", h.Peer)
	if ip, err := netip.ParseAddr(h.Overlay); h.Overlay != "" {
		refuse(err != nil || ip.Zone() != "" || !ip.IsGlobalUnicast() || ip.Is4In6(),
			"overlay %q is needed as an IP address of the host that other hosts reach", h.Overlay)
		refuse(!real || h.VMM != "KVM", "overlay is for hosts with libvirt and KVM")
	}
	refuse(real && h.Count > 1, "count is for simulated hosts")
	refuse(!slices.Contains(vmms, h.VMM), "vmm %q is none of %s", h.VMM, strings.Join(vmms, ", "))
	words := []string{"auto", "kvm", "tcg"}
	if strings.HasPrefix(h.URI, "xen") {
		words = []string{"auto", "pv", "pvh"}
	}
	refuse(!slices.Contains(words, h.Acceleration),
		"acceleration %q is none of %s", h.Acceleration, strings.Join(words, ", "))
	for association, target := range h.Networks {
		kind, name, _ := strings.Cut(target, ":")
		refuse(name == "" || (kind != "network" && kind != "bridge"),
			"networks.%s: %q is neither network:NAME nor bridge:NAME", association, target)
	}
	return errors.Join(all...)
}

// checkAssociations refuses networks that are said to reach the host and that
// nobody could connect a guest to.
func (c *Config) checkAssociations(h *Host) error {
	var all []error
	var names []string
	private := map[string]bool{}
	for _, n := range c.Networks {
		names = append(names, n.Name)
		private[n.Name] = n.Private
	}
	for _, name := range h.Associations {
		if !slices.Contains(names, name) {
			all = append(all, fmt.Errorf("associations: there is no network %q", name))
		}
	}
	if len(h.Associations) > 0 {
		names = h.Associations
	}
	for _, name := range names {
		if _, ok := h.Networks[name]; !ok && h.Adapter == "libvirt" && !private[name] {
			all = append(all, fmt.Errorf("networks.%s is needed, such as \"network:default\"; "+
				"or leave %s out of the host's associations", name, name))
		}
	}
	return errors.Join(all...)
}

// check refuses numbers that nothing can have.
func (o *Overlay) check() error {
	var all []error
	if o.Port < 1 || o.Port > 65535 {
		all = append(all, fmt.Errorf("overlay.port %d is not a UDP port", o.Port))
	}
	if o.MTU != 0 && (o.MTU < 1280 || o.MTU > 65465) {
		all = append(all, fmt.Errorf("overlay.mtu %d is not from 1280, which IPv6 needs, to 65465",
			o.MTU))
	}
	if o.FirstVNI < 1 || o.LastVNI > mostVNI || o.FirstVNI > o.LastVNI {
		all = append(all, fmt.Errorf("overlay.first_vni %d and overlay.last_vni %d are not in "+
			"order from 1 to %d", o.FirstVNI, o.LastVNI, mostVNI))
	}
	return errors.Join(all...)
}

// mostVNI is the largest number of a VXLAN (RFC 7348, section 5).
const mostVNI = 1<<24 - 1

func (c *Config) checkNetworks() error {
	var all []error
	seen := once{}
	for i, n := range c.Networks {
		err := errors.Join(plain("name", n.Name), seen.check("name", n.Name), n.check())
		if err == nil {
			for _, other := range c.Networks[:i] {
				err = errors.Join(err, n.clash(&other))
			}
		}
		all = append(all, entry("network", i, n.Name, err))
	}
	return errors.Join(all...)
}

var macPrefix = regexp.MustCompile(`^[0-9A-F][26AE048C](:[0-9A-F]{2}){2}$`)

func (n *Network) check() error {
	first, last, err := n.ends()
	if err != nil {
		return err
	}
	var all []error
	if size := span(first, last); size > 1<<20 {
		all = append(all, fmt.Errorf("%d addresses are too many for one pool", size))
	}
	for key, text := range map[string]string{
		"netmask": n.Netmask, "gateway": n.Gateway, "broadcast": n.Broadcast, "dns": n.DNS,
	} {
		ip, err := netip.ParseAddr(text)
		switch {
		case text == "":
		case err != nil || !ip.Is4():
			all = append(all, fmt.Errorf("%s %q is not an IPv4 address", key, text))
		case key != "dns" && !ip.Less(first) && !last.Less(ip):
			all = append(all, fmt.Errorf("%s %s is among the addresses to be leased", key, ip))
		}
	}
	all = append(all, n.checkPlace(first, last), n.checkSix(), checkRanges("accept", n.Accept),
		checkRanges("advisory", n.Advisory))
	if strings.Count(n.Hostname, "%") != 1 || !strings.Contains(n.Hostname, "%d") {
		all = append(all, fmt.Errorf("hostname %q needs exactly one %%d", n.Hostname))
	}
	if !macPrefix.MatchString(n.MACPrefix) {
		all = append(all, fmt.Errorf("mac_prefix %q is not three octets such as A2:AA:BB",
			n.MACPrefix))
	}
	return errors.Join(all...)
}

// ends returns the first and the last address.
func (n *Network) ends() (first, last netip.Addr, err error) {
	first, err1 := netip.ParseAddr(n.First)
	last, err2 := netip.ParseAddr(n.Last)
	if err1 != nil || err2 != nil || !first.Is4() || !last.Is4() || last.Less(first) {
		err = fmt.Errorf("first and last must be IPv4 addresses in order, not %q and %q",
			n.First, n.Last)
	}
	return first, last, err
}

// clash refuses two networks whose guests could get the same MAC address,
// which is made of the prefix and the last three octets of the IP address.
func (n *Network) clash(other *Network) error {
	if n.MACPrefix != other.MACPrefix {
		return nil
	}
	for _, a := range n.all() {
		for _, b := range other.all() {
			if a.sameMACs(b) {
				return fmt.Errorf("some of its addresses get the same MAC as some of network %q; "+
					"give one of them another mac_prefix", other.Name)
			}
		}
	}
	return nil
}

// span returns how many addresses lie between first and last, both included.
func span(first, last netip.Addr) int64 {
	return int64(number(last)) - int64(number(first)) + 1
}

func number(a netip.Addr) uint32 {
	four := a.As4()
	return binary.BigEndian.Uint32(four[:])
}
