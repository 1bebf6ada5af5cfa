package seed

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"path"
	"strings"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// Way is how a guest is told.
type Way string

// The ways.
const (
	Auto    Way = ""        // NoCloud, for who hands in user data; else None
	NoCloud Way = "nocloud" // a disk with the label cidata
	Kernel  Way = "kernel"  // parameters ip= and philoxenia.*
	Ext4    Way = "ext4"    // files in the root disk
	None    Way = "none"
)

// Seeds makes what guests are told.
type Seeds struct {
	// Way is how a workspace's guest is told.
	Way func(*workspace.Workspace) Way
	// DNS is the name server of each association, if any.
	DNS map[string]string
}

// way settles what Auto means for the workspace.
func (s *Seeds) way(w *workspace.Workspace) Way {
	if s.Way == nil {
		return None
	}
	way := s.Way(w)
	switch {
	case way != Auto:
		return way
	case w.Spec.UserData != "":
		return NoCloud
	}
	return None
}

// keysFile ends the path of a file with keys that may log in.
const keysFile = ".ssh/authorized_keys"

// keys returns the keys that the request brings, as lines of authorized_keys.
func keys(w *workspace.Workspace) []string {
	var all []string
	for _, f := range w.Spec.Files {
		if !strings.HasSuffix(f.Path, "/"+keysFile) {
			continue
		}
		for line := range strings.Lines(f.Content) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
				all = append(all, line)
			}
		}
	}
	return all
}

// name is what the guest is called.
func name(w *workspace.Workspace) string {
	for _, n := range w.NICs {
		if n.Hostname != "" {
			return n.Hostname
		}
	}
	return "workspace-" + w.ID.String()
}

// bits is the length of an IPv4 network; false when nobody knows.
func bits(n workspace.NIC) (int, bool) {
	mask, err := netip.ParseAddr(n.Netmask)
	if err != nil || !mask.Is4() || n.IP == "" {
		return 0, false
	}
	ones, all := net.IPMask(mask.AsSlice()).Size()
	return ones, all != 0
}

// Disk returns the volume that tells the guest; nil: it gets none. The same
// workspace always gets the same.
func (s *Seeds) Disk(w *workspace.Workspace) []byte {
	if s.way(w) != NoCloud {
		return nil
	}
	user := w.Spec.UserData
	if user == "" {
		user = "#cloud-config\n{}\n"
	}
	meta := map[string]any{
		// Another address is another instance: cloud-init sets it up anew then.
		"instance-id":    "philoxenia-" + w.ID.String() + "-" + instance(w),
		"local-hostname": name(w),
	}
	if k := keys(w); len(k) > 0 {
		meta["public-keys"] = k
	}
	return volume("cidata", []file{
		{"meta-data", document(meta)},
		{"user-data", []byte(user)},
		{"network-config", document(s.network(w))},
	}, w.Created)
}

// instance tells the addresses of a workspace from others that it had.
func instance(w *workspace.Workspace) string {
	var all []string
	for _, n := range w.NICs {
		all = append(all, strings.NewReplacer(".", "-", ":", "-").Replace(cmp.Or(n.IP, n.MAC)))
	}
	return cmp.Or(strings.Join(all, "-"), "alone")
}

// document writes a value as JSON, which is YAML too, and in which no text of a
// user's can become anything else.
func document(v any) []byte {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		panic(err) // it is made of texts, numbers, lists and maps
	}
	return append(text, '\n')
}

// network is the configuration of the guest's NICs, in cloud-init's version 2.
func (s *Seeds) network(w *workspace.Workspace) any {
	ethernets := map[string]any{}
	for i, n := range w.NICs {
		card := map[string]any{"match": map[string]string{"macaddress": strings.ToLower(n.MAC)}}
		var addresses, servers []string
		if ones, ok := bits(n); ok {
			addresses = append(addresses, fmt.Sprintf("%s/%d", n.IP, ones))
			if n.Gateway != "" && i == 0 {
				card["gateway4"] = n.Gateway
			}
		} else {
			card["dhcp4"] = true
		}
		if n.IP6 != "" {
			addresses = append(addresses, fmt.Sprintf("%s/%d", n.IP6, n.Prefix6))
			if n.Gateway6 != "" && i == 0 {
				card["gateway6"] = n.Gateway6
			}
		}
		if len(addresses) > 0 {
			card["addresses"] = addresses
		}
		if n.MTU > 0 {
			card["mtu"] = n.MTU
		}
		if dns := s.DNS[n.Association]; dns != "" {
			servers = append(servers, dns)
			card["nameservers"] = map[string]any{"addresses": servers}
		}
		ethernets[fmt.Sprintf("eth%d", i)] = card
	}
	return map[string]any{"version": 2, "ethernets": ethernets}
}

// mostKeys is how many octets of keys a kernel is told: its line has about 2000
// in all.
const mostKeys = 900

// Parameters are what the guest's kernel and its initramfs are told; empty for
// who is told otherwise. The form of ip= is the kernel's own
// (Documentation/admin-guide/nfs/nfsroot.rst); philoxenia.key is the lines of
// authorized_keys in base64.
func (s *Seeds) Parameters(w *workspace.Workspace) string {
	if s.way(w) != Kernel {
		return ""
	}
	words := []string{"philoxenia.hostname=" + name(w)}
	for i, n := range w.NICs {
		device := fmt.Sprintf("eth%d", i)
		gateway := n.Gateway
		if i > 0 {
			gateway = ""
		}
		if _, ok := bits(n); ok {
			words = append(words, strings.TrimSuffix(fmt.Sprintf("ip=%s::%s:%s:%s:%s:off:%s", n.IP,
				gateway, n.Netmask, cmp.Or(n.Hostname, name(w)), device, s.DNS[n.Association]),
				":"))
		} else {
			words = append(words, "ip=:::::"+device+":dhcp")
		}
		if n.IP6 != "" {
			words = append(words, fmt.Sprintf("philoxenia.ip6=%s,%s/%d,%s", device, n.IP6,
				n.Prefix6,
				n.Gateway6))
		}
		if n.MTU > 0 {
			words = append(words, fmt.Sprintf("philoxenia.mtu=%s,%d", device, n.MTU))
		}
	}
	lines := strings.Join(keys(w), "\n")
	if text := base64.StdEncoding.EncodeToString([]byte(lines)); lines != "" &&
		len(text) <= mostKeys {
		words = append(words, "philoxenia.key="+text)
	}
	return strings.Join(words, " ")
}

// Files are what is written into the root disk, besides what the request asks
// for; none for who is told otherwise. A request's own file stays.
func (s *Seeds) Files(w *workspace.Workspace) []workspace.File {
	if s.way(w) != Ext4 {
		return nil
	}
	all := []workspace.File{
		{Path: "/etc/hostname", Content: name(w) + "\n"},
		{Path: "/etc/network/interfaces", Content: s.interfaces(w)},
	}
	var left []workspace.File
	for _, f := range all {
		taken := false
		for _, own := range w.Spec.Files {
			taken = taken || path.Clean(own.Path) == f.Path
		}
		if !taken {
			left = append(left, f)
		}
	}
	return left
}

// interfaces is the file of ifupdown.
func (s *Seeds) interfaces(w *workspace.Workspace) string {
	var b strings.Builder
	b.WriteString("auto lo\niface lo inet loopback\n")
	for i, n := range w.NICs {
		fmt.Fprintf(&b, "\nauto eth%d\n", i)
		if _, ok := bits(n); !ok {
			fmt.Fprintf(&b, "iface eth%d inet dhcp\n", i)
			continue
		}
		fmt.Fprintf(&b, "iface eth%d inet static\n\taddress %s\n\tnetmask %s\n", i, n.IP, n.Netmask)
		if n.Gateway != "" && i == 0 {
			fmt.Fprintf(&b, "\tgateway %s\n", n.Gateway)
		}
		if n.MTU > 0 {
			fmt.Fprintf(&b, "\tmtu %d\n", n.MTU)
		}
		if dns := s.DNS[n.Association]; dns != "" {
			fmt.Fprintf(&b, "\tdns-nameservers %s\n", dns)
		}
		if n.IP6 != "" {
			fmt.Fprintf(&b, "iface eth%d inet6 static\n\taddress %s\n\tnetmask %d\n", i, n.IP6,
				n.Prefix6)
			if n.Gateway6 != "" && i == 0 {
				fmt.Fprintf(&b, "\tgateway %s\n", n.Gateway6)
			}
		}
	}
	return b.String()
}
