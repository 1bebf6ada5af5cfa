package libvirt

import (
	"context"
	"fmt"
	"path"
	"strconv"

	"github.com/digitalocean/go-libvirt"
	"libvirt.org/go/libvirtxml"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// What libxl leaves to the programs of dom0, and what is done there by the way to
// the host's files and programs: nothing of ours is installed.

// xenConsoles is where Xen's daemon writes the consoles of guests, when it is started
// with --log=guest.
const xenConsoles = "/var/log/xen/console"

func xenConsolePath(id workspace.ID) string {
	return path.Join(xenConsoles, "guest-"+domainName(id)+".log")
}

// removeXenConsole removes what Xen's daemon wrote. The file is not ours: where we
// may not remove it, it stays, and the machine can go.
func (h *Host) removeXenConsole(ctx context.Context, id workspace.ID) error {
	if !h.sees() {
		return nil
	}
	err := h.o.Access.Remove(ctx, xenConsolePath(id))
	switch workspace.KindOf(err) {
	case workspace.Transient, workspace.Unavailable:
		return err
	}
	if err != nil && ctx.Err() == nil {
		h.log.Warn("cannot remove what a console said", "workspace", id, "error", err)
		return nil
	}
	return err
}

// canLimit refuses limits that libxl has nothing for where there is no other way to
// them: of what guests receive, and of disks.
func (h *Host) canLimit(s workspace.Shape, disks string) error {
	const noWay = ", and there is no way to log in there"
	switch {
	case !h.onXen() || h.sees():
		return nil
	case s.NetInKbps > 0:
		return limited(workspace.Limit{Resource: "net_in", Unit: "kbps", Wanted: s.NetInKbps,
			Reason: "what guests of Xen receive is limited by tc in dom0" + noWay})
	case disks != "":
		return workspace.Refuse(workspace.Conflict,
			"disks of Xen's guests are limited by their QEMU in dom0"+noWay)
	}
	return nil
}

// limitIncoming limits what the guest's NICs receive, which is what dom0 sends to
// their other ends. Those live as long as the domain. 0: no limit.
func (h *Host) limitIncoming(
	ctx context.Context, nics []libvirtxml.DomainInterface, kbps int64,
) error {
	for _, nic := range nics {
		if nic.Target == nil || nic.Target.Dev == "" {
			return workspace.Refuse(workspace.Transient, "its network is not connected yet")
		}
		if err := h.shape(ctx, nic.Target.Dev, kilobytes(kbps, len(nics))); err != nil {
			return err
		}
	}
	return nil
}

// shape holds a device to so many kilobytes a second.
func (h *Host) shape(ctx context.Context, device string, kilobytes int) error {
	const (
		least = 32  // of a burst, in kilobytes
		parts = 100 // of a second: the kernel's clock must tick in a burst's time
	)
	args := []string{"tc", "qdisc", "del", "dev", device, "root"}
	if kilobytes > 0 {
		burst := max(kilobytes/parts, least)
		args = []string{"tc", "qdisc", "replace", "dev", device, "root", "tbf",
			"rate", strconv.Itoa(kilobytes) + "kbps", "burst", strconv.Itoa(burst) + "k",
			"latency", "200ms"}
	}
	err := h.o.Access.Run(ctx, workspace.Command{Args: args})
	switch kind := workspace.KindOf(err); {
	case err == nil, kilobytes == 0 && kind == workspace.Internal: // there was no limit
		return nil
	case kind == workspace.NotFound:
		return workspace.Refuse(workspace.Conflict, "there is no tc on host %s, by which it is "+
			"limited what a guest receives: install iproute2 there", h.o.Host)
	case kind == workspace.Internal:
		return workspace.Refuse(workspace.Conflict, "tc on host %s cannot limit what a guest "+
			"receives (%w): it needs root and the kernel's module sch_tbf", h.o.Host, err)
	}
	return err
}

// xenInterval is the time in which libvirt's driver has credit counted that NICs may
// send, in microseconds.
const xenInterval = 50_000

// limitOutgoing changes what the guest's NICs may send. libxl does that at the start
// alone; the driver in dom0 looks at its entry in Xen's store when that changes.
func (h *Host) limitOutgoing(ctx context.Context, m *machine, nics int, kbps int64) error {
	const perSecond, perKilobyte = 1_000_000, 1024
	for i := range nics {
		node := fmt.Sprintf("/local/domain/0/backend/vif/%d/%d/rate", m.domain.ID, i)
		args := []string{"xenstore-rm", node}
		if kbps > 0 {
			credit := kilobytes(kbps, nics) * perKilobyte * xenInterval / perSecond
			args = []string{"xenstore-write", node, fmt.Sprintf("%d,%d", credit, xenInterval)}
		}
		err := h.o.Access.Run(ctx, workspace.Command{Args: args})
		if err != nil && (kbps > 0 || workspace.KindOf(err) != workspace.Internal) {
			return err
		}
	}
	return nil
}

// limitXen gives a domain that has come to life the limits for which a definition
// has no place: so each new life needs them again.
func (h *Host) limitXen(ctx context.Context, m *machine) error {
	s, known := m.who.shape()
	if !h.onXen() || !known {
		return nil
	}
	if xenCap(s) != 0 {
		if err := h.setCredit(ctx, m, s); err != nil {
			return err
		}
	}
	return h.limitDevices(ctx, m, s)
}

// limitDevices limits what a domain's NICs receive, and its disks.
func (h *Host) limitDevices(ctx context.Context, m *machine, s workspace.Shape) error {
	if s.NetInKbps <= 0 && m.who.DiskLimit == "" {
		return nil
	}
	now, err := h.readDomain(ctx, func(rpc *libvirt.Libvirt) (string, error) {
		return rpc.DomainGetXMLDesc(m.domain, 0)
	})
	if err == nil && s.NetInKbps > 0 {
		err = h.limitIncoming(ctx, now.Devices.Interfaces, s.NetInKbps)
	}
	if err != nil || m.who.DiskLimit == "" {
		return err
	}
	return h.limitXenDisks(ctx, m, m.who.DiskLimit, names(now.Devices.Disks))
}

// throttleXen gives the disks of a machine other limits: now if it is in memory; for
// its next start they stand in our element.
func (h *Host) throttleXen(
	ctx context.Context, known *machine, m workspace.Machine, who identity,
) error {
	if err := h.canLimit(m.Shape(), who.DiskLimit); err != nil || !known.inMemory() {
		return err
	}
	domain, err := h.definition(ctx, known)
	if err != nil {
		return err
	}
	return h.limitXenDisks(ctx, known, who.DiskLimit, names(domain.Devices.Disks))
}

// setBandwidthXen changes the limits of the NICs of a guest that runs.
func (r *resizing) setBandwidthXen(ctx context.Context, to workspace.Shape) error {
	nics := r.live.Devices.Interfaces
	if err := r.h.limitOutgoing(ctx, r.m, len(nics), to.NetOutKbps); err != nil {
		return err
	}
	return r.h.limitIncoming(ctx, nics, to.NetInKbps)
}
