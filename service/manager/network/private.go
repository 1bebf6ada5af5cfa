package network

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
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

// has reports whether the host has the device. A host without ip has none of ours; that it
// could not be asked, or did not say, is an error and no answer.
func has(ctx context.Context, n *host.Node, device string) (bool, error) {
	err := ip(ctx, n, "link", "show", "dev", device)
	if missing(err) || workspace.KindOf(err) == workspace.NotFound {
		return false, nil
	}
	return err == nil, err
}

// missing reports whether ip says that the device it was asked about is not there.
func missing(err error) bool {
	return err != nil && slices.ContainsFunc([]string{"does not exist", "Cannot find device",
		"No such device"}, func(word string) bool { return strings.Contains(err.Error(), word) })
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
		there, err := has(ctx, n, name)
		if err != nil {
			return err
		}
		if !there {
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

// dropBridges removes those of the bridges that nobody is plugged into. One that cannot be
// removed keeps none of the others.
func (ns *Networks) dropBridges(ctx context.Context, n *host.Node, names []string) error {
	mine := ns.writer(n.ID)
	mine.Lock()
	defer mine.Unlock()
	var failed error
	for _, name := range names {
		failed = errors.Join(failed, dropBridge(ctx, n, name))
	}
	return failed
}

// dropBridge removes a bridge unless other nodes of its group are plugged into it.
func dropBridge(ctx context.Context, n *host.Node, name string) error {
	if there, err := has(ctx, n, name); err != nil || !there {
		return err
	}
	said, err := ask(ctx, n, "ip", "-o", "link", "show", "master", name)
	if err == nil && !others(said, deviceOf(name)) {
		err = ip(ctx, n, "link", "del", name)
	}
	if missing(err) {
		return nil // somebody was faster
	}
	return err
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
