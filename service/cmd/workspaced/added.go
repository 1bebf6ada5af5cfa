package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/philoxenia/philoxenia/service/config"
	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// standsIn says where a host stands in the configuration; empty: it does not.
func standsIn(c *config.Config, id workspace.HostID) string {
	for _, h := range c.Hosts {
		if slices.Contains(h.IDs(), string(id)) {
			return fmt.Sprintf("the configuration ([[host]] with id = %q)", h.ID)
		}
	}
	return ""
}

// twin returns the configured host that is reached as the spec says; empty: none.
func twin(c *config.Config) func(workspace.HostSpec) string {
	return func(spec workspace.HostSpec) string {
		h := config.Host{Adapter: "libvirt", URI: spec.URI}
		if spec.SSH != nil {
			h.SSH = &config.HostSSH{Address: spec.SSH.Address}
		}
		return c.Twin(&h)
	}
}

// described is how a host is described, what was left out filled in.
func described(h config.Host) workspace.HostSpec {
	s := workspace.HostSpec{
		ID: workspace.HostID(h.ID), URI: h.URI, VMM: h.VMM, Acceleration: h.Acceleration,
		Dir: h.Dir, Capacity: hostOf(h).Capacity, MaxImageMB: h.MaxImageMB,
		Associations: h.Associations, Networks: h.Networks,
		Peer: h.Peer, DiskMBps: h.DiskMBps, DiskIOPS: h.DiskIOPS,
		Overlay: h.Overlay,
	}
	if h.Adapter == "sim" {
		s.URI = "sim:"
	}
	if h.SSH != nil {
		s.SSH = (*workspace.HostSSH)(h.SSH)
	}
	if h.TLS != (config.HostTLS{}) {
		s.TLS = (*workspace.HostTLS)(&h.TLS)
	}
	return s
}

// node makes the node of a host that is added.
func (o *opener) node(ctx context.Context, spec workspace.HostSpec) (*host.Node, error) {
	h, err := o.added(spec)
	var n *host.Node
	if err == nil {
		n, err = o.open(ctx, h)
	}
	if err != nil {
		return nil, &workspace.Error{Op: "open host", Kind: workspace.Invalid,
			ID: string(spec.ID), Err: err}
	}
	return n, nil
}

// added is a host that was added, as if it stood in the configuration.
func (o *opener) added(spec workspace.HostSpec) (config.Host, error) {
	h := config.Host{
		ID: string(spec.ID), Adapter: "libvirt", VMM: spec.VMM, URI: spec.URI,
		Acceleration: spec.Acceleration, Dir: spec.Dir,
		CPUs: spec.Capacity.CPUs, MemoryMB: spec.Capacity.MemoryMB,
		DiskMB: spec.Capacity.DiskMB, NetInKbps: spec.Capacity.NetInKbps,
		NetOutKbps: spec.Capacity.NetOutKbps, MaxImageMB: spec.MaxImageMB,
		Associations: spec.Associations, Networks: spec.Networks,
		Peer: spec.Peer, DiskMBps: spec.DiskMBps, DiskIOPS: spec.DiskIOPS,
		Overlay: spec.Overlay,
	}
	if strings.HasPrefix(spec.URI, "sim:") {
		h.Adapter = "sim"
	}
	if err := o.credentials(spec, &h); err != nil {
		return h, err
	}
	h, err := o.c.Added(h, spec.SSH != nil)
	if err == nil && h.SSH == nil && strings.Contains(h.URI, "+ssh:") {
		err = errors.New("a uri with +ssh needs ssh: where and how to log in, such as --ssh")
	}
	return h, err
}

// credentials finds the files that a host is reached with.
func (o *opener) credentials(spec workspace.HostSpec, h *config.Host) error {
	if s := spec.SSH; s != nil {
		h.SSH = &config.HostSSH{Address: s.Address, User: s.User, KeyFile: s.KeyFile,
			PasswordFile: s.PasswordFile, KnownHosts: s.KnownHosts, Peer: s.Peer}
	}
	if spec.TLS != nil {
		h.TLS = config.HostTLS(*spec.TLS)
	}
	names := []*string{&h.TLS.CAFile, &h.TLS.CertFile, &h.TLS.KeyFile}
	if h.SSH != nil {
		names = append(names, &h.SSH.KeyFile, &h.SSH.PasswordFile, &h.SSH.KnownHosts)
	}
	for _, name := range names {
		path, err := o.c.Credential(*name)
		if err != nil {
			return err
		}
		*name = path
	}
	return nil
}

// repositories are the addresses from which hosts may fetch images.
func repositories(c *config.Config) (all []string) {
	for _, servers := range [][]config.SSHRepository{c.Repositories.SFTP, c.Repositories.SCP} {
		for _, r := range servers {
			all = append(all, r.Address)
		}
	}
	for _, r := range c.Repositories.Web {
		all = append(all, r.Address)
	}
	return all
}
