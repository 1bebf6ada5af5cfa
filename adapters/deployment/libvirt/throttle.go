package libvirt

import (
	"context"
	"fmt"

	"github.com/digitalocean/go-libvirt"
	"libvirt.org/go/libvirtxml"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// diskLimitForm is how a limit is written down: megabytes and operations a second.
const diskLimitForm = "%d MB/s %d a second"

// diskLimit is what a machine's disks are held to, as it stands in our element.
func diskLimit(m workspace.Machine) string {
	if m.DiskMBps <= 0 && m.DiskIOPS <= 0 {
		return ""
	}
	return fmt.Sprintf(diskLimitForm, m.DiskMBps, m.DiskIOPS)
}

// throttleOf holds the disks of a machine to its limits, all of them together: they
// are one group. nil: there is no limit, or libxl is the driver, which knows none.
func throttleOf(m workspace.Machine, f flavour) *libvirtxml.DomainDiskIOTune {
	if diskLimit(m) == "" || f.kind == xenFlavour.kind {
		return nil
	}
	return &libvirtxml.DomainDiskIOTune{TotalBytesSec: uint64(max(m.DiskMBps, 0)) << 20,
		TotalIopsSec: uint64(max(m.DiskIOPS, 0)), GroupName: domainName(m.ID)}
}

// throttle gives the disks of a machine that is known already other limits, where
// the site has changed them: now if it is in memory, and for its next start.
func (h *Host) throttle(
	ctx context.Context, known *machine, m workspace.Machine, who identity,
) error {
	switch {
	case known.who.DiskLimit == who.DiskLimit:
		return nil
	case h.onXen():
		return h.throttleXen(ctx, known, m, who)
	}
	where := libvirt.DomainAffectConfig
	if known.inMemory() {
		where |= libvirt.DomainAffectLive
	}
	params := []libvirt.TypedParam{
		{Field: "total_bytes_sec",
			Value: *libvirt.NewTypedParamValueUllong(uint64(max(m.DiskMBps, 0)) << 20)},
		{Field: "total_iops_sec",
			Value: *libvirt.NewTypedParamValueUllong(uint64(max(m.DiskIOPS, 0)))},
		{Field: "group_name", Value: *libvirt.NewTypedParamValueString(domainName(m.ID))},
	}
	domain, err := h.definition(ctx, known)
	if err != nil {
		return err
	}
	for _, d := range domain.Devices.Disks {
		err := order(ctx, h.link, callLimit, func(rpc *libvirt.Libvirt) error {
			return rpc.DomainSetBlockIOTune(known.domain, d.Target.Dev, params, uint32(where))
		})
		if err != nil {
			return err
		}
	}
	return nil
}
