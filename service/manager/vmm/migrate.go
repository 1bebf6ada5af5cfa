package vmm

import (
	"context"
	"path/filepath"
	"time"

	"github.com/philoxenia/philoxenia/service/change"
	"github.com/philoxenia/philoxenia/service/lease/learn"
	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/manager/image"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// passageLimit bounds one attempt at a migration.
const passageLimit = 6 * time.Hour

// A migration is made of these tasks, on a workspace whose change has its Course as
// Argument:
//
//	VMM.Migrate   it goes on on the other host, which is the workspace's then
//	VMM.Depart    nothing of it is left on the one that it came from
//
// Up to the end of the first all is where it was when it fails.

// Migrate moves the machine while it is in memory; its disks go with it where the
// hosts share none. The way back removes what came to the other host.
func (v *VMM) Migrate(images *image.Images) change.Handler {
	return change.Handler{
		Do: v.onCourse(func(ctx context.Context, m *move) (change.Commit, error) {
			if m.r.Workspace.Host == m.course.To {
				return nil, nil
			}
			return v.migrate(ctx, images, m)
		}),
		Undo: v.onCourse(func(ctx context.Context, m *move) (change.Commit, error) {
			if m.r.Workspace.Host == m.course.To {
				return nil, nil
			}
			return v.turnBack(ctx, images, m)
		}),
	}
}

// Depart removes what is left of the machine on the host that it came from.
func (v *VMM) Depart(images *image.Images) change.Handler {
	return change.Handler{Do: v.onCourse(func(ctx context.Context, m *move) (change.Commit, error) {
		if m.r.Workspace.Host != m.course.To {
			return nil, nil
		}
		return nil, v.clearAt(ctx, images, m.from, m)
	})}
}

// move is a migration under way.
type move struct {
	r        *change.Run
	course   workspace.Course
	from, to *host.Node
}

// onCourse makes a task of something to do between the two hosts of a course. Of a
// workspace that is on neither of them there is nothing to do.
func (v *VMM) onCourse(
	do func(ctx context.Context, m *move) (change.Commit, error),
) change.Func {
	return func(ctx context.Context, r *change.Run) (change.Commit, error) {
		if r.Workspace == nil {
			return nil, nil
		}
		course, err := workspace.ParseCourse(r.Change.Argument)
		if err != nil {
			return nil, err
		}
		if r.Workspace.Host != course.From && r.Workspace.Host != course.To {
			return nil, nil
		}
		m := &move{r: r, course: course}
		if m.from, err = v.o.Pool.Node(course.From); err != nil {
			return nil, err
		}
		if m.to, err = v.o.Pool.Node(course.To); err != nil {
			return nil, err
		}
		ctx, cancel := context.WithTimeout(ctx, passageLimit)
		defer cancel()
		return do(ctx, m)
	}
}

func (v *VMM) migrate(
	ctx context.Context, images *image.Images, m *move,
) (change.Commit, error) {
	w := m.r.Workspace
	if err := m.from.CanMigrate(m.to.Deployment); err != nil {
		return nil, err
	}
	apart, err := host.Apart(ctx, m.from, m.to, w.ID)
	if err != nil {
		return nil, err
	}
	as, err := v.machineAt(ctx, m)
	if err != nil {
		return nil, err
	}
	if err := v.o.Links.Connect(ctx, m.to, w); err != nil {
		return nil, err
	}
	if err := v.sow(ctx, m.to, w); err != nil {
		return nil, err
	}
	if apart {
		if err := images.Precede(ctx, m.r, m.from, m.to); err != nil {
			return nil, err
		}
	}
	passage, err := m.from.Migrate(ctx, w.ID, workspace.Migration{
		Target: m.to.Deployment, As: as, Live: !m.course.Cold, Copied: apart && !m.to.Inert,
		Progress: m.r.Progress,
	})
	if err != nil {
		return nil, err
	}
	if v.o.Took != nil && passage.Total > 0 {
		v.o.Took.Tell(learn.Migrate, m.to.ID, w.Demand.MemoryMB, passage.Total)
	}
	return m.landed, nil
}

// landed records that the workspace is on the other host.
func (m *move) landed(tx workspace.Tx) error {
	old, err := tx.Workspace(m.r.Workspace.ID)
	if err != nil || old.Gone() {
		return err
	}
	next := *old
	next.Host, next.Fault = m.course.To, ""
	next.Changed = time.Now().UTC().Truncate(time.Millisecond)
	return tx.PutWorkspace(&next)
}

// turnBack removes what came to the other host of a migration that failed. It may have
// failed for something else after the guest had arrived, behind the back of a daemon that
// was killed: then the guest is there alone, stays, and the record follows it.
func (v *VMM) turnBack(
	ctx context.Context, images *image.Images, m *move,
) (change.Commit, error) {
	id := m.r.Workspace.ID
	there, err := m.to.Inspect(ctx, id)
	if err != nil {
		return nil, err
	}
	if there == workspace.ConditionAbsent {
		return nil, v.clearAt(ctx, images, m.to, m)
	}
	here, err := m.from.Inspect(ctx, id)
	switch {
	case err != nil:
		return nil, err
	case !lives(here):
		return m.landed, nil
	case lives(there):
		return nil, workspace.Errorf(workspace.Internal, "clear the host", id.String(),
			"the guest is %s on %s and %s on %s", here, m.from.ID, there, m.to.ID)
	}
	return nil, v.clearAt(ctx, images, m.to, m)
}

// lives reports whether there is memory of a guest that is nowhere else.
func lives(c workspace.Condition) bool {
	return c == workspace.ConditionRunning || c == workspace.ConditionPaused ||
		c == workspace.ConditionSaved
}

// machineAt is the machine as it is to be on the host to which it goes: its disks
// have the names there that they have here.
func (v *VMM) machineAt(ctx context.Context, m *move) (workspace.Machine, error) {
	as, err := v.machine(ctx, m.to, m.r.Workspace)
	if err != nil {
		return as, err
	}
	for i := range m.r.Workspace.Spec.Disks { // a seed is made anew there
		path, format, err := image.Disk(ctx, m.from, m.r.Workspace, i)
		if err != nil {
			return as, err
		}
		as.Disks[i].Path = filepath.Join(m.to.Dir, filepath.Base(path))
		as.Disks[i].Format = format
	}
	return as, nil
}

// clearAt removes the machine from the end of the course where it is not.
func (v *VMM) clearAt(
	ctx context.Context, images *image.Images, at *host.Node, m *move,
) error {
	ctx, cancel := context.WithTimeout(ctx, v.o.CallTimeout)
	defer cancel()
	apart, err := host.Apart(ctx, m.from, m.to, m.r.Workspace.ID)
	if err != nil {
		return err
	}
	if _, err := v.undefine(ctx, at, m.r); err != nil {
		return err
	}
	if err := host.Sweep(ctx, at, m.r.Workspace, apart); err != nil || !apart {
		return err
	}
	return images.Clear(ctx, at, m.r.Workspace)
}
