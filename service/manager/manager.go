// Package manager is what callers can ask of the service: it checks requests
// against the site's policy, asks the scheduler, writes reservations and
// durable changes into the record, and reads it back. The sub-packages hold
// the handlers of the tasks that those changes are made of.
//
// It must not know which face asked (no XML), and it causes no effect outside
// itself: whatever touches a host is a task of a change.
package manager

import (
	"context"
	"fmt"
	"time"

	"github.com/philoxenia/philoxenia/service/change"
	"github.com/philoxenia/philoxenia/service/manager/account"
	"github.com/philoxenia/philoxenia/service/manager/agenda"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Policy is what the site allows and offers.
type Policy struct {
	DefaultDuration   time.Duration       // of a request that names none
	MaximumDuration   time.Duration       // from a lease's start to the end of its running time
	Grace             time.Duration       // from the end of running time to destruction
	MaximumNodes      int                 // of one group; 0: no limit
	DefaultCPUs       int64               // of a request that names none; at least 1
	Architectures     []string            // JSDL words; the first is advertised
	AdvertisedVMM     workspace.VMM       // as the factory's properties have it
	Accepts           map[string][]string // a request's VMM to hosts that may serve it
	Associations      []string            // networks that may be asked for
	KernelParameters  bool                // requests may carry kernel parameters
	ChargeGranularity time.Duration       // unit to which used time is rounded up
	StatusDetails     bool                // tell what is under way to clients that understand it
	HideCharge        bool                // the granularity is no property
	Subscriptions     int                 // of one owner at a time; 0: no limit
	PullPoints        int                 // of one owner at a time; 0: no limit
	Operators         []workspace.Owner   // who may change hosts, and see all leases
	ForwardPorts      []int               // of guests, to which owners may be connected
	Warn              time.Duration       // before the end of running time; 0: no warning
	NoStaging         bool                // files are neither staged in nor out
	Brought           map[string]Brought  // by association
	Overlay           Overlay             // of private networks; zero: each is on one host
}

// Images is what the manager asks of the image side before it accepts a request.
type Images interface {
	// Check says whether the image can be fetched.
	Check(ctx context.Context, location string) (workspace.ImageInfo, error)
	// Survey lets the scheduler know which hosts have the image, as it was found.
	Survey(ctx context.Context, location string, found workspace.ImageInfo)
	// CheckTarget says whether an image could be delivered to the location, by
	// its form alone.
	CheckTarget(location string) error
	// Serves says whether a transport of the site is for locations of that scheme.
	Serves(location string) bool
	// CheckStage says whether the site's transports serve both ends of the transfer,
	// and when asks is true whether its source is there.
	CheckStage(ctx context.Context, t *workspace.Transfer, asks bool) (workspace.ImageInfo, error)
	// Kernel says whether the site offers the kernel; empty means the default.
	Kernel(image string) error
}

// Work is what the manager asks of the engine that carries changes out.
type Work interface {
	// Interrupt stops the running task of a workspace that is being destroyed.
	Interrupt(id workspace.ID)
	// Progress tells how far the task under way is, false when there is none.
	Progress(id workspace.ID) (change.Progress, bool)
}

// Options are what a Manager is made of. All fields are needed.
type Options struct {
	Store  workspace.Store
	Policy Policy
	Images Images
	Work   Work
	// Reachable says whether a host answers, for those who list hosts.
	Reachable func(workspace.HostID) bool
	// Snapshots asks a host which states of a workspace it keeps; nil: none are kept.
	Snapshots func(context.Context, workspace.HostID, workspace.ID) ([]workspace.Snapshot, error)
	// Reading says what a machine uses of its host, for those who ask. nil: nobody can.
	Reading  func(context.Context, workspace.HostID, workspace.ID) (*workspace.Reading, error)
	Agenda   *agenda.Agenda  // nil: one of its own, with no policy
	Accounts *account.Keeper // of what owners may have; nil: there is no limit
	Library  Library         // nil: there is none
	Reach    Reach           // of consoles; nil: there are none
}

// Manager answers the callers. It is safe for concurrent use.
type Manager struct {
	store  workspace.Store
	policy Policy
	images Images
	work   Work
	agenda *agenda.Agenda

	accounts  *account.Keeper
	library   Library
	reachable func(workspace.HostID) bool
	reading   func(context.Context, workspace.HostID, workspace.ID) (*workspace.Reading, error)
	kept      func(context.Context, workspace.HostID, workspace.ID) ([]workspace.Snapshot, error)
	reach     Reach
}

// New returns a Manager over the store.
func New(o Options) *Manager {
	if o.Agenda == nil {
		o.Agenda = agenda.New(agenda.Options{Accepts: o.Policy.Accepts, Reachable: o.Reachable})
	}
	return &Manager{
		store: o.Store, policy: o.Policy, images: o.Images, work: o.Work,
		reachable: o.Reachable, agenda: o.Agenda, accounts: o.Accounts,
		library: o.Library, reading: o.Reading,
		kept: o.Snapshots, reach: o.Reach,
	}
}

// Site returns what the factory tells about the pool.
func (m *Manager) Site() workspace.Site {
	p := m.policy
	return workspace.Site{
		DefaultDuration: p.DefaultDuration, MaximumDuration: p.MaximumDuration,
		Architectures: p.Architectures,
		VMMType:       p.AdvertisedVMM.Type, VMMVersions: p.AdvertisedVMM.Versions,
		Associations: p.Associations, ChargeGranularity: p.ChargeGranularity,
		StatusDetails: p.StatusDetails, HideCharge: p.HideCharge,
	}
}

// Workspace returns the owner's workspace. Another owner's, or one that is
// being removed, is as unknown as one that never was.
func (m *Manager) Workspace(
	ctx context.Context, owner workspace.Owner, id workspace.ID,
) (*workspace.Workspace, error) {
	w, err := m.store.Workspace(ctx, id)
	if err != nil {
		return nil, err
	}
	if !visible(w, owner) {
		return nil, unknown(id)
	}
	return m.told(ctx, w)
}

// told returns the workspace as callers are told of it: with a reason when its
// host is lost, which is another content than that of the record's version.
func (m *Manager) told(
	ctx context.Context, w *workspace.Workspace,
) (*workspace.Workspace, error) {
	if w.Host == "" {
		return w, nil
	}
	r, err := m.store.HostRecord(ctx, w.Host)
	if err != nil || r.Lost.IsZero() {
		return w, err
	}
	marked := *w
	marked.Version, marked.Fault = -w.Version, r.Trouble()
	if w.Fault != "" {
		marked.Fault += "; " + w.Fault
	}
	return &marked, nil
}

// Workspaces returns the owner's workspaces by rising ID.
func (m *Manager) Workspaces(
	ctx context.Context, owner workspace.Owner,
) ([]*workspace.Workspace, error) {
	all, err := m.store.Workspaces(ctx, owner)
	if err != nil {
		return nil, err
	}
	living := make([]*workspace.Workspace, 0, len(all))
	for _, w := range all {
		if !visible(w, owner) {
			continue
		}
		if w, err = m.told(ctx, w); err != nil {
			return nil, err
		}
		living = append(living, w)
	}
	return living, nil
}

// Details says in words what is under way on a workspace, for the optional
// element of the status port: the task, and how far it is, in bytes where
// bytes are moved. Empty when nothing is, and the fault of a failed attempt.
func (m *Manager) Details(w *workspace.Workspace) string {
	p, ok := m.work.Progress(w.ID)
	switch {
	case !ok:
		return w.Fault
	case p.Total > 0:
		return fmt.Sprintf("%s %d of %d bytes", p.Task, p.Done, p.Total)
	}
	return p.Task
}

// HostUses returns the hosts of the pool with what of them is taken, in the
// order of their names.
func (m *Manager) HostUses(ctx context.Context) ([]workspace.HostUse, error) {
	return m.store.Hosts(ctx)
}

// Reachable reports whether a host answers, as far as is known.
func (m *Manager) Reachable(id workspace.HostID) bool {
	return m.reachable == nil || m.reachable(id)
}

// Usage returns the owner's account: what ended leases took and current ones
// have used so far, rounded up to the charge granularity each, and what
// current ones reserve.
func (m *Manager) Usage(ctx context.Context, owner workspace.Owner) (workspace.Usage, error) {
	used, err := m.store.Used(ctx, owner)
	if err != nil {
		return workspace.Usage{}, err
	}
	living, err := m.Workspaces(ctx, owner)
	if err != nil {
		return workspace.Usage{}, err
	}
	account := workspace.Usage{Used: used}
	for _, w := range living {
		account.Used += charge(w, now(), m.policy.ChargeGranularity)
		account.Reserved += w.Lease.Duration
	}
	return account, nil
}

// charge is the running time that a lease has taken by a time; of one that waits,
// nothing.
func charge(w *workspace.Workspace, at time.Time, unit time.Duration) time.Duration {
	if w.Lease.Start.IsZero() {
		return 0
	}
	return rounded(min(max(at.Sub(w.Lease.Start), 0), w.Lease.Duration), unit)
}

// rounded rounds used time up to the unit.
func rounded(took, unit time.Duration) time.Duration {
	if unit <= 0 {
		return took
	}
	return (took + unit - 1) / unit * unit
}

func visible(w *workspace.Workspace, owner workspace.Owner) bool {
	return w.Owner == owner && !w.Gone()
}

// unknown is the one answer for what is not there or not the caller's: word for word what
// the store says of the one, or whoever is told of the other would know that it is there.
func unknown(id workspace.ID) error {
	return workspace.Errorf(workspace.NotFound, "find the workspace", id.String(),
		"no such workspace")
}

// now is the time as the record keeps it: UTC, in milliseconds.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
