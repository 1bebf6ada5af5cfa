package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/philoxenia/philoxenia/adapters/access/local"
	"github.com/philoxenia/philoxenia/adapters/deployment/libvirt"
	"github.com/philoxenia/philoxenia/adapters/deployment/sim"
	"github.com/philoxenia/philoxenia/adapters/image/ext4"
	"github.com/philoxenia/philoxenia/service/config"
	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// patience is how long a start waits for the hosts: one that hangs does not
// keep the service from its callers.
const patience = 5 * time.Second

// nodes opens every host of the configuration. Whatever comes of it, release
// lets go of what was opened.
func nodes(
	ctx context.Context, c *config.Config, script string, log *slog.Logger,
) (pool *host.Pool, release func(), err error) {
	pool = host.NewPool()
	world, err := simulated(c, script, pool)
	release = func() { closeAll(pool, world, log) }
	if err == nil {
		err = connected(ctx, c, pool, log)
	}
	for _, n := range pool.Nodes() {
		n.CacheMB = c.Scheduler.CacheMB
		if failed := os.MkdirAll(n.Dir, 0o711); failed != nil {
			err = errors.Join(err, fmt.Errorf("host %s: %w", n.ID, failed))
		}
	}
	return pool, release, err
}

func closeAll(pool *host.Pool, world *sim.World, log *slog.Logger) {
	for _, n := range pool.Nodes() {
		if err := errors.Join(n.Close(), n.Access.Close()); err != nil {
			log.Error("cannot let go of host", "host", n.ID, "error", err)
		}
	}
	if world == nil {
		return
	}
	if err := world.Close(); err != nil {
		log.Error("cannot close the simulated pool", "error", err)
	}
}

// connected connects to the libvirt hosts, all at a time.
func connected(
	ctx context.Context, c *config.Config, pool *host.Pool, log *slog.Logger,
) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	opened, failed := make([]*host.Node, len(c.Hosts)), make([]error, len(c.Hosts))
	var all sync.WaitGroup
	for i, h := range c.Hosts {
		if h.Adapter != "libvirt" {
			continue
		}
		identity, err := poolIdentity(c.Data)
		if err != nil {
			return err
		}
		all.Go(func() { opened[i], failed[i] = real(ctx, h, identity, log) })
	}
	all.Wait()
	for i, n := range opened {
		if n != nil {
			pool.Add(n)
		}
		if failed[i] != nil {
			failed[i] = fmt.Errorf("host %s: %w", c.Hosts[i].ID, failed[i])
		}
	}
	return errors.Join(failed...)
}

// simulated makes the simulated hosts, all of one world, nil when there are none.
func simulated(c *config.Config, script string, pool *host.Pool) (*sim.World, error) {
	var all []workspace.Host
	dirs := map[workspace.HostID]string{}
	for _, h := range c.Hosts {
		if h.Adapter != "sim" {
			continue
		}
		for _, id := range h.IDs() {
			one := hostOf(h)
			one.ID = workspace.HostID(id)
			all = append(all, one)
			dirs[one.ID] = h.Dir
		}
	}
	if len(all) == 0 {
		return nil, nil
	}
	world, err := sim.Open(sim.Options{
		Dir: filepath.Join(c.Data, "sim"), Hosts: all, Script: script,
	})
	if err != nil {
		return nil, err
	}
	for _, h := range all {
		pool.Add(&host.Node{
			Host: h, Deployment: world.Host(h.ID), Access: local.Access{},
			Dir: dirs[h.ID], Inert: true,
		})
	}
	return world, nil
}

// real connects to a libvirt host. One that cannot be reached now takes no new
// workspaces unless the configuration says how much it has.
func real(
	ctx context.Context, h config.Host, identity string, log *slog.Logger,
) (*host.Node, error) {
	networks := make(map[string]libvirt.Network, len(h.Networks))
	for association, target := range h.Networks {
		kind, name, _ := strings.Cut(target, ":")
		networks[association] = libvirt.Network{Kind: libvirt.NetworkKind(kind), Name: name}
	}
	adapter, err := libvirt.Open(ctx, libvirt.Options{
		Host: workspace.HostID(h.ID), URI: h.URI, Networks: networks, Pool: identity,
		Accel: libvirt.Accel(h.Acceleration), ConsoleDir: filepath.Join(h.Dir, "consoles"),
		TLS: libvirt.TLS(h.TLS), Access: local.Access{}, Logger: log,
	})
	if err != nil {
		return nil, err
	}
	n := &host.Node{
		Host: hostOf(h), Deployment: adapter, Access: local.Access{}, Dir: h.Dir,
		MaxImageMB: h.MaxImageMB, Customiser: ext4.Customiser{},
	}
	if h.CPUs > 0 && h.MemoryMB > 0 {
		return n, nil
	}
	has, err := adapter.Capacity(ctx)
	if err != nil {
		log.Warn("host takes no workspaces until a restart: it cannot say what it has, "+
			"nor does the configuration", "host", h.ID, "error", err)
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
	if err := keep(path, fresh); err != nil {
		return "", fmt.Errorf("cannot keep the pool's identity: %w", err)
	}
	return fresh, nil
}

// keep writes the text to the file, and through to the disk, as a whole.
func keep(path, text string) error {
	f, err := os.Create(path + ".new")
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func hostOf(h config.Host) workspace.Host {
	return workspace.Host{
		ID: workspace.HostID(h.ID), VMM: h.VMM, Active: !h.Drained,
		Associations: h.Associations,
		Capacity: workspace.Capacity{CPUs: h.CPUs, MemoryMB: h.MemoryMB, DiskMB: h.DiskMB,
			NetInKbps: h.NetInKbps, NetOutKbps: h.NetOutKbps},
	}
}
