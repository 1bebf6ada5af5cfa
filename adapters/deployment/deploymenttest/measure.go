package deploymenttest

import (
	"testing"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// measures checks that what is in memory is read, and that what is not is not.
func measures(t *testing.T, b *bench) {
	const busy, idle, asleep = 61, 62, 63
	for _, id := range []workspace.ID{busy, idle, asleep} {
		b.must("define", b.Host.Define(b.ctx(), b.Machine(id)))
	}
	b.must("start", b.Host.Start(b.ctx(), busy, false))
	b.must("start paused", b.Host.Start(b.ctx(), asleep, true))
	before := b.readings()
	if len(before) != 2 {
		t.Fatalf("of a machine that runs, one that is off and one that is paused there are %v",
			before)
	}
	if _, ok := before[asleep]; !ok {
		t.Errorf("the one that is paused is not among %v", before)
	}
	for after := before; b.Metered && after[busy].CPUTime <= before[busy].CPUTime; {
		after = b.readings()
		b.plausible(after[busy])
	}
	b.must("stop", b.Host.Stop(b.ctx(), busy, workspace.StopForced))
	b.must("stop", b.Host.Stop(b.ctx(), asleep, workspace.StopForced))
	if after := b.readings(); len(after) != 0 {
		t.Errorf("of machines that are off there are %v", after)
	}
}

// readings reads all machines.
func (b *bench) readings() map[workspace.ID]workspace.Reading {
	b.t.Helper()
	all, err := b.Host.Measure(b.ctx())
	b.must("measure", err)
	byID := make(map[workspace.ID]workspace.Reading, len(all))
	for _, r := range all {
		byID[r.ID] = r
	}
	return byID
}

// plausible holds a reading against the machine.
func (b *bench) plausible(r workspace.Reading) {
	b.t.Helper()
	m := b.Machine(r.ID)
	const perMB = 1 << 20
	if most := 2 * m.MemoryMB * perMB; r.Memory < 1 || r.Memory > most || r.Resident < 1 ||
		r.Unused > r.Memory {
		b.t.Fatalf("a machine of %d MB reads %+v", m.MemoryMB, r)
	}
	if b.Traffic && (len(r.Disks) != len(m.Disks) || len(r.NICs) != len(m.NICs)) {
		b.t.Fatalf("a machine of %d disks and %d NICs reads %+v", len(m.Disks), len(m.NICs), r)
	}
}
