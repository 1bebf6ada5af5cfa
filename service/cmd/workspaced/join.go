package main

import (
	"cmp"
	"slices"
	"time"

	"github.com/philoxenia/philoxenia/adapters/transport/file"
	"github.com/philoxenia/philoxenia/adapters/transport/login"
	"github.com/philoxenia/philoxenia/adapters/transport/packed"
	"github.com/philoxenia/philoxenia/adapters/transport/scp"
	"github.com/philoxenia/philoxenia/adapters/transport/sftp"
	"github.com/philoxenia/philoxenia/adapters/transport/web"
	"github.com/philoxenia/philoxenia/service/config"
	"github.com/philoxenia/philoxenia/service/console"
	"github.com/philoxenia/philoxenia/service/dispatch"
	"github.com/philoxenia/philoxenia/service/manager"
	"github.com/philoxenia/philoxenia/service/manager/catalog"
	"github.com/philoxenia/philoxenia/service/manager/fleet"
	"github.com/philoxenia/philoxenia/service/manager/image"
	"github.com/philoxenia/philoxenia/service/notify"
	"github.com/philoxenia/philoxenia/service/port/factory"
	"github.com/philoxenia/philoxenia/service/port/group"
	hostport "github.com/philoxenia/philoxenia/service/port/host"
	"github.com/philoxenia/philoxenia/service/port/images"
	"github.com/philoxenia/philoxenia/service/port/producer"
	"github.com/philoxenia/philoxenia/service/port/pullpoint"
	"github.com/philoxenia/philoxenia/service/port/servicegroup"
	"github.com/philoxenia/philoxenia/service/port/status"
	"github.com/philoxenia/philoxenia/service/port/subscription"
	"github.com/philoxenia/philoxenia/service/port/ws"
	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/wsdl"
)

// core is what answers callers, behind the faces.
type core struct {
	*manager.Manager
	*fleet.Fleet
	stock *catalog.Catalog
	desk  *console.Desk
}

// services are the port types of both faces.
func services(m core, g notify.Guard) []dispatch.Service {
	producers := producer.Source{Manager: m, CheckConsumer: g.URL}
	all := []dispatch.Service{pullpoint.NewFactory(m), pullpoint.New(m), images.New(m.stock)}
	for _, face := range []wsdl.Face{wsdl.One, wsdl.Two} {
		all = append(all, factory.New(face, m), group.New(face, m), status.New(face, m),
			subscription.New(face, m))
	}
	all = append(all, ws.New(wsdl.One, m, producers),
		ws.WithConsoles(ws.New(wsdl.Two, m, producers), m, m.desk, console.Path))
	all = append(all, servicegroup.Workspaces(m, producers)...)
	return append(append(all, servicegroup.Hosts(m)...), hostport.New(m))
}

// replier sends replies to the addresses that requests name, where that is
// configured: under the guard of notifications.
func replier(c *config.Config, g notify.Guard) dispatch.Replier {
	if !c.Listen.RepliesElsewhere {
		return nil
	}
	return notify.NewReplier(g)
}

// transports opens the repositories that the configuration names, by scheme.
func transports(c *config.Config) (map[string]workspace.Transport, error) {
	local, err := file.Open(c.Repositories.File.Dir)
	if err != nil {
		return nil, err
	}
	all := map[string]workspace.Transport{file.Scheme: local}
	if err := addWeb(all, c); err != nil {
		return nil, err
	}
	addSSH(all, c)
	for scheme, t := range all {
		all[scheme] = packed.New(t)
	}
	return all, nil
}

// addSSH adds the servers of sftp and scp.
func addSSH(all map[string]workspace.Transport, c *config.Config) {
	stall := time.Duration(c.Repositories.StallTimeout)
	if s := logins(c.Repositories.SFTP); len(s) > 0 {
		all[sftp.Scheme] = sftp.New(sftp.Options{Servers: s, StallTimeout: stall})
	}
	if s := logins(c.Repositories.SCP); len(s) > 0 {
		all[scp.Scheme] = scp.New(scp.Options{Servers: s, StallTimeout: stall})
	}
}

func logins(repositories []config.SSHRepository) []login.Server {
	var all []login.Server
	for _, r := range repositories {
		all = append(all, login.Server{
			Address: r.Address, User: r.User, KeyFile: r.KeyFile, PasswordFile: r.PasswordFile,
			KnownHostsFile: r.KnownHosts, Root: r.Root,
		})
	}
	return all
}

// addWeb adds the web servers, for both of their schemes.
func addWeb(all map[string]workspace.Transport, c *config.Config) error {
	o := web.Options{StallTimeout: time.Duration(c.Repositories.StallTimeout)}
	for _, r := range c.Repositories.Web {
		o.Servers = append(o.Servers, web.Server{
			Address: r.Address, Plain: r.Plain, Root: r.Root, User: r.User,
			PasswordFile: r.PasswordFile, TokenFile: r.TokenFile, CAFile: r.CAFile,
			Parallel: r.Ranges,
		})
	}
	if len(o.Servers) == 0 {
		return nil
	}
	t, err := web.New(o)
	all[web.Scheme], all[web.PlainScheme] = t, t
	return err
}

// kernels are those that requests may name.
func kernels(c *config.Config) []image.Kernel {
	var all []image.Kernel
	for _, k := range c.Kernels {
		all = append(all, image.Kernel{
			Name: k.Name, Image: k.Image, Initrd: k.Initrd, Cmdline: k.Cmdline,
		})
	}
	return all
}

// hosts lists those of the configuration by name: the order in which the scheduler
// sees them.
func hosts(c *config.Config) []workspace.Host {
	var all []workspace.Host
	for _, h := range c.Hosts {
		for _, id := range h.IDs() {
			one := hostOf(h)
			one.ID = workspace.HostID(id)
			all = append(all, one)
		}
	}
	slices.SortFunc(all, func(a, b workspace.Host) int { return cmp.Compare(a.ID, b.ID) })
	return all
}
