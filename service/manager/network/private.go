package network

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"slices"
	"strconv"
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

// bridges are those of the workspace, with the largest packets that pass there.
func (ns *Networks) bridges(n *host.Node, w *workspace.Workspace) (all []string, mtus []int) {
	for _, nic := range w.NICs {
		if ns.private(n, nic) {
			all, mtus = append(all, ns.bridge(w, nic.Association)), append(mtus, nic.MTU)
		}
	}
	return all, mtus
}

// away reports whether the host was not reached: that is no word of what it can do.
func away(err error) bool {
	kind := workspace.KindOf(err)
	return err != nil && (kind == workspace.Unavailable || kind == workspace.Transient)
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
	all, mtus := ns.bridges(n, w)
	for i, name := range all {
		if !has(ctx, n, name) {
			err := ip(ctx, n, "link", "add", name, "type", "bridge", "forward_delay", "0")
			if away(err) {
				return err
			}
			if err != nil {
				return workspace.Errorf(workspace.Conflict, opPrivate, w.ID.String(),
					"host %s cannot make bridge %s: %w", n.ID, name, err)
			}
		}
		args := []string{"link", "set", name}
		if mtus[i] > 0 {
			args = append(args, "mtu", strconv.Itoa(mtus[i]))
		}
		// The host itself has no address there.
		if err := ip(ctx, n, append(args, "addrgenmode", "none", "up")...); err != nil {
			return err
		}
	}
	return nil
}

// removeBridges removes the workspace's private networks from the host, those that
// nobody else of its group has there.
func (ns *Networks) removeBridges(
	ctx context.Context, n *host.Node, w *workspace.Workspace,
) error {
	all, _ := ns.bridges(n, w)
	if len(all) == 0 {
		return nil
	}
	shared, err := ns.shared(ctx, n, w)
	if err != nil {
		return err
	}
	return ns.dropBridges(ctx, n, slices.DeleteFunc(all, func(b string) bool {
		return shared[b]
	}))
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
		if others(said.String(), deviceOf(name)) {
			continue // other nodes of the group
		}
		if err := ip(ctx, n, "link", "del", name); err != nil && has(ctx, n, name) {
			return err
		}
	}
	return nil
}

// others reports whether a list of devices has any but the one.
func others(said, device string) bool {
	for line := range strings.Lines(said) {
		words := strings.SplitN(line, ": ", 3) // NUMBER: NAME: ...
		if len(words) == 3 && words[1] != device {
			return true
		}
	}
	return false
}
