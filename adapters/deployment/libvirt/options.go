package libvirt

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"sync"

	"github.com/philoxenia/philoxenia/adapters/transport/login"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Accel says how machines run: for QEMU whether they may use the processor's
// virtualisation, for Xen as which of its kinds those run that have a kernel.
type Accel string

// The choices. The presence of /dev/kvm proves nothing, so AccelAuto boots a
// probe and believes only what that says on its serial line.
const (
	AccelAuto Accel = "auto"
	AccelKVM  Accel = "kvm"
	AccelTCG  Accel = "tcg" // emulation: slow, and works everywhere
	AccelPV   Accel = "pv"  // of Xen, and its AccelAuto: any processor, any kernel that knows Xen
	AccelPVH  Accel = "pvh" // of Xen: needs the processor's virtualisation, and Linux 4.11
)

// NetworkKind says what a Network names.
type NetworkKind string

// The kinds of network.
const (
	NetworkBridge  NetworkKind = "bridge"  // a bridge device of the host
	NetworkLibvirt NetworkKind = "network" // a libvirt network: addresses by its DHCP
)

// Network is what an association is on this host.
type Network struct {
	Kind NetworkKind
	Name string
}

// Options say which host, and how to use it.
type Options struct {
	Host workspace.HostID
	// URI as libvirt writes it: qemu+unix:///system?socket=/path,
	// xen+unix:///system, test+unix:///default?socket=/path; DRIVER+tls://host:port/NAME;
	// DRIVER+ssh://user@host:port/NAME?socket=/path; or DRIVER+tcp://host:port/NAME, which
	// is neither encrypted nor authenticated: for closed networks only.
	URI string
	// TLS is needed for tls alone, SSH for ssh: in it the files, and what the URI
	// leaves out.
	TLS TLS
	SSH login.Server
	// Access is the way to the host's files: those of memory and of consoles, disks that
	// are copied, and the probe for KVM. Close leaves it open.
	Access workspace.Access
	// Pool tells this installation's machines from another's on the same host;
	// any text that stays the same for ever. Two installations that share a host
	// must differ in it, or each takes the other's machines for its own.
	Pool string
	// Networks has an entry for each association that reaches the host.
	Networks map[string]Network
	Accel    Accel // empty: auto
	// ConsoleDir is a directory on the host in which each machine's serial
	// console is written to workspace-KEY.log. Empty: no file.
	ConsoleDir string
	// Headroom is how many times its memory and its processors a machine can grow
	// to while it runs, as far as the host has them. What it does not have yet costs
	// nothing but a guest without a balloon driver would use it. 0: 2; 1: no growth.
	Headroom int
	// Peer is the URI at which the libvirtd of other hosts reach this one, to hand
	// machines over: qemu+tls://HOST/system, for instance. Memory goes straight to
	// its HOST. Empty: URI, where that is not of a local socket.
	Peer   string
	Logger *slog.Logger // nil: none
}

// endpoint is a URI taken apart.
type endpoint struct {
	driver  string // qemu, xen, test
	network string // unix, tcp, tls, ssh
	address string
	user    string // of ssh, if the URI names one
	socket  string // of ssh, on the host, if the URI names one
	uri     string // as the daemon wants to hear it
}

// ports are the usual ones of the transports that go over networks.
var ports = map[string]string{"tcp": "16509", "tls": "16514", "ssh": "22"}

// parseURI reads the forms that Options.URI allows.
func parseURI(text string) (endpoint, error) {
	u, err := url.Parse(text)
	if err != nil {
		return endpoint{}, err
	}
	driver, network, _ := strings.Cut(u.Scheme, "+")
	at := endpoint{driver: driver, network: network, uri: driver + "://" + u.Path}
	port, remote := ports[network]
	switch {
	case driver != "qemu" && driver != "xen" && driver != "test":
		return at, fmt.Errorf("the driver is %q, not qemu, xen or test", driver)
	case network == "" || network == "unix":
		at.network, at.address = "unix", cmp.Or(u.Query().Get("socket"), remoteSocket)
	case remote && u.Hostname() != "":
		at.address = net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), port))
	default:
		return at, fmt.Errorf("the transport is %q, not unix, or tcp, tls or ssh with a host",
			network)
	}
	if network == "ssh" {
		at.user, at.socket = u.User.Username(), u.Query().Get("socket")
	}
	return at, nil
}

// Host is one libvirt host. Its methods may be called from any goroutine.
type Host struct {
	o      Options
	at     endpoint
	log    *slog.Logger
	link   *link
	hearer hub
	told   told
	// changed is when a machine's memory changed last, by ID.
	changed sync.Map
	// owned are the domains that were found to be ours, by UUID, so that a question
	// about all is one call. Whatever happens to one has it looked at again.
	owned sync.Map
	// keeping has the machines of which this adapter makes a snapshot, by ID.
	keeping sync.Map

	probing chan struct{} // a lock that a context can give up waiting for
	verdict Accel         // guarded by probing; empty: not yet known
}

var _ workspace.Deployment = (*Host)(nil)

// Open returns the adapter of a host. The error has kind Invalid and speaks of
// the options: a host that is out of reach is no error here, its calls fail as
// Unavailable until it comes back. ctx bounds the first attempt to connect.
func Open(ctx context.Context, o Options) (*Host, error) {
	at, err := parseURI(o.URI)
	if err == nil {
		err = o.check()
	}
	var dial dialer
	if err == nil {
		dial, err = o.dialerOf(at)
	}
	if err != nil {
		return nil, &workspace.Error{Op: "open the host", Kind: workspace.Invalid,
			ID: string(o.Host), Err: err}
	}
	h := &Host{o: o, at: at, log: o.Logger, probing: make(chan struct{}, 1)}
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	h.log = h.log.With("host", string(o.Host))
	h.link = newLink(at, dial, h.log, h.hear)
	if _, err := h.link.session(ctx); err != nil {
		h.log.Warn("host is out of reach", "error", err)
	}
	return h, nil
}

// check refuses options that cannot work.
func (o *Options) check() error {
	switch o.Accel {
	case "":
		o.Accel = AccelAuto
	case AccelAuto, AccelKVM, AccelTCG, AccelPV, AccelPVH:
	default:
		return fmt.Errorf("accel is %q, not auto, kvm, tcg, pv or pvh", o.Accel)
	}
	if o.Access == nil {
		return errors.New("access is missing: nothing says where the host's files are")
	}
	if o.Headroom < 0 {
		return fmt.Errorf("headroom is %d, which leaves nothing", o.Headroom)
	}
	for name, n := range o.Networks {
		if n.Name == "" || (n.Kind != NetworkBridge && n.Kind != NetworkLibvirt) {
			return fmt.Errorf("association %q: kind %q with name %q is not a network",
				name, n.Kind, n.Name)
		}
	}
	return nil
}

// Close ends the connection and waits for what was under way. The machines go on.
func (h *Host) Close() error {
	h.link.close()
	return nil
}
