package sim

import (
	"context"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// CanMigrate says whether the target is of the same world.
func (d *deployment) CanMigrate(target workspace.Deployment) error {
	if to, ok := target.(*deployment); !ok || to.world != d.world {
		return workspace.Refuse(workspace.Conflict, "the target is no host of this simulation")
	}
	return nil
}

// Migrate moves the machine to another host of the same world, at once: one line
// of the journal says that it left here and came there.
func (d *deployment) Migrate(
	ctx context.Context, id workspace.ID, g workspace.Migration,
) (workspace.Passage, error) {
	const op = "migrate the machine"
	if err := d.CanMigrate(g.Target); err != nil {
		return workspace.Passage{}, workspace.Errorf(workspace.KindOf(err), op, id.String(),
			"%w", err)
	}
	to, _ := g.Target.(*deployment)
	begun := time.Now()
	err := d.call(ctx, OpMigrate, id, func() error {
		if to.host.down {
			return to.fault(OpMigrate, id, errDown)
		}
		return d.world.migrate(d.host, to.host, id, g)
	})
	if err != nil {
		return workspace.Passage{}, err
	}
	if g.Progress != nil {
		size := g.As.MemoryMB << 20
		g.Progress(size, size)
	}
	return workspace.Passage{Total: time.Since(begun)}, nil
}

// Sweep has nothing to do: a machine of a simulation is there as a whole or not at all.
func (d *deployment) Sweep(context.Context, workspace.ID, []workspace.NIC, bool) error {
	return nil
}

// migrate moves the machine, unless it has come already. The caller holds mu.
func (w *World) migrate(from, to *host, id workspace.ID, g workspace.Migration) error {
	const op = "migrate the machine"
	refuse := func(kind workspace.Kind, format string, args ...any) error {
		return workspace.Errorf(kind, op, id.String(), format, args...)
	}
	m, here := from.machines[id]
	_, there := to.machines[id]
	switch {
	case from == to && here, !here && there:
		return nil
	case !here:
		return refuse(workspace.NotFound, "host %s has no such machine", from.id)
	case there:
		return refuse(workspace.Conflict, "host %s has such a machine too", to.id)
	case !m.inMemory():
		return refuse(workspace.Conflict, "it is %s", conditions[m.condition])
	}
	after := defined(g.As)
	after.condition, after.starts, after.reboots = m.condition, m.starts, m.reboots
	if after.shape != m.shape {
		return refuse(workspace.Conflict, "it has another shape here than it is to have there")
	}
	if err := to.room(machine{}, after); err != nil {
		return refuse(workspace.Conflict, "%w", err)
	}
	return w.pass(from, to, id, after)
}

// pass writes the move down, makes it so and tells the watches. The caller holds mu.
func (w *World) pass(from, to *host, id workspace.ID, after machine) error {
	err := w.journal.writeMove(Place{from.id, id}, to.id, after)
	if err != nil {
		return workspace.Errorf(workspace.Transient, "write the journal", id.String(), "%w", err)
	}
	from.drop(id)
	to.put(id, after)
	for watch := range from.watches {
		watch.tell(workspace.Observed{ID: id, Condition: workspace.ConditionAbsent})
	}
	for watch := range to.watches {
		watch.tell(workspace.Observed{ID: id, Condition: conditions[after.condition]})
	}
	return w.tidy()
}
