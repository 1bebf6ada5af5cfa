package libvirt

import (
	"context"
	"encoding/xml"

	"github.com/digitalocean/go-libvirt"
	"github.com/google/uuid"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// machine is a domain that was found to be ours.
type machine struct {
	id        workspace.ID
	domain    libvirt.Domain
	who       identity
	condition workspace.Condition
	moving    bool // libvirt is on the way to another condition
	restoring bool // saved, but its memory is back in place already
	managed   bool // saved, where libvirt likes
	frozen    bool // stands still for a snapshot alone
	between   bool // in the last moments of a migration, or left there by one that died
	// restarting: off, and about to run
	restarting bool
}

// find looks a machine up; nil when there is none that is ours.
func (h *Host) find(ctx context.Context, id workspace.ID) (*machine, error) {
	domain, err := ask(ctx, h.link, h.limit(), func(rpc *libvirt.Libvirt) (libvirt.Domain, error) {
		return rpc.DomainLookupByUUID(libvirt.UUID(h.uuidOf(id)))
	})
	if isCode(err, libvirt.ErrNoDomain) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return h.recognise(ctx, domain)
}

// recognise returns the machine behind a domain with its condition; nil when
// the domain is not ours, or has just gone.
func (h *Host) recognise(ctx context.Context, domain libvirt.Domain) (*machine, error) {
	id, ours := h.keyOf(domain.Name, uuid.UUID(domain.UUID))
	if !ours {
		return nil, nil
	}
	who, err := h.identityOf(ctx, domain)
	if err != nil || who.Pool != h.o.Pool || who.ID != id.String() {
		return nil, err
	}
	m := &machine{id: id, domain: domain, who: who}
	err = h.look(ctx, m)
	if isCode(err, libvirt.ErrNoDomain) {
		return nil, nil
	}
	return m, err
}

// identityOf reads our element; a zero one when there is none.
func (h *Host) identityOf(ctx context.Context, domain libvirt.Domain) (identity, error) {
	text, err := ask(ctx, h.link, h.limit(), func(rpc *libvirt.Libvirt) (string, error) {
		return rpc.DomainGetMetadata(domain, int32(libvirt.DomainMetadataElement),
			libvirt.OptString{namespace}, libvirt.DomainAffectCurrent)
	})
	if isCode(err, libvirt.ErrNoDomainMetadata) || isCode(err, libvirt.ErrNoDomain) {
		return identity{}, nil
	}
	if err != nil {
		return identity{}, err
	}
	var who identity
	if err := xml.Unmarshal([]byte(text), &who); err != nil {
		h.log.Warn("cannot read a domain's metadata", "domain", domain.Name, "error", err)
		return identity{}, nil
	}
	who.Namespace = namespace
	return who, nil
}

// look reads the machine's condition.
func (h *Host) look(ctx context.Context, m *machine) error {
	err := h.lookOnce(ctx, m)
	if err == nil && m.condition == workspace.ConditionOff && h.onXen() {
		var busy bool
		if busy, err = h.busy(ctx, m); err == nil {
			err = h.lookOnce(ctx, m) // again: what it was busy with may just have ended
		}
		if err == nil && busy {
			m.condition, m.moving = workspace.ConditionRunning, true
		}
	}
	if err != nil || m.condition != workspace.ConditionOff {
		return err
	}
	if m.who.Restarting != "" {
		m.condition, m.restarting = workspace.ConditionRunning, true
		return nil
	}
	return h.lookForMemory(ctx, m)
}

// lookOnce reads the condition, but for memory on disk.
func (h *Host) lookOnce(ctx context.Context, m *machine) error {
	type state struct{ now, why int32 }
	s, err := ask(ctx, h.link, h.limit(), func(rpc *libvirt.Libvirt) (state, error) {
		now, why, err := rpc.DomainGetState(m.domain, 0)
		return state{now, why}, err
	})
	if err != nil {
		return err
	}
	m.condition, m.moving = conditionOf(libvirt.DomainState(s.now), s.why)
	m.between = m.who.Going+m.who.Coming != "" && isBetween(libvirt.DomainState(s.now), s.why)
	m.frozen = m.condition == workspace.ConditionPaused && m.who.freezes()
	if m.between || m.frozen {
		m.condition, m.moving = workspace.ConditionRunning, true
	}
	m.restoring = m.who.Restoring != "" && m.condition == workspace.ConditionPaused
	if m.restoring {
		m.condition = workspace.ConditionSaved
	}
	return nil
}

// lookForMemory tells a machine whose memory is on disk from one that is off.
func (h *Host) lookForMemory(ctx context.Context, m *machine) error {
	if h.keepsFile(m) {
		saved, err := h.hasFile(ctx, m)
		if saved {
			m.condition = workspace.ConditionSaved
		}
		if saved || err != nil {
			return err
		}
	}
	saved, err := ask(ctx, h.link, h.limit(), func(rpc *libvirt.Libvirt) (int32, error) {
		return rpc.DomainHasManagedSaveImage(m.domain, 0)
	})
	if saved > 0 {
		m.condition, m.managed = workspace.ConditionSaved, true
	}
	return err
}

// conditionOf translates libvirt's state and reason. A domain that is being
// started, saved or shut down counts as running, and as moving.
func conditionOf(state libvirt.DomainState, why int32) (workspace.Condition, bool) {
	switch state {
	case libvirt.DomainPaused:
		return pausedCondition(libvirt.DomainPausedReason(why))
	case libvirt.DomainShutoff:
		if libvirt.DomainShutoffReason(why) == libvirt.DomainShutoffCrashed {
			return workspace.ConditionCrashed, false
		}
		return workspace.ConditionOff, false
	case libvirt.DomainCrashed:
		return workspace.ConditionCrashed, false
	case libvirt.DomainShutdown:
		return workspace.ConditionRunning, true
	}
	return workspace.ConditionRunning, false
}

// pausedCondition tells a pause that somebody asked for from libvirt's own.
func pausedCondition(why libvirt.DomainPausedReason) (workspace.Condition, bool) {
	switch why {
	case libvirt.DomainPausedSave, libvirt.DomainPausedShuttingDown,
		libvirt.DomainPausedStartingUp, libvirt.DomainPausedSnapshot:
		return workspace.ConditionRunning, true
	case libvirt.DomainPausedCrashed:
		return workspace.ConditionCrashed, false
	}
	return workspace.ConditionPaused, false
}

// isBetween reports whether a domain stands still because it is being migrated.
func isBetween(state libvirt.DomainState, why int32) bool {
	return state == libvirt.DomainPaused &&
		libvirt.DomainPausedReason(why) == libvirt.DomainPausedMigration
}

// coming reports whether the machine is still on its way here: as long as that
// may fail it is not here.
func (m *machine) coming() bool { return m.between && m.who.Coming != "" }

// onMachine does something to a machine that is there and at rest.
func (h *Host) onMachine(
	ctx context.Context, op string, id workspace.ID, do func(*machine) error,
) error {
	m, err := h.find(ctx, id)
	switch {
	case err != nil:
	case m == nil || m.coming():
		err = workspace.Refuse(workspace.NotFound, "there is no such machine")
	case m.moving && !m.frozen:
		err = workspace.Refuse(workspace.Transient, "it is still changing")
	default:
		if err = h.melt(ctx, m); err == nil {
			err = h.restarted(ctx, m)
		}
		if err == nil {
			err = do(m)
		}
	}
	return h.fault(op+" the machine", id, err)
}

// forbidden is the Conflict of a machine in the wrong condition.
func (m *machine) forbidden() error {
	return workspace.Refuse(workspace.Conflict, "it is %s", m.condition)
}

// inMemory reports whether the machine runs or is paused.
func (m *machine) inMemory() bool {
	return m.condition == workspace.ConditionRunning || m.condition == workspace.ConditionPaused
}

// Inspect tells the machine's condition.
func (h *Host) Inspect(ctx context.Context, id workspace.ID) (workspace.Condition, error) {
	m, err := h.find(ctx, id)
	if err != nil || m == nil || m.coming() {
		return workspace.ConditionAbsent, h.fault("inspect the machine", id, err)
	}
	return m.condition, nil
}

// List returns our machines.
func (h *Host) List(ctx context.Context) ([]workspace.Observed, error) {
	everything := func(rpc *libvirt.Libvirt) ([]libvirt.Domain, error) {
		domains, _, err := rpc.ConnectListAllDomains(1, 0)
		return domains, err
	}
	domains, err := ask(ctx, h.link, h.limit(), everything)
	if err != nil {
		return nil, h.fault("list the machines", 0, err)
	}
	var all []workspace.Observed
	for _, d := range domains {
		m, err := h.recognise(ctx, d)
		if err != nil {
			return nil, h.fault("list the machines", 0, err)
		}
		if m != nil && !m.coming() {
			all = append(all, workspace.Observed{ID: m.id, Condition: m.condition})
		}
	}
	return all, nil
}

// Capacity returns the host's processors and memory.
func (h *Host) Capacity(ctx context.Context) (workspace.Capacity, error) {
	c, err := ask(ctx, h.link, h.limit(), func(rpc *libvirt.Libvirt) (workspace.Capacity, error) {
		_, kib, cpus, _, _, _, _, _, err := rpc.NodeGetInfo()
		return workspace.Capacity{CPUs: int64(cpus), MemoryMB: int64(kib / kibPerMB)}, err
	})
	if err == nil && h.onXen() {
		c.MemoryMB, err = h.guestMemory(ctx, c.MemoryMB)
	}
	return c, h.fault("measure the capacity", 0, err)
}
