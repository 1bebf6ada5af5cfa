package libvirt

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/digitalocean/go-libvirt"
	"libvirt.org/go/libvirtxml"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// keepsFile reports whether the machine's memory is saved to a file of ours,
// which can go to another host, rather than to libvirt's own. Xen's driver
// cannot tell what a file holds.
func (h *Host) keepsFile(m *machine) bool {
	return h.at.driver == "qemu" && m.who.Memory != "" && !m.managed
}

// hasFile reports whether the machine's memory is in its file. libvirt marks a
// file whose writing was cut off, and so does not take it for memory.
func (h *Host) hasFile(ctx context.Context, m *machine) (bool, error) {
	if h.sees() { // saves libvirt's log a complaint about most machines
		_, err := h.o.Access.Stat(ctx, m.who.Memory)
		if err != nil {
			return false, absent(err)
		}
	}
	_, err := h.savedDomain(ctx, m)
	var theirs libvirt.Error
	switch {
	case !errors.As(err, &theirs):
		return err == nil, err
	case h.saysNone(libvirt.ErrorNumber(theirs.Code)):
		return false, nil
	}
	return false, workspace.Refuse(workspace.Transient,
		"it cannot be told whether its memory is saved: %w", err)
}

// saysNone reports whether an error of libvirt's means that a file holds no memory, and
// not that it could not look: a guest whose memory is taken for lost is started anew.
// The system's errors are both; of a file that we see it is the second.
func (h *Host) saysNone(code libvirt.ErrorNumber) bool {
	switch code {
	case libvirt.ErrOperationFailed, libvirt.ErrXMLError, libvirt.ErrXMLDetail:
		return true
	case libvirt.ErrSystemError:
		return !h.sees()
	}
	return false
}

// savedDomain reads the domain that the file describes.
func (h *Host) savedDomain(ctx context.Context, m *machine) (*libvirtxml.Domain, error) {
	return h.readDomain(ctx, func(rpc *libvirt.Libvirt) (string, error) {
		return rpc.DomainSaveImageGetXMLDesc(m.who.Memory, uint32(libvirt.DomainSaveImageXMLSecure))
	})
}

// saveToFile writes the machine's memory to its file, over what is left there
// of an attempt that was cut off.
func (h *Host) saveToFile(ctx context.Context, m *machine) error {
	if !filepath.IsAbs(m.who.Memory) {
		return workspace.Refuse(workspace.Internal, "%q is not an absolute path", m.who.Memory)
	}
	if err := h.restored(ctx, m); err != nil {
		return err
	}
	err := order(ctx, h.link, saveLimit, func(rpc *libvirt.Libvirt) error {
		return rpc.DomainSaveFlags(m.domain, m.who.Memory, nil, uint32(libvirt.DomainSaveRunning))
	})
	return h.full(ctx, m.who.Memory, err)
}

// forgetFile throws the memory away, that which is back in place included.
func (h *Host) forgetFile(ctx context.Context, m *machine) error {
	if m.restoring {
		if err := h.destroy(ctx, m); err != nil {
			return err
		}
	}
	return h.removeFile(ctx, m.who.Memory)
}

// restore lets the machine go on from its file. A file that outlived its
// restoration would one day be taken for the memory of a machine that has gone
// on since and switched itself off. So the guest is put in place without
// running, and marked; then the file goes; then it runs; then the mark goes.
// Whatever cuts this off, the machine either still is saved, or is marked, and
// the next Start goes on from there.
func (h *Host) restore(ctx context.Context, m *machine, paused bool) error {
	if m.restoring {
		// A change of its mark waits for a restoration that is still under way.
		if err := h.markAt(ctx, m, m.who, libvirt.DomainAffectLive); err != nil {
			return err
		}
	} else if err := h.load(ctx, m); err != nil {
		return err
	}
	if err := h.removeFile(ctx, m.who.Memory); err != nil {
		return err
	}
	if !paused {
		err := order(ctx, h.link, callLimit, func(rpc *libvirt.Libvirt) error {
			return rpc.DomainResume(m.domain)
		})
		if err != nil {
			return err
		}
	}
	return h.restored(ctx, m)
}

// restored takes the mark off a machine that is in place.
func (h *Host) restored(ctx context.Context, m *machine) error {
	if m.who.Restoring == "" {
		return nil
	}
	m.who.Restoring = ""
	return h.markAt(ctx, m, m.who, libvirt.DomainAffectLive)
}

// load puts the machine in place from its file, paused and marked.
func (h *Host) load(ctx context.Context, m *machine) error {
	domain, err := h.savedDomain(ctx, m)
	if err != nil {
		return err
	}
	here, err := h.definition(ctx, m)
	if err != nil {
		return err
	}
	h.changes(m.id)
	m.who.Restoring = "yes"
	text, err := settled(domain, here, m.who)
	if err != nil {
		return err
	}
	return order(ctx, h.link, saveLimit, func(rpc *libvirt.Libvirt) error {
		return rpc.DomainRestoreFlags(m.who.Memory, libvirt.OptString{text},
			uint32(libvirt.DomainSavePaused))
	})
}

// settled gives the saved domain what belongs to the host on which it goes on,
// as its definition there has it: the guest must find the same hardware, the
// hypervisor its own files and networks.
func settled(saved, here *libvirtxml.Domain, who identity) (string, error) {
	if err := tell(saved, who); err != nil {
		return "", err
	}
	saved.ID = nil
	saved.CPUTune, saved.Resource, saved.SecLabel = here.CPUTune, here.Resource, here.SecLabel
	saved.OS.Kernel, saved.OS.Initrd = here.OS.Kernel, here.OS.Initrd
	to, from := saved.Devices, here.Devices
	to.Emulator = from.Emulator
	to.Serials, to.Consoles = sameLines(to, from)
	for i := range to.Disks {
		for _, d := range from.Disks {
			if to.Disks[i].Target.Dev == d.Target.Dev {
				to.Disks[i].Source, to.Disks[i].BackingStore = d.Source, nil
				to.Disks[i].IOTune = d.IOTune
			}
		}
	}
	for i := range to.Interfaces {
		for _, n := range from.Interfaces {
			if to.Interfaces[i].MAC.Address == n.MAC.Address {
				to.Interfaces[i].Source, to.Interfaces[i].Target = n.Source, n.Target
				to.Interfaces[i].Bandwidth = n.Bandwidth
			}
		}
	}
	return saved.Marshal()
}

// sameLines leads the serial lines to where they go on this host.
func sameLines(
	to, from *libvirtxml.DomainDeviceList,
) ([]libvirtxml.DomainSerial, []libvirtxml.DomainConsole) {
	for i := range min(len(to.Serials), len(from.Serials)) {
		to.Serials[i].Source, to.Serials[i].Log = from.Serials[i].Source, from.Serials[i].Log
	}
	for i := range min(len(to.Consoles), len(from.Consoles)) {
		to.Consoles[i].Source, to.Consoles[i].Log = from.Consoles[i].Source, from.Consoles[i].Log
		to.Consoles[i].TTY = ""
	}
	return to.Serials, to.Consoles
}
