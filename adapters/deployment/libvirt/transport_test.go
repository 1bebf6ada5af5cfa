package libvirt_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/philoxenia/philoxenia/adapters/deployment/deploymenttest"
	"github.com/philoxenia/philoxenia/adapters/deployment/libvirt"
	"github.com/philoxenia/philoxenia/adapters/deployment/libvirt/libvirtdtest"
	"github.com/philoxenia/philoxenia/adapters/transport/login"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// over are the options for one of a host's drivers over one of the transports.
func over(h *libvirtdtest.LabHost, transport, driver string) libvirt.Options {
	return libvirt.Options{
		URI:      h.URIOver(transport, driver),
		TLS:      libvirt.TLS(h.TLS),
		SSH:      login.Server{KeyFile: h.SSH.KeyFile, KnownHostsFile: h.SSH.KnownHosts},
		Networks: map[string]libvirt.Network{"public": {Kind: libvirt.NetworkBridge, Name: "br0"}},
	}
}

// TestConformanceOverEveryTransport runs the suite with each transport against
// the test driver, which is as quick as the transport lets it be.
func TestConformanceOverEveryTransport(t *testing.T) {
	host := libvirtdtest.StartLab(t, 1).Hosts[0]
	host.Hold()
	for _, transport := range []string{"tcp", "tls", "ssh"} { // unix has a test of its own
		options := over(host, transport, "test")
		t.Run(transport, func(t *testing.T) {
			deploymenttest.Exercise(t, func(t *testing.T) deploymenttest.Rig {
				return deploymenttest.Rig{
					Host:     open(t, options),
					Machine:  paper,
					Reopen:   func(t *testing.T) workspace.Deployment { return open(t, options) },
					Graceful: 10 * time.Second,
					Bounded:  true,
					Walk:     60,
					PowerOff: func(t *testing.T, id workspace.ID) {
						host.VirshTest("shutdown", "workspace-"+id.String())
					},
				}
			})
		})
	}
}

// stranger is a connection of which one side is not who it should be.
type stranger struct {
	transport string
	spoil     func(*libvirt.Options)
	says      []string // of the refusal; none: the host is out of reach instead
}

// at has the URI name another place.
func at(host *libvirtdtest.LabHost, place string) func(*libvirt.Options) {
	return func(o *libvirt.Options) { o.URI = strings.Replace(o.URI, host.Address, place, 1) }
}

// strangers are connections to the host that must not come about. Files of others
// are made in dir.
func strangers(t *testing.T, lab *libvirtdtest.Lab, dir string) map[string]stranger {
	host := lab.Hosts[0]
	file := func(name string) string { return filepath.Join(dir, name) }
	strange := libvirtdtest.NewCA(t, file("ca.pem"))
	strange.Issue(file("cert.pem"), file("key.pem"), "stranger")
	libvirtdtest.OtherKey(t, file("id"))
	write(t, file("changed"), host.Address+" "+libvirtdtest.OtherKey(t, file("host"))+"\n")
	write(t, file("empty"), "")
	relay := libvirtdtest.RelayTo(t, lab.Gateway, host.Address+":16514")
	return map[string]stranger{
		"another authority": {"tls", func(o *libvirt.Options) { o.TLS.CAFile = file("ca.pem") },
			[]string{"not to be trusted", "ca_file", file("ca.pem")}},
		"another host by its certificate": {"tls", at(host, relay.Address()),
			[]string{"another host by its certificate", lab.Gateway, host.Address}},
		"a strange client": {"tls", func(o *libvirt.Options) {
			o.TLS.CertFile, o.TLS.KeyFile = file("cert.pem"), file("key.pem")
		}, []string{"does not let us in", file("cert.pem")}},
		"no certificate": {"tls", func(o *libvirt.Options) { o.TLS.CertFile = file("none") },
			[]string{"cert_file", file("none")}},
		"changed host key": {"ssh", func(o *libvirt.Options) {
			o.SSH.KnownHostsFile = file("changed")
		}, []string{"changed", "ask its administrator"}},
		"unknown host key": {"ssh", func(o *libvirt.Options) {
			o.SSH.KnownHostsFile = file("empty")
		}, []string{"unknown", "add the line"}},
		"wrong key": {"ssh", func(o *libvirt.Options) { o.SSH.KeyFile = file("id") },
			[]string{"does not let \"root\" in"}},
		"wrong user": {"ssh", func(o *libvirt.Options) {
			o.URI = strings.Replace(o.URI, "root@", "nobody@", 1)
		}, []string{"does not let \"nobody\" in"}},
		"nobody there":          {"tls", at(host, lab.Gateway), nil},
		"nobody there over ssh": {"ssh", at(host, lab.Gateway+":1"), nil},
		"no libvirtd there": {"ssh", func(o *libvirt.Options) { o.URI += "?socket=/nowhere" },
			nil},
	}
}

// TestStrangersAreDenied has each side of a connection not be who it should be.
// The kind is Denied, and the text says whose file is to be looked at.
func TestStrangersAreDenied(t *testing.T) {
	lab := libvirtdtest.StartLab(t, 1)
	for name, c := range strangers(t, lab, t.TempDir()) {
		t.Run(name, func(t *testing.T) {
			options := over(lab.Hosts[0], c.transport, "test")
			c.spoil(&options)
			h := open(t, options)
			defer func() { must(t, h.Close()) }()
			_, err := h.List(t.Context())
			want := workspace.Denied
			if c.says == nil {
				want = workspace.Unavailable
			}
			isKind(t, "list", err, want)
			for _, words := range c.says {
				if err == nil || !strings.Contains(err.Error(), words) {
					t.Errorf("%q does not say %q", err, words)
				}
			}
		})
	}
}

// TestHostThatForwardsNothing reaches libvirtd by a program of the host where sshd
// does not let us reach for its socket.
func TestHostThatForwardsNothing(t *testing.T) {
	host := libvirtdtest.StartLab(t, 1).Hosts[0]
	bare := host.Address + ":" + libvirtdtest.BarePort
	known, err := os.ReadFile(host.SSH.KnownHosts)
	must(t, err)
	options := over(host, "ssh", "qemu")
	options.URI = strings.Replace(options.URI, host.Address, bare, 1)
	options.SSH.KnownHostsFile = filepath.Join(t.TempDir(), "known")
	write(t, options.SSH.KnownHostsFile, strings.Replace(string(known), host.Address,
		knownhosts.Normalize(bare), 1))
	h := open(t, options)
	defer func() { must(t, h.Close()) }()
	if has, err := h.Capacity(t.Context()); err != nil || has.CPUs == 0 {
		t.Errorf("got %+v, %v", has, err)
	}
}

// TestGuestOfARemoteHost leads a real guest through its life over TLS, on a host
// that is probed for KVM like any other.
func TestGuestOfARemoteHost(t *testing.T) {
	host := libvirtdtest.StartLab(t, 1).Hosts[0]
	f := newFarmOn(t, host.Daemon)
	f.options.URI, f.options.TLS = host.URIOver("tls", "qemu"), libvirt.TLS(host.TLS)
	f.options.Accel = libvirt.AccelAuto
	h := open(t, f.options)
	defer func() { must(t, h.Close()) }()
	says := f.console(1)
	must(t, h.Define(t.Context(), f.machine(t, 1)))
	must(t, h.Start(t.Context(), 1, false))
	before := uptime(t, says.Await(t, "alive"))
	must(t, h.Stop(t.Context(), 1, workspace.StopSerialize))
	is(t, h, 1, workspace.ConditionSaved)
	must(t, h.Start(t.Context(), 1, false))
	if after := uptime(t, says.Await(t, "alive")); after < before {
		t.Errorf("the guest was up %v s, and after its restoration %v s", before, after)
	}
	must(t, h.Undefine(t.Context(), 1))
	f.nothingRemains(t)
	for _, pattern := range []string{"console/*", "images/*memory*"} {
		if left, _ := filepath.Glob(filepath.Join(f.Dir, pattern)); len(left) > 0 {
			t.Errorf("there remain %q", left)
		}
	}
}
