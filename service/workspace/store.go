package workspace

import (
	"context"
	"time"
)

// Store keeps the record. One Update is one transaction: what its function
// did is durable when Update returns nil, and never happened otherwise.
// Functions run one after the other and must neither block nor call the store.
type Store interface {
	Reader
	Outbox
	Update(ctx context.Context, f func(Tx) error) error
}

// Reader reads what is durable. Results are shared: do not change them.
// A resource that is not there is an Error of kind NotFound.
type Reader interface {
	SubscriptionReader
	PullPointReader
	BookingReader
	ImageReader
	Workspace(ctx context.Context, id ID) (*Workspace, error)
	// Workspaces returns the owner's workspaces by rising ID; all, for an empty owner.
	Workspaces(ctx context.Context, owner Owner) ([]*Workspace, error)
	Group(ctx context.Context, id GroupID) (*Group, error)
	// Changes returns the changes that have not ended, by rising ID.
	Changes(ctx context.Context) ([]*Change, error)
	Hosts(ctx context.Context) ([]HostUse, error)
	// Used returns the running time that the owner's ended leases took.
	Used(ctx context.Context, owner Owner) (time.Duration, error)
	// Accounts returns those of all owners who have one.
	Accounts(ctx context.Context) (map[Owner]Account, error)
}

// SubscriptionReader reads subscriptions.
type SubscriptionReader interface {
	Subscription(ctx context.Context, id SubscriptionID) (*Subscription, error)
	// Lapsed returns the subscriptions that have expired at the time, by rising
	// ID; those of pull points once what waits there for them is fetched.
	Lapsed(ctx context.Context, at time.Time) ([]SubscriptionID, error)
	// Listening sums up all subscriptions and pull points.
	Listening(ctx context.Context) (Listening, error)
}

// BookingReader reads what the scheduler records.
type BookingReader interface {
	// Bookings returns all, by rising ID.
	Bookings(ctx context.Context) ([]*Booking, error)
	// Booking returns NotFound for one that is not there.
	Booking(ctx context.Context, id LeaseID) (*Booking, error)
	// HostModes returns what operators asked of hosts, by rising host.
	HostModes(ctx context.Context) ([]HostMode, error)
	// HostRecords returns what is recorded of hosts, by rising host.
	HostRecords(ctx context.Context) ([]HostRecord, error)
	// HostRecord returns a host's; one that says nothing, where there is none.
	HostRecord(ctx context.Context, id HostID) (HostRecord, error)
	// Learned returns the times that were learned, as they were put; nil: none.
	Learned(ctx context.Context) ([]byte, error)
}

// PullPointReader reads pull points and hands out what waits there.
type PullPointReader interface {
	PullPoint(ctx context.Context, id PullPointID) (*PullPoint, error)
	// LapsedPullPoints returns those that have expired at the time, by rising ID.
	LapsedPullPoints(ctx context.Context, at time.Time) ([]PullPointID, error)
	// Take hands out messages, oldest first, and does not wait. What the last
	// Ask was given is given again when its message ID is repeated, and else
	// removed; as with Delivered, that need not be durable at once.
	Take(ctx context.Context, id PullPointID, ask Ask) (Handed, error)
}

// Outbox holds the messages that are not yet delivered.
type Outbox interface {
	// Waiting returns the subscriptions with messages to be posted.
	Waiting(ctx context.Context) ([]SubscriptionID, error)
	// Pending returns up to limit messages of the subscription, oldest first.
	Pending(ctx context.Context, id SubscriptionID, limit int) ([]Message, error)
	// Delivered removes the subscription's messages up to and with seq. The
	// removal need not be durable at once: a message may be sent again, never lost.
	Delivered(ctx context.Context, id SubscriptionID, seq int64) error
}

// Tx is one transaction: it sees the record with its own changes applied.
type Tx interface {
	WorkspaceTx
	PoolTx
	AddressTx
	ChangeTx
	SubscriptionTx
	PullPointTx
	RequestTx
	BookingTx
	AccountTx
	HostTx
	ImageTx
}

// AccountTx knows what owners hold and have used.
type AccountTx interface {
	// Held returns what the owner's workspaces hold, this transaction's included.
	Held(owner Owner) Holding
	// Holdings calls yield for each owner that holds anything, in no order.
	Holdings(yield func(Owner, Holding))
	// Account returns the owner's; the zero Account for who has none.
	Account(owner Owner) Account
	// Accounts calls yield for each owner who has one, in no order.
	Accounts(yield func(Owner, Account))
	// PutAccount writes it; the zero Account leaves none.
	PutAccount(owner Owner, a Account) error
}

// HostTx reads and writes what operators ask of hosts, and which there are.
type HostTx interface {
	// HostModes returns every mode by rising host.
	HostModes() []HostMode
	// PutHostMode replaces a host's; one that asks for nothing leaves no trace.
	PutHostMode(m HostMode) error
	// HostRecords returns every record by rising host.
	HostRecords() []HostRecord
	// HostRecord returns a host's; one that says nothing, where there is none.
	HostRecord(id HostID) HostRecord
	// PutHostRecord replaces a host's; one that says nothing leaves no trace. What
	// Hosts returns follows from it at once.
	PutHostRecord(r HostRecord) error
}

// BookingTx reads and writes what the scheduler records.
type BookingTx interface {
	// Booking returns NotFound for one that is not there. Copy before changing.
	Booking(id LeaseID) (*Booking, error)
	PutBooking(b *Booking) error
	RemoveBooking(id LeaseID) error
	// AllBookings returns every booking by rising ID.
	AllBookings() []*Booking
	// PutLearned replaces what was learned of times: bytes of the caller's own.
	PutLearned(data []byte) error
	// OnUndone has f called when what this update did does not become durable,
	// for whatever reason, before any other update runs: who keeps a picture of
	// the record elsewhere mends it then.
	OnUndone(f func())
}

// WorkspaceTx reads and writes workspaces and groups.
type WorkspaceTx interface {
	NextID() ID
	// Workspace returns NotFound for one that is not there. Copy before changing.
	Workspace(id ID) (*Workspace, error)
	// PutWorkspace writes w, which the store keeps, with the next Version. Spec,
	// Owner, Group and NICs of a workspace that is there already are not written
	// again.
	PutWorkspace(w *Workspace) error
	// RemoveWorkspace removes it, its membership, its subscriptions' rows that
	// have nothing left to deliver, and its holdings.
	RemoveWorkspace(id ID) error
	Group(id GroupID) (*Group, error)
	PutGroup(g *Group) error
	RemoveGroup(id GroupID) error
}

// PoolTx is the view of hosts and addresses. What a workspace holds follows
// from its record (Workspace.Holds): there is no separate release.
type PoolTx interface {
	// Hosts returns all hosts in a fixed order, those configured and those added,
	// with what is used, this transaction's workspaces included. One of which it is
	// not known what it has is not Active. The slice is valid until the next call.
	Hosts() []HostUse
	// Used returns what is used of one host, as Hosts has it.
	Used(id HostID) Capacity
	// AllWorkspaces returns every workspace, for the rare questions.
	AllWorkspaces() []*Workspace
	// AddUsed adds running time of an ended lease to the owner's account.
	AddUsed(owner Owner, d time.Duration) error
}

// ChangeTx reads and writes durable operations.
type ChangeTx interface {
	NextChangeID() ChangeID
	PutChange(c *Change) error
	RemoveChange(id ChangeID) error
	// ChangesOf returns the workspace's changes that have not ended, by rising ID.
	ChangesOf(id ID) []*Change
}

// SubscriptionTx reads and writes subscriptions and queues messages.
type SubscriptionTx interface {
	Subscription(id SubscriptionID) (*Subscription, error)
	// PutSubscription writes s, whose Last the store sets.
	PutSubscription(s *Subscription) error
	RemoveSubscription(id SubscriptionID) error
	// Emit numbers and queues e for each subscription to its topic and to its
	// workspace or all of its owner's. For a paused one the number is all: it
	// gets nothing (WS-BaseNotification 1.2 draft 01, section 7), nor does a
	// pull point that is full. One that had expired when e happened is not meant.
	Emit(e Event) error
	// Kept counts the owner's subscriptions and pull points.
	Kept(owner Owner) Kept
}

// PullPointTx reads and writes pull points.
type PullPointTx interface {
	PullPoint(id PullPointID) (*PullPoint, error)
	PutPullPoint(p *PullPoint) error
	// RemovePullPoint removes it with its subscriptions and what waits there.
	RemovePullPoint(id PullPointID) error
}

// RequestTx remembers answered create requests, so that a repeated MessageID
// of the same owner gets the first answer.
type RequestTx interface {
	// Answered returns what the request made, false when it is new.
	Answered(owner Owner, messageID string) (Answer, bool)
	PutAnswered(owner Owner, messageID string, a Answer) error
}

// Answer is what a create request was answered with.
type Answer struct {
	Workspaces []ID
	Group      GroupID // empty for a single workspace
	Digest     string  // of the request; empty when it is not known
	At         time.Time
}
