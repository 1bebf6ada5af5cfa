package libvirt

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/digitalocean/go-libvirt"
	"github.com/google/uuid"
	"libvirt.org/go/libvirtxml"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// bytesPerKiB is libvirt's unit of memory in ours.
const bytesPerKiB = 1 << 10

// Measure asks for all machines at once. Xen's driver answers for one at a time alone.
func (h *Host) Measure(ctx context.Context) ([]workspace.Reading, error) {
	if h.at.driver == "xen" {
		all, err := h.measureEach(ctx)
		return all, h.fault("measure the machines", 0, err)
	}
	all, err := h.measureAll(ctx)
	return all, h.fault("measure the machines", 0, err)
}

// measureAll makes the one call.
func (h *Host) measureAll(ctx context.Context) ([]workspace.Reading, error) {
	const groups = libvirt.DomainStatsState | libvirt.DomainStatsCPUTotal |
		libvirt.DomainStatsBalloon | libvirt.DomainStatsBlock | libvirt.DomainStatsInterface
	flags := libvirt.ConnectGetAllDomainsStatsActive
	if h.at.driver == "qemu" {
		flags |= libvirt.ConnectGetAllDomainsStatsNowait // of those that are busy what there is
	}
	records, err := ask(ctx, h.link, callLimit,
		func(rpc *libvirt.Libvirt) ([]libvirt.DomainStatsRecord, error) {
			return rpc.ConnectGetAllDomainStats(nil, uint32(groups), uint32(flags))
		})
	if err != nil {
		return nil, err
	}
	all := make([]workspace.Reading, 0, len(records))
	for _, r := range records {
		id, is, err := h.owns(ctx, r.Dom)
		if err != nil {
			return nil, err
		}
		if is {
			all = append(all, readingOf(id, r.Params))
		}
	}
	return all, nil
}

// owns reports whether the domain is ours, and whose.
func (h *Host) owns(ctx context.Context, d libvirt.Domain) (workspace.ID, bool, error) {
	id, could := h.keyOf(d.Name, uuid.UUID(d.UUID))
	if !could {
		return 0, false, nil
	}
	if _, known := h.owned.Load(d.UUID); known {
		return id, true, nil
	}
	who, err := h.identityOf(ctx, d)
	if err != nil || who.Pool != h.o.Pool || who.ID != id.String() {
		return 0, false, err
	}
	h.owned.Store(d.UUID, struct{}{})
	return id, true, nil
}

// hear takes note of an event before anybody else does.
func (h *Host) hear(e event) {
	switch {
	case e.lost:
		h.owned.Clear()
	case !e.reboot:
		h.owned.Delete(e.domain.UUID)
	}
	h.hearer.tell(e)
}

// tally is a domain's counters by libvirt's names.
type tally map[string]int64

func tallyOf(params []libvirt.TypedParam) tally {
	t := make(tally, len(params))
	for _, p := range params {
		switch v := p.Value.I.(type) {
		case int32:
			t[p.Field] = int64(v)
		case uint32:
			t[p.Field] = int64(v)
		case int64:
			t[p.Field] = v
		case uint64:
			t[p.Field] = int64(v)
		}
	}
	return t
}

// readingOf translates libvirt's counters. What a guest tells of its memory it may have
// told when it had more: as it boots it gives back what is not its own.
func readingOf(id workspace.ID, params []libvirt.TypedParam) workspace.Reading {
	t := tallyOf(params)
	r := workspace.Reading{ID: id, CPUTime: time.Duration(t[libvirt.DomainStatsCPUTime]),
		Memory:   t["balloon.current"] * bytesPerKiB,
		Unused:   min(t["balloon.unused"], t["balloon.current"]) * bytesPerKiB,
		Resident: t["balloon.rss"] * bytesPerKiB}
	for i := range t["block.count"] {
		of := func(name string) int64 { return t[fmt.Sprintf("block.%d.%s", i, name)] }
		r.Disks = append(r.Disks, workspace.DiskReading{
			ReadBytes: of("rd.bytes"), WrittenBytes: of("wr.bytes"),
			ReadOperations: of("rd.reqs"), WrittenOperations: of("wr.reqs")})
	}
	for i := range t["net.count"] {
		of := func(name string) int64 { return t[fmt.Sprintf("net.%d.%s", i, name)] }
		r.NICs = append(r.NICs, workspace.NICReading{
			InBytes: of("rx.bytes"), OutBytes: of("tx.bytes"),
			InPackets: of("rx.pkts"), OutPackets: of("tx.pkts")})
	}
	return r
}

// measureEach asks about one machine after the other.
func (h *Host) measureEach(ctx context.Context) ([]workspace.Reading, error) {
	active := func(rpc *libvirt.Libvirt) ([]libvirt.Domain, error) {
		all, _, err := rpc.ConnectListAllDomains(1, libvirt.ConnectListDomainsActive)
		return all, err
	}
	domains, err := ask(ctx, h.link, callLimit, active)
	if err != nil {
		return nil, err
	}
	var all []workspace.Reading
	for _, d := range domains {
		id, is, err := h.owns(ctx, d)
		if err != nil {
			return nil, err
		}
		if !is {
			continue
		}
		r, err := h.measureOne(ctx, d)
		switch r.ID = id; {
		case err == nil:
			all = append(all, r)
		case !answered(err):
			return nil, err
		}
	}
	return all, nil
}

// answered reports whether the host has said what is wrong: the machine has gone
// meanwhile, or its driver does not count that.
func answered(err error) bool {
	var theirs libvirt.Error
	return errors.As(err, &theirs)
}

// measureOne asks about one machine, and leaves out what the driver does not count.
func (h *Host) measureOne(ctx context.Context, d libvirt.Domain) (workspace.Reading, error) {
	domain, err := h.readDomain(ctx, func(rpc *libvirt.Libvirt) (string, error) {
		return rpc.DomainGetXMLDesc(d, 0)
	})
	if err != nil {
		return workspace.Reading{}, err
	}
	r, err := ask(ctx, h.link, callLimit, func(rpc *libvirt.Libvirt) (workspace.Reading, error) {
		_, _, kib, _, busy, err := rpc.DomainGetInfo(d)
		has := int64(kib) * bytesPerKiB
		return workspace.Reading{CPUTime: time.Duration(busy), Memory: has, Resident: has}, err
	})
	if err == nil {
		r.Disks, err = h.measureXenDisks(ctx, d, names(domain.Devices.Disks))
	}
	for _, nic := range domain.Devices.Interfaces {
		if err == nil && nic.Target != nil {
			var one workspace.NICReading
			one, err = h.measureNIC(ctx, d, nic.Target.Dev)
			r.NICs = append(r.NICs, one)
		}
	}
	return r, err
}

// names are those that the guest has for its disks.
func names(disks []libvirtxml.DomainDisk) []string {
	all := make([]string, len(disks))
	for i, d := range disks {
		all[i] = d.Target.Dev
	}
	return all
}

func (h *Host) measureNIC(
	ctx context.Context, d libvirt.Domain, name string,
) (workspace.NICReading, error) {
	r, err := ask(ctx, h.link, callLimit, func(rpc *libvirt.Libvirt) (workspace.NICReading, error) {
		in, inPackets, _, _, out, outPackets, _, _, err := rpc.DomainInterfaceStats(d, name)
		return workspace.NICReading{InBytes: in, OutBytes: out,
			InPackets: inPackets, OutPackets: outPackets}, err
	})
	if answered(err) {
		return workspace.NICReading{}, nil
	}
	return r, err
}
