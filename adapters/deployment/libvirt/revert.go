package libvirt

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// Revert puts the machine back. Its files are made whole beside those that they
// replace; a mark keeps the machine from being started with some of them.
func (h *Host) Revert(ctx context.Context, id workspace.ID, name string) error {
	return h.onMachine(ctx, "revert", id, func(m *machine) error {
		at := m.who.snapshotOf(name)
		switch {
		case at < 0 || m.who.Snapshots[at].Part != "":
			return workspace.Refuse(workspace.NotFound, "it has no snapshot %q", name)
		case m.who.Snapshots[at].Memory != "" && m.who.Snapshots[at].Shape != m.who.Shape:
			return workspace.Refuse(workspace.Conflict,
				"it has %s now, and its snapshot is of %s: give it that shape first",
				m.who.Shape, m.who.Snapshots[at].Shape)
		}
		return h.revert(ctx, m, m.who.Snapshots[at])
	})
}

// halfReverted is the Conflict of a machine that is neither what it was nor what
// it is to be.
func (m *machine) halfReverted() error {
	return workspace.Refuse(workspace.Conflict,
		"going back to its snapshot %q was cut off: do that again first", m.who.Reverting)
}

func (h *Host) revert(ctx context.Context, m *machine, k kept) error {
	if err := h.halt(ctx, m); err != nil {
		return err
	}
	files, err := h.replaced(ctx, m, k)
	if err != nil {
		return err
	}
	if m.who.Reverting != k.Name { // what an earlier attempt left is of another snapshot
		for path := range files {
			if err := h.o.Access.Remove(ctx, revertPath(path)); err != nil {
				return err
			}
		}
		m.who.Reverting = k.Name
		if err := h.mark(ctx, m, m.who); err != nil {
			return err
		}
	}
	if k.Memory == "" {
		if err := h.removeFile(ctx, m.who.Memory); err != nil {
			return err
		}
	}
	for path, from := range files {
		if err := h.o.Access.Copy(ctx, from, revertPath(path), nil); err != nil {
			return err
		}
		if err := h.o.Access.Rename(ctx, revertPath(path), path); err != nil {
			return err
		}
	}
	m.who.Reverting = ""
	return h.mark(ctx, m, m.who)
}

// replaced are the files of a snapshot, by those that they replace.
func (h *Host) replaced(ctx context.Context, m *machine, k kept) (map[string]string, error) {
	disks, err := h.written(ctx, m)
	if err != nil {
		return nil, err
	}
	files := map[string]string{}
	for _, d := range disks {
		files[fileOf(d)] = snapshotPath(fileOf(d), k.Name)
	}
	if k.Memory != "" {
		files[m.who.Memory] = k.Memory
	}
	return files, nil
}

// halt brings the machine to an ordinary off, without its memory.
func (h *Host) halt(ctx context.Context, m *machine) error {
	if m.who.Reverting != "" {
		return nil
	}
	switch m.condition {
	case workspace.ConditionOff:
		return nil
	case workspace.ConditionCrashed:
		return h.settle(ctx, m)
	case workspace.ConditionSaved:
		if err := h.forget(ctx, m); err != nil {
			return err
		}
	default:
		if err := h.destroy(ctx, m); err != nil {
			return err
		}
	}
	return h.look(ctx, m)
}

// DeleteSnapshot removes a snapshot.
func (h *Host) DeleteSnapshot(ctx context.Context, id workspace.ID, name string) error {
	return h.onMachine(ctx, "delete a snapshot of", id, func(m *machine) error {
		if m.who.Reverting == name {
			return m.halfReverted()
		}
		return h.drop(ctx, m, name)
	})
}

// drop removes what there is of a snapshot: files first, what tells of them last.
func (h *Host) drop(ctx context.Context, m *machine, name string) error {
	at := m.who.snapshotOf(name)
	if at < 0 {
		return nil
	}
	if m.who.Snapshots[at].Part == "" {
		m.who.Snapshots[at].Part = partGoing
		if err := h.mark(ctx, m, m.who); err != nil {
			return err
		}
	}
	if err := h.removeSnapshot(ctx, m, m.who.Snapshots[at]); err != nil {
		return err
	}
	m.who.Snapshots = slices.Delete(m.who.Snapshots, at, at+1)
	return h.mark(ctx, m, m.who)
}

// removeSnapshot removes the files of a snapshot, half-made ones too.
func (h *Host) removeSnapshot(ctx context.Context, m *machine, k kept) error {
	disks, err := h.written(ctx, m)
	if err != nil {
		return err
	}
	files := []string{}
	for _, d := range disks {
		files = append(files, snapshotPath(fileOf(d), k.Name), revertPath(fileOf(d)))
	}
	if k.Memory != "" {
		files = append(files, k.Memory, revertPath(m.who.Memory))
	}
	for _, path := range slices.Clone(files) {
		for _, suffix := range workspace.Leftovers {
			files = append(files, path+suffix)
		}
	}
	return h.o.Access.Remove(ctx, files...)
}

// removeSnapshots removes the files of all snapshots of a machine that goes.
func (h *Host) removeSnapshots(ctx context.Context, m *machine) error {
	for _, k := range m.who.Snapshots {
		if err := h.removeSnapshot(ctx, m, k); err != nil {
			return err
		}
	}
	return nil
}

// Snapshots lists what is whole.
func (h *Host) Snapshots(
	ctx context.Context, id workspace.ID,
) (list []workspace.Snapshot, err error) {
	m, err := h.find(ctx, id)
	if err == nil && (m == nil || m.coming()) {
		err = workspace.Refuse(workspace.NotFound, "there is no such machine")
	}
	if err != nil {
		return nil, h.fault("list the snapshots of the machine", id, err)
	}
	for _, k := range m.who.Snapshots {
		if k.Part != "" {
			continue
		}
		size, err := h.snapshotSize(ctx, m, k)
		if err != nil {
			return nil, h.fault("list the snapshots of the machine", id, err)
		}
		made, _ := time.Parse(timeForm, k.Made) // nobody else writes it
		list = append(list, workspace.Snapshot{Name: k.Name, Made: made,
			Memory: k.Memory != "", SizeMB: size})
	}
	slices.SortStableFunc(list, func(a, b workspace.Snapshot) int {
		return cmp.Or(a.Made.Compare(b.Made), cmp.Compare(a.Name, b.Name))
	})
	return list, nil
}

// snapshotSize is what a snapshot takes on the host, in MB.
func (h *Host) snapshotSize(ctx context.Context, m *machine, k kept) (int64, error) {
	disks, err := h.written(ctx, m)
	if err != nil {
		return 0, err
	}
	files := []string{}
	for _, d := range disks {
		files = append(files, snapshotPath(fileOf(d), k.Name))
	}
	if k.Memory != "" {
		files = append(files, k.Memory)
	}
	var size int64
	for _, path := range files {
		stat, err := h.o.Access.Stat(ctx, path)
		if err != nil {
			return 0, err
		}
		size += stat.OnDisk
	}
	return (size + 1<<20 - 1) >> 20, nil
}
