package libvirt

import (
	"context"
	"encoding/xml"
	"regexp"
	"strings"

	"github.com/digitalocean/go-libvirt"
	"libvirt.org/go/libvirtxml"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// leaseMinutes is how long a DHCP lease lasts: short, so that an address is
// soon free for the next machine when a guest goes without giving it back. It
// also marks our entries, which have no other field to carry a mark.
const leaseMinutes = 2

// isOurs tells our entries from the operator's, which stay when a machine goes.
func isOurs(entry libvirtxml.NetworkDHCPHost) bool {
	return entry.Lease != nil && entry.Lease.Expiry == leaseMinutes &&
		entry.Lease.Unit == "minutes"
}

// hostname is what may go into a DHCP server's files.
var hostname = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?$`)

// addHosts sees to it that the DHCP of each libvirt network hands the machine
// its leased addresses.
func (h *Host) addHosts(ctx context.Context, m workspace.Machine) error {
	for _, n := range m.NICs {
		net, ok := h.o.Networks[n.Association]
		if !ok || net.Kind != NetworkLibvirt || n.IP == "" || n.Bridge != "" {
			continue
		}
		entry, err := hostOf(n)
		if err != nil {
			return err
		}
		err = h.eachCopy(ctx, net.Name, func(c networkCopy) error {
			return h.addHost(ctx, c, entry)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// hostOf is the DHCP entry of a NIC.
func hostOf(n workspace.NIC) (libvirtxml.NetworkDHCPHost, error) {
	if n.Hostname != "" && !hostname.MatchString(n.Hostname) {
		return libvirtxml.NetworkDHCPHost{}, workspace.Refuse(workspace.Internal,
			"%q is not a host name that DHCP could hand out", n.Hostname)
	}
	return libvirtxml.NetworkDHCPHost{
		MAC: strings.ToLower(n.MAC), Name: n.Hostname, IP: n.IP,
		Lease: &libvirtxml.NetworkDHCPLease{Expiry: leaseMinutes, Unit: "minutes"},
	}, nil
}

// networkCopy is a network as libvirt keeps it: as it is now, or as it will
// next start.
type networkCopy struct {
	net   libvirt.Network
	flag  libvirt.NetworkUpdateFlags
	hosts []libvirtxml.NetworkDHCPHost
}

// eachCopy does something to the stored and to the living copy of a network:
// they are looked at apart, so that a half-done change is always completed.
func (h *Host) eachCopy(ctx context.Context, name string, do func(networkCopy) error) error {
	net, err := ask(ctx, h.link, h.limit(), func(rpc *libvirt.Libvirt) (libvirt.Network, error) {
		return rpc.NetworkLookupByName(name)
	})
	if err != nil {
		return err
	}
	flags, err := ask(ctx, h.link, h.limit(), func(rpc *libvirt.Libvirt) (
		flags []libvirt.NetworkUpdateFlags, err error,
	) {
		stored, err := rpc.NetworkIsPersistent(net)
		if err != nil {
			return nil, err
		}
		living, err := rpc.NetworkIsActive(net)
		if stored == 1 {
			flags = append(flags, libvirt.NetworkUpdateAffectConfig)
		}
		if living == 1 {
			flags = append(flags, libvirt.NetworkUpdateAffectLive)
		}
		return flags, err
	})
	if err != nil {
		return err
	}
	for _, flag := range flags {
		hosts, err := h.hostsIn(ctx, net, flag)
		if err != nil {
			return err
		}
		if err := do(networkCopy{net, flag, hosts}); err != nil {
			return err
		}
	}
	return nil
}

// hostsIn reads the DHCP entries of one copy.
func (h *Host) hostsIn(
	ctx context.Context, net libvirt.Network, flag libvirt.NetworkUpdateFlags,
) ([]libvirtxml.NetworkDHCPHost, error) {
	var which uint32
	if flag == libvirt.NetworkUpdateAffectConfig {
		which = uint32(libvirt.NetworkXMLInactive)
	}
	text, err := ask(ctx, h.link, h.limit(), func(rpc *libvirt.Libvirt) (string, error) {
		return rpc.NetworkGetXMLDesc(net, which)
	})
	if err != nil {
		return nil, err
	}
	var network libvirtxml.Network
	if err := network.Unmarshal(text); err != nil {
		return nil, err
	}
	var hosts []libvirtxml.NetworkDHCPHost
	for _, ip := range network.IPs {
		if ip.DHCP != nil {
			hosts = append(hosts, ip.DHCP.Hosts...)
		}
	}
	return hosts, nil
}

// addHost adds the entry to one copy. An older entry of the same MAC is out of
// date, whoever made it; one of the same address under another MAC is a Conflict.
func (h *Host) addHost(ctx context.Context, c networkCopy, entry libvirtxml.NetworkDHCPHost) error {
	for _, old := range c.hosts {
		same := strings.EqualFold(old.MAC, entry.MAC)
		switch {
		case same && old.IP == entry.IP && old.Name == entry.Name:
			return nil
		case same:
			if err := h.update(ctx, c, libvirt.NetworkUpdateCommandDelete, old); err != nil {
				return err
			}
		case old.IP == entry.IP:
			return workspace.Refuse(workspace.Conflict, "network %q gives %s to %s already",
				c.net.Name, old.IP, old.MAC)
		}
	}
	return h.update(ctx, c, libvirt.NetworkUpdateCommandAddLast, entry)
}

// removeHosts takes the machine's entries out of the networks' DHCP.
func (h *Host) removeHosts(ctx context.Context, m *machine) error {
	domain, err := h.definition(ctx, m)
	if err != nil || domain.Devices == nil {
		return err
	}
	for _, i := range domain.Devices.Interfaces {
		if i.MAC == nil || i.Source == nil || i.Source.Network == nil {
			continue
		}
		mac := i.MAC.Address
		err := h.eachCopy(ctx, i.Source.Network.Network, func(c networkCopy) error {
			return h.removeHost(ctx, c, mac)
		})
		if err != nil && !isCode(err, libvirt.ErrNoNetwork) {
			return err
		}
	}
	return nil
}

// removeHost takes the entry of a MAC out of one copy.
func (h *Host) removeHost(ctx context.Context, c networkCopy, mac string) error {
	for _, old := range c.hosts {
		if !strings.EqualFold(old.MAC, mac) || !isOurs(old) {
			continue
		}
		if err := h.update(ctx, c, libvirt.NetworkUpdateCommandDelete, old); err != nil {
			return err
		}
	}
	return nil
}

// update changes one entry of one copy.
func (h *Host) update(
	ctx context.Context, c networkCopy, command libvirt.NetworkUpdateCommand,
	entry libvirtxml.NetworkDHCPHost,
) error {
	text, err := xml.Marshal(entry)
	if err != nil {
		return err
	}
	return order(ctx, h.link, h.limit(), func(rpc *libvirt.Libvirt) error {
		return rpc.NetworkUpdateCompat(c.net, command, libvirt.NetworkSectionIPDhcpHost, -1,
			string(text), c.flag)
	})
}
