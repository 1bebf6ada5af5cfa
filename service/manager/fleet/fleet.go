// Package fleet lets hosts come to the pool and go from it while the service
// runs, tests them, and gives up what is on one that is dead. What it does is in
// the record before it has any effect, and the scheduler follows in the same
// update.
//
// It must not know how a host is reached: it is handed what opens one.
package fleet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/philoxenia/philoxenia/service/lease/calendar"
	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Scheduler is what the fleet asks of the scheduler, in the updates in which it
// changes hosts.
type Scheduler interface {
	// Rehost has it follow the hosts as the update has put them.
	Rehost(tx workspace.Tx) error
	// SetHost has it follow a host's mode.
	SetHost(tx workspace.Tx, mode workspace.HostMode) error
	// Notice tells that something has become of a lease's workspace.
	Notice(tx workspace.Tx, lease workspace.LeaseID) error
}

// Options are what a Fleet is made of.
type Options struct {
	Store  workspace.Store
	Pool   *host.Pool
	Agenda Scheduler
	// Open makes the node of a host. The error is of kind Invalid: one that is out
	// of reach is none.
	Open func(ctx context.Context, spec workspace.HostSpec) (*host.Node, error)
	// Configured says where a host stands in the configuration; empty: it does not.
	Configured func(id workspace.HostID) string
	// Twin returns the configured host that is reached as the spec says; empty: none. It
	// may be nil.
	Twin func(spec workspace.HostSpec) string
	// Operators may change hosts.
	Operators []workspace.Owner
	// Repositories are the addresses, HOST:PORT, from which hosts fetch images.
	Repositories []string
	// Interrupt stops the task under way of a workspace that is given up.
	Interrupt func(id workspace.ID)
	Logger    *slog.Logger
}

// Fleet changes which hosts there are. It is safe for concurrent use.
type Fleet struct {
	o Options

	mu      sync.Mutex // one change at a time
	leaving sync.WaitGroup
}

// New returns a Fleet over the pool.
func New(o Options) *Fleet { return &Fleet{o: o} }

// Close waits until hosts that were removed are let go of.
func (f *Fleet) Close() { f.leaving.Wait() }

// How long a new host may take to say what it has, and until it is watched, from the
// beginning and less than clients wait; and how long a test may take.
const (
	patience  = 20 * time.Second
	welcome   = 25 * time.Second
	probeTime = 50 * time.Second
)

const (
	addOp    = "add host"
	removeOp = "remove host"
	probeOp  = "probe host"
	forgetOp = "forget host"
)

// permit refuses everyone but operators.
func (f *Fleet) permit(op string, owner workspace.Owner, id workspace.HostID) error {
	if slices.Contains(f.o.Operators, owner) {
		return nil
	}
	return workspace.Errorf(workspace.Denied, op, string(id),
		"only an operator of this site may")
}

// Add takes a host into the pool: it is asked what it has, and workspaces may
// come to it at once. Errors: Denied (not an operator), Invalid (the host is
// described wrongly), Conflict (there is one of that name, or it is in the pool under
// another), Unavailable (it does not answer). It is as first says from the first moment.
func (f *Fleet) Add(
	ctx context.Context, owner workspace.Owner, spec workspace.HostSpec,
	first workspace.HostMode,
) error {
	late := time.After(welcome)
	n, err := f.take(ctx, owner, spec, first)
	if err != nil {
		return err
	}
	f.o.Logger.Info("host is added", "host", spec.ID, "owner", owner, "uri", spec.URI)
	select { // nothing comes to it before what is left there is removed
	case <-n.Heard():
	case <-ctx.Done():
	case <-late: // it is added, and will be heard of or be lost
	}
	return nil
}

// take takes a host into the pool that answers. It is lost until it is watched.
func (f *Fleet) take(
	ctx context.Context, owner workspace.Owner, spec workspace.HostSpec,
	first workspace.HostMode,
) (*host.Node, error) {
	if err := f.permit(addOp, owner, spec.ID); err != nil {
		return nil, err
	}
	if !plain.MatchString(string(spec.ID)) {
		return nil, workspace.Errorf(workspace.Invalid, addOp, string(spec.ID),
			"its name must be letters, digits and . _ - alone, 63 at most")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.o.Pool.Has(spec.ID) {
		return nil, taken(spec.ID)
	}
	if err := errors.Join(f.single(spec), checkMode(first)); err != nil {
		return nil, failed(addOp, spec.ID, err)
	}
	n, err := f.o.Open(ctx, spec)
	if err != nil {
		return nil, failed(addOp, spec.ID, err)
	}
	n.Await()
	r := workspace.HostRecord{Host: spec.ID, Spec: &spec, By: owner, Added: now()}
	there, err := f.meet(ctx, n, &r)
	if err == nil {
		err = f.o.Store.Update(ctx, func(tx workspace.Tx) error {
			return f.enrol(tx, r, first, there)
		})
	}
	if err != nil {
		return nil, failed(addOp, spec.ID, errors.Join(err, f.close(n)))
	}
	f.o.Pool.Add(n)
	return n, nil
}

var plain = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

func taken(id workspace.HostID) error {
	return workspace.Errorf(workspace.Conflict, addOp, string(id),
		"the pool has a host of that name already")
}

// meet asks a new host what it has, and what of ours is there.
func (f *Fleet) meet(
	ctx context.Context, n *host.Node, r *workspace.HostRecord,
) ([]workspace.Observed, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var err error
	if r.Has, err = n.Deployment.Capacity(ctx); err != nil {
		return nil, err
	}
	if n.Access != nil {
		if err := n.Access.MakeDir(ctx, n.Dir, dirMode); err != nil {
			return nil, err
		}
	}
	return n.List(ctx)
}

// dirMode lets hypervisors that run as others reach disks, which are named to them.
const dirMode = 0o711

// enrol records a new host. What was given up on a host that has gone, and is
// found on this one, is removed there before anything comes to it.
func (f *Fleet) enrol(
	tx workspace.Tx, r workspace.HostRecord, first workspace.HostMode,
	there []workspace.Observed,
) error {
	for _, h := range tx.Hosts() {
		if h.ID == r.Host {
			return taken(r.Host)
		}
	}
	r.Left = tx.HostRecord(r.Host).Left
	for _, old := range tx.HostRecords() {
		for _, o := range there {
			if slices.Contains(old.Left, o.ID) && !slices.Contains(r.Left, o.ID) {
				r.Left = append(r.Left, o.ID)
			}
		}
	}
	for _, o := range there {
		w, err := tx.Workspace(o.ID)
		if err == nil && w.Host != "" && w.Host != r.Host {
			return workspace.Errorf(workspace.Conflict, addOp, string(r.Host),
				"workspace %s is on it as well as on host %s: is it the same host?", o.ID, w.Host)
		}
	}
	if err := tx.PutHostRecord(r); err != nil {
		return err
	}
	first.Host = r.Host
	if err := tx.PutHostMode(first); err != nil {
		return err
	}
	return errors.Join(f.o.Agenda.Rehost(tx), f.o.Agenda.SetHost(tx, first))
}

// single refuses a host that is in the pool under another name: what it has would be
// leased twice. A host of libvirt's test driver, or a simulated one, is new each time.
// Nor are two of them reached at one address.
func (f *Fleet) single(spec workspace.HostSpec) error {
	if ip, err := netip.ParseAddr(spec.Overlay); err == nil {
		for _, n := range f.o.Pool.Nodes() {
			if other, err := netip.ParseAddr(n.Overlay); err == nil && other == ip {
				return workspace.Refuse(workspace.Conflict,
					"the host %s of the pool has the overlay address %s", n.ID, ip)
			}
		}
	}
	if strings.HasPrefix(spec.URI, "sim:") || strings.HasPrefix(spec.URI, "test") {
		return nil
	}
	twin := ""
	if f.o.Twin != nil {
		twin = f.o.Twin(spec)
	}
	for _, n := range f.o.Pool.Nodes() {
		if n.Spec.URI == spec.URI && n.Spec.At() == spec.At() {
			twin = string(n.ID)
		}
	}
	if twin == "" {
		return nil
	}
	return workspace.Refuse(workspace.Conflict, "the host %s of the pool is reached by the same "+
		"uri: what it has would be leased twice", twin)
}

// checkMode refuses windows that make no sense.
func checkMode(m workspace.HostMode) error {
	for i, w := range m.Windows {
		if err := calendar.Check(w, now()); err != nil {
			return workspace.Refuse(workspace.KindOf(err), "window %d: %w", i+1, err)
		}
	}
	return nil
}

// Described tells operators how a host is described; nil for everyone else.
func (f *Fleet) Described(owner workspace.Owner, id workspace.HostID) *workspace.HostSpec {
	n, err := f.o.Pool.Node(id)
	if err != nil || !slices.Contains(f.o.Operators, owner) || n.Spec.ID == "" {
		return nil
	}
	spec := n.Spec
	return &spec
}

// Remove takes a host out of the pool. Errors: Denied, NotFound, Conflict (it is
// of the configuration, or workspaces or leases are on it: the text names them).
func (f *Fleet) Remove(
	ctx context.Context, owner workspace.Owner, id workspace.HostID,
) error {
	if err := f.permit(removeOp, owner, id); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if where := f.o.Configured(id); where != "" {
		return workspace.Errorf(workspace.Conflict, removeOp, string(id), "it stands in %s: take "+
			"the entry out and restart the daemon; until then it can be drained", where)
	}
	err := f.o.Store.Update(ctx, func(tx workspace.Tx) error { return f.strike(tx, id) })
	if err != nil {
		return failed(removeOp, id, err)
	}
	f.release(id)
	f.o.Logger.Info("host is removed", "host", id, "owner", owner)
	return nil
}

// strike takes a host that nothing is on out of the record. What is only planned
// there is planned elsewhere first.
func (f *Fleet) strike(tx workspace.Tx, id workspace.HostID) error {
	r := tx.HostRecord(id)
	if r.Spec == nil {
		return workspace.Refuse(workspace.NotFound, "the pool has no host of that name")
	}
	out := workspace.HostMode{Host: id, Drained: true}
	if err := tx.PutHostMode(out); err != nil {
		return err
	}
	if err := f.o.Agenda.SetHost(tx, out); err != nil {
		return err
	}
	if busy := occupants(tx, id); busy != "" {
		return workspace.Refuse(workspace.Conflict, "%s", busy)
	}
	return f.erase(tx, id)
}

// erase removes what is recorded of a host but what was given up on it.
func (f *Fleet) erase(tx workspace.Tx, id workspace.HostID) error {
	if err := tx.PutHostMode(workspace.HostMode{Host: id}); err != nil {
		return err
	}
	err := tx.PutHostRecord(workspace.HostRecord{Host: id, Left: tx.HostRecord(id).Left})
	if err != nil {
		return err
	}
	return f.o.Agenda.Rehost(tx)
}

// release lets go of a host that is out of the record.
func (f *Fleet) release(id workspace.HostID) {
	n := f.o.Pool.Remove(id)
	if n == nil {
		return
	}
	f.leaving.Go(func() {
		if err := f.close(n); err != nil {
			f.o.Logger.Error("cannot let go of host", "host", id, "error", err)
		}
	})
}

// close lets go of a node.
func (f *Fleet) close(n *host.Node) error {
	err := n.Close()
	if n.Access != nil {
		err = errors.Join(err, n.Access.Close())
	}
	return err
}

// occupants says what is on a host, or has to do with it; empty: nothing.
func occupants(tx workspace.Tx, id workspace.HostID) string {
	var on []workspace.ID
	for _, w := range tx.AllWorkspaces() {
		if w.Host == id {
			on = append(on, w.ID)
		}
	}
	if len(on) > 0 {
		return fmt.Sprintf("workspaces are on it: %s; drain it and wait, or destroy them",
			some(on))
	}
	if leaving := leavers(tx, id); len(leaving) > 0 {
		return fmt.Sprintf("what is left of workspaces that moved is being removed from it, or "+
			"they are about to come: %s; wait a moment", some(leaving))
	}
	var booked []workspace.LeaseID
	for _, b := range tx.AllBookings() {
		hosts := slices.Concat(b.Hosts, b.Home, b.Leaving)
		if b.Status != workspace.LeaseOver && slices.Contains(hosts, id) {
			booked = append(booked, b.ID)
		}
	}
	if len(booked) > 0 {
		return fmt.Sprintf("leases are promised it that no other host can have: %s; wait, or "+
			"destroy their workspaces", some(booked))
	}
	return ""
}

// leavers are the workspaces whose changes have to do with a host that they are not on:
// what they leave there, or bring, is theirs until the change has ended.
func leavers(tx workspace.Tx, id workspace.HostID) (all []workspace.ID) {
	for _, w := range tx.AllWorkspaces() {
		for _, c := range tx.ChangesOf(w.ID) {
			if c.Concerns(id) {
				all = append(all, w.ID)
				break
			}
		}
	}
	return all
}

// some names the first of many.
func some[T any](all []T) string {
	const most = 8
	text := ""
	for i, one := range all[:min(len(all), most)] {
		if i > 0 {
			text += ", "
		}
		text += fmt.Sprint(one)
	}
	if more := len(all) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// failed says of what host an error is.
func failed(op string, id workspace.HostID, err error) error {
	var known *workspace.Error
	if errors.As(err, &known) && known.Op == op {
		return err
	}
	return &workspace.Error{Op: op, Kind: workspace.KindOf(err), ID: string(id), Err: err}
}

// now is the time as the record keeps it: UTC, in milliseconds.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// Standing returns whether a host answers, and when it was added while the service
// ran. Why it did not answer is told to operators alone.
func (f *Fleet) Standing(
	ctx context.Context, owner workspace.Owner, id workspace.HostID,
) (workspace.Liveness, time.Time, error) {
	r, err := f.o.Store.HostRecord(ctx, id)
	if err != nil {
		return workspace.Liveness{}, time.Time{}, err
	}
	n, err := f.o.Pool.Node(id)
	if err != nil { // it is about to come, or has just gone
		return workspace.Liveness{}, r.Added, nil //nolint:nilerr // as said
	}
	a := n.Liveness()
	if !slices.Contains(f.o.Operators, owner) {
		a.Error = ""
	}
	return a, r.Added, nil
}
