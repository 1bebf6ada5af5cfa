package network

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base32"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"

	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Rule is what the site wants of an association's links.
type Rule struct {
	Guard bool // guests are held to their addresses
	// Private: each group has a network of its own, on its host or between its hosts.
	Private bool
	Probe   bool // an address is not leased that somebody on the wire has
}

// Options are what Networks is made of.
type Options struct {
	// Installation tells this installation's devices from another's on the same
	// host; any text that stays the same for ever.
	Installation string
	Rules        map[string]Rule // by association
	Replace      Replacer        // needed where a rule says Probe
	// Store is the record of who is where, and Pool the hosts, for private networks that
	// span hosts; without them these are on one host.
	Store  workspace.Reader
	Pool   *host.Pool
	Port   int          // of UDP, at which hosts hear each other; 0: 4789
	Logger *slog.Logger // nil: nothing is logged
}

// Networks connects guests. It is safe for concurrent use.
type Networks struct {
	rules   map[string]Rule
	mark    string
	replace Replacer
	store   workspace.Reader
	pool    *host.Pool
	port    int
	log     *slog.Logger

	mu    sync.Mutex
	hosts map[workspace.HostID]*sync.Mutex // one writer of rules a host
}

// New returns Networks over the options.
func New(o Options) *Networks {
	sum := sha256.Sum256([]byte(o.Installation))
	mark := strings.ToLower(base32.StdEncoding.EncodeToString(sum[:])[:markLength])
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Networks{rules: o.Rules, mark: mark, log: o.Logger, replace: o.Replace,
		store: o.Store, pool: o.Pool, port: cmp.Or(o.Port, vxlanPort),
		hosts: map[workspace.HostID]*sync.Mutex{}}
}

// A Replacer puts the address of a workspace's i-th NIC on hold, with the comment,
// and gives it another.
type Replacer func(ctx context.Context, id workspace.ID, i int, comment string) error

// markLength is how much of the installation's digest goes into names: a device
// has 15 characters in all.
const markLength = 4

// prefix begins the name of each guarded device.
func (ns *Networks) prefix() string { return "w" + ns.mark }

// table is the name of the installation's rules.
func (ns *Networks) table() string { return "philoxenia_" + ns.mark }

// device names the host's end of a workspace's i-th link: the same for ever.
func (ns *Networks) device(id workspace.ID, i int) string {
	return ns.prefix() + strconv.FormatInt(int64(id), 36) + "-" + strconv.Itoa(i)
}

// NICs returns the workspace's NICs as its machine has them on the host.
func (ns *Networks) NICs(n *host.Node, w *workspace.Workspace) []workspace.NIC {
	nics := make([]workspace.NIC, len(w.NICs))
	for i, nic := range w.NICs {
		if ns.guards(n, nic) {
			nic.Device = ns.device(w.ID, i)
		}
		if ns.private(n, nic) {
			nic.Bridge = ns.bridge(w, nic.Association)
		}
		nics[i] = nic
	}
	return nics
}

// guards reports whether a NIC is held to its addresses on the host.
func (ns *Networks) guards(n *host.Node, nic workspace.NIC) bool {
	return n.Access != nil && !n.Inert && ns.rules[nic.Association].Guard
}

// Connect readies the host for the workspace's links. It is called before each
// start, since the host may have forgotten what it was told.
func (ns *Networks) Connect(ctx context.Context, n *host.Node, w *workspace.Workspace) error {
	if err := ns.makeBridges(ctx, n, w); err != nil {
		return err
	}
	if err := ns.join(ctx, n, w); err != nil {
		return err
	}
	text := ""
	for i, nic := range w.NICs {
		if !ns.guards(n, nic) {
			continue
		}
		p, err := portOf(ns.device(w.ID, i), nic)
		if err != nil {
			return workspace.Errorf(workspace.Internal, opGuard, w.ID.String(), "%w", err)
		}
		text += admit(ns.table(), p)
	}
	if text == "" {
		return nil
	}
	err := ns.write(ctx, n, header(ns.table(), ns.prefix())+text)
	switch {
	case err == nil:
		return nil
	case workspace.KindOf(err) == workspace.NotFound:
		return workspace.Errorf(workspace.Conflict, opGuard, w.ID.String(),
			"host %s has no nft, by which its network is guarded: install nftables there, or set "+
				"guard = false for the network", n.ID)
	case workspace.KindOf(err) == workspace.Internal:
		return workspace.Errorf(workspace.Conflict, opGuard, w.ID.String(),
			"nft on host %s refused its rules: %w; who runs it needs CAP_NET_ADMIN", n.ID, err)
	}
	return err
}

const opGuard = "guard the network of workspace"

// Disconnect removes what Connect made: a private bridge with the last of its
// group on the host. Other hosts of the group are told. What a host refused is Transient:
// it is to be tried again until it is removed, since nothing else would remove it.
func (ns *Networks) Disconnect(ctx context.Context, n *host.Node, w *workspace.Workspace) error {
	err := ns.removeBridges(ctx, n, w)
	if err == nil {
		err = ns.part(ctx, n, w)
	}
	if err == nil {
		err = ns.unguard(ctx, n, w)
	}
	if err == nil || away(err) {
		return err
	}
	return &workspace.Error{Op: opRemove, Kind: workspace.Transient, ID: w.ID.String(), Err: err}
}

const opRemove = "remove the network of workspace"

// unguard removes the rules of the workspace's links.
func (ns *Networks) unguard(ctx context.Context, n *host.Node, w *workspace.Workspace) error {
	text := ""
	for i, nic := range w.NICs {
		if n.Access != nil && !n.Inert && ns.rules[nic.Association].Guard {
			text += dismiss(ns.table(), ns.device(w.ID, i))
		}
	}
	if text == "" {
		return nil
	}
	err := ns.write(ctx, n, header(ns.table(), ns.prefix())+text)
	if err == nil {
		err = ns.tidy(ctx, n)
	}
	if workspace.KindOf(err) == workspace.NotFound {
		return nil // there never were rules
	}
	return err
}

// portOf is a NIC as the guard sees it.
func portOf(device string, nic workspace.NIC) (port, error) {
	mac, err := net.ParseMAC(nic.MAC)
	if err != nil {
		return port{}, err
	}
	p := port{device: device, mac: mac, loose: nic.Method == workspace.Advisory}
	for _, text := range []string{nic.IP, nic.IP6} {
		if text == "" {
			continue
		}
		ip, err := netip.ParseAddr(text)
		if err != nil {
			return port{}, err
		}
		p.ips = append(p.ips, ip)
	}
	return p, nil
}

// write has the host's kernel take rules, all or none.
func (ns *Networks) write(ctx context.Context, n *host.Node, text string) error {
	mine := ns.writer(n.ID)
	mine.Lock()
	defer mine.Unlock()
	return n.Access.Run(ctx, workspace.Command{
		Args: []string{"nft", "-f", "-"}, Stdin: strings.NewReader(text),
	})
}

// tidy removes the table when no device is left in it.
func (ns *Networks) tidy(ctx context.Context, n *host.Node) error {
	mine := ns.writer(n.ID)
	mine.Lock()
	defer mine.Unlock()
	var told bytes.Buffer
	err := n.Access.Run(ctx, workspace.Command{
		Args: []string{"nft", "list", "map", "bridge", ns.table(), "ports"}, Stdout: &told,
	})
	if absent(err) {
		return nil // who disconnected at the same time was first
	}
	if err != nil {
		return err
	}
	if strings.Contains(told.String(), "elements") {
		return nil
	}
	return n.Access.Run(ctx, workspace.Command{
		Args: []string{"nft", "delete", "table", "bridge", ns.table()},
	})
}

// absent reports whether nft or what it was asked about is not there.
func absent(err error) bool {
	return err != nil && (workspace.KindOf(err) == workspace.NotFound ||
		strings.Contains(err.Error(), "No such file"))
}

// writer returns the lock of a host's rules.
func (ns *Networks) writer(id workspace.HostID) *sync.Mutex {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	if ns.hosts[id] == nil {
		ns.hosts[id] = new(sync.Mutex)
	}
	return ns.hosts[id]
}
