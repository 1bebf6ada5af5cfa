package network

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"strings"

	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/workspace"
)

const opPrivate = "make the private network of workspace"

// private reports whether a NIC is on a network of its workspace's group alone.
func (ns *Networks) private(n *host.Node, nic workspace.NIC) bool {
	return n.Access != nil && !n.Inert && ns.rules[nic.Association].Private
}

// bridgeLength is as many characters as a device's name may have.
const bridgeLength = 15

// bridge names the private network of a workspace's group, or of the workspace
// when it is alone: the same for ever, and never that of another.
func (ns *Networks) bridge(w *workspace.Workspace, association string) string {
	whose := string(w.Group)
	if whose == "" {
		whose = w.ID.String()
	}
	sum := sha256.Sum256([]byte(association + " " + whose))
	name := "b" + ns.mark + strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))
	return name[:bridgeLength]
}

// bridges are those of the workspace.
func (ns *Networks) bridges(n *host.Node, w *workspace.Workspace) []string {
	var all []string
	for _, nic := range w.NICs {
		if ns.private(n, nic) {
			all = append(all, ns.bridge(w, nic.Association))
		}
	}
	return all
}

// ip has the host's ip do something.
func ip(ctx context.Context, n *host.Node, args ...string) error {
	return n.Access.Run(ctx, workspace.Command{Args: append([]string{"ip"}, args...)})
}

// has reports whether the host has the device.
func has(ctx context.Context, n *host.Node, device string) bool {
	return ip(ctx, n, "link", "show", "dev", device) == nil
}

// makeBridges makes the workspace's private networks, where they are not there.
func (ns *Networks) makeBridges(
	ctx context.Context, n *host.Node, w *workspace.Workspace,
) error {
	mine := ns.writer(n.ID)
	mine.Lock()
	defer mine.Unlock()
	for _, name := range ns.bridges(n, w) {
		if !has(ctx, n, name) {
			err := ip(ctx, n, "link", "add", name, "type", "bridge", "forward_delay", "0")
			if err != nil {
				return workspace.Errorf(workspace.Conflict, opPrivate, w.ID.String(),
					"host %s cannot make bridge %s: %w", n.ID, name, err)
			}
		}
		// The host itself has no address there.
		if err := ip(ctx, n, "link", "set", name, "addrgenmode", "none", "up"); err != nil {
			return err
		}
	}
	return nil
}

// removeBridges removes the workspace's private networks, those that nobody is
// plugged into any more.
func (ns *Networks) removeBridges(
	ctx context.Context, n *host.Node, w *workspace.Workspace,
) error {
	return ns.dropBridges(ctx, n, ns.bridges(n, w))
}

// dropBridges removes those of the bridges that nobody is plugged into.
func (ns *Networks) dropBridges(ctx context.Context, n *host.Node, names []string) error {
	mine := ns.writer(n.ID)
	mine.Lock()
	defer mine.Unlock()
	for _, name := range names {
		if !has(ctx, n, name) {
			continue
		}
		var said strings.Builder
		err := n.Access.Run(ctx, workspace.Command{Stdout: &said,
			Args: []string{"ip", "-o", "link", "show", "master", name}})
		if err != nil {
			return err
		}
		if strings.TrimSpace(said.String()) != "" {
			continue // other nodes of the group
		}
		if err := ip(ctx, n, "link", "del", name); err != nil && has(ctx, n, name) {
			return err
		}
	}
	return nil
}
