package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/philoxenia/philoxenia/client"
	"github.com/philoxenia/philoxenia/schema/report"
)

// hostFlags describe a host that is not in the pool.
type hostFlags struct {
	File         string   `placeholder:"FILE" help:"File that describes it, with the keys of [[host]] in the service's configuration; options go before it."`
	URI          string   `name:"uri" placeholder:"URI" help:"How the service reaches it: qemu:///system, qemu+tls://HOST/system, xen+ssh://USER@HOST/system; or sim: for a simulated one."`
	VMM          string   `name:"vmm" placeholder:"KIND" help:"KVM or Xen; KVM without it."`
	Acceleration string   `placeholder:"HOW" help:"auto, kvm or tcg; auto without it."`
	Dir          string   `placeholder:"PATH" help:"Directory of disks on the host."`
	CPUs         int      `name:"cpus" placeholder:"N" help:"CPUs that leases may have; all, as the host says, without it."`
	Memory       string   `placeholder:"SIZE" help:"Memory that leases may have; all, as the host says, without it."`
	Disk         string   `placeholder:"SIZE" help:"Disk space that leases may have; not counted without it."`
	NetIn        string   `placeholder:"RATE" help:"Bandwidth of its link to it that leases may have, such as 1G; not counted without it."`
	NetOut       string   `placeholder:"RATE" help:"The same from it."`
	MaxImage     string   `placeholder:"SIZE" help:"Refuse larger images."`
	DiskMBps     int      `name:"disk-mbps" placeholder:"N" help:"Megabytes a second that each workspace may read and write."`
	DiskIOPS     int      `name:"disk-iops" placeholder:"N" help:"Disk operations a second that each workspace may do."`
	Peer         string   `placeholder:"URI" help:"How other hosts reach its libvirtd, for migration; as --uri says without it."`
	Overlay      string   `placeholder:"ADDRESS" help:"IP address at which other hosts reach it for private networks that span hosts."`
	Drained      bool     `help:"It takes no leases until host undrain."`
	Association  []string `placeholder:"NAME" help:"Network that reaches it; all without it. May be repeated."`
	Net          []string `placeholder:"NAME=TARGET" help:"What a network is there: lan=network:default or lan=bridge:br0. May be repeated."`

	SSH           string `name:"ssh" placeholder:"HOST:PORT" help:"Where the service logs on to it for its files; without it they are the service's own machine's."`
	SSHUser       string `name:"ssh-user" placeholder:"USER" help:"As whom it logs on."`
	SSHKey        string `name:"ssh-key" placeholder:"FILE" help:"Private key, in the service's directory of credentials."`
	SSHPassword   string `name:"ssh-password-file" placeholder:"FILE" help:"File with the password, there, instead of a key."`
	SSHKnownHosts string `name:"ssh-known-hosts" placeholder:"FILE" help:"File with the host's key, there."`
	SSHPeer       string `name:"ssh-peer" placeholder:"HOST:PORT" help:"Where other hosts log on to it, for images; as --ssh says without it."`
	TLSCA         string `name:"tls-ca" placeholder:"FILE" help:"Certificate of the authority of a host with +tls, there."`
	TLSCert       string `name:"tls-cert" placeholder:"FILE" help:"The service's own certificate, there."`
	TLSKey        string `name:"tls-key" placeholder:"FILE" help:"Its private key, there."`
}

// A hostAddCmd is the command host add.
type hostAddCmd struct {
	Name string `arg:"" name:"host" help:"Name that the host is to have."`
	hostFlags
}

// A hostProbeCmd is the command host probe.
type hostProbeCmd struct {
	Hosts []string `arg:"" optional:"" name:"host" help:"Names of hosts of the pool; or describe one that is not with --uri."`
	hostFlags
}

// A hostRemoveCmd is the command host remove.
type hostRemoveCmd struct {
	hostArgs
	Drain bool `help:"Drain them first, and wait, up to --timeout, until nothing is on them."`
}

// A hostForgetCmd is the command host forget.
type hostForgetCmd struct {
	Host string `arg:"" help:"Name of the host, as host list shows it."`
	Lost bool   `help:"It is dead for certain: switched off, or cut off from its disks and networks."`
}

// spec reads the file, and the options before it.
func (c *hostFlags) spec(op, name string) (v report.HostSpec, err error) {
	if c.File != "" {
		if v, err = readHostFile(c.File); err != nil {
			return v, usagef("", "%s: --file: %w", op, err)
		}
	}
	v.Name = name
	v.Capacity.CPUs = cmp.Or(c.CPUs, v.Capacity.CPUs)
	v.DiskMBps, v.DiskIOPS = cmp.Or(c.DiskMBps, v.DiskMBps), cmp.Or(c.DiskIOPS, v.DiskIOPS)
	if len(c.Association) > 0 {
		v.Associations = c.Association
	}
	override(map[*string]string{
		&v.URI: c.URI, &v.VMM: c.VMM, &v.Acceleration: c.Acceleration, &v.Directory: c.Dir,
		&v.Peer: c.Peer, &v.Overlay: c.Overlay,
	})
	if v.URI == "" {
		return v, usagef("such as --uri qemu+tls://node7.example.org/system",
			"%s: nobody says how it is reached, with --uri", op)
	}
	if c.Drained {
		v.Mode = cmp.Or(v.Mode, &report.Mode{})
		v.Mode.Drained = true
	}
	c.logins(&v)
	return v, errors.Join(c.amounts(op, &v), c.wires(op, &v))
}

// override replaces texts where there is another one.
func override(all map[*string]string) {
	for old, text := range all {
		*old = cmp.Or(text, *old)
	}
}

// amounts reads the options that are amounts.
func (c *hostFlags) amounts(op string, v *report.HostSpec) error {
	for _, size := range []struct {
		option, text string
		to           *int
		read         func(string) (int64, error)
	}{
		{"memory", c.Memory, &v.Capacity.MemoryMB, parseMemory},
		{"disk", c.Disk, &v.Capacity.DiskMB, parseDisk},
		{"max-image", c.MaxImage, &v.MaxImageMB, parseDisk},
		{"net-in", c.NetIn, &v.Capacity.NetInKbps, parseRate},
		{"net-out", c.NetOut, &v.Capacity.NetOutKbps, parseRate},
	} {
		if size.text == "" {
			continue
		}
		amount, err := size.read(size.text)
		if err != nil {
			return usagef("", "%s: --%s: %w", op, size.option, err)
		}
		*size.to = int(amount)
	}
	return nil
}

// wires reads what networks are on the host.
func (c *hostFlags) wires(op string, v *report.HostSpec) error {
	for _, n := range c.Net {
		association, target, found := strings.Cut(n, "=")
		if !found {
			return usagef("such as --net lan=network:default",
				"%s: --net: %q is not NAME=TARGET", op, clip(n))
		}
		wire := report.HostNetwork{Association: association, Target: target}
		i := slices.IndexFunc(v.Networks,
			func(n report.HostNetwork) bool { return n.Association == association })
		if i < 0 {
			v.Networks = append(v.Networks, wire)
		} else {
			v.Networks[i] = wire
		}
	}
	return nil
}

// logins reads how the host is logged on to, and known.
func (c *hostFlags) logins(v *report.HostSpec) {
	ssh, tls := report.HostSSH{}, report.HostTLS{}
	if v.SSH != nil {
		ssh = *v.SSH
	}
	if v.TLS != nil {
		tls = *v.TLS
	}
	override(map[*string]string{
		&ssh.Address: c.SSH, &ssh.User: c.SSHUser, &ssh.KeyFile: c.SSHKey,
		&ssh.PasswordFile: c.SSHPassword, &ssh.KnownHosts: c.SSHKnownHosts, &ssh.Peer: c.SSHPeer,
		&tls.CAFile: c.TLSCA, &tls.CertFile: c.TLSCert, &tls.KeyFile: c.TLSKey,
	})
	if ssh.Address != "" {
		v.SSH = &ssh
	}
	if tls != (report.HostTLS{}) {
		v.TLS = &tls
	}
}

// Run takes the host into the pool and shows it.
func (c *hostAddCmd) Run(ctx context.Context, a *app) error {
	spec, err := c.spec("cannot add the host "+clip(c.Name), c.Name)
	if err != nil {
		return err
	}
	if _, err := a.client.AddHost(ctx, spec); err != nil {
		return outOfReach(err)
	}
	a.keep()
	hosts, err := a.find(ctx, []string{c.Name})
	if err != nil {
		return err
	}
	return a.print(hostDetails{newHost(hosts[0])})
}

// outOfReach gives a host that does not answer the service its exit code.
func outOfReach(err error) error {
	var f *client.Fault
	if !errors.As(err, &f) || f.Kind != "unavailable" {
		return err
	}
	return failf(exitUnreachable, "`workspace host probe` with the same options says what stands "+
		"in the way; add the host when it answers", "%w", err)
}

// A findingView is what one check of a host found, as it is shown.
type findingView struct {
	Host    string `json:"host,omitempty"`
	Check   string `json:"check"`
	Verdict string `json:"verdict"`
	Text    string `json:"text"`
	Do      string `json:"do,omitempty"`
}

// findingsView are the findings of one test or several.
type findingsView []findingView

// names returns the checks that failed.
func (v findingsView) names() []string {
	var names []string
	for _, f := range v {
		if f.Verdict == "fail" {
			names = append(names, f.Check)
		}
	}
	return names
}

// write prints a line for each finding, and below it what would help.
func (v findingsView) write(w io.Writer, _ *printer) error {
	var b strings.Builder
	host := ""
	for _, f := range v {
		if f.Host != host {
			host = f.Host
			fmt.Fprintf(&b, "Host %s\n", host)
		}
		fmt.Fprintf(&b, "%-4s  %s: %s\n", f.Verdict, f.Check, f.Text)
		if f.Do != "" {
			fmt.Fprintf(&b, "      -> %s\n", f.Do)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Run has the service test hosts, and fails where one of the tests did.
func (c *hostProbeCmd) Run(ctx context.Context, a *app) error {
	described := c.URI != "" || c.File != ""
	if (len(c.Hosts) == 0) != described {
		return usagef("`workspace host list` shows the hosts of the pool",
			"cannot probe a host: say either its name, or --uri of one that is not in the pool")
	}
	view := findingsView{}
	see := func(host string, found []report.Finding) {
		a.keep()
		for _, f := range found {
			view = append(view, findingView{host, f.Check, f.Verdict, f.Text, f.Do})
		}
	}
	if described {
		spec, err := c.spec("cannot probe a host", "")
		if err != nil {
			return err
		}
		found, err := a.client.ProbeNewHost(ctx, spec)
		if err != nil {
			return err
		}
		see(spec.URI, found)
	}
	hosts, err := a.find(ctx, c.Hosts)
	if err != nil {
		return err
	}
	for _, h := range hosts {
		found, err := a.client.ProbeHost(ctx, h.EPR)
		if err != nil {
			return err
		}
		see(h.Key, found)
	}
	if err := a.print(view); err != nil {
		return err
	}
	if failed := view.names(); len(failed) > 0 {
		return failf(exitFailed, "", "not everything works: %s", strings.Join(failed, ", "))
	}
	return nil
}

// again is how long is waited between two attempts to remove a host.
const again = 2 * time.Second

// Run takes the hosts out of the pool.
func (c *hostRemoveCmd) Run(ctx context.Context, a *app) error {
	hosts, err := a.find(ctx, c.Hosts)
	if err != nil {
		return err
	}
	if c.Drain {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, a.timeout())
		defer cancel()
	}
	return each(a, hosts, func(h client.Host) error {
		if c.Drain {
			return a.removeDrained(ctx, h)
		}
		err := a.client.RemoveHost(ctx, h.EPR)
		if exitCode(err) == exitConflict && !configured(err) {
			return failf(exitConflict, "`workspace host remove --drain "+h.Key+"` waits until "+
				"nothing is on it", "%w", err)
		}
		return err
	})
}

// configured reports whether a host is refused to go since it stands in the
// configuration: waiting changes nothing then.
func configured(err error) bool { return strings.Contains(err.Error(), "stands in") }

// removeDrained drains a host and removes it as soon as nothing is on it.
func (a *app) removeDrained(ctx context.Context, h client.Host) error {
	mode := report.Mode{}
	if h.Mode != nil {
		mode = *h.Mode
	}
	mode.Drained = true
	if err := a.client.SetMode(ctx, h.EPR, mode); err != nil {
		return err
	}
	told := ""
	for {
		err := a.client.RemoveHost(ctx, h.EPR)
		if err == nil || exitCode(err) != exitConflict {
			return err
		}
		if configured(err) {
			return err
		}
		if why := err.Error(); why != told {
			told = why
			a.tell("waiting: %s", why)
		}
		select {
		case <-ctx.Done():
			return failf(exitTimeout, "it stays drained; `workspace host undrain "+h.Key+"` lets "+
				"it take leases again", "%w", err)
		case <-time.After(again):
		}
	}
}

// Run gives up what is on a host that is dead.
func (c *hostForgetCmd) Run(ctx context.Context, a *app) error {
	hosts, err := a.find(ctx, []string{c.Host})
	if err != nil {
		return err
	}
	if !c.Lost {
		return usagef("when it is dead for certain, say --lost; when it may come back, wait: its "+
			"workspaces are attached again", "cannot forget the host %q: what runs there would "+
			"run twice if it is not dead", c.Host)
	}
	err = a.confirm(ctx, fmt.Sprintf("give up every workspace on %s for good; if the host is not "+
		"dead, they run on while their addresses go to others", c.Host))
	if err != nil {
		return err
	}
	given, err := a.client.ForgetHost(ctx, hosts[0].EPR)
	if err != nil {
		return err
	}
	a.keep()
	slices.Sort(given)
	return a.print(givenView{Host: c.Host, Workspaces: orEmpty(given)})
}

// A givenView are the workspaces that were given up with a host.
type givenView struct {
	Host       string   `json:"host"`
	Workspaces []string `json:"workspaces"`
}

// names returns the keys of the workspaces.
func (v givenView) names() []string { return v.Workspaces }

// write says what was given up.
func (v givenView) write(w io.Writer, _ *printer) error {
	_, err := fmt.Fprintf(w, "%d workspaces of host %s are given up: %s\n", len(v.Workspaces),
		v.Host, strings.Join(v.Workspaces, " "))
	return err
}
