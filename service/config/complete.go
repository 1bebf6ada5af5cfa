package config

import (
	"cmp"
	"path/filepath"
	"strings"
	"time"
)

// resolve makes the paths of this machine absolute, from dir.
func (c *Config) resolve(dir string) {
	all := []*string{&c.Data, &c.Site.Credentials, &c.Site.HostDir}
	if c.Repositories.File != nil {
		all = append(all, &c.Repositories.File.Dir)
	}
	for i := range c.Hosts {
		h := &c.Hosts[i]
		all = append(all, &h.TLS.CAFile, &h.TLS.CertFile, &h.TLS.KeyFile)
		if h.SSH == nil {
			all = append(all, &h.Dir)
			continue
		}
		all = append(all, &h.SSH.KeyFile, &h.SSH.PasswordFile, &h.SSH.KnownHosts)
	}
	for i := range c.Kernels {
		all = append(all, &c.Kernels[i].Image, &c.Kernels[i].Initrd)
	}
	for _, servers := range [][]SSHRepository{c.Repositories.SFTP, c.Repositories.SCP} {
		for i := range servers {
			r := &servers[i]
			all = append(all, &r.KeyFile, &r.PasswordFile, &r.KnownHosts)
		}
	}
	for i := range c.Images.Signers {
		all = append(all, &c.Images.Signers[i].KeyFile)
	}
	for i := range c.Repositories.Web {
		r := &c.Repositories.Web[i]
		all = append(all, &r.PasswordFile, &r.TokenFile, &r.CAFile)
	}
	for _, path := range all {
		if *path != "" && !filepath.IsAbs(*path) {
			*path = filepath.Join(dir, *path)
		}
	}
}

// complete fills in what the document leaves out.
func (c *Config) complete() {
	c.Data = cmp.Or(c.Data, "/var/lib/workspaced")
	c.Listen.Address = cmp.Or(c.Listen.Address, "127.0.0.1:8080")
	c.Listen.PublicURL = strings.TrimRight(c.Listen.PublicURL, "/")
	c.Notify.complete()
	c.Site.complete()
	c.Site.Credentials = cmp.Or(c.Site.Credentials, filepath.Join(c.Data, "credentials"))
	c.Site.HostDir = cmp.Or(c.Site.HostDir, filepath.Join(c.Data, "disks"))
	c.Scheduler.complete()
	c.Images.PerOwner = cmp.Or(c.Images.PerOwner, 1000)
	c.FairShare.HalfLife = cmp.Or(c.FairShare.HalfLife, Duration(168*time.Hour))
	if len(c.Site.Operators) == 0 && c.Listen.Caller != "" {
		c.Site.Operators = []string{c.Listen.Caller}
	}
	for i := range c.Hosts {
		c.completeHost(&c.Hosts[i])
	}
	for i := range c.Networks {
		n := &c.Networks[i]
		n.MACPrefix = cmp.Or(n.MACPrefix, "A2:AA:BB")
		n.Hostname = cmp.Or(n.Hostname, n.Name+"-%d")
	}
	c.Overlay.complete()
	if c.Repositories.File == nil {
		c.Repositories.File = &FileRepository{}
	}
	c.Repositories.File.Dir = cmp.Or(c.Repositories.File.Dir, filepath.Join(c.Data, "images"))
}

func (o *Overlay) complete() {
	o.Port = cmp.Or(o.Port, 4789)
	o.FirstVNI, o.LastVNI = cmp.Or(o.FirstVNI, 1), cmp.Or(o.LastVNI, mostVNI)
}

func (n *Notify) complete() {
	n.Timeout = cmp.Or(n.Timeout, Duration(10*time.Second))
	n.PauseAfter = cmp.Or(n.PauseAfter, Duration(time.Hour))
	n.GiveUp = cmp.Or(n.GiveUp, Duration(24*time.Hour))
	n.PullCapacity = cmp.Or(n.PullCapacity, 10_000)
	n.Subscriptions = cmp.Or(n.Subscriptions, 10_000)
	n.PullPoints = cmp.Or(n.PullPoints, 100)
}

func (s *Site) complete() {
	const hour = Duration(time.Hour)
	s.DefaultDuration = cmp.Or(s.DefaultDuration, 24*hour)
	s.MaximumDuration = cmp.Or(s.MaximumDuration, 336*hour)
	s.Grace = cmp.Or(s.Grace, 10*Duration(time.Minute))
	s.DefaultCPUs = cmp.Or(s.DefaultCPUs, 1)
	s.AdvertisedVMM = cmp.Or(s.AdvertisedVMM, "Xen")
	s.AdvertisedVersion = cmp.Or(s.AdvertisedVersion, "3")
	s.ChargeGranularity = cmp.Or(s.ChargeGranularity, Duration(time.Minute))
	s.HostGrace = cmp.Or(s.HostGrace, Duration(15*time.Second))
	s.ShutdownPatience = cmp.Or(s.ShutdownPatience, Duration(time.Minute))
	s.Concurrency = cmp.Or(s.Concurrency, 64)
	s.SpoolMB = cmp.Or(s.SpoolMB, 32<<10)
	s.ConsoleLogMB = cmp.Or(s.ConsoleLogMB, 16)
	if s.ForwardPorts == nil {
		s.ForwardPorts = []int{22}
	}
	if len(s.Architectures) == 0 {
		s.Architectures = []string{"x86", "x86_64", "x86_32"}
	}
	if len(s.Accepts) == 0 {
		s.Accepts = map[string][]string{"Xen": {"Xen"}, "KVM": {"KVM"}}
	}
}

func (c *Config) completeHost(h *Host) {
	h.VMM = cmp.Or(h.VMM, "KVM")
	h.Acceleration = cmp.Or(h.Acceleration, "auto")
	h.Dir = cmp.Or(h.Dir, filepath.Join(c.Data, "disks", h.ID))
	h.Count = cmp.Or(h.Count, 1)
}
