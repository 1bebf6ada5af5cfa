package main

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/philoxenia/philoxenia/adapters/deployment/libvirt"
	"github.com/philoxenia/philoxenia/adapters/deployment/sim"
	"github.com/philoxenia/philoxenia/adapters/image/ext4"
	"github.com/philoxenia/philoxenia/service/config"
	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// nodes opens every host of the configuration.
func nodes(
	ctx context.Context, c *config.Config, script string, log *slog.Logger,
) (host.Pool, error) {
	pool := host.Pool{}
	if err := simulated(c, script, pool); err != nil {
		return nil, err
	}
	for _, h := range c.Hosts {
		if h.Adapter != "libvirt" {
			continue
		}
		n, err := real(ctx, c, h, log)
		if err != nil {
			return nil, fmt.Errorf("host %s: %w", h.ID, err)
		}
		pool[n.ID] = n
	}
	for _, n := range pool {
		if err := os.MkdirAll(n.Dir, 0o711); err != nil {
			return nil, fmt.Errorf("host %s: %w", n.ID, err)
		}
	}
	return pool, nil
}

// simulated makes the simulated hosts, all of one world.
func simulated(c *config.Config, script string, pool host.Pool) error {
	var all []workspace.Host
	dirs := map[workspace.HostID]string{}
	for _, h := range c.Hosts {
		if h.Adapter != "sim" {
			continue
		}
		for i := range h.Count {
			one := hostOf(h)
			if h.Count > 1 {
				one.ID = workspace.HostID(fmt.Sprintf("%s-%03d", h.ID, i+1))
			}
			all = append(all, one)
			dirs[one.ID] = h.Dir
		}
	}
	if len(all) == 0 {
		return nil
	}
	world, err := sim.Open(sim.Options{
		Dir: filepath.Join(c.Data, "sim"), Hosts: all, Script: script,
	})
	if err != nil {
		return err
	}
	for _, h := range all {
		pool[h.ID] = &host.Node{
			Host: h, Deployment: world.Host(h.ID), Dir: dirs[h.ID], Inert: true,
		}
	}
	return nil
}

// real connects to a libvirt host. One that cannot be reached now takes no new
// workspaces unless the configuration says how much it has.
func real(
	ctx context.Context, c *config.Config, h config.Host, log *slog.Logger,
) (*host.Node, error) {
	identity, err := poolIdentity(c.Data)
	if err != nil {
		return nil, err
	}
	networks := make(map[string]libvirt.Network, len(h.Networks))
	for association, target := range h.Networks {
		kind, name, _ := strings.Cut(target, ":")
		networks[association] = libvirt.Network{Kind: libvirt.NetworkKind(kind), Name: name}
	}
	adapter, err := libvirt.Open(ctx, libvirt.Options{
		Host: workspace.HostID(h.ID), URI: h.URI, Networks: networks, Pool: identity,
		Accel: libvirt.Accel(h.Acceleration), ConsoleDir: filepath.Join(h.Dir, "consoles"),
		Logger: log,
	})
	if err != nil {
		return nil, err
	}
	n := &host.Node{
		Host: hostOf(h), Deployment: adapter, Dir: h.Dir, MaxImageMB: h.MaxImageMB,
		Customiser: ext4.Customiser{},
	}
	if h.CPUs > 0 && h.MemoryMB > 0 {
		return n, nil
	}
	has, err := adapter.Capacity(ctx)
	if err != nil {
		log.Warn("host is out of reach and takes no workspaces", "host", h.ID, "error", err)
		n.Active = false
		return n, nil
	}
	if h.CPUs == 0 {
		n.Host.Capacity.CPUs = has.CPUs
	}
	if h.MemoryMB == 0 {
		n.Host.Capacity.MemoryMB = has.MemoryMB
	}
	return n, nil
}

// poolIdentity returns the text that tells this installation's machines from
// another's on the same host, made once and kept beside the record.
func poolIdentity(data string) (string, error) {
	path := filepath.Join(data, "pool-id")
	kept, err := os.ReadFile(path)
	if err == nil && len(kept) > 0 {
		return string(kept), nil
	}
	fresh := rand.Text()
	if err := os.WriteFile(path+".new", []byte(fresh), 0o644); err != nil {
		return "", fmt.Errorf("cannot keep the pool's identity: %w", err)
	}
	return fresh, os.Rename(path+".new", path)
}

func hostOf(h config.Host) workspace.Host {
	return workspace.Host{
		ID: workspace.HostID(h.ID), VMM: h.VMM, Active: !h.Drained,
		Associations: h.Associations,
		Capacity:     workspace.Capacity{CPUs: h.CPUs, MemoryMB: h.MemoryMB},
	}
}

// networks lists the addresses of each pool.
func networks(c *config.Config) []workspace.Network {
	var all []workspace.Network
	for _, n := range c.Networks {
		pool := workspace.Network{Name: n.Name, MACPrefix: n.MACPrefix, DNS: n.DNS}
		first, last := number(n.First), number(n.Last)
		for i := range last - first + 1 {
			var ip [4]byte
			binary.BigEndian.PutUint32(ip[:], first+i)
			pool.Addresses = append(pool.Addresses, workspace.Address{
				Hostname: fmt.Sprintf(n.Hostname, i+1), IP: netip.AddrFrom4(ip).String(),
				Netmask: n.Netmask, Gateway: n.Gateway, Broadcast: n.Broadcast,
			})
		}
		all = append(all, pool)
	}
	return all
}

// number returns an IPv4 address, checked before, as a number.
func number(ip string) uint32 {
	a := netip.MustParseAddr(ip).As4()
	return binary.BigEndian.Uint32(a[:])
}
