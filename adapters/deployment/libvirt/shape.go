package libvirt

import (
	"cmp"
	"context"

	"libvirt.org/go/libvirtxml"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// tellsUse is how often, in seconds, a guest is asked for the memory it uses.
const tellsUse = 1

// room is what a machine can grow to while it runs. The guest sees so much
// memory when it boots, and at once gives back what is not its own; processors
// beyond its own are sockets without one.
type room struct{ memoryMB, cpus int64 }

// room says how far a machine of the shape could grow on this host.
func (h *Host) room(ctx context.Context, s workspace.Shape) (room, error) {
	const twice = 2
	most := room{s.MemoryMB, max(s.CPUs, 1)}
	if h.o.Headroom == 1 {
		return most, nil
	}
	has, err := h.Capacity(ctx)
	times := int64(cmp.Or(h.o.Headroom, twice))
	return room{
		memoryMB: max(most.memoryMB, min(times*most.memoryMB, has.MemoryMB)),
		cpus:     max(most.cpus, min(times*most.cpus, has.CPUs)),
	}, err
}

// fit gives the domain its shape, with room to grow.
func fit(d *libvirtxml.Domain, s workspace.Shape, most room) {
	d.Memory = &libvirtxml.DomainMemory{Value: uint(most.memoryMB), Unit: "MiB"}
	d.CurrentMemory = nil
	if most.memoryMB > s.MemoryMB {
		d.CurrentMemory = &libvirtxml.DomainCurrentMemory{Value: uint(s.MemoryMB), Unit: "MiB"}
	}
	own := max(s.CPUs, 1)
	d.VCPU, d.VCPUs = &libvirtxml.DomainVCPU{Value: uint(most.cpus)}, nil
	if most.cpus > own {
		d.VCPU.Current = uint(own)
	}
	if d.Type == qemuFlavour.kind || d.Type == kvmFlavour.kind {
		d.VCPUs = socketsOf(own, most.cpus)
	}
	d.CPUTune = tuneOf(s.CPUPercent, d.Type)
	nics := d.Devices.Interfaces
	for i := range nics {
		nics[i].Bandwidth = bandwidthOf(s, len(nics))
	}
}

// socketsOf lets every processor but the first come and go while the guest runs.
func socketsOf(own, most int64) *libvirtxml.DomainVCPUs {
	if most == 1 {
		return nil
	}
	word := map[bool]string{true: "yes", false: "no"}
	var list libvirtxml.DomainVCPUs
	for i := range most {
		id := uint(i)
		list.VCPU = append(list.VCPU, libvirtxml.DomainVCPUsVCPU{
			Id: &id, Enabled: word[i < own], Hotpluggable: word[i > 0]})
	}
	return &list
}

// share is a machine's part of the host's processors.
type share struct {
	weight        uint64 // against its neighbours
	period, quota int64  // microseconds; quota -1: no ceiling
}

// shareOf gives the machine its part of the host's processors: a weight against
// its neighbours, and below a whole processor a ceiling for each of its own.
func shareOf(percent int64) share {
	const (
		wholeShares = 1024
		leastShares = 2 // the kernel's own limit
		period      = 100_000
	)
	if percent <= 0 {
		percent = 100
	}
	s := share{max(uint64(percent*wholeShares/100), leastShares), period, -1}
	if percent < 100 {
		s.quota = percent * period / 100
	}
	return s
}

// tuneOf writes the share into a domain. Xen's scheduler has a weight alone here.
func tuneOf(percent int64, kind string) *libvirtxml.DomainCPUTune {
	if percent <= 0 {
		return nil
	}
	s := shareOf(percent)
	if kind == xenFlavour.kind {
		s.weight = xenWeight(percent)
	}
	tune := &libvirtxml.DomainCPUTune{
		Shares: &libvirtxml.DomainCPUTuneShares{Value: uint(s.weight)}}
	if s.quota > 0 && kind != xenFlavour.kind {
		tune.Period = &libvirtxml.DomainCPUTunePeriod{Value: uint64(s.period)}
		tune.Quota = &libvirtxml.DomainCPUTuneQuota{Value: s.quota}
	}
	return tune
}

// bandwidthOf is the limit of one of so many NICs, which share the machine's
// evenly; nil when there is none.
func bandwidthOf(s workspace.Shape, nics int) *libvirtxml.DomainInterfaceBandwidth {
	limit := func(kbps int64) *libvirtxml.DomainInterfaceBandwidthParams {
		if kbps <= 0 {
			return nil
		}
		average := kilobytes(kbps, nics)
		return &libvirtxml.DomainInterfaceBandwidthParams{Average: &average}
	}
	in, out := limit(s.NetInKbps), limit(s.NetOutKbps)
	if in == nil && out == nil {
		return nil
	}
	return &libvirtxml.DomainInterfaceBandwidth{Inbound: in, Outbound: out}
}

// kilobytes is libvirt's unit of bandwidth, kilobytes a second, for one of so
// many NICs. It is rounded up: nothing is slower than was promised.
func kilobytes(kbps int64, nics int) int {
	each := int64(8 * nics)
	return int((kbps + each - 1) / each)
}
