package network

import (
	"context"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Between hosts a group's private network is a VXLAN (RFC 7348) of their kernels,
// plugged into its bridge on each. Nothing is learned from what arrives: who is to hear
// what is neither known nor asked for by multicast, but written down from the record,
// each guest's MAC with the host that it is on. What every host of the group has to
// have follows from the record alone, so that whoever was killed, or away, while it
// changed is put right by whoever comes next, and by Mend.

// A span is the private network of a group, as the record has it.
type span struct {
	bridge   string
	vni, mtu int
	hosts    map[workspace.HostID]bool   // on which it has nodes, or soon
	guests   map[string]workspace.HostID // by MAC, those that stay where they are
}

// A segment is a span as one of its hosts is to have it.
type segment struct {
	*span
	peers  []netip.Addr          // its other hosts that can be reached, by rising address
	guests map[string]netip.Addr // by MAC, those on these
}

// flood is the MAC under which a VXLAN has those that are to hear what is for everybody.
const flood = "00:00:00:00:00:00"

// entries are what its forwarding table is to have: "MAC dst ADDRESS".
func (s *segment) entries() map[string]bool {
	all := map[string]bool{}
	for _, peer := range s.peers {
		all[flood+" dst "+peer.String()] = true
	}
	for mac, peer := range s.guests {
		all[mac+" dst "+peer.String()] = true
	}
	return all
}

// deviceOf names the VXLAN of a bridge.
func deviceOf(bridge string) string { return "v" + bridge[1:] }

// A place is a workspace on a host.
type place struct {
	id workspace.ID
	at workspace.HostID
}

// spans reads from the record the networks that may span hosts, by device. The node at
// the place that is left counts no more.
func (ns *Networks) spans(ctx context.Context, left place) (map[string]*span, error) {
	changes, err := ns.store.Changes(ctx) // first: what they did by their end is recorded
	if err != nil {
		return nil, err
	}
	all, err := ns.store.Workspaces(ctx, "")
	if err != nil {
		return nil, err
	}
	comes, spans := arrivals(changes), map[string]*span{}
	for _, w := range all {
		at := at(w, comes[w.ID], left)
		for _, nic := range w.NICs {
			if nic.VNI == 0 || nic.Freed || len(at) == 0 {
				continue
			}
			bridge := ns.bridge(w, nic.Association)
			s := spans[deviceOf(bridge)]
			if s == nil {
				s = &span{bridge: bridge, vni: nic.VNI, mtu: nic.MTU,
					hosts: map[workspace.HostID]bool{}, guests: map[string]workspace.HostID{}}
				spans[deviceOf(bridge)] = s
			}
			for _, h := range at {
				s.hosts[h] = true
			}
			if len(at) == 1 {
				s.guests[strings.ToLower(nic.MAC)] = at[0]
			}
		}
	}
	return spans, nil
}

// wanted returns which of them a host is to have, as it is to have them.
func (ns *Networks) wanted(n *host.Node, spans map[string]*span) map[string]*segment {
	all := map[string]*segment{}
	for device, s := range spans {
		if !s.hosts[n.ID] {
			continue
		}
		on := &segment{span: s, guests: map[string]netip.Addr{}}
		for h := range s.hosts {
			if ip, ok := ns.address(n, h); ok && h != n.ID {
				on.peers = append(on.peers, ip)
			}
		}
		slices.SortFunc(on.peers, netip.Addr.Compare)
		for mac, h := range s.guests {
			if ip, ok := ns.address(n, h); ok && h != n.ID {
				on.guests[mac] = ip
			}
		}
		all[device] = on
	}
	return all
}

// arrivals returns where workspaces migrate to.
func arrivals(changes []*workspace.Change) map[workspace.ID]workspace.HostID {
	all := map[workspace.ID]workspace.HostID{}
	for _, c := range changes {
		course, err := workspace.ParseCourse(c.Argument)
		if c.Kind == workspace.ChangeMigrate && err == nil {
			all[c.Workspace] = course.To
		}
	}
	return all
}

// at returns the hosts on which a workspace is or may be.
func at(w *workspace.Workspace, comes workspace.HostID, left place) (all []workspace.HostID) {
	for _, h := range []workspace.HostID{w.Host, comes} {
		if h != "" && !slices.Contains(all, h) && (place{w.ID, h}) != left {
			all = append(all, h)
		}
	}
	return all
}

// address returns where the host reaches another, or itself; false: not at all.
func (ns *Networks) address(n *host.Node, other workspace.HostID) (netip.Addr, bool) {
	own, err := netip.ParseAddr(n.Overlay)
	if err != nil {
		return own, false
	}
	if other == n.ID {
		return own, true
	}
	node, err := ns.pool.Node(other)
	if err != nil {
		return own, false
	}
	ip, err := netip.ParseAddr(node.Overlay)
	return ip, err == nil && ip.Is4() == own.Is4()
}

// overlays reports whether any private network of the host can span hosts.
func (ns *Networks) overlays(n *host.Node) bool {
	if ns.store == nil || ns.pool == nil || n.Access == nil || n.Inert {
		return false
	}
	for _, r := range ns.rules {
		if r.Private {
			return true
		}
	}
	return false
}

// reaches reports whether the workspace has a private network that may span hosts.
func (ns *Networks) reaches(n *host.Node, w *workspace.Workspace) bool {
	return ns.overlays(n) && slices.ContainsFunc(w.NICs, func(nic workspace.NIC) bool {
		return nic.VNI != 0 && ns.private(n, nic)
	})
}

// tellLimit bounds what other hosts are told when a node comes or goes.
const tellLimit = 20 * time.Second

// join has the host, and the other hosts of the workspace's group, have its networks
// as the record has them. What another host cannot do now Mend does there later.
func (ns *Networks) join(ctx context.Context, n *host.Node, w *workspace.Workspace) error {
	return ns.agree(ctx, n, w, place{})
}

// part is join for a node that leaves the host.
func (ns *Networks) part(ctx context.Context, n *host.Node, w *workspace.Workspace) error {
	return ns.agree(ctx, n, w, place{w.ID, n.ID})
}

func (ns *Networks) agree(
	ctx context.Context, n *host.Node, w *workspace.Workspace, left place,
) error {
	if !ns.reaches(n, w) {
		return nil
	}
	spans, err := ns.reconcile(ctx, n, left)
	others, own := map[workspace.HostID]bool{}, map[string]bool{}
	for _, nic := range w.NICs {
		device := deviceOf(ns.bridge(w, nic.Association))
		own[device] = true
		if s := spans[device]; s != nil {
			maps.Copy(others, s.hosts)
		}
	}
	if err != nil {
		if away(err) || !ns.whole(ctx, n, spans, own) {
			return err
		}
		ns.log.Warn("private networks of a host are put right later", "host", n.ID, "error", err)
	}
	delete(others, n.ID)
	ns.tell(ctx, slices.Sorted(maps.Keys(others)), left)
	return nil
}

// tell has hosts agree with the record, all at a time.
func (ns *Networks) tell(ctx context.Context, hosts []workspace.HostID, left place) {
	ctx, cancel := context.WithTimeout(ctx, tellLimit)
	defer cancel()
	var all sync.WaitGroup
	for _, id := range hosts {
		other, err := ns.pool.Node(id)
		if err != nil || !other.Reachable() || !ns.overlays(other) {
			continue
		}
		all.Go(func() {
			if _, err := ns.reconcile(ctx, other, left); err != nil {
				ns.log.Warn("private networks of a host are put right later", "host", id,
					"error", err)
			}
		})
	}
	all.Wait()
}

// shared are the private bridges of the host that other workspaces which stay there
// have as well.
func (ns *Networks) shared(
	ctx context.Context, n *host.Node, w *workspace.Workspace,
) (map[string]bool, error) {
	own := map[string]bool{}
	if ns.store == nil || w.Group == "" {
		return own, nil
	}
	changes, err := ns.store.Changes(ctx)
	if err != nil {
		return nil, err
	}
	all, err := ns.store.Workspaces(ctx, "")
	if err != nil {
		return nil, err
	}
	comes := arrivals(changes)
	for _, other := range all {
		if other.ID == w.ID || other.Group != w.Group || other.Gone() ||
			!slices.Contains(at(other, comes[other.ID], place{}), n.ID) {
			continue
		}
		for _, nic := range other.NICs {
			own[ns.bridge(other, nic.Association)] = true
		}
	}
	return own, nil
}
