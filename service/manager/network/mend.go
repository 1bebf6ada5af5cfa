package network

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Mend makes a host's rules and private bridges agree with the record: who is in
// memory there gets back what somebody flushed, and of who is gone from the host
// nothing remains, whoever was killed before it was removed; the hosts of a group know
// each other. Nothing but ours, by name and mark, is touched. It asks the host two
// questions, six where private networks span hosts, and where all is well changes
// nothing.
//
// The host is asked before the record: what has no record by then was left behind,
// since each workspace is recorded before anything is made for it.
func (ns *Networks) Mend(
	ctx context.Context, n *host.Node, store workspace.Reader,
	there map[workspace.ID]workspace.Condition,
) error {
	if n.Access == nil || n.Inert || !ns.works() {
		return nil
	}
	found, err := ns.standing(ctx, n)
	if err != nil {
		return err
	}
	bridges, err := ns.ownBridges(ctx, n)
	if err != nil {
		return err
	}
	known, err := ns.known(ctx, n, store)
	if err != nil {
		return err
	}
	text := ns.missing(n, known.here, there, found)
	lost := text != ""
	for device := range found.rules {
		if strings.HasPrefix(device, ns.prefix()) && !known.devices[device] {
			text += dismiss(ns.table(), device)
		}
	}
	if lost {
		ns.log.Warn("rules of guests had gone from a host and are written anew", "host", n.ID)
	}
	if text != "" {
		if err := ns.write(ctx, n, header(ns.table(), ns.prefix())+text); err != nil {
			return err
		}
		if err := ns.tidy(ctx, n); err != nil {
			return err
		}
	}
	bridges = slices.DeleteFunc(bridges, func(b string) bool { return known.bridges[b] })
	if err := ns.dropBridges(ctx, n, bridges); err != nil || !ns.overlays(n) {
		return err
	}
	_, err = ns.reconcile(ctx, n, place{})
	return err
}

// works reports whether any network of the site is guarded or private.
func (ns *Networks) works() bool {
	for _, r := range ns.rules {
		if r.Guard || r.Private {
			return true
		}
	}
	return false
}

// expected is what the record has a host have.
type expected struct {
	here             []*workspace.Workspace // that are at rest there
	devices, bridges map[string]bool
}

// known reads what may be on the host: of its own workspaces, and of those that a
// change may be bringing there or taking away.
func (ns *Networks) known(
	ctx context.Context, n *host.Node, store workspace.Reader,
) (expected, error) {
	e := expected{devices: map[string]bool{}, bridges: map[string]bool{}}
	changes, err := store.Changes(ctx) // first: what they did by their end is recorded
	if err != nil {
		return e, err
	}
	all, err := store.Workspaces(ctx, "")
	if err != nil {
		return e, err
	}
	moving := map[workspace.ID]bool{}
	for _, c := range changes {
		moving[c.Workspace] = true
	}
	for _, w := range all {
		if w.Host != n.ID && !moving[w.ID] {
			continue
		}
		for i, nic := range w.NICs {
			e.devices[ns.device(w.ID, i)] = true
			e.bridges[ns.bridge(w, nic.Association)] = true
		}
		if !moving[w.ID] {
			e.here = append(e.here, w)
		}
	}
	return e, nil
}

// missing writes the rules anew that guests in memory have not, or not all of.
func (ns *Networks) missing(
	n *host.Node, here []*workspace.Workspace,
	there map[workspace.ID]workspace.Condition, found standing,
) string {
	text := ""
	for _, w := range here {
		if c := there[w.ID]; c != workspace.ConditionRunning && c != workspace.ConditionPaused {
			continue
		}
		for i, nic := range w.NICs {
			if !ns.guards(n, nic) {
				continue
			}
			p, err := portOf(ns.device(w.ID, i), nic)
			if err != nil {
				continue // it could not have started
			}
			if !found.hook || !found.ports[p.device] || found.rules[p.device] != len(p.rules()) {
				text += admit(ns.table(), p)
			}
		}
	}
	return text
}

// standing is what a host's kernel has of the installation's rules.
type standing struct {
	hook  bool            // all frames pass through them
	ports map[string]bool // devices that lead to their rules
	rules map[string]int  // by chain
}

// standing reads the installation's table.
func (ns *Networks) standing(ctx context.Context, n *host.Node) (standing, error) {
	s := standing{ports: map[string]bool{}, rules: map[string]int{}}
	var told bytes.Buffer
	err := n.Access.Run(ctx, workspace.Command{
		Args: []string{"nft", "list", "table", "bridge", ns.table()}, Stdout: &told})
	if err != nil {
		if absent(err) {
			err = nil
		}
		return s, err
	}
	chain := ""
	for line := range strings.Lines(told.String()) {
		line = strings.TrimSpace(line)
		name, opens := strings.CutPrefix(line, "chain ")
		switch {
		case opens:
			chain = strings.TrimSuffix(name, " {")
			s.rules[chain] = 0
		case line == "}":
			chain = ""
		case chain != "" && !strings.HasPrefix(line, "type "):
			s.rules[chain]++
		case chain == "":
			for _, word := range strings.Split(line, "\"") {
				if strings.HasPrefix(word, ns.prefix()) {
					s.ports[word] = true
				}
			}
		}
	}
	s.hook = s.rules["guests"] == hookRules
	return s, nil
}

// hookRules are how many header makes that lead to those of devices.
const hookRules = 2

// ownBridges lists the host's private networks that are ours.
func (ns *Networks) ownBridges(ctx context.Context, n *host.Node) ([]string, error) {
	var told bytes.Buffer
	err := n.Access.Run(ctx, workspace.Command{
		Args: []string{"ip", "-o", "link", "show", "type", "bridge"}, Stdout: &told})
	if err != nil {
		if workspace.KindOf(err) == workspace.NotFound {
			err = nil // without ip there are none
		}
		return nil, err
	}
	var own []string
	for line := range strings.Lines(told.String()) {
		words := strings.SplitN(line, ": ", 3) // NUMBER: NAME: ...
		if len(words) == 3 && len(words[1]) == bridgeLength &&
			strings.HasPrefix(words[1], "b"+ns.mark) {
			own = append(own, words[1])
		}
	}
	return own, nil
}
