package libvirt

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/digitalocean/go-libvirt"
	"libvirt.org/go/libvirtxml"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// A snapshot is files beside the machine's own: a copy of each disk that the guest
// can write to and, where it was in memory, that too. The disks stay where and what
// they are, so whoever delivers, moves or removes them need know of no chain of
// files; nor does it matter whether they are raw or qcow2, or what the release of
// libvirt can do with snapshots of its own. Which there are stands in our element.

// kept is a snapshot in our element.
type kept struct {
	Name string `xml:"name,attr"`
	Made string `xml:"made,attr"` // as timeForm
	// Part says that it is not whole: "making" or "going".
	Part   string `xml:"part,attr,omitempty"`
	Memory string `xml:"memory,attr,omitempty"` // file; empty: disks alone
	Shape  string `xml:"shape,attr,omitempty"`  // that its memory is of
	// Froze says that the guest stands still for it.
	Froze string `xml:"froze,attr,omitempty"`
}

const (
	partMaking = "making"
	partGoing  = "going"
	timeForm   = time.RFC3339
)

// snapshotPath is the file of a snapshot beside one of the machine's own.
func snapshotPath(path, name string) string { return path + ".snapshot-" + name }

// revertPath is where a file is put together that goes back in its place.
func revertPath(path string) string { return path + ".reverting" }

// freezes reports whether a snapshot under way has stopped the guest.
func (i identity) freezes() bool {
	return slices.ContainsFunc(i.Snapshots, func(k kept) bool { return k.Froze != "" })
}

// snapshotOf returns the place of a snapshot in the list; -1 when there is none.
func (i identity) snapshotOf(name string) int {
	return slices.IndexFunc(i.Snapshots, func(k kept) bool { return k.Name == name })
}

// fileOf is the file of a disk; empty when it has none.
func fileOf(d libvirtxml.DomainDisk) string {
	if d.Source == nil || d.Source.File == nil {
		return ""
	}
	return d.Source.File.File
}

// written are the disks that the guest can write to.
func (h *Host) written(ctx context.Context, m *machine) ([]libvirtxml.DomainDisk, error) {
	domain, err := h.definition(ctx, m)
	if err != nil || domain.Devices == nil {
		return nil, err
	}
	return slices.DeleteFunc(domain.Devices.Disks, func(d libvirtxml.DomainDisk) bool {
		return d.ReadOnly != nil || fileOf(d) == ""
	}), nil
}

// Snapshot keeps the machine's state.
func (h *Host) Snapshot(ctx context.Context, id workspace.ID, name string) error {
	if err := workspace.CheckSnapshotName(name); err != nil {
		return err
	}
	return h.onMachine(ctx, "keep a snapshot of", id, func(m *machine) error {
		switch {
		case m.who.Reverting != "":
			return m.halfReverted()
		case m.who.snapshotOf(name) >= 0 &&
			m.who.Snapshots[m.who.snapshotOf(name)].Part == "":
			return nil
		case m.condition == workspace.ConditionCrashed,
			m.condition == workspace.ConditionSaved && !h.keepsFile(m):
			return m.forbidden()
		case m.inMemory() && !h.keepsFile(m):
			return workspace.Refuse(workspace.Conflict,
				"this hypervisor keeps no memory of a guest that goes on: shut it down first")
		}
		if err := h.restored(ctx, m); err != nil {
			return err
		}
		return h.keep(ctx, m, name)
	})
}

// keep makes a snapshot: what there is of one is removed before and, if this one
// fails, after.
func (h *Host) keep(ctx context.Context, m *machine, name string) error {
	if err := h.drop(ctx, m, name); err != nil {
		return err
	}
	h.keeping.Store(m.id, true)
	defer h.keeping.Delete(m.id)
	k := kept{Name: name, Made: time.Now().UTC().Format(timeForm), Part: partMaking}
	if m.inMemory() || m.condition == workspace.ConditionSaved {
		k.Memory, k.Shape = snapshotPath(m.who.Memory, name), m.who.Shape
	}
	if m.condition == workspace.ConditionRunning {
		k.Froze = "yes"
	}
	m.who.Snapshots = append(m.who.Snapshots, k)
	err := h.mark(ctx, m, m.who)
	if err == nil {
		err = h.fill(ctx, m, k)
	}
	if err == nil {
		last := &m.who.Snapshots[len(m.who.Snapshots)-1]
		last.Part, last.Froze = "", ""
		return h.mark(ctx, m, m.who)
	}
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), callLimit)
	defer cancel()
	if undo := h.unfreeze(late, m); undo != nil {
		h.log.Warn("cannot clear up after a snapshot", "workspace", m.id, "error", undo)
	}
	return err
}

// fill makes the files.
func (h *Host) fill(ctx context.Context, m *machine, k kept) error {
	disks, err := h.written(ctx, m)
	if err != nil {
		return err
	}
	if m.inMemory() {
		return h.full(ctx, m.who.Memory, h.keepLive(ctx, m, k, disks))
	}
	for _, d := range disks {
		err := h.o.Access.Copy(ctx, fileOf(d), snapshotPath(fileOf(d), k.Name), nil)
		if err != nil {
			return err
		}
	}
	if k.Memory == "" {
		return nil
	}
	return h.o.Access.Copy(ctx, m.who.Memory, k.Memory, nil)
}

// keepLive keeps a machine that is in memory: it stands still while its memory is
// written and until the copying of its disks has begun, which is of what they are
// then.
func (h *Host) keepLive(
	ctx context.Context, m *machine, k kept, disks []libvirtxml.DomainDisk,
) error {
	if k.Froze != "" {
		if err := h.suspend(ctx, m); err != nil {
			return err
		}
	}
	if err := h.keepMemory(ctx, m, k, disks); err != nil {
		return err
	}
	if err := h.beginCopy(ctx, m, k, disks); err != nil {
		return err
	}
	if k.Froze != "" {
		err := order(ctx, h.link, callLimit, func(rpc *libvirt.Libvirt) error {
			return rpc.DomainResume(m.domain)
		})
		if err != nil {
			return err
		}
	}
	return h.endCopy(ctx, m, len(disks))
}

// keepMemory writes the memory to a file from which a machine can be restored.
func (h *Host) keepMemory(
	ctx context.Context, m *machine, k kept, disks []libvirtxml.DomainDisk,
) error {
	s := libvirtxml.DomainSnapshot{Name: k.Name,
		Memory: &libvirtxml.DomainSnapshotMemory{Snapshot: "external", File: k.Memory},
		Disks:  &libvirtxml.DomainSnapshotDisks{}}
	for _, d := range disks {
		s.Disks.Disks = append(s.Disks.Disks,
			libvirtxml.DomainSnapshotDisk{Name: d.Target.Dev, Snapshot: "no"})
	}
	text, err := s.Marshal()
	if err != nil {
		return err
	}
	return order(ctx, h.link, saveLimit, func(rpc *libvirt.Libvirt) error {
		_, err := rpc.DomainSnapshotCreateXML(m.domain, text,
			uint32(libvirt.DomainSnapshotCreateNoMetadata))
		return err
	})
}

// beginCopy lets QEMU copy the disks as they are now.
func (h *Host) beginCopy(
	ctx context.Context, m *machine, k kept, disks []libvirtxml.DomainDisk,
) error {
	if len(disks) == 0 {
		return nil
	}
	var list libvirtxml.DomainBackupPushDisks
	for _, d := range disks {
		list.Disks = append(list.Disks, libvirtxml.DomainBackupPushDisk{
			Name: d.Target.Dev, Backup: "yes",
			Driver: &libvirtxml.DomainBackupDiskDriver{Type: d.Driver.Type},
			Target: &libvirtxml.DomainDiskSource{File: &libvirtxml.DomainDiskSourceFile{
				File: snapshotPath(fileOf(d), k.Name)}},
		})
	}
	backup := libvirtxml.DomainBackup{Push: &libvirtxml.DomainBackupPush{Disks: &list}}
	text, err := backup.Marshal()
	if err != nil {
		return err
	}
	return order(ctx, h.link, callLimit, func(rpc *libvirt.Libvirt) error {
		return rpc.DomainBackupBegin(m.domain, text, nil, 0)
	})
}

// endCopy waits until the disks are copied. What libvirtd does not tell after its
// own end counts as failed.
func (h *Host) endCopy(ctx context.Context, m *machine, disks int) error {
	if disks == 0 {
		return nil
	}
	err := every(ctx, lookAgain, func() (bool, error) { return h.idle(ctx, m) })
	if err != nil {
		return err
	}
	why := ""
	kind, err := ask(ctx, h.link, callLimit, func(rpc *libvirt.Libvirt) (int32, error) {
		kind, said, err := rpc.DomainGetJobStats(m.domain, libvirt.DomainJobStatsCompleted)
		why = textOf(said, "errmsg") // VIR_DOMAIN_JOB_ERRMSG
		return kind, err
	})
	if err != nil {
		return err
	}
	if libvirt.DomainJobType(kind) != libvirt.DomainJobCompleted {
		return workspace.Refuse(workspace.Transient, "its disks could not be copied: %s",
			cmp.Or(why, "libvirtd does not say why"))
	}
	return nil
}

// textOf returns the parameter of a name, where it is a text.
func textOf(all []libvirt.TypedParam, name string) string {
	for _, p := range all {
		if text, ok := p.Value.I.(string); ok && p.Field == name {
			return text
		}
	}
	return ""
}

// idle reports whether no job of libvirt's is under way for the machine.
func (h *Host) idle(ctx context.Context, m *machine) (bool, error) {
	kind, err := ask(ctx, h.link, callLimit, func(rpc *libvirt.Libvirt) (int32, error) {
		kind, _, _, _, _, _, _, _, _, _, _, _, err := rpc.DomainGetJobInfo(m.domain)
		return kind, err
	})
	if isCode(err, libvirt.ErrNoDomain) {
		return true, nil
	}
	job := libvirt.DomainJobType(kind)
	return job != libvirt.DomainJobBounded && job != libvirt.DomainJobUnbounded, err
}

// melt lets a guest go on that stands still for a snapshot which nobody makes any
// more, and removes what there is of it.
func (h *Host) melt(ctx context.Context, m *machine) error {
	half := func(k kept) bool { return k.Part == partMaking }
	if !slices.ContainsFunc(m.who.Snapshots, half) {
		return nil
	}
	if _, busy := h.keeping.Load(m.id); busy {
		return workspace.Refuse(workspace.Transient, "a snapshot of it is being made")
	}
	return h.unfreeze(ctx, m)
}

// unfreeze ends the copying, lets the guest go on, and removes what is half made.
func (h *Host) unfreeze(ctx context.Context, m *machine) error {
	if err := h.look(ctx, m); err != nil {
		return err
	}
	if m.inMemory() {
		err := order(ctx, h.link, callLimit, func(rpc *libvirt.Libvirt) error {
			return rpc.DomainAbortJob(m.domain)
		})
		if err != nil && !isCode(err, libvirt.ErrOperationInvalid) {
			return err
		}
		err = every(ctx, lookAgain, func() (bool, error) { return h.idle(ctx, m) })
		if err != nil {
			return err
		}
	}
	if m.frozen {
		err := order(ctx, h.link, callLimit, func(rpc *libvirt.Libvirt) error {
			return rpc.DomainResume(m.domain)
		})
		if err != nil {
			return err
		}
	}
	for _, k := range slices.Clone(m.who.Snapshots) {
		if k.Part != "" {
			if err := h.drop(ctx, m, k.Name); err != nil {
				return err
			}
		}
	}
	return h.look(ctx, m)
}
