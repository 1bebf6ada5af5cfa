package sim

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// snaps are a machine's snapshots as one word for each, NAME:SECONDS:WHAT, where
// WHAT is memory or disks: a machine has to be comparable.
type snaps string

const (
	withMemory = "memory"
	withDisks  = "disks"
)

// list takes the words apart. What cannot be read is no snapshot.
func (s snaps) list() (all []workspace.Snapshot) {
	for _, word := range strings.Fields(string(s)) {
		parts := strings.Split(word, ":")
		if len(parts) != 3 {
			continue
		}
		made, err := strconv.ParseInt(parts[1], 10, 64)
		if err == nil {
			all = append(all, workspace.Snapshot{Name: parts[0], Memory: parts[2] == withMemory,
				Made: time.Unix(made, 0).UTC()})
		}
	}
	return all
}

func (s snaps) find(name string) (workspace.Snapshot, bool) {
	all := s.list()
	at := slices.IndexFunc(all, func(k workspace.Snapshot) bool { return k.Name == name })
	if at < 0 {
		return workspace.Snapshot{}, false
	}
	return all[at], true
}

func (s snaps) with(name string, memory bool) snaps {
	what := withDisks
	if memory {
		what = withMemory
	}
	word := name + ":" + strconv.FormatInt(time.Now().Unix(), 10) + ":" + what
	return snaps(strings.TrimSpace(string(s) + " " + word))
}

func (s snaps) without(name string) snaps {
	words := slices.DeleteFunc(strings.Fields(string(s)), func(w string) bool {
		return strings.HasPrefix(w, name+":")
	})
	return snaps(strings.Join(words, " "))
}

// Snapshot notes that there is one: a simulated machine has nothing to keep.
func (d *deployment) Snapshot(ctx context.Context, id workspace.ID, name string) error {
	if err := workspace.CheckSnapshotName(name); err != nil {
		return err
	}
	return d.keeps(ctx, OpSnapshot, id, func(m machine) (machine, error) {
		if _, there := m.snaps.find(name); there {
			return m, nil
		}
		if m.condition == crashed {
			return m, workspace.Refuse(workspace.Conflict, "it is %s", conditions[m.condition])
		}
		m.snaps = m.snaps.with(name, m.condition != off)
		return m, nil
	})
}

// Revert puts the machine into the condition that it goes on from.
func (d *deployment) Revert(ctx context.Context, id workspace.ID, name string) error {
	return d.keeps(ctx, OpRevert, id, func(m machine) (machine, error) {
		k, there := m.snaps.find(name)
		if !there {
			return m, workspace.Refuse(workspace.NotFound, "it has no snapshot %q", name)
		}
		m.condition = off
		if k.Memory {
			m.condition = saved
		}
		return m, nil
	})
}

// DeleteSnapshot forgets one.
func (d *deployment) DeleteSnapshot(ctx context.Context, id workspace.ID, name string) error {
	return d.keeps(ctx, OpDeleteSnapshot, id, func(m machine) (machine, error) {
		m.snaps = m.snaps.without(name)
		return m, nil
	})
}

// Snapshots returns them in the order in which they were made.
func (d *deployment) Snapshots(
	ctx context.Context, id workspace.ID,
) (all []workspace.Snapshot, err error) {
	err = d.keeps(ctx, OpSnapshots, id, func(m machine) (machine, error) {
		all = m.snaps.list()
		return m, nil
	})
	return all, err
}

// doing says what is done to a machine by the calls that are no verbs.
var doing = map[Op]string{
	OpSnapshot: "keep a snapshot of", OpRevert: "revert",
	OpDeleteSnapshot: "delete a snapshot of", OpSnapshots: "list the snapshots of",
}

// keeps is a call that changes what is kept of a machine.
func (d *deployment) keeps(
	ctx context.Context, op Op, id workspace.ID, change func(machine) (machine, error),
) error {
	name := doing[op] + " the machine"
	return d.call(ctx, op, id, func() error {
		m, ok := d.host.machines[id]
		if !ok {
			return workspace.Errorf(workspace.NotFound, name, id.String(),
				"host %s has no such machine", d.host.id)
		}
		after, err := change(m)
		if err != nil {
			return &workspace.Error{Op: name, Kind: workspace.KindOf(err),
				ID: id.String(), Err: err}
		}
		if after == m {
			return nil
		}
		return d.world.commit(d.host, id, verbState, after)
	})
}
