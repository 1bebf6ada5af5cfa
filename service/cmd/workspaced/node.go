package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/philoxenia/philoxenia/adapters/access/local"
	"github.com/philoxenia/philoxenia/adapters/access/ssh"
	"github.com/philoxenia/philoxenia/adapters/deployment/libvirt"
	"github.com/philoxenia/philoxenia/adapters/deployment/sim"
	"github.com/philoxenia/philoxenia/adapters/image/ext4"
	"github.com/philoxenia/philoxenia/adapters/transport/login"
	"github.com/philoxenia/philoxenia/service/config"
	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// patience is how long a start waits for the hosts: one that hangs does not
// keep the service from its callers.
const patience = 5 * time.Second

// An opener makes the nodes of hosts: those of the configuration, and those that
// are added while the service runs.
type opener struct {
	c        *config.Config
	pool     *host.Pool
	identity string
	script   string
	log      *slog.Logger

	mu    sync.Mutex
	world *sim.World // nil: no host is simulated
}

// nodes opens every host of the configuration and of the record. Whatever comes
// of it, close lets go of what was opened.
func nodes(
	ctx context.Context, c *config.Config, records []workspace.HostRecord, script string,
	log *slog.Logger,
) (*opener, error) {
	identity, err := poolIdentity(c.Data)
	if err != nil {
		return nil, err
	}
	o := &opener{c: c, pool: host.NewPool(), identity: identity, script: script,
		log: log}
	all := slices.Clone(c.Hosts)
	for _, r := range records {
		if r.Spec == nil || standsIn(c, r.Host) != "" {
			continue
		}
		h, err := o.added(*r.Spec)
		if err != nil { // the site has changed: what is on the host stays as it is
			log.Error("host that was added cannot be opened", "host", r.Host, "error", err)
			continue
		}
		all = append(all, h)
	}
	if err := o.simulate(all); err != nil {
		return o, err
	}
	return o, o.openAll(ctx, all)
}

// close lets go of all hosts.
func (o *opener) close() {
	for _, n := range o.pool.Nodes() {
		if err := errors.Join(n.Close(), n.Access.Close()); err != nil {
			o.log.Error("cannot let go of host", "host", n.ID, "error", err)
		}
	}
	if o.world == nil {
		return
	}
	if err := o.world.Close(); err != nil {
		o.log.Error("cannot close the simulated pool", "error", err)
	}
}

// openAll opens hosts, all at a time: one that hangs holds up no other.
func (o *opener) openAll(ctx context.Context, hosts []config.Host) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	failed := make([]error, len(hosts))
	var all sync.WaitGroup
	for i, h := range hosts {
		all.Go(func() {
			for _, id := range h.IDs() {
				one := h
				one.ID = id
				n, err := o.open(ctx, one)
				if err == nil {
					o.pool.Add(n)
					err = o.makeDir(ctx, n)
				}
				if err != nil {
					failed[i] = fmt.Errorf("host %s: %w", id, err)
				}
			}
		})
	}
	all.Wait()
	return errors.Join(failed...)
}

// makeDir makes the directory of disks. On a host out of reach it is made when the
// host is back.
func (o *opener) makeDir(ctx context.Context, n *host.Node) error {
	err := n.Access.MakeDir(ctx, n.Dir, 0o711)
	if err != nil && !n.Access.Local() {
		o.log.Warn("host's directory cannot be made now", "host", n.ID, "error", err)
		return nil
	}
	return err
}

// reach opens the way to a host's files and programs, and says how to log in there.
func reach(h config.Host) (workspace.Access, login.Server) {
	if h.SSH == nil {
		return local.Access{}, login.Server{}
	}
	server := login.Server{Address: h.SSH.Address, User: h.SSH.User, KeyFile: h.SSH.KeyFile,
		PasswordFile: h.SSH.PasswordFile, KnownHostsFile: h.SSH.KnownHosts}
	return ssh.New(ssh.Options{Server: server, Peer: h.SSH.Peer, Dir: h.Dir}), server
}

// open makes the node of a host. One that is out of reach is opened all the same:
// its calls fail until it is back.
func (o *opener) open(ctx context.Context, h config.Host) (*host.Node, error) {
	access, server := reach(h)
	n := &host.Node{
		Host: hostOf(h), Spec: described(h), Access: access, Dir: h.Dir,
		MaxImageMB: h.MaxImageMB,
		DiskMBps:   h.DiskMBps, DiskIOPS: h.DiskIOPS,
		CacheMB: o.c.Scheduler.CacheMB, Networks: h.Networks,
	}
	if h.Adapter == "sim" {
		n.Inert, n.Networks = true, nil
		err := o.simulate([]config.Host{h})
		if err == nil {
			n.Deployment, err = o.world.Add(n.Host)
		}
		return n, err
	}
	networks := make(map[string]libvirt.Network, len(h.Networks))
	for association, target := range h.Networks {
		kind, name, _ := strings.Cut(target, ":")
		networks[association] = libvirt.Network{Kind: libvirt.NetworkKind(kind), Name: name}
	}
	adapter, err := libvirt.Open(ctx, libvirt.Options{
		Host: workspace.HostID(h.ID), URI: h.URI, Networks: networks, Pool: o.identity,
		Accel: libvirt.Accel(h.Acceleration), ConsoleDir: n.ConsoleDir(),
		TLS: libvirt.TLS(h.TLS), SSH: server, Peer: h.Peer, Access: n.Access, Logger: o.log,
	})
	n.Deployment, n.Customiser = adapter, ext4.Customiser{Access: n.Access}
	return n, err
}

// simulate opens the world of simulated hosts, where there are any and it is not
// open yet.
func (o *opener) simulate(hosts []config.Host) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	var all []workspace.Host
	for _, h := range hosts {
		if h.Adapter != "sim" {
			continue
		}
		for _, id := range h.IDs() {
			one := hostOf(h)
			one.ID = workspace.HostID(id)
			all = append(all, one)
		}
	}
	if len(all) == 0 || o.world != nil {
		return nil
	}
	var err error
	o.world, err = sim.Open(sim.Options{
		Dir: filepath.Join(o.c.Data, "sim"), Hosts: all, Script: o.script,
	})
	return err
}

// asked asks the hosts, all at a time, what those have of whom it is not known,
// and records it. Those that do not answer say it when they come.
func asked(ctx context.Context, store workspace.Store, pool *host.Pool) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	all := pool.Nodes()
	said := make([]workspace.Capacity, len(all))
	var asking sync.WaitGroup
	for i, n := range all {
		r, err := store.HostRecord(ctx, n.ID)
		known := n.Host.Capacity
		if err != nil || r.Has != (workspace.Capacity{}) || (known.CPUs > 0 && known.MemoryMB > 0) {
			continue
		}
		asking.Go(func() { said[i], _ = n.Deployment.Capacity(ctx) }) // the Watcher tells why not
	}
	asking.Wait()
	return store.Update(context.WithoutCancel(ctx), func(tx workspace.Tx) error {
		for i, n := range all {
			if said[i] == (workspace.Capacity{}) {
				continue
			}
			r := tx.HostRecord(n.ID)
			r.Has = said[i]
			if err := tx.PutHostRecord(r); err != nil {
				return err
			}
		}
		return nil
	})
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
		Associations: h.Associations, Overlay: h.Overlay,
		Capacity: workspace.Capacity{CPUs: h.CPUs, MemoryMB: h.MemoryMB, DiskMB: h.DiskMB,
			NetInKbps: h.NetInKbps, NetOutKbps: h.NetOutKbps},
	}
}
