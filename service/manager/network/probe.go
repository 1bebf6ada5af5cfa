package network

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/philoxenia/philoxenia/service/change"
	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/workspace"
)

const opProbe = "probe the addresses of workspace"

// answered is what arping says of who has an address.
var answered = regexp.MustCompile(`(?i)reply from \S+ \[([0-9a-f:]{17})\]`)

// answered6 is what ip says of who has an address that the host has asked about.
var answered6 = regexp.MustCompile(`(?i)lladdr ([0-9a-f:]{17}) `)

// Probe asks the wire, before a machine is made, whether somebody has one of its
// addresses already (RFC 5227, section 2.1.1; of IPv6 by RFC 4861, section 7.2). Such an
// address goes on hold with the reason and the workspace gets another: the error is a
// *change.Retry then. An address that the request brought is a Conflict. Where the
// host has no arping, or its end of the wire is not known, nothing is asked.
func (ns *Networks) Probe(ctx context.Context, n *host.Node, w *workspace.Workspace) error {
	for i, nic := range w.NICs {
		bridge, ok := ns.wire(n, nic)
		if !ok {
			continue
		}
		address, mac := ns.holder(ctx, n, bridge, nic)
		if mac == "" {
			continue
		}
		as := ""
		if address != nic.IP {
			as = " as " + address
		}
		comment := fmt.Sprintf("in use on the wire%s by %s, heard on host %s at %s", as,
			strings.ToUpper(mac), n.ID, time.Now().UTC().Format(time.RFC3339))
		ns.log.Warn("address is in use on the wire", "address", address, "host", n.ID,
			"workspace", w.ID, "reason", comment)
		if nic.Method != workspace.AllocateAndConfigure {
			return workspace.Errorf(workspace.Conflict, opProbe, w.ID.String(), "%s is %s",
				nic.IP, comment)
		}
		if err := ns.replace(ctx, w.ID, i, comment); err != nil {
			return err
		}
		return &change.Retry{After: time.Millisecond, Reason: nic.IP + " is " + comment}
	}
	return nil
}

// holder returns which of the NIC's addresses another has on the bridge, and that one's
// MAC; empty: nobody.
func (ns *Networks) holder(
	ctx context.Context, n *host.Node, bridge string, nic workspace.NIC,
) (address, mac string) {
	ns.solicit(ctx, n, bridge, nic.IP6)
	asked := time.NewTimer(time.Second) // an answer to the first question has come by then
	defer asked.Stop()
	if mac = ns.probe(ctx, n, bridge, nic.IP); mac != "" && !strings.EqualFold(mac, nic.MAC) {
		address = nic.IP
	}
	if nic.IP6 != "" {
		select {
		case <-asked.C:
		case <-ctx.Done():
		}
	}
	if six := ns.solicited(ctx, n, bridge, nic.IP6); address == "" && six != "" &&
		!strings.EqualFold(six, nic.MAC) {
		return nic.IP6, six
	}
	if address == "" {
		return "", ""
	}
	return address, mac
}

// solicit has the host's kernel find out who has an IPv6 address on the bridge, as if
// it were to send something there. It asks from the bridge's link-local address.
func (ns *Networks) solicit(ctx context.Context, n *host.Node, bridge, address string) {
	if address == "" {
		return
	}
	// What it knew before may be of who had the address then.
	_ = ip(ctx, n, "-6", "neigh", "del", address, "dev", bridge)
	if err := ip(ctx, n, "-6", "neigh", "replace", address, "dev", bridge, "use"); err != nil {
		ns.log.Info("address cannot be probed", "address", address, "host", n.ID, "error", err)
	}
}

// solicited returns the MAC of who answered; empty: nobody.
func (ns *Networks) solicited(ctx context.Context, n *host.Node, bridge, address string) string {
	if address == "" {
		return ""
	}
	said, err := ask(ctx, n, "ip", "-6", "neigh", "show", "to", address, "dev", bridge)
	_ = ip(ctx, n, "-6", "neigh", "del", address, "dev", bridge)
	if found := answered6.FindStringSubmatch(said); err == nil && found != nil {
		return found[1]
	}
	return ""
}

// probe returns the MAC of who has the address on the bridge; empty: nobody, as
// far as can be told.
func (ns *Networks) probe(ctx context.Context, n *host.Node, bridge, ip string) string {
	var said bytes.Buffer
	err := n.Access.Run(ctx, workspace.Command{Stdout: &said,
		Args: []string{"arping", "-D", "-c", "2", "-w", "2", "-I", bridge, ip}})
	if found := answered.FindSubmatch(said.Bytes()); found != nil {
		return string(found[1])
	}
	if err != nil {
		ns.log.Info("address cannot be probed", "address", ip, "host", n.ID, "error", err)
	}
	return ""
}

// Probes reports whether any of the workspace's addresses can be asked about.
func (ns *Networks) Probes(n *host.Node, w *workspace.Workspace) bool {
	return slices.ContainsFunc(w.NICs, func(nic workspace.NIC) bool {
		_, ok := ns.wire(n, nic)
		return ok
	})
}

// wire returns the bridge on which the NIC's address can be asked about; false: there
// is none, or nobody is to ask.
func (ns *Networks) wire(n *host.Node, nic workspace.NIC) (bridge string, ok bool) {
	bridge, ok = strings.CutPrefix(n.Networks[nic.Association], "bridge:")
	return bridge, ok && ns.rules[nic.Association].Probe && nic.IP != "" && n.Access != nil
}
