package libvirt

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/digitalocean/go-libvirt"
	"libvirt.org/go/libvirtxml"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// How long a guest may take to give memory back, or to say what it uses: a
// fraction of a second, and much longer on a computer that is busy.
const (
	giveLimit = 30 * time.Second
	tellLimit = 30 * tellsUse * time.Second
	lookSoon  = 20 * time.Millisecond
)

const kibPerMB = 1024

// A guest's use rises and falls: what it is said to need is more than it does
// now, by a part of it and at least by so many MB.
const (
	sixteenth = 16
	slack     = 4
)

// Resize gives the machine another shape: while it runs by the means that its
// guest helps with, and in any case in its definition.
func (h *Host) Resize(ctx context.Context, id workspace.ID, s workspace.Shape) error {
	return h.onMachine(ctx, "resize", id, func(m *machine) error {
		before, known := m.who.shape()
		switch {
		case m.condition != workspace.ConditionOff && m.condition != workspace.ConditionRunning:
			return m.forbidden()
		case !known:
			return workspace.Refuse(workspace.Conflict,
				"it was defined by an earlier release, and can be resized once it is defined anew")
		}
		r := &resizing{h: h, m: m, before: before, after: s.Over(before)}
		return r.run(ctx)
	})
}

// resizing is one change of shape.
type resizing struct {
	h             *Host
	m             *machine
	before, after workspace.Shape
	live          *libvirtxml.Domain // nil: it is off
}

// run changes what runs first, because that can fail; then the definition, and
// last what says so. Cut off in between it is as before, and can be repeated.
func (r *resizing) run(ctx context.Context) error {
	h := r.h
	if err := h.restored(ctx, r.m); err != nil {
		return err
	}
	most, err := h.room(ctx, r.after)
	if err != nil {
		return err
	}
	if err := r.check(ctx); err != nil {
		return err
	}
	if r.live != nil {
		if err := r.changeLive(ctx); err != nil {
			return err
		}
	}
	domain, err := h.definition(ctx, r.m)
	if err != nil {
		return err
	}
	r.m.who.Shape = shapeText(r.after)
	fit(domain, r.after, most)
	if err := tell(domain, r.m.who); err != nil {
		return err
	}
	if err := h.writeDomain(ctx, domain); err != nil || r.live == nil {
		return err
	}
	return h.markAt(ctx, r.m, r.m.who, libvirt.DomainAffectLive)
}

// check refuses, before anything is changed, what cannot be.
func (r *resizing) check(ctx context.Context) error {
	has, err := r.h.Capacity(ctx)
	if err != nil {
		return err
	}
	memory := workspace.Limit{Resource: "memory", Unit: "MB", Wanted: r.after.MemoryMB,
		Least: 1, Most: max(has.MemoryMB, r.before.MemoryMB)}
	cpus := workspace.Limit{Resource: "cpus", Unit: "CPUs", Wanted: r.after.CPUs,
		Least: 1, Most: max(has.CPUs, r.before.CPUs)}
	end := "the host has no more"
	if r.m.condition == workspace.ConditionRunning {
		r.live, err = r.h.readDomain(ctx, func(rpc *libvirt.Libvirt) (string, error) {
			return rpc.DomainGetXMLDesc(r.m.domain, 0)
		})
		if err != nil {
			return err
		}
		memory.Most = int64(r.live.Memory.Value) / kibPerMB
		cpus.Most = int64(r.live.VCPU.Value)
		end = "it was started with room for no more"
	}
	if r.live != nil && r.after.MemoryMB < r.before.MemoryMB {
		used, err := r.h.used(ctx, r.m)
		if err != nil {
			return err
		}
		memory.Least = min(max(used, 1), r.before.MemoryMB)
		if memory.Wanted < memory.Least { // what is offered must do in a moment too
			memory.Least = min(used+max(used/sixteenth, slack), r.before.MemoryMB)
		}
	}
	uses := fmt.Sprintf("the guest needs %d MB", memory.Least)
	if err := within(memory, uses, end); err != nil {
		return err
	}
	if err := r.canLimit(); err != nil {
		return err
	}
	few := "the guest needs one"
	if r.live != nil && r.live.Type == qemuFlavour.kind {
		// QEMU does not tell when an emulated processor has gone, and libvirt counts
		// it for ever.
		cpus.Least, few = max(r.before.CPUs, 1), "emulated processors cannot be taken back"
	}
	return within(cpus, few, end)
}

// within returns the limit as a Conflict when it is broken.
func within(l workspace.Limit, tooLittle, tooMuch string) error {
	switch {
	case l.Wanted < l.Least && l.Wanted != 0:
		l.Reason = tooLittle
	case l.Wanted > l.Most:
		l.Reason = tooMuch
	default:
		return nil
	}
	return limited(l)
}

func limited(l workspace.Limit) error {
	return &workspace.Error{Kind: workspace.Conflict, Err: &l}
}

// changeLive changes what runs, step by step, and goes back over the steps when
// one of them fails. A host that is out of reach is not gone back on: the call
// is repeated, or taken back, once it is there again.
func (r *resizing) changeLive(ctx context.Context) error {
	err := r.steps(ctx, r.before, r.after)
	if err == nil || cutOff(err) {
		return err
	}
	back, cancel := context.WithTimeout(context.WithoutCancel(ctx), callLimit)
	defer cancel()
	if undo := r.steps(back, r.after, r.before); undo != nil {
		r.h.log.Warn("cannot take a change of shape back", "workspace", r.m.id, "error", undo)
	}
	return err
}

// steps changes the running machine between shapes, what can fail last.
func (r *resizing) steps(ctx context.Context, from, to workspace.Shape) error {
	// Xen's ceiling is one for all processors together.
	if from.CPUPercent != to.CPUPercent || r.h.onXen() && from.CPUs != to.CPUs {
		if err := r.h.setShare(ctx, r.m, to); err != nil {
			return err
		}
	}
	if from.NetInKbps != to.NetInKbps || from.NetOutKbps != to.NetOutKbps {
		if err := r.setBandwidth(ctx, to); err != nil {
			return err
		}
	}
	if from.MemoryMB != to.MemoryMB {
		if err := r.setMemory(ctx, from.MemoryMB, to.MemoryMB); err != nil {
			return err
		}
	}
	if from.CPUs != to.CPUs {
		return r.setCPUs(ctx, to.CPUs)
	}
	return nil
}

// setShare changes the machine's part of the processors. The test driver has
// none to share.
func (h *Host) setShare(ctx context.Context, m *machine, to workspace.Shape) error {
	if h.at.driver == "test" {
		return nil
	}
	if h.onXen() {
		return h.setCredit(ctx, m, to)
	}
	s := shareOf(to.CPUPercent)
	params := []libvirt.TypedParam{
		{Field: "cpu_shares", Value: *libvirt.NewTypedParamValueUllong(s.weight)},
		{Field: "vcpu_period", Value: *libvirt.NewTypedParamValueUllong(uint64(s.period))},
		{Field: "vcpu_quota", Value: *libvirt.NewTypedParamValueLlong(s.quota)},
	}
	return order(ctx, h.link, h.limit(), func(rpc *libvirt.Libvirt) error {
		return rpc.DomainSetSchedulerParametersFlags(m.domain, params,
			uint32(libvirt.DomainAffectLive))
	})
}

// canLimit refuses limits of networks that need a way to the host which is not there.
func (r *resizing) canLimit() error {
	if !r.h.onXen() || r.h.sees() {
		return nil
	}
	if r.live == nil {
		return r.h.canLimit(r.after, "")
	}
	for _, l := range []workspace.Limit{
		{Resource: "net_in", Wanted: r.after.NetInKbps, Least: r.before.NetInKbps},
		{Resource: "net_out", Wanted: r.after.NetOutKbps, Least: r.before.NetOutKbps},
	} {
		l.Unit, l.Most = "kbps", l.Least
		l.Reason = "without a way to log in to dom0, networks are limited when a guest starts alone"
		if l.Wanted != l.Least {
			return limited(l)
		}
	}
	return nil
}

// setBandwidth changes the limits of the machine's NICs.
func (r *resizing) setBandwidth(ctx context.Context, to workspace.Shape) error {
	if r.h.onXen() {
		return r.setBandwidthXen(ctx, to)
	}
	nics := r.live.Devices.Interfaces
	average := func(kbps int64) libvirt.TypedParamValue {
		if kbps <= 0 {
			return *libvirt.NewTypedParamValueUint(0) // no limit
		}
		return *libvirt.NewTypedParamValueUint(uint32(kilobytes(kbps, len(nics))))
	}
	params := []libvirt.TypedParam{
		{Field: "inbound.average", Value: average(to.NetInKbps)},
		{Field: "outbound.average", Value: average(to.NetOutKbps)},
	}
	for _, nic := range nics {
		err := order(ctx, r.h.link, r.h.limit(), func(rpc *libvirt.Libvirt) error {
			return rpc.DomainSetInterfaceParameters(r.m.domain, nic.MAC.Address, params,
				uint32(libvirt.DomainAffectLive))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// setCPUs plugs processors in or out. A guest that does not let one go is a Conflict.
func (r *resizing) setCPUs(ctx context.Context, cpus int64) error {
	err := order(ctx, r.h.link, r.h.limit(), func(rpc *libvirt.Libvirt) error {
		return rpc.DomainSetVcpusFlags(r.m.domain, uint32(max(cpus, 1)),
			uint32(libvirt.DomainAffectLive))
	})
	var theirs libvirt.Error
	if !errors.As(err, &theirs) || cpus >= r.before.CPUs {
		return err
	}
	return limited(workspace.Limit{Resource: "cpus", Unit: "CPUs", Wanted: cpus,
		Least: r.before.CPUs, Most: int64(r.live.VCPU.Value),
		Reason: "the guest does not give a processor back (" + theirs.Message + ")"})
}

// setMemory has the guest give memory back, or take more, and waits until it has.
func (r *resizing) setMemory(ctx context.Context, from, to int64) error {
	err := order(ctx, r.h.link, r.h.limit(), func(rpc *libvirt.Libvirt) error {
		return rpc.DomainSetMemoryFlags(r.m.domain, uint64(to*kibPerMB),
			uint32(libvirt.DomainAffectLive))
	})
	if err != nil {
		return err
	}
	defer r.h.changes(r.m.id)
	limit, cancel := context.WithTimeout(ctx, giveLimit)
	defer cancel()
	now := from
	err = every(limit, lookSoon, func() (bool, error) {
		kib, err := ask(ctx, r.h.link, r.h.limit(), func(rpc *libvirt.Libvirt) (uint64, error) {
			_, _, kib, _, _, err := rpc.DomainGetInfo(r.m.domain)
			return kib, err
		})
		now = int64((kib + kibPerMB - 1) / kibPerMB)
		return (to >= from && now >= to) || (to < from && now <= to), err
	})
	if limit.Err() == nil || ctx.Err() != nil {
		return err
	}
	return limited(workspace.Limit{Resource: "memory", Unit: "MB", Wanted: to,
		Least: min(now, from), Most: max(now, from),
		Reason: fmt.Sprintf("the guest keeps %d MB", now)})
}

// every does something again and again until it is done, or the context ends.
func every(ctx context.Context, pause time.Duration, do func() (bool, error)) error {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		if done, err := do(); done || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// What a guest tells of its memory (virDomainMemoryStatTags), in KiB, and when,
// in seconds of the host's clock.
const (
	statActual = int32(libvirt.DomainMemoryStatActualBalloon)
	statUsable = int32(libvirt.DomainMemoryStatUsable)
	statTold   = int32(libvirt.DomainMemoryStatLastUpdate)
)

// used returns the memory in MB that the guest cannot do without: what it uses,
// and an eighth for its life. A guest that does not tell is a Conflict, because
// to take memory from it may kill it. What a guest told before its memory changed,
// or before it was saved, says nothing now. Only QEMU asks its guests: one of Xen is
// taken to use half of what it has.
func (h *Host) used(ctx context.Context, m *machine) (int64, error) {
	const eighth, least, half = 8, 8, 2
	if s, known := m.who.shape(); known && h.onXen() {
		return s.MemoryMB / half, nil
	}
	if h.at.driver != "qemu" {
		return 0, nil
	}
	limit, cancel := context.WithTimeout(ctx, tellLimit)
	defer cancel()
	var used, first int64
	settled := !h.changedLately(m.id)
	err := every(limit, lookAgain, func() (bool, error) {
		said, err := h.memoryStats(ctx, m)
		usable, told := said[statUsable]
		if told && first == 0 {
			first = said[statTold]
		}
		used = (said[statActual] - usable) / kibPerMB
		return told && (settled || said[statTold] > first), err
	})
	if limit.Err() != nil && ctx.Err() == nil {
		return 0, workspace.Refuse(workspace.Conflict,
			"the guest does not say how much memory it uses: it has no balloon driver, "+
				"or has not loaded it yet")
	}
	return used + max(used/eighth, least), err
}

// memoryStats is what the guest told last, by tag.
func (h *Host) memoryStats(ctx context.Context, m *machine) (map[int32]int64, error) {
	const most = 32
	stats, err := ask(ctx, h.link, h.limit(),
		func(rpc *libvirt.Libvirt) ([]libvirt.DomainMemoryStat, error) {
			return rpc.DomainMemoryStats(m.domain, most, 0)
		})
	said := make(map[int32]int64, len(stats))
	for _, s := range stats {
		said[s.Tag] = int64(s.Val)
	}
	return said, err
}

// changes notes that the machine's memory changes now.
func (h *Host) changes(id workspace.ID) { h.changed.Store(id, time.Now()) }

// changedLately reports whether the guest may not have told since.
func (h *Host) changedLately(id workspace.ID) bool {
	at, ok := h.changed.Load(id)
	return ok && time.Since(at.(time.Time)) < 3*tellsUse*time.Second
}
