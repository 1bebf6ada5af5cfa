package libvirt

import (
	"context"
	"time"

	"github.com/digitalocean/go-libvirt"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// onXen reports whether the host runs Xen, whose driver, libxl, lacks some of what
// that of QEMU has, and does some of it otherwise.
func (h *Host) onXen() bool { return h.at.driver == "xen" }

// xenLimit bounds a call to libxl, which shows nothing of a domain while it makes or
// ends it, and may take a minute for either.
const xenLimit = 10 * time.Minute

// xenMargin is the time for force: to end a domain and to start it anew.
const xenMargin = time.Minute

// limit bounds a call that needs no guest's help.
func (h *Host) limit() time.Duration {
	if h.onXen() {
		return xenLimit
	}
	return callLimit
}

// busy reports whether libvirt is at work on a domain: libxl restarts a guest by
// ending its domain and starting it again, and shows it as off in between.
func (h *Host) busy(ctx context.Context, m *machine) (bool, error) {
	return ask(ctx, h.link, h.limit(), func(rpc *libvirt.Libvirt) (bool, error) {
		kind, _, _, _, _, _, _, _, _, _, _, _, err := rpc.DomainGetJobInfo(m.domain)
		return libvirt.DomainJobType(kind) != libvirt.DomainJobNone, err
	})
}

// restartXen asks the guest to reboot, and knows that it did by the number of its
// domain. There is no reset: one that does not obey is ended and started, marked
// in between, so that whoever finds it off knows that it is to run.
func (h *Host) restartXen(ctx context.Context, m *machine) error {
	was := m.domain.ID
	came := func(ctx context.Context) (bool, error) {
		now, err := ask(ctx, h.link, h.limit(),
			func(rpc *libvirt.Libvirt) (libvirt.Domain, error) {
				return rpc.DomainLookupByUUID(m.domain.UUID)
			})
		return now.ID > 0 && now.ID != was, err
	}
	obeyed, err := h.persuade(ctx, came, func(rpc *libvirt.Libvirt) error {
		return rpc.DomainReboot(m.domain, 0)
	})
	switch {
	case err != nil:
		return err
	case obeyed:
		err := every(ctx, lookAgain, func() (bool, error) { // until its devices are there
			busy, err := h.busy(ctx, m)
			return !busy, err
		})
		if err != nil {
			return err
		}
		return h.limitXen(ctx, m)
	}
	h.log.Info("guest did not reboot, ending and starting it", "workspace", m.id)
	m.who.Restarting = "yes"
	if err := h.markAt(ctx, m, m.who, libvirt.DomainAffectConfig); err != nil {
		return err
	}
	if err := h.destroy(ctx, m); err != nil {
		return err
	}
	return h.restarted(ctx, m)
}

// restarted completes the restart of a machine that is marked so.
func (h *Host) restarted(ctx context.Context, m *machine) error {
	if m.who.Restarting == "" {
		return nil
	}
	err := h.create(ctx, m, false)
	if err != nil && !isCode(err, libvirt.ErrOperationInvalid) {
		return err // invalid: it has been started before
	}
	m.who.Restarting, m.restarting = "", false
	return h.markAt(ctx, m, m.who, libvirt.DomainAffectConfig|libvirt.DomainAffectLive)
}

// unheard reports whether a guest could not be asked: it is off; or it is not there
// yet to hear, which libxl calls an internal error.
func (h *Host) unheard(err error) bool {
	return isCode(err, libvirt.ErrOperationInvalid) || h.onXen() &&
		(isCode(err, libvirt.ErrInternalError) || isCode(err, libvirt.ErrOperationTimeout))
}

// xenAskAgain is when a guest that said that it heard is asked again. One that is
// about to obey does not answer again, and for the minute that libxl then waits,
// nothing is done about the guest's end.
const xenAskAgain = time.Minute

// askAgain is when to ask a guest again, which was asked with this result.
func (h *Host) askAgain(err error) time.Duration {
	if err == nil && h.onXen() {
		return xenAskAgain
	}
	return askAgain
}

// timeToAsk reports whether there is time for another request, next from now: libxl
// waits a minute for a guest that does not answer, and lets nobody at it meanwhile,
// force included.
func (h *Host) timeToAsk(patience context.Context, next time.Duration) bool {
	deadline, ok := patience.Deadline()
	return !h.onXen() || !ok || time.Until(deadline) > next+xenAskAgain
}

// saveXen writes the machine's memory to disk. That is the guest's own work, which
// one that still boots, or that is paused, cannot do.
func (h *Host) saveXen(ctx context.Context, m *machine) error {
	if err := h.awake(ctx, m); err != nil {
		return err
	}
	limit, cancel := context.WithTimeout(ctx, saveLimit)
	defer cancel()
	var refused error
	err := every(limit, askAgain, func() (bool, error) {
		err := order(ctx, h.link, saveLimit, func(rpc *libvirt.Libvirt) error {
			return rpc.DomainManagedSave(m.domain, 0) // it knows no other flags
		})
		if !isCode(err, libvirt.ErrInternalError) && !isCode(err, libvirt.ErrOperationFailed) {
			return true, err
		}
		refused = err
		return false, nil
	})
	if err != nil && refused != nil && ctx.Err() != nil {
		return workspace.Refuse(workspace.Transient, "the guest does not help: %v", refused)
	}
	return err
}

// attempts is how often a machine is started that Xen fails to start: the scripts
// that connect its devices, and what serves its disks, have 40 and 60 seconds, in
// which a busy host may not come to load them. What fails is cleared away by libxl.
const attempts = 3

// attempt starts a domain.
func (h *Host) attempt(
	ctx context.Context, m *machine, start func(*libvirt.Libvirt) error,
) error {
	for n := 1; ; n++ {
		err := order(ctx, h.link, saveLimit, start)
		switch {
		case !h.onXen() || !isCode(err, libvirt.ErrInternalError):
			return err
		case n == attempts:
			return workspace.Refuse(workspace.Transient, "Xen failed %d times to start it: %v",
				n, err)
		}
		h.log.Warn("Xen failed to start a machine", "workspace", m.id, "error", err)
	}
}

// Xen's scheduler, credit2, has weights and ceilings of its own: whole is what
// every domain has, dom0 too, where nobody says otherwise.
const (
	xenWhole = 256
	xenMost  = 65535
)

// xenWeight is the weight of a machine's part of the host's processors.
func xenWeight(percent int64) uint64 {
	if percent <= 0 {
		percent = 100
	}
	return uint64(min(max(percent*xenWhole/100, 1), xenMost))
}

// xenCap is its ceiling, in per cent of one processor for all of its own; 0: none.
func xenCap(s workspace.Shape) uint32 {
	if s.CPUPercent <= 0 || s.CPUPercent >= 100 {
		return 0
	}
	return uint32(s.CPUPercent * max(s.CPUs, 1))
}

// setCredit gives a domain in memory its part of the processors. A definition has
// no place for the ceiling, so each new life of the domain needs it again.
func (h *Host) setCredit(ctx context.Context, m *machine, s workspace.Shape) error {
	params := []libvirt.TypedParam{
		{Field: "weight", Value: *libvirt.NewTypedParamValueUint(uint32(xenWeight(s.CPUPercent)))},
		{Field: "cap", Value: *libvirt.NewTypedParamValueUint(xenCap(s))},
	}
	return order(ctx, h.link, h.limit(), func(rpc *libvirt.Libvirt) error {
		return rpc.DomainSetSchedulerParametersFlags(m.domain, params, 0) // it knows no flags
	})
}

// newLife limits a guest that may have restarted of itself. A domain that is gone
// again needs nothing.
func (h *Host) newLife(ctx context.Context, id workspace.ID) {
	m, err := h.find(ctx, id)
	if err == nil && m != nil && m.inMemory() {
		err = h.limitXen(ctx, m)
	}
	if err != nil && !isCode(err, libvirt.ErrOperationInvalid) {
		h.log.Warn("cannot limit a machine", "workspace", id, "error", err)
	}
}

// xenOverhead is the part of the memory that Xen keeps for itself and its tables.
const xenOverhead = 64

// guestMemory is what dom0 and Xen leave of the host's memory, in MB.
func (h *Host) guestMemory(ctx context.Context, all int64) (int64, error) {
	kib, err := ask(ctx, h.link, h.limit(), func(rpc *libvirt.Libvirt) (uint64, error) {
		first, err := rpc.DomainLookupByID(0)
		if err != nil {
			return 0, err
		}
		_, _, kib, _, _, err := rpc.DomainGetInfo(first)
		return kib, err
	})
	return all - all/xenOverhead - int64(kib/kibPerMB), err
}
