package deploymenttest

import (
	"slices"
	"testing"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// snapshots keeps states of a machine in each condition and goes back to them.
func snapshots(t *testing.T, b *bench) {
	if !b.Snaps {
		t.Log("this host keeps no snapshots")
		return
	}
	const id = 61
	b.isKind("keep what is not there", b.Host.Snapshot(b.ctx(), id, "a"), workspace.NotFound)
	_, err := b.Host.Snapshots(b.ctx(), id)
	b.isKind("list what is not there", err, workspace.NotFound)
	b.must("define", b.Host.Define(b.ctx(), b.Machine(id)))
	b.isKind("a name with a slash", b.Host.Snapshot(b.ctx(), id, "../a"), workspace.Invalid)
	b.isKind("revert to nothing", b.Host.Revert(b.ctx(), id, "a"), workspace.NotFound)
	for _, c := range asked {
		b.must("stop", b.Host.Stop(b.ctx(), id, workspace.StopForced))
		b.reach(id, c)
		for range 2 {
			b.must("keep what is "+string(c), b.Host.Snapshot(b.ctx(), id, "at-"+string(c)))
			b.is(id, c)
		}
	}
	b.has(id, "at-off", "at-running", "at-paused", "at-saved")
	second := b.Reopen(t)
	defer func() { b.must("close", second.Close()) }()
	for _, c := range asked {
		back := saved
		if c == off {
			back = off
		}
		for range 2 {
			b.must("revert to "+string(c), second.Revert(b.ctx(), id, "at-"+string(c)))
			b.is(id, back)
		}
		b.must("define", b.Host.Define(b.ctx(), b.Machine(id)))
		b.must("go on", b.Host.Start(b.ctx(), id, false))
		b.is(id, running)
	}
	for range 2 {
		b.must("delete", b.Host.DeleteSnapshot(b.ctx(), id, "at-paused"))
		b.has(id, "at-off", "at-running", "at-saved")
	}
	b.isKind("revert to what is deleted", b.Host.Revert(b.ctx(), id, "at-paused"),
		workspace.NotFound)
	b.must("undefine", b.Host.Undefine(b.ctx(), id))
	b.must("define anew", b.Host.Define(b.ctx(), b.Machine(id)))
	b.has(id)
}

// has checks which snapshots there are, and which of them have memory.
func (b *bench) has(id workspace.ID, names ...string) {
	b.t.Helper()
	all, err := b.Host.Snapshots(b.ctx(), id)
	b.must("list snapshots", err)
	var got []string
	for _, s := range all {
		got = append(got, s.Name)
		if s.Memory == (s.Name == "at-off") {
			b.t.Errorf("snapshot %s has memory: %v", s.Name, s.Memory)
		}
	}
	slices.Sort(got)
	slices.Sort(names)
	if !slices.Equal(got, names) {
		b.t.Errorf("there are snapshots %v, want %v", got, names)
	}
}
