package libvirt

import (
	"context"
	"net/netip"
	"strconv"
	"time"

	"github.com/digitalocean/go-libvirt"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// clearUp looks at both hosts and ends what an earlier attempt began: it reports
// that the machine has arrived, with nothing left here, or sees to it that it is
// here as it was, with nothing left there.
func (v *voyage) clearUp(ctx context.Context) (arrived bool, err error) {
	if v.here, err = v.from.find(ctx, v.id); err != nil {
		return false, err
	}
	if v.here != nil && v.here.who.Going != "" {
		if err := v.ended(ctx); err != nil {
			return false, err
		}
	}
	return v.lookThere(ctx)
}

// ended waits until no migration of the machine is under way, and calls off one
// that is when ctx ends.
func (v *voyage) ended(ctx context.Context) error {
	err := v.quiet(ctx)
	if ctx.Err() == nil {
		return err
	}
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), callLimit)
	defer cancel()
	v.callOff(late)
	return ctx.Err()
}

// callOff ends a migration that is under way.
func (v *voyage) callOff(ctx context.Context) {
	err := order(ctx, v.from.link, callLimit, func(rpc *libvirt.Libvirt) error {
		return rpc.DomainAbortJob(v.here.domain)
	})
	if err != nil && !isCode(err, libvirt.ErrOperationInvalid) {
		v.from.log.Warn("cannot call a migration off", "workspace", v.id, "error", err)
	}
}

func (v *voyage) quiet(ctx context.Context) error {
	err := every(ctx, lookAgain, func() (bool, error) {
		kind, err := ask(ctx, v.from.link, callLimit, func(rpc *libvirt.Libvirt) (int32, error) {
			kind, _, _, _, _, _, _, _, _, _, _, _, err := rpc.DomainGetJobInfo(v.here.domain)
			return kind, err
		})
		if isCode(err, libvirt.ErrNoDomain) || isCode(err, libvirt.ErrOperationInvalid) {
			return true, nil // it has ended: the domain is gone, or does not run any more
		}
		return libvirt.DomainJobType(kind) == libvirt.DomainJobNone ||
			libvirt.DomainJobType(kind) > libvirt.DomainJobUnbounded, err
	})
	if err != nil {
		return err
	}
	v.here, err = v.from.find(ctx, v.id)
	return err
}

// lookThere settles by what is on the other host.
func (v *voyage) lookThere(ctx context.Context) (arrived bool, err error) {
	there, err := v.to.find(ctx, v.id)
	if err != nil {
		return false, err
	}
	switch {
	case there == nil && v.here == nil:
		return false, workspace.Refuse(workspace.NotFound, "there is no such machine")
	case there == nil || there.coming():
		return false, v.remain(ctx, there)
	case v.here == nil || v.here.gone(there):
		return true, v.arrive(ctx, there)
	case there.inMemory() || there.condition == workspace.ConditionSaved:
		return false, workspace.Refuse(workspace.Internal,
			"it is %s here, and %s on host %s", v.here.condition, there.condition, v.to.o.Host)
	}
	return false, v.remain(ctx, there)
}

// gone reports whether the machine has left for the other host, where it is: it
// does not run here, and what is there came by migration and was let go on.
func (m *machine) gone(there *machine) bool {
	if m.condition == workspace.ConditionRunning && !m.between {
		return false
	}
	return m.between || there.who.Coming != ""
}

// remain keeps the machine here: what has come to the other host goes.
func (v *voyage) remain(ctx context.Context, there *machine) error {
	if there != nil {
		if err := v.to.destroy(ctx, there); err != nil {
			return err
		}
	}
	if v.here == nil {
		return workspace.Refuse(workspace.NotFound, "it was lost on the way")
	}
	if there != nil || v.here.who.Going != "" {
		if err := v.forgetThere(ctx, there); err != nil {
			return err
		}
	}
	if v.here.who.Going == "" || !(v.here.inMemory() || v.here.between) {
		return nil
	}
	if v.here.between {
		err := order(ctx, v.from.link, callLimit, func(rpc *libvirt.Libvirt) error {
			return rpc.DomainResume(v.here.domain)
		})
		if err != nil {
			return err
		}
	}
	v.here.who.Going = ""
	if err := v.from.markAt(ctx, v.here, v.here.who, libvirt.DomainAffectLive); err != nil {
		return err
	}
	return v.from.look(ctx, v.here)
}

// oneConsole reports whether both hosts write the console to the same file: hosts
// whose disks have to be copied do not share the directory, whatever they call it.
func (v *voyage) oneConsole() bool {
	return !v.Copied && v.from.consolePath(v.id) == v.to.consolePath(v.id)
}

// forgetThere removes what was prepared on the other host.
func (v *voyage) forgetThere(ctx context.Context, there *machine) error {
	if err := v.to.sweep(ctx, v.id, v.As.NICs, !v.oneConsole()); err != nil {
		return err
	}
	if there != nil {
		err := order(ctx, v.to.link, callLimit, func(rpc *libvirt.Libvirt) error {
			return rpc.DomainUndefineFlags(there.domain, v.to.undefineFlags())
		})
		if err != nil && !isCode(err, libvirt.ErrNoDomain) &&
			!isCode(err, libvirt.ErrOperationInvalid) {
			return err
		}
	}
	if !v.Copied {
		return nil
	}
	for _, d := range v.As.Disks {
		if d.ReadOnly {
			continue
		}
		if err := v.to.o.Access.Remove(ctx, d.Path); err != nil {
			return err
		}
	}
	return nil
}

// arrive ends a migration that went well: nothing of the machine remains here.
func (v *voyage) arrive(ctx context.Context, there *machine) error {
	v.done = v.to.passage(ctx, there)
	if v.here != nil {
		if err := v.from.vanish(ctx, v.here); err != nil {
			return err
		}
	}
	if err := v.from.sweep(ctx, v.id, v.As.NICs, !v.oneConsole()); err != nil {
		return err
	}
	v.to.changes(v.id)
	if there.who.Coming == "" {
		return nil
	}
	there.who.Coming = ""
	return v.to.mark(ctx, there, there.who)
}

// vanish removes the domain that a machine has left.
func (h *Host) vanish(ctx context.Context, m *machine) error {
	if err := h.destroy(ctx, m); err != nil {
		return err
	}
	err := order(ctx, h.link, callLimit, func(rpc *libvirt.Libvirt) error {
		return rpc.DomainUndefineFlags(m.domain, h.undefineFlags())
	})
	if isCode(err, libvirt.ErrNoDomain) {
		return nil
	}
	return err
}

// Sweep removes what a migration leaves that nobody sees to its end: libvirtd removes the
// domain from the host that the machine has left, by which Undefine finds the rest, and
// makes one on the other after that was prepared.
func (h *Host) Sweep(
	ctx context.Context, id workspace.ID, nics []workspace.NIC, files bool,
) error {
	m, err := h.find(ctx, id)
	if err == nil && m == nil {
		err = h.sweep(ctx, id, nics, files)
	}
	return h.fault("sweep up after the machine", id, err)
}

// sweep removes what there is of a machine beside its domain.
func (h *Host) sweep(
	ctx context.Context, id workspace.ID, nics []workspace.NIC, files bool,
) error {
	h.changed.Delete(id)
	if err := h.dropHosts(ctx, nics); err != nil || !files {
		return err
	}
	return h.removeConsole(ctx, id)
}

// dropHosts takes the entries of NICs out of the networks' DHCP, where there is
// no domain any more to find them by.
func (h *Host) dropHosts(ctx context.Context, nics []workspace.NIC) error {
	for _, n := range nics {
		net, ok := h.o.Networks[n.Association]
		if !ok || net.Kind != NetworkLibvirt {
			continue
		}
		err := h.eachCopy(ctx, net.Name, func(c networkCopy) error {
			return h.removeHost(ctx, c, n.MAC)
		})
		if err != nil && !isCode(err, libvirt.ErrNoNetwork) {
			return err
		}
	}
	return nil
}

// follow tells of a migration's progress, and limits its downtime as soon as there
// is one.
func (v *voyage) follow(ctx context.Context) {
	limited := v.Downtime <= 0
	// What cannot be told or limited does not end the migration.
	_ = every(ctx, lookAgain, func() (bool, error) {
		s := v.from.jobStats(ctx, v.here.domain, 0)
		if !limited && s["memory_total"] > 0 {
			limited = nil == order(ctx, v.from.link, callLimit, func(rpc *libvirt.Libvirt) error {
				return rpc.DomainMigrateSetMaxDowntime(v.here.domain,
					uint64(v.Downtime.Milliseconds()), 0)
			})
		}
		if v.Progress != nil && s["data_total"] > 0 {
			v.Progress(s["data_processed"], s["data_total"])
		}
		return false, nil
	})
}

// passage is how the migration went that brought the machine here.
func (h *Host) passage(ctx context.Context, m *machine) workspace.Passage {
	s := h.jobStats(ctx, m.domain, libvirt.DomainJobStatsCompleted)
	return workspace.Passage{Total: time.Duration(s["time_elapsed"]) * time.Millisecond,
		Downtime: time.Duration(s["downtime"]) * time.Millisecond, Bytes: s["data_processed"]}
}

// jobStats are the numbers that libvirt tells of a job; none when it has none.
func (h *Host) jobStats(
	ctx context.Context, domain libvirt.Domain, which libvirt.DomainGetJobStatsFlags,
) map[string]int64 {
	params, err := ask(ctx, h.link, callLimit,
		func(rpc *libvirt.Libvirt) ([]libvirt.TypedParam, error) {
			_, params, err := rpc.DomainGetJobStats(domain, which)
			return params, err
		})
	if err != nil {
		return nil
	}
	numbers := make(map[string]int64, len(params))
	for _, p := range params {
		switch n := p.Value.I.(type) {
		case uint64:
			numbers[p.Field] = int64(n)
		case int64:
			numbers[p.Field] = n
		case uint32:
			numbers[p.Field] = int64(n)
		case int32:
			numbers[p.Field] = int64(n)
		}
	}
	return numbers
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

func isIPv6(name string) bool {
	address, err := netip.ParseAddr(name)
	return err == nil && address.Is6()
}
