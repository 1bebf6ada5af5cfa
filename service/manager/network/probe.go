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

// Probe asks the wire, before a machine is made, whether somebody has one of its
// addresses already (RFC 5227, section 2.1.1). Such an address goes on hold with
// the reason and the workspace gets another: the error is a *change.Retry then.
// An address that the request brought is a Conflict. Where the host has no
// arping, or its end of the wire is not known, nothing is asked.
func (ns *Networks) Probe(ctx context.Context, n *host.Node, w *workspace.Workspace) error {
	for i, nic := range w.NICs {
		bridge, ok := ns.wire(n, nic)
		if !ok {
			continue
		}
		mac := ns.probe(ctx, n, bridge, nic.IP)
		if mac == "" || strings.EqualFold(mac, nic.MAC) {
			continue
		}
		comment := fmt.Sprintf("in use on the wire by %s, heard on host %s at %s",
			strings.ToUpper(mac), n.ID, time.Now().UTC().Format(time.RFC3339))
		ns.log.Warn("address is in use on the wire", "address", nic.IP, "host", n.ID,
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
