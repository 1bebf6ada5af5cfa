package libvirt

import (
	"context"
	"time"

	"github.com/digitalocean/go-libvirt"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// How a guest is asked: again every so often, because one that is still
// booting does not hear; and by force while there is still time for it.
const (
	gracefulLimit = 2 * time.Minute // when the context has no deadline
	askAgain      = 3 * time.Second
	lookAgain     = 200 * time.Millisecond
	forceMargin   = 10 * time.Second // at most; of short limits a third
)

// Start boots the machine, or restores what was saved.
func (h *Host) Start(ctx context.Context, id workspace.ID, paused bool) error {
	want := workspace.ConditionRunning
	if paused {
		want = workspace.ConditionPaused
	}
	return h.onMachine(ctx, "start", id, func(m *machine) error {
		switch {
		case m.who.Reverting != "":
			return m.halfReverted()
		case m.condition == want:
			return h.limitXen(ctx, m)
		case m.inMemory():
			return m.forbidden()
		case m.condition == workspace.ConditionSaved && h.keepsFile(m):
			return h.restore(ctx, m, paused)
		}
		return h.create(ctx, m, paused)
	})
}

// create starts the domain. Drivers that cannot start one paused (the test
// driver) start and then pause it.
func (h *Host) create(ctx context.Context, m *machine, paused bool) error {
	start := func(flags uint32) error {
		return h.attempt(ctx, m, func(rpc *libvirt.Libvirt) error {
			_, err := rpc.DomainCreateWithFlags(m.domain, flags)
			return err
		})
	}
	if !paused {
		if err := start(0); err != nil {
			return err
		}
		return h.limitXen(ctx, m)
	}
	err := start(uint32(libvirt.DomainStartPaused))
	if err == nil {
		return h.limitXen(ctx, m)
	}
	if !isCode(err, libvirt.ErrInvalidArg) {
		return err
	}
	if err := start(0); err != nil {
		return err
	}
	return h.suspend(ctx, m)
}

// Pause stops the machine's clock.
func (h *Host) Pause(ctx context.Context, id workspace.ID) error {
	return h.onMachine(ctx, "pause", id, func(m *machine) error {
		switch m.condition {
		case workspace.ConditionPaused:
			return nil
		case workspace.ConditionRunning:
			if err := h.restored(ctx, m); err != nil {
				return err
			}
			return h.suspend(ctx, m)
		}
		return m.forbidden()
	})
}

// Resume goes on from a pause.
func (h *Host) Resume(ctx context.Context, id workspace.ID) error {
	return h.onMachine(ctx, "resume", id, func(m *machine) error {
		if !m.inMemory() {
			return m.forbidden()
		}
		return h.awake(ctx, m)
	})
}

func (h *Host) suspend(ctx context.Context, m *machine) error {
	return order(ctx, h.link, h.limit(), func(rpc *libvirt.Libvirt) error {
		return rpc.DomainSuspend(m.domain)
	})
}

// awake lets a paused machine go on: a sleeping guest hears nothing.
func (h *Host) awake(ctx context.Context, m *machine) error {
	if m.condition != workspace.ConditionPaused {
		return nil
	}
	return order(ctx, h.link, h.limit(), func(rpc *libvirt.Libvirt) error {
		return rpc.DomainResume(m.domain)
	})
}

// Stop halts the machine.
func (h *Host) Stop(ctx context.Context, id workspace.ID, mode workspace.StopMode) error {
	return h.onMachine(ctx, "stop", id, func(m *machine) error {
		switch {
		case mode == workspace.StopSerialize:
			return h.save(ctx, m)
		case m.condition == workspace.ConditionOff:
			return nil
		case m.condition == workspace.ConditionSaved:
			return h.forget(ctx, m)
		case m.condition == workspace.ConditionCrashed:
			return h.settle(ctx, m)
		case mode == workspace.StopGraceful:
			return h.shutDown(ctx, m)
		}
		return h.destroy(ctx, m)
	})
}

// save writes the machine's memory to the host's disk. It shall run when it is
// restored, even if it was paused.
func (h *Host) save(ctx context.Context, m *machine) error {
	switch {
	case m.condition == workspace.ConditionSaved:
		return nil
	case !m.inMemory():
		return m.forbidden()
	}
	if h.keepsFile(m) {
		return h.saveToFile(ctx, m)
	}
	if h.onXen() {
		return h.saveXen(ctx, m)
	}
	return order(ctx, h.link, saveLimit, func(rpc *libvirt.Libvirt) error {
		return rpc.DomainManagedSave(m.domain, uint32(libvirt.DomainSaveRunning))
	})
}

// forget throws the saved memory away.
func (h *Host) forget(ctx context.Context, m *machine) error {
	if h.keepsFile(m) {
		return h.forgetFile(ctx, m)
	}
	return order(ctx, h.link, h.limit(), func(rpc *libvirt.Libvirt) error {
		return rpc.DomainManagedSaveRemove(m.domain, 0)
	})
}

// settle brings a crashed machine to an ordinary off: libvirt remembers the
// crash for as long as the domain does not run.
func (h *Host) settle(ctx context.Context, m *machine) error {
	if err := h.create(ctx, m, true); err != nil {
		return err
	}
	return h.destroy(ctx, m)
}

// destroy pulls the plug. A domain that is off already is a success.
func (h *Host) destroy(ctx context.Context, m *machine) error {
	err := order(ctx, h.link, h.limit(), func(rpc *libvirt.Libvirt) error {
		return rpc.DomainDestroyFlags(m.domain, libvirt.DomainDestroyDefault)
	})
	if isCode(err, libvirt.ErrOperationInvalid) || isCode(err, libvirt.ErrNoDomain) {
		return nil
	}
	return err
}

// shutDown asks the guest to power off, and pulls the plug when ctx's deadline nears.
func (h *Host) shutDown(ctx context.Context, m *machine) error {
	if err := h.awake(ctx, m); err != nil {
		return err
	}
	gone := func(ctx context.Context) (bool, error) {
		err := h.look(ctx, m)
		return !m.inMemory(), err
	}
	obeyed, err := h.persuade(ctx, gone, func(rpc *libvirt.Libvirt) error {
		return rpc.DomainShutdownFlags(m.domain, libvirt.DomainShutdownDefault)
	})
	if obeyed || err != nil {
		return err
	}
	h.log.Info("guest did not power off, forcing it", "workspace", m.id)
	return h.destroy(ctx, m)
}

// Reboot asks the guest to reboot, and resets it when ctx's deadline nears.
func (h *Host) Reboot(ctx context.Context, id workspace.ID) error {
	return h.onMachine(ctx, "reboot", id, func(m *machine) error {
		if !m.inMemory() {
			return m.forbidden()
		}
		if err := h.awake(ctx, m); err != nil {
			return err
		}
		return h.reboot(ctx, m)
	})
}

// reboot waits for the guest to come round where the driver tells of it.
func (h *Host) reboot(ctx context.Context, m *machine) error {
	if h.onXen() {
		return h.restartXen(ctx, m)
	}
	request := func(rpc *libvirt.Libvirt) error { return rpc.DomainReboot(m.domain, 0) }
	if h.at.driver != "qemu" {
		return order(ctx, h.link, h.limit(), request)
	}
	heard := h.hearer.listen()
	defer heard.close()
	came := func(context.Context) (bool, error) {
		for _, e := range heard.take() {
			if e.reboot && e.domain.UUID == m.domain.UUID {
				return true, nil
			}
		}
		return false, nil
	}
	obeyed, err := h.persuade(ctx, came, request)
	if obeyed || err != nil {
		return err
	}
	h.log.Info("guest did not reboot, resetting it", "workspace", m.id)
	return order(ctx, h.link, h.limit(), func(rpc *libvirt.Libvirt) error {
		return rpc.DomainReset(m.domain, 0)
	})
}

// persuade asks the guest for something, again and again, until done says that
// it happened. It returns false when there is just time left for force.
func (h *Host) persuade(
	ctx context.Context,
	done func(context.Context) (bool, error),
	request func(*libvirt.Libvirt) error,
) (bool, error) {
	patience, cancel := context.WithTimeout(ctx, h.patienceOf(ctx))
	defer cancel()
	look := time.NewTicker(lookAgain)
	defer look.Stop()
	again := time.NewTimer(0)
	defer again.Stop()
	for {
		if ok, err := done(ctx); ok || err != nil {
			return ok, err
		}
		select {
		case <-again.C:
			err := order(patience, h.link, h.limit(), request)
			if err != nil && patience.Err() == nil && !h.unheard(err) {
				return false, err
			}
			if next := h.askAgain(err); h.timeToAsk(patience, next) {
				again.Reset(next)
			}
		case <-look.C:
		case <-patience.Done():
			return false, ctx.Err()
		}
	}
}

// patienceOf is how long to wait for a guest before force.
func (h *Host) patienceOf(ctx context.Context) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return gracefulLimit
	}
	left := time.Until(deadline)
	margin := forceMargin
	if h.onXen() {
		margin = xenMargin
	}
	return left - min(left/3, margin)
}
