package libvirt

import (
	"context"
	"encoding/xml"
	"path/filepath"

	"github.com/digitalocean/go-libvirt"
	"libvirt.org/go/libvirtxml"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// Define makes the domain, and then its entries in the networks' DHCP: so
// whatever Define leaves behind, Undefine finds by the domain.
func (h *Host) Define(ctx context.Context, m workspace.Machine) error {
	return h.fault("define the machine", m.ID, h.define(ctx, m))
}

func (h *Host) define(ctx context.Context, m workspace.Machine) error {
	who := h.identify(m)
	known, err := h.find(ctx, m.ID)
	if known != nil {
		who.carry(known.who)
	}
	switch {
	case err != nil:
		return err
	case known == nil:
		if err = h.canLimit(m.Shape(), who.DiskLimit); err == nil {
			err = h.checkFree(ctx, m.ID)
		}
	case !known.who.is(m):
		return workspace.Refuse(workspace.Internal, "the host knows it with another definition")
	case known.condition != workspace.ConditionOff || known.who.like(who):
		if err := h.throttle(ctx, known, m, who); err != nil {
			return err
		}
		if err := h.rename(ctx, known, who); err != nil {
			return err
		}
		return h.addHosts(ctx, m)
	}
	if err == nil {
		err = h.makeDomain(ctx, m, who)
	}
	if err == nil {
		err = h.addHosts(ctx, m)
	}
	return err
}

// rename brings what an earlier release wrote about a domain up to date. One
// whose memory libvirt keeps goes on from there first.
func (h *Host) rename(ctx context.Context, known *machine, who identity) error {
	who.Boot = known.who.Boot
	who.Links = known.who.Links
	if known.who.like(who) || known.condition == workspace.ConditionSaved {
		return nil
	}
	return h.mark(ctx, known, who)
}

// mark writes our element anew, where the domain is in memory there too.
func (h *Host) mark(ctx context.Context, m *machine, who identity) error {
	where := libvirt.DomainAffectConfig
	if m.inMemory() {
		where |= libvirt.DomainAffectLive
	}
	err := h.markAt(ctx, m, who, where)
	if err == nil {
		m.who = who
	}
	return err
}

func (h *Host) markAt(
	ctx context.Context, m *machine, who identity, where libvirt.DomainModificationImpact,
) error {
	text, err := xml.Marshal(who)
	if err != nil {
		return err
	}
	return order(ctx, h.link, h.limit(), func(rpc *libvirt.Libvirt) error {
		return rpc.DomainSetMetadata(m.domain, int32(libvirt.DomainMetadataElement),
			libvirt.OptString{string(text)}, libvirt.OptString{"philoxenia"},
			libvirt.OptString{namespace}, where)
	})
}

// makeDomain defines the domain, or gives one that is off the site's new kernel.
func (h *Host) makeDomain(ctx context.Context, m workspace.Machine, who identity) error {
	domain, err := h.wholeDomain(ctx, m, who)
	if err != nil {
		return err
	}
	if err := h.makeConsoleDir(ctx); err != nil {
		return err
	}
	return h.writeDomain(ctx, domain)
}

// wholeDomain is the machine as a domain of this host, with its shape.
func (h *Host) wholeDomain(
	ctx context.Context, m workspace.Machine, who identity,
) (*libvirtxml.Domain, error) {
	accel, err := h.accel(ctx)
	if err != nil {
		return nil, err
	}
	domain, err := h.domainOf(m, who, accel)
	if err != nil {
		return nil, err
	}
	most, err := h.room(ctx, m.Shape())
	if err != nil {
		return nil, err
	}
	fit(domain, m.Shape(), most)
	return domain, nil
}

// writeDomain defines the domain, as it will next start.
func (h *Host) writeDomain(ctx context.Context, domain *libvirtxml.Domain) error {
	text, err := domain.Marshal()
	if err != nil {
		return err
	}
	return order(ctx, h.link, h.limit(), func(rpc *libvirt.Libvirt) error {
		_, err := rpc.DomainDefineXMLFlags(text, libvirt.DomainDefineValidate)
		return err
	})
}

// checkFree refuses a name or UUID that a domain has already: libvirt would
// redefine it. It is not one of ours, or it would have been found.
func (h *Host) checkFree(ctx context.Context, id workspace.ID) error {
	taken := func(look func(*libvirt.Libvirt) (libvirt.Domain, error)) error {
		domain, err := ask(ctx, h.link, h.limit(), look)
		if err == nil {
			return workspace.Refuse(workspace.Conflict, "domain %q (%x) exists and is not ours",
				domain.Name, domain.UUID)
		}
		if isCode(err, libvirt.ErrNoDomain) {
			return nil
		}
		return err
	}
	err := taken(func(rpc *libvirt.Libvirt) (libvirt.Domain, error) {
		return rpc.DomainLookupByName(domainName(id))
	})
	if err != nil {
		return err
	}
	return taken(func(rpc *libvirt.Libvirt) (libvirt.Domain, error) {
		return rpc.DomainLookupByUUID(libvirt.UUID(h.uuidOf(id)))
	})
}

// makeConsoleDir makes the directory of the serial consoles.
func (h *Host) makeConsoleDir(ctx context.Context) error {
	if h.o.ConsoleDir == "" || h.onXen() {
		return nil
	}
	return h.o.Access.MakeDir(ctx, h.o.ConsoleDir, 0o711)
}

// consolePath is the file of a machine's serial console; empty when there is none.
func (h *Host) consolePath(id workspace.ID) string {
	switch {
	case h.o.ConsoleDir == "":
		return ""
	case h.onXen():
		return xenConsolePath(id)
	}
	return filepath.Join(h.o.ConsoleDir, domainName(id)+".log")
}

// rotations are the names that virtlogd gives to what a console said before: it
// begins a new file every 2 MB, and keeps this many (virtlogd.conf, max_backups).
var rotations = []string{".0", ".1", ".2"}

// removeConsole removes all that the serial console said.
func (h *Host) removeConsole(ctx context.Context, id workspace.ID) error {
	path := h.consolePath(id)
	switch {
	case path == "":
		return nil
	case h.onXen():
		return h.removeXenConsole(ctx, id)
	}
	files := []string{path}
	for _, suffix := range rotations {
		files = append(files, path+suffix)
	}
	return h.o.Access.Remove(ctx, files...)
}

// Undefine removes the machine: the domain last, because the rest is found by it.
func (h *Host) Undefine(ctx context.Context, id workspace.ID) error {
	return h.fault("undefine the machine", id, h.undefine(ctx, id))
}

func (h *Host) undefine(ctx context.Context, id workspace.ID) error {
	m, err := h.find(ctx, id)
	if err != nil || m == nil {
		return err
	}
	if m.inMemory() || m.restoring {
		if err := h.destroy(ctx, m); err != nil {
			return err
		}
	}
	h.changed.Delete(id)
	if err := h.removeFile(ctx, m.who.Memory); err != nil {
		return err
	}
	if err := h.removeSnapshots(ctx, m); err != nil {
		return err
	}
	if err := h.removeHosts(ctx, m); err != nil {
		return err
	}
	if err := h.removeConsole(ctx, id); err != nil {
		return err
	}
	err = order(ctx, h.link, h.limit(), func(rpc *libvirt.Libvirt) error {
		return rpc.DomainUndefineFlags(m.domain, h.undefineFlags())
	})
	if isCode(err, libvirt.ErrNoDomain) {
		return nil
	}
	return err
}

// undefineFlags says what goes with the domain, as far as the driver knows of it.
func (h *Host) undefineFlags() libvirt.DomainUndefineFlagsValues {
	flags := libvirt.DomainUndefineManagedSave
	if h.at.driver == "qemu" {
		flags |= libvirt.DomainUndefineSnapshotsMetadata |
			libvirt.DomainUndefineCheckpointsMetadata | libvirt.DomainUndefineNvram
	}
	return flags
}

// definition reads a machine's domain as it will next start, its screen's password
// included: who defines it anew from this must not open the screen to all.
func (h *Host) definition(ctx context.Context, m *machine) (*libvirtxml.Domain, error) {
	return h.readDomain(ctx, func(rpc *libvirt.Libvirt) (string, error) {
		return rpc.DomainGetXMLDesc(m.domain, libvirt.DomainXMLInactive|libvirt.DomainXMLSecure)
	})
}

// readDomain reads a domain that libvirt describes.
func (h *Host) readDomain(
	ctx context.Context, describe func(*libvirt.Libvirt) (string, error),
) (*libvirtxml.Domain, error) {
	text, err := ask(ctx, h.link, h.limit(), describe)
	if err != nil {
		return nil, err
	}
	domain := new(libvirtxml.Domain)
	return domain, domain.Unmarshal(text)
}
