package sim

import (
	"cmp"
	"context"
	"fmt"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// guestMB is the memory that a simulated guest uses of what it has; of little
// memory it uses a half.
const guestMB = 64

// Resize gives the machine another shape. A simulated guest gives back at once
// whatever it does not use.
func (d *deployment) Resize(ctx context.Context, id workspace.ID, s workspace.Shape) error {
	return d.call(ctx, OpResize, id, func() error {
		return d.world.resize(d.host, id, s)
	})
}

// resize changes the machine's shape, or says what could be. The caller holds mu.
func (w *World) resize(h *host, id workspace.ID, wish workspace.Shape) error {
	const op = "resize the machine"
	m, ok := h.machines[id]
	if !ok {
		return workspace.Errorf(workspace.NotFound, op, id.String(),
			"host %s has no such machine", h.id)
	}
	if m.condition != off && m.condition != running {
		return workspace.Errorf(workspace.Conflict, op, id.String(),
			"it is %s", conditions[m.condition])
	}
	after := m
	after.shape = wish.Over(m.shape)
	if after == m {
		return nil
	}
	if m.whole {
		return workspace.Errorf(workspace.Conflict, op, id.String(),
			"it was defined by an earlier release, and can be resized once it is defined anew")
	}
	if err := h.bounds(m, after); err != nil {
		return workspace.Errorf(workspace.Conflict, op, id.String(), "%w", err)
	}
	return w.commit(h, id, verbResize, after)
}

// bounds refuses less memory than the guest uses, and more of anything than the
// host has.
func (h *host) bounds(m, after machine) error {
	use := min(guestMB, m.shape.MemoryMB/2)
	memory := workspace.Limit{Resource: "memory", Unit: "MB",
		Wanted: after.shape.MemoryMB, Least: max(use, 1), Most: m.shape.MemoryMB}
	switch {
	case h.capacity.MemoryMB == 0:
		memory.Most = max(memory.Most, memory.Wanted)
	case m.inMemory():
		memory.Most += h.capacity.MemoryMB - h.usedMB
	default:
		memory.Most = h.capacity.MemoryMB
	}
	cpus := workspace.Limit{Resource: "cpus", Unit: "CPUs",
		Wanted: after.shape.CPUs, Least: 1, Most: cmp.Or(h.capacity.CPUs, max(after.shape.CPUs, 1))}
	if err := refuse(memory, fmt.Sprintf("the guest uses %d MB", use)); err != nil {
		return err
	}
	return refuse(cpus, "the guest needs one")
}

// refuse returns the limit with its reason when it is broken.
func refuse(l workspace.Limit, tooLittle string) error {
	switch {
	case l.Wanted < l.Least && l.Wanted != 0: // 0: it is not said
		l.Reason = tooLittle
	case l.Wanted > l.Most:
		l.Reason = "the host has no more"
	default:
		return nil
	}
	return &l
}
