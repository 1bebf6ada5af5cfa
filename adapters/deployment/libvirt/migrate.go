package libvirt

import (
	"context"
	"errors"
	"net/url"
	"path/filepath"
	"sync"
	"time"

	"github.com/digitalocean/go-libvirt"
	"libvirt.org/go/libvirtxml"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// voyageLimit bounds a migration: it takes what it takes.
const voyageLimit = 24 * time.Hour

// CanMigrate says whether the two hosts hand machines over to each other.
func (h *Host) CanMigrate(target workspace.Deployment) error {
	to, ok := target.(*Host)
	switch {
	case !ok:
		return workspace.Refuse(workspace.Conflict, "the target is no libvirt host")
	case to.at.driver == "xen" || h.at.driver == "xen":
		return workspace.Refuse(workspace.Conflict, "running guests of Xen are not handed over: "+
			"shut it down, and it starts wherever there is room")
	case to.at.driver != "qemu" || h.at.driver != "qemu" || to.o.Pool != h.o.Pool:
		return workspace.Refuse(workspace.Conflict,
			"machines move between QEMU hosts of one installation alone")
	}
	return nil
}

// Migrate has the host's libvirtd hand the machine over to that of the other
// host. Both can die at any moment: then the guest stands still on one of them or
// on both, and goes on once a next call has looked at both.
func (h *Host) Migrate(
	ctx context.Context, id workspace.ID, g workspace.Migration,
) (workspace.Passage, error) {
	passage, err := h.migrate(ctx, id, g)
	return passage, h.fault("migrate the machine", id, err)
}

func (h *Host) migrate(
	ctx context.Context, id workspace.ID, g workspace.Migration,
) (none workspace.Passage, err error) {
	if err := h.CanMigrate(g.Target); err != nil {
		return none, err
	}
	to, _ := g.Target.(*Host)
	v := &voyage{Migration: g, id: id, from: h, to: to}
	if to.o.Host == h.o.Host {
		return none, v.stay(ctx)
	}
	return v.run(ctx)
}

// voyage is one migration.
type voyage struct {
	workspace.Migration
	id       workspace.ID
	from, to *Host

	here *machine // on the host that it leaves
	live *libvirtxml.Domain
	rest *libvirtxml.Domain // as it next starts
	then *libvirtxml.Domain // as it would be made on the other host
	need int64              // bytes that its disks take at least where they are copied to
	done workspace.Passage
}

// stay is a migration to where the machine is.
func (v *voyage) stay(ctx context.Context) error {
	m, err := v.from.find(ctx, v.id)
	if err == nil && m == nil {
		return workspace.Refuse(workspace.NotFound, "there is no such machine")
	}
	return err
}

// run clears up what an earlier attempt left, makes one, and clears up again.
func (v *voyage) run(ctx context.Context) (none workspace.Passage, err error) {
	arrived, err := v.clearUp(ctx)
	switch {
	case arrived:
		return none, unfinished(err)
	case err != nil:
		return none, err
	}
	if err := v.check(ctx); err != nil {
		return none, err
	}
	if err := v.fits(ctx); err != nil {
		return none, err
	}
	err = v.short(ctx, v.attempt(ctx))
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), callLimit)
	defer cancel()
	if ctx.Err() != nil {
		v.callOff(after)
	}
	arrived, unclear := v.clearUp(after)
	switch {
	case arrived:
		return v.done, unfinished(unclear)
	case err == nil:
		err = unclear
	case unclear != nil:
		v.from.log.Warn("cannot tell what became of a migration", "workspace", v.id,
			"error", unclear)
	}
	if err == nil {
		err = errors.New("it went well, and the machine has not arrived")
	}
	return none, stumbled(err)
}

// unfinished makes what cannot be cleared after a machine has arrived something to be
// waited for: who gave such a move up would take the machine for one that is not there.
func unfinished(err error) error {
	if err == nil {
		return nil
	}
	return &workspace.Error{Kind: workspace.Unavailable, Err: err}
}

// stumbled gives what libvirt says of a migration a kind: most of it, such as a
// connection between two daemons that broke, may be otherwise the next time.
func stumbled(err error) error {
	var theirs libvirt.Error
	if !errors.As(err, &theirs) || kindOf(err) == workspace.NoResource {
		return err
	}
	kind := workspace.Transient
	switch libvirt.ErrorNumber(theirs.Code) {
	case libvirt.ErrCPUIncompatible, libvirt.ErrConfigUnsupported, libvirt.ErrDomExist:
		kind = workspace.Conflict
	}
	return &workspace.Error{Kind: kind, Err: err}
}

// check refuses, before anything is changed, what cannot move there.
func (v *voyage) check(ctx context.Context) (err error) {
	if !v.here.inMemory() {
		return v.here.forbidden()
	}
	if v.to.peer() == "" {
		return workspace.Refuse(workspace.Conflict,
			"host %s has no address at which other hosts reach its libvirtd (peer)", v.to.o.Host)
	}
	if err := v.from.restored(ctx, v.here); err != nil {
		return err
	}
	if v.then, err = v.to.wholeDomain(ctx, v.As, v.to.identify(v.As)); err != nil {
		return err
	}
	const all = libvirt.DomainXMLSecure | libvirt.DomainXMLMigratable
	if v.live, err = v.read(ctx, all); err != nil {
		return err
	}
	if v.rest, err = v.read(ctx, all|libvirt.DomainXMLInactive); err != nil {
		return err
	}
	if v.live.Type != v.then.Type {
		return workspace.Refuse(workspace.Conflict,
			"it runs on type %s here, and host %s has %s", v.live.Type, v.to.o.Host, v.then.Type)
	}
	if len(v.live.Devices.Disks) != len(v.As.Disks) {
		return workspace.Refuse(workspace.Internal, "it has %d disks here, and is to have %d there",
			len(v.live.Devices.Disks), len(v.As.Disks))
	}
	if err := v.checkDisks(); err != nil {
		return err
	}
	return v.checkSnapshots()
}

// checkDisks refuses to copy a disk over itself, before anything says that what is on the
// other host may be removed.
func (v *voyage) checkDisks() error {
	if !v.Copied || !v.from.o.Access.Local() || !v.to.o.Access.Local() {
		return nil
	}
	for i, d := range v.As.Disks {
		if !d.ReadOnly && fileOf(v.live.Devices.Disks[i]) == d.Path {
			return workspace.Refuse(workspace.Internal, "disk %q is the same on both hosts", d.Path)
		}
	}
	return nil
}

// checkSnapshots refuses to leave snapshots behind: they lie beside the disks.
func (v *voyage) checkSnapshots() error {
	if len(v.here.who.Snapshots) == 0 {
		return nil
	}
	together := !v.Copied
	for i, d := range v.live.Devices.Disks {
		together = together && fileOf(d) == v.As.Disks[i].Path
	}
	if together {
		return nil
	}
	return workspace.Refuse(workspace.Conflict,
		"it has snapshots, which lie on host %s: delete them first", v.from.o.Host)
}

func (v *voyage) read(
	ctx context.Context, flags libvirt.DomainXMLFlags,
) (*libvirtxml.Domain, error) {
	return v.from.readDomain(ctx, func(rpc *libvirt.Libvirt) (string, error) {
		return rpc.DomainGetXMLDesc(v.here.domain, flags)
	})
}

// attempt marks the machine, prepares the other host and moves it: the mark is first, so
// that whatever is prepared is removed by who looks next, if it comes to nothing.
func (v *voyage) attempt(ctx context.Context) error {
	v.here.who.Going = string(v.to.o.Host)
	if err := v.from.markAt(ctx, v.here, v.here.who, libvirt.DomainAffectLive); err != nil {
		return err
	}
	if err := v.to.makeConsoleDir(ctx); err != nil {
		return err
	}
	if err := v.to.addHosts(ctx, v.As); err != nil {
		return err
	}
	if err := v.makeDisks(ctx); err != nil {
		return err
	}
	params, err := v.params()
	if err != nil {
		return err
	}
	return v.sail(ctx, params)
}

// params are what libvirt is to know.
func (v *voyage) params() ([]libvirt.TypedParam, error) {
	who := v.to.identify(v.As)
	who.Coming, who.Snapshots = string(v.from.o.Host), v.here.who.Snapshots
	rest, err := settled(v.rest, v.then, who)
	if err != nil {
		return nil, err
	}
	live, err := settled(v.live, v.then, who)
	if err != nil {
		return nil, err
	}
	params := []libvirt.TypedParam{
		{Field: libvirt.MigrateParamDestXML, Value: *libvirt.NewTypedParamValueString(live)},
		{Field: libvirt.MigrateParamPersistXML, Value: *libvirt.NewTypedParamValueString(rest)},
		{Field: libvirt.MigrateParamURI,
			Value: *libvirt.NewTypedParamValueString("tcp://" + v.to.peerHost())},
	}
	if v.MaxMBps > 0 {
		params = append(params, libvirt.TypedParam{Field: libvirt.MigrateParamBandwidth,
			Value: *libvirt.NewTypedParamValueUllong(uint64(v.MaxMBps))})
	}
	return params, nil
}

// flags say how it moves.
func (v *voyage) flags() libvirt.DomainMigrateFlags {
	flags := libvirt.MigratePeer2peer | libvirt.MigratePersistDest |
		libvirt.MigrateUndefineSource | libvirt.MigrateAbortOnError
	if v.here.condition == workspace.ConditionPaused {
		flags |= libvirt.MigratePaused
	}
	if v.Live {
		flags |= libvirt.MigrateLive | libvirt.MigrateAutoConverge
	}
	if v.Copied {
		flags |= libvirt.MigrateNonSharedDisk
	}
	return flags
}

// sail is the one call that moves the machine. libvirt takes disks for shared on
// certain file systems alone; who says that they are knows better.
func (v *voyage) sail(ctx context.Context, params []libvirt.TypedParam) error {
	watching, stop := context.WithCancel(ctx)
	var told sync.WaitGroup
	told.Go(func() { v.follow(watching) })
	defer told.Wait()
	defer stop()
	move := func(flags libvirt.DomainMigrateFlags) error {
		return order(ctx, v.from.link, voyageLimit, func(rpc *libvirt.Libvirt) error {
			_, err := rpc.DomainMigratePerform3Params(v.here.domain,
				libvirt.OptString{v.to.peer()}, params, nil, flags)
			return err
		})
	}
	err := move(v.flags())
	if isCode(err, libvirt.ErrMigrateUnsafe) && !v.Copied {
		err = move(v.flags() | libvirt.MigrateUnsafe)
	}
	return err
}

// makeDisks makes the files on the other host into which disks are copied.
func (v *voyage) makeDisks(ctx context.Context) error {
	if !v.Copied {
		return nil
	}
	access := v.to.o.Access
	for i, d := range v.As.Disks {
		from := v.live.Devices.Disks[i]
		if d.ReadOnly || fileOf(from) == "" {
			continue
		}
		size, err := ask(ctx, v.from.link, callLimit, func(rpc *libvirt.Libvirt) (uint64, error) {
			_, capacity, _, err := rpc.DomainGetBlockInfo(v.here.domain, from.Target.Dev, 0)
			return capacity, err
		})
		if err != nil {
			return err
		}
		if err := makeDisk(ctx, access, d, int64(size)); err != nil {
			return err
		}
	}
	return nil
}

// makeDisk makes an empty disk of a size, unless there is one.
func makeDisk(
	ctx context.Context, access workspace.Access, d workspace.MachineDisk, size int64,
) error {
	if err := access.MakeDir(ctx, filepath.Dir(d.Path), 0o711); err != nil {
		return err
	}
	if d.Format == "raw" {
		return access.Blank(ctx, d.Path, size)
	}
	info, err := access.Examine(ctx, d.Path, false)
	if err == nil && info.Format == d.Format && info.Size == size {
		return nil
	}
	return access.Run(ctx, workspace.Command{Args: []string{
		"qemu-img", "create", "-q", "-f", d.Format, d.Path, decimal(size)}})
}

// peer is the URI at which other hosts reach this one; empty when there is none.
func (h *Host) peer() string {
	switch {
	case h.o.Peer != "":
		return h.o.Peer
	case h.at.network == "unix":
		return ""
	}
	return h.o.URI
}

// peerHost is the host in it, to which memory and disks go.
func (h *Host) peerHost() string {
	u, err := url.Parse(h.peer())
	if err != nil {
		return ""
	}
	if name := u.Hostname(); u.Port() != "" || !isIPv6(name) {
		return name
	}
	return u.Host
}
