package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// The words of requests for a VMM, and of hosts that have one.
var vmms = []string{"Xen", "VMware", "KVM"}

// Check finds what cannot be right, all of it, naming table and entry.
func (c *Config) Check() error {
	return errors.Join(
		c.Listen.check(), c.Site.check(), c.Notify.check(), c.checkHosts(), c.checkNetworks(),
		c.Overlay.check(),
		c.checkKernels(), c.checkServers(), c.Scheduler.check(), c.FairShare.check(),
		c.checkQuotas(), c.checkImages(), c.checkTogether(),
	)
}

// check refuses to offer a service without authentication to anyone but this
// machine: on plain http every caller is the same person.
func (l *Listen) check() error {
	var all []error
	host, port, err := net.SplitHostPort(l.Address)
	ip, notIP := netip.ParseAddr(host)
	_, notPort := strconv.ParseUint(port, 10, 16)
	switch {
	case err != nil || notPort != nil:
		all = append(all, fmt.Errorf("listen.address %q is not HOST:PORT", l.Address))
	case host != "localhost" && (notIP != nil || !ip.IsLoopback()):
		all = append(all, fmt.Errorf("listen.address %q is not a loopback address: plain http "+
			"has no authentication; put a TLS front end that authenticates callers before it",
			l.Address))
	}
	u, err := url.Parse(l.PublicURL)
	if l.PublicURL != "" && (err != nil || u.Host == "" ||
		u.Scheme != "http" && u.Scheme != "https") {
		all = append(all, fmt.Errorf("listen.public_url %q is not http://HOST[:PORT] or https://",
			l.PublicURL))
	}
	if l.Caller == "" {
		all = append(all, errors.New("listen.caller is needed: whom everyone who reaches this "+
			"address is taken for, such as \"/O=Example/CN=Operator\""))
	}
	return errors.Join(all...)
}

func (s *Site) check() error {
	var all []error
	if s.DefaultDuration > s.MaximumDuration {
		all = append(all, errors.New("site: default_duration is longer than maximum_duration"))
	}
	for key, n := range map[string]int64{
		"maximum_nodes": int64(s.MaximumNodes), "default_cpus": s.DefaultCPUs,
		"concurrency": int64(s.Concurrency), "spool_mb": s.SpoolMB,
		"console_log_mb": s.ConsoleLogMB,
	} {
		if n < 0 {
			all = append(all, fmt.Errorf("site.%s is negative", key))
		}
	}
	const most = 1 << 20 // a TB
	if s.ConsoleLogMB > most {
		all = append(all, fmt.Errorf("site.console_log_mb is %d, more than %d",
			s.ConsoleLogMB, most))
	}
	if slices.Contains(s.Operators, "") {
		all = append(all, errors.New("site.operators: an operator has no name"))
	}
	for _, port := range s.ForwardPorts {
		if port < 1 || port > 65535 {
			all = append(all, fmt.Errorf("site.forward_ports: %d is not a TCP port", port))
		}
	}
	for wanted, accepted := range s.Accepts {
		for _, vmm := range append([]string{wanted}, accepted...) {
			if !slices.Contains(vmms, vmm) {
				all = append(all, fmt.Errorf("site.accepts: %q is none of %s",
					vmm, strings.Join(vmms, ", ")))
			}
		}
	}
	return errors.Join(all...)
}

func (n *Notify) check() error {
	var all []error
	for _, prefix := range n.Allow {
		if _, err := netip.ParsePrefix(prefix); err != nil {
			all = append(all, fmt.Errorf(
				"notify.allow: %q is not a CIDR prefix such as 10.0.0.0/8", prefix))
		}
	}
	for key, most := range map[string]int{
		"pull_capacity": n.PullCapacity, "subscriptions": n.Subscriptions,
		"pull_points": n.PullPoints,
	} {
		if most < 0 {
			all = append(all, fmt.Errorf("notify.%s is negative", key))
		}
	}
	return errors.Join(all...)
}

// A once finds what is there twice.
type once map[string]bool

func (o once) check(key, name string) error {
	if o[name] {
		return fmt.Errorf("%s %q is used twice", key, name)
	}
	o[name] = true
	return nil
}

// entry says in which entry of a table something is wrong.
func entry(table string, i int, name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %d (%q): %w", table, i+1, name, err)
}

func (c *Config) checkKernels() error {
	all := []error{checkSeed("site.seed", c.Site.Seed)}
	seen := once{}
	for i, k := range c.Kernels {
		err := errors.Join(plain("name", k.Name), seen.check("name", k.Name))
		err = errors.Join(err, checkSeed("seed", k.Seed))
		if k.Image == "" {
			err = errors.Join(err, errors.New("image is needed: a file of the hosts"))
		}
		all = append(all, entry("kernel", i, k.Name, err))
	}
	return errors.Join(all...)
}

// checkSeed refuses what is no way of telling guests.
func checkSeed(key, way string) error {
	ways := []string{"nocloud", "kernel", "ext4", "none"}
	if way == "" || slices.Contains(ways, way) {
		return nil
	}
	return fmt.Errorf("%s %q is none of %s", key, way, strings.Join(ways, ", "))
}

func (c *Config) checkServers() error {
	return errors.Join(checkSSH("repository.sftp", c.Repositories.SFTP),
		checkSSH("repository.scp", c.Repositories.SCP), c.checkWeb())
}

func checkSSH(table string, servers []SSHRepository) error {
	var all []error
	seen := once{}
	for i, r := range servers {
		err := seen.check("address", r.Address)
		if r.Address == "" || r.User == "" || r.KnownHosts == "" {
			err = errors.Join(err, errors.New("address, user and known_hosts are needed"))
		}
		if r.KeyFile == "" && r.PasswordFile == "" {
			err = errors.Join(err, errors.New("key_file or password_file is needed"))
		}
		all = append(all, entry(table, i, r.Address, err))
	}
	return errors.Join(all...)
}

func (c *Config) checkWeb() error {
	var all []error
	seen := once{}
	for i, r := range c.Repositories.Web {
		err := seen.check("address", r.Address)
		if _, _, split := net.SplitHostPort(r.Address); split != nil {
			err = errors.Join(err, errors.New("address is needed as HOST:PORT"))
		}
		switch {
		case r.User != "" && r.TokenFile != "":
			err = errors.Join(err, errors.New("user and token_file exclude each other"))
		case (r.User == "") != (r.PasswordFile == ""):
			err = errors.Join(err, errors.New("user and password_file belong together"))
		case r.Ranges < 0:
			err = errors.Join(err, errors.New("ranges cannot be negative"))
		}
		all = append(all, entry("repository.web", i, r.Address, err))
	}
	return errors.Join(all...)
}
