package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"

	"github.com/philoxenia/philoxenia/service/config"
	"github.com/philoxenia/philoxenia/service/manager"
	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/manager/network"
	"github.com/philoxenia/philoxenia/service/manager/seed"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// links are how guests are connected.
func links(
	c *config.Config, store workspace.Store, pool *host.Pool, log *slog.Logger,
) (*network.Networks, error) {
	identity, err := poolIdentity(c.Data)
	if err != nil {
		return nil, err
	}
	rules := make(map[string]network.Rule, len(c.Networks))
	for _, n := range c.Networks {
		rules[n.Name] = network.Rule{
			Guard: n.Guard == nil || *n.Guard, Probe: n.Probe == nil || *n.Probe,
			Private: n.Private,
		}
	}
	return network.New(network.Options{
		Installation: identity, Rules: rules, Logger: log,
		Replace: manager.Replace(store), Store: store, Pool: pool, Port: c.Overlay.Port,
	}), nil
}

// overlay is how private networks span hosts, as soon as any host has an address for that:
// one of the configuration, or one that was added while the service runs. Installations
// that share hosts begin with other numbers.
func overlay(c *config.Config, pool *host.Pool) manager.Overlay {
	if c.Overlay.OneHost {
		return manager.Overlay{}
	}
	o := manager.Overlay{First: c.Overlay.FirstVNI, Last: c.Overlay.LastVNI,
		MTU: func() int { return overlayMTU(c, pool) }}
	if identity, err := poolIdentity(c.Data); err == nil {
		sum := sha256.Sum256([]byte(identity))
		o.Offset = int(binary.BigEndian.Uint16(sum[:])) << 8
	}
	return o
}

// overlayMTU is the largest packet of guests whose network spans hosts of the pool, unless
// the site says another: what a packet of 1500 octets leaves them (RFC 7348, section 4.3),
// over IPv6 where any host has such an address. 0: no host has one at all.
func overlayMTU(c *config.Config, pool *host.Pool) int {
	least := 0
	for _, n := range pool.Nodes() {
		switch {
		case n.Overlay == "":
		case strings.Contains(n.Overlay, ":"):
			least = 1430
		case least == 0:
			least = 1450
		}
	}
	if least > 0 {
		return cmp.Or(c.Overlay.MTU, least)
	}
	return 0
}

// seeds are how guests are told who they are.
func seeds(c *config.Config) *seed.Seeds {
	ways, names := map[string]seed.Way{"": seed.Way(c.Site.Seed)}, map[string]string{}
	for i, k := range c.Kernels {
		way := seed.Way(cmp.Or(k.Seed, c.Site.Seed))
		ways["file://"+k.Name] = way
		if i == 0 {
			ways[""] = way // the one of requests that name none
		}
	}
	for _, n := range c.Networks {
		names[n.Name] = n.DNS
	}
	return &seed.Seeds{DNS: names, Way: func(w *workspace.Workspace) seed.Way {
		return ways[w.Spec.Kernel.Image]
	}}
}

// networks lists the addresses of each pool.
func networks(c *config.Config) []workspace.Network {
	var all []workspace.Network
	for _, n := range c.Networks {
		pool := workspace.Network{Name: n.Name, MACPrefix: n.MACPrefix, DNS: n.DNS}
		known := map[netip.Addr]workspace.Address{}
		own := config.Range{First: netip.MustParseAddr(n.First), Last: netip.MustParseAddr(n.Last)}
		for ip := range own.All {
			a := addressOf(&n, ip, int64(len(known)))
			six(&a, &n, int64(len(known)))
			known[ip] = a
			pool.Addresses = append(pool.Addresses, a)
		}
		asked := map[netip.Addr]bool{}
		for _, text := range append(append([]string{}, n.Accept...), n.Advisory...) {
			r, _ := config.ParseRange(text) // it was checked
			for ip := range r.All {
				if _, ours := known[ip]; !ours {
					known[ip] = addressOf(&n, ip, int64(len(known)))
				}
				if !asked[ip] {
					asked[ip] = true
					pool.Asked = append(pool.Asked, known[ip])
				}
			}
		}
		all = append(all, pool)
	}
	return all
}

// addressOf is the i-th address of a network.
func addressOf(n *config.Network, ip netip.Addr, i int64) workspace.Address {
	return workspace.Address{
		Hostname: fmt.Sprintf(n.Hostname, i+1), IP: ip.String(), Netmask: n.Netmask,
		Gateway: n.Gateway, Broadcast: n.Broadcast,
	}
}

// six gives the i-th address of a pool its IPv6 address.
func six(a *workspace.Address, n *config.Network, i int64) {
	if n.First6 == "" {
		return
	}
	first := netip.MustParsePrefix(n.First6)
	ip, _ := config.After(first.Addr(), i)
	a.IP6, a.Prefix6, a.Gateway6 = ip.String(), first.Bits(), n.Gateway6
}

// brought says which addresses requests may bring to which networks.
func brought(c *config.Config) map[string]manager.Brought {
	all := make(map[string]manager.Brought, len(c.Networks))
	for _, n := range c.Networks {
		b := manager.Brought{Private: n.Private, Netmask: n.Netmask, Gateway: n.Gateway,
			Broadcast: n.Broadcast}
		b.Accept, b.Advisory = within(n.Accept), within(n.Advisory)
		all[n.Name] = b
	}
	return all
}

// within tells the addresses of ranges, and what they are for people.
func within(texts []string) manager.Addresses {
	var ranges []config.Range
	for _, text := range texts {
		r, _ := config.ParseRange(text) // it was checked
		ranges = append(ranges, r)
	}
	return manager.Addresses{Texts: texts, Has: func(ip netip.Addr) bool {
		for _, r := range ranges {
			if !ip.Less(r.First) && !r.Last.Less(ip) {
				return true
			}
		}
		return false
	}}
}
