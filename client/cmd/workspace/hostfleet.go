package main

import (
	"context"
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
	URI          string   `name:"uri" placeholder:"URI" help:"How the service reaches it: qemu:///system, qemu+tls://HOST/system, xen+ssh://USER@HOST/system; or sim: for a simulated one."`
	VMM          string   `name:"vmm" placeholder:"KIND" help:"KVM or Xen; KVM without it."`
	Acceleration string   `placeholder:"HOW" help:"auto, kvm or tcg; auto without it."`
	Dir          string   `placeholder:"PATH" help:"Directory of disks on the host."`
	CPUs         int      `name:"cpus" placeholder:"N" help:"CPUs that leases may have; all, as the host says, without it."`
	Memory       string   `placeholder:"SIZE" help:"Memory that leases may have; all, as the host says, without it."`
	Disk         string   `placeholder:"SIZE" help:"Disk space that leases may have; not counted without it."`
	MaxImage     string   `placeholder:"SIZE" help:"Refuse larger images."`
	Association  []string `placeholder:"NAME" help:"Network that reaches it; all without it. May be repeated."`
	Net          []string `placeholder:"NAME=TARGET" help:"What a network is there: lan=network:default or lan=bridge:br0. May be repeated."`

	SSH           string `name:"ssh" placeholder:"HOST:PORT" help:"Where the service logs on to it for its files; without it they are the service's own machine's."`
	SSHUser       string `name:"ssh-user" placeholder:"USER" help:"As whom it logs on."`
	SSHKey        string `name:"ssh-key" placeholder:"FILE" help:"Private key, in the service's directory of credentials."`
	SSHPassword   string `name:"ssh-password-file" placeholder:"FILE" help:"File with the password, there, instead of a key."`
	SSHKnownHosts string `name:"ssh-known-hosts" placeholder:"FILE" help:"File with the host's key, there."`
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

// spec reads the options.
func (c *hostFlags) spec(op, name string) (v report.HostSpec, err error) {
	v = report.HostSpec{
		Name: name, URI: c.URI, VMM: c.VMM, Acceleration: c.Acceleration, Directory: c.Dir,
		Associations: c.Association, Capacity: report.Capacity{CPUs: c.CPUs},
	}
	if c.URI == "" {
		return v, usagef("such as --uri qemu+tls://node7.example.org/system",
			"%s: nobody says how it is reached, with --uri", op)
	}
	for option, size := range map[string]struct {
		text string
		to   *int
		read func(string) (int64, error)
	}{
		"memory":    {c.Memory, &v.Capacity.MemoryMB, parseMemory},
		"disk":      {c.Disk, &v.Capacity.DiskMB, parseDisk},
		"max-image": {c.MaxImage, &v.MaxImageMB, parseDisk},
	} {
		if size.text == "" {
			continue
		}
		amount, err := size.read(size.text)
		if err != nil {
			return v, usagef("", "%s: --%s: %w", op, option, err)
		}
		*size.to = int(amount)
	}
	for _, n := range c.Net {
		association, target, found := strings.Cut(n, "=")
		if !found {
			return v, usagef("such as --net lan=network:default",
				"%s: --net: %q is not NAME=TARGET", op, clip(n))
		}
		v.Networks = append(v.Networks,
			report.HostNetwork{Association: association, Target: target})
	}
	if c.SSH != "" {
		v.SSH = &report.HostSSH{Address: c.SSH, User: c.SSHUser, KeyFile: c.SSHKey,
			PasswordFile: c.SSHPassword, KnownHosts: c.SSHKnownHosts}
	}
	if tls := (report.HostTLS{CAFile: c.TLSCA, CertFile: c.TLSCert, KeyFile: c.TLSKey}); tls !=
		(report.HostTLS{}) {
		v.TLS = &tls
	}
	return v, nil
}

// Run takes the host into the pool and shows it.
func (c *hostAddCmd) Run(ctx context.Context, a *app) error {
	spec, err := c.spec("cannot add the host "+clip(c.Name), c.Name)
	if err != nil {
		return err
	}
	if _, err := a.client.AddHost(ctx, spec); err != nil {
		return err
	}
	a.keep()
	hosts, err := a.find(ctx, []string{c.Name})
	if err != nil {
		return err
	}
	return a.print(hostDetails{newHost(hosts[0])})
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
	if (len(c.Hosts) == 0) == (c.URI == "") {
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
	if c.URI != "" {
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
