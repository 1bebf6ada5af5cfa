package network

import (
	"context"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// record is what a store has of workspaces and changes.
type record struct {
	workspace.Reader
	workspaces []*workspace.Workspace
	changes    []*workspace.Change
}

func (r *record) Workspaces(context.Context, workspace.Owner) ([]*workspace.Workspace, error) {
	return r.workspaces, nil
}

func (r *record) Changes(context.Context) ([]*workspace.Change, error) { return r.changes, nil }

// running has all of them run.
func running(all ...workspace.ID) map[workspace.ID]workspace.Condition {
	there := map[workspace.ID]workspace.Condition{}
	for _, id := range all {
		there[id] = workspace.ConditionRunning
	}
	return there
}

// noted is a shell that notes what it runs.
type noted struct {
	shell
	ran *[]string
}

func (s noted) Run(ctx context.Context, c workspace.Command) error {
	*s.ran = append(*s.ran, strings.Join(c.Args, " "))
	return s.shell.Run(ctx, c)
}

// TestRulesComeBack: what somebody flushed of guests in memory is put back, and
// where all is well nothing is written.
func TestRulesComeBack(t *testing.T) {
	l, ns := newLab(t), guarded()
	var ran []string
	l.node.Access = noted{l.node.Access.(shell), &ran}
	nft := func(args ...string) string {
		return run(t, append([]string{"nsenter", "--net=/run/netns/" + l.name, "nft"}, args...)...)
	}
	here, off, busy := leased(workspace.AllocateAndConfigure), leased(workspace.Advisory),
		leased(workspace.AllocateAndConfigure)
	off.ID, busy.ID = 78, 79
	r := &record{workspaces: []*workspace.Workspace{here, off, busy},
		changes: []*workspace.Change{{Workspace: busy.ID}}}
	for _, w := range r.workspaces {
		w.Host = l.node.ID
		must(t, ns.Connect(t.Context(), l.node, w))
	}
	device, there := ns.device(here.ID, 0), running(here.ID, busy.ID)
	table := []string{"bridge", ns.table()}
	for what, harm := range map[string][]string{
		"nothing":    {"list", "ruleset"},
		"everything": {"flush", "ruleset"},
		"the table":  append([]string{"delete", "table"}, table...),
		"its chain":  append(append([]string{"flush", "chain"}, table...), device),
		"the way":    append(append([]string{"flush", "map"}, table...), "ports"),
		"the hook":   append(append([]string{"flush", "chain"}, table...), "guests"),
	} {
		whole := nft("list", "ruleset")
		nft(harm...)
		must(t, ns.Mend(t.Context(), l.node, r, there))
		now := nft("list", "ruleset")
		if !strings.Contains(now, "chain "+device) ||
			!strings.Contains(now, `"`+device+`" : goto`) ||
			!strings.Contains(now, "vmap @ports") {
			t.Errorf("after %s was flushed:\n%s", what, now)
		}
		if what == "nothing" && now != whole {
			t.Errorf("without need the rules are\n%s\nand were\n%s", now, whole)
		}
		ran = nil
		must(t, ns.Mend(t.Context(), l.node, r, there))
		if len(ran) != 2 {
			t.Errorf("where all is well it runs %q", ran)
		}
	}
	nft("flush", "ruleset")
	must(t, ns.Mend(t.Context(), l.node, r, there))
	if now := nft("list", "ruleset"); strings.Contains(now, ns.device(off.ID, 0)) {
		t.Errorf("a guest that is off has rules:\n%s", now)
	}
}

// TestLeftoversGo: what a daemon that was killed left of workspaces that are gone, or
// on another host, is removed; not what is others', in use, or on its way.
func TestLeftoversGo(t *testing.T) {
	l := newLab(t)
	ns := New(Options{Installation: "test", Rules: map[string]Rule{
		"public": {Guard: true, Private: true}}})
	var all []*workspace.Workspace
	for id := range workspace.ID(5) {
		w := leased(workspace.AllocateAndConfigure)
		w.ID, w.Host = id+1, l.node.ID
		must(t, ns.Connect(t.Context(), l.node, w))
		all = append(all, w)
	}
	stays, comes, left, gone, used := all[0], all[1], all[2], all[3], all[4]
	comes.Host, left.Host = "host2", "host2"
	port := ns.device(used.ID, 0)
	l.guest(port, "g0")
	l.plug(port, ns.bridge(used, "public"))
	l.ip("link", "add", "b"+strings.Repeat("z", 14), "type", "bridge")
	other := New(Options{Installation: "other", Rules: ns.rules})
	must(t, other.Connect(t.Context(), l.node, gone))
	r := &record{workspaces: []*workspace.Workspace{stays, comes, left},
		changes: []*workspace.Change{{Workspace: comes.ID}}}
	for range 2 {
		must(t, ns.Mend(t.Context(), l.node, r, running(stays.ID)))
	}
	bridges := l.ip("-o", "link", "show", "type", "bridge")
	rules := run(t, "nsenter", "--net=/run/netns/"+l.name, "nft", "list", "ruleset")
	for w, want := range map[*workspace.Workspace]bool{stays: true, comes: true, left: false,
		gone: false, used: true} {
		if has := strings.Contains(bridges, ns.bridge(w, "public")); has != want {
			t.Errorf("workspace %v: its bridge is there: %v, want %v", w.ID, has, want)
		}
		want = want && w != used // nobody has a guest without a record that is in memory
		if has := strings.Contains(rules, "chain "+ns.device(w.ID, 0)+" {"); has != want {
			t.Errorf("workspace %v: its rules are there: %v, want %v", w.ID, has, want)
		}
	}
	if !strings.Contains(bridges, "bzzzz") || !strings.Contains(bridges,
		other.bridge(gone, "public")) || !strings.Contains(rules, other.device(gone.ID, 0)) {
		t.Errorf("what is others' is gone:\n%s\n%s", bridges, rules)
	}
}

// TestLastTwoLeaveAtOnce: whoever finds the table gone has nothing left to do.
func TestLastTwoLeaveAtOnce(t *testing.T) {
	l, ns := newLab(t), guarded()
	must(t, ns.Connect(t.Context(), l.node, leased(workspace.Advisory)))
	must(t, ns.Disconnect(t.Context(), l.node, leased(workspace.Advisory)))
	must(t, ns.tidy(t.Context(), l.node))
}
