package workspace

import (
	"slices"
	"time"
)

// Topic is what an event is about.
type Topic string

// The topics that a workspace publishes: t:currentState and wsrl:ResourceTermination,
// and those of face two alone.
const (
	TopicState       Topic = "currentState"
	TopicTermination Topic = "ResourceTermination"
	TopicWarning     Topic = "leaseWarning" // its running time is over soon
	TopicLease       Topic = "leaseStatus"  // the scheduler changed it, or its terms
	TopicTransfer    Topic = "transferProgress"
)

// TransferProgress is how far an image on its way is.
type TransferProgress struct {
	Task        string // the step of a plan that it is of, such as propagate
	Done, Total int64  // bytes
}

// Event is something that became durable and that subscribers are told of.
type Event struct {
	Workspace ID
	Topic     Topic
	State     State  // the state entered; of a termination, the last one
	Fault     string // with Corrupted
	At        time.Time
	Lease     LeaseStatus      // of TopicLease
	Transfer  TransferProgress // of TopicTransfer
	End       time.Time        // of TopicWarning and TopicLease: of running time; may be zero
}

// Subscription is a consumer's wish to be told of topics of one workspace, or
// of all that its owner has and will have.
type Subscription struct {
	ID         SubscriptionID
	Workspace  ID // 0: every workspace of Owner
	Owner      Owner
	Topics     []Topic
	Format     string      // how messages to it are written; known to who writes them
	Expression []byte      // the topic expression as a standalone element, given back
	Filter     []byte      // further conditions as a standalone element; nil: none
	Consumer   []byte      // the consumer's EPR as a standalone element
	Address    string      // its http(s) URL
	PullPoint  PullPointID // where messages wait to be fetched; empty: they are posted
	UseNotify  bool        // wrap in wsnt:Notify
	Paused     bool
	PausedWhy  string    // the service's reason for the pause; empty: its owner asked for it
	Failing    time.Time // since when its consumer fails; zero: it answers
	Last       int64     // number of the last message meant for it; the store counts
	Expires    time.Time // zero: with its workspace, or never
	Created    time.Time
}

// Over reports whether the subscription has expired at the time.
func (s *Subscription) Over(at time.Time) bool {
	return !s.Expires.IsZero() && at.After(s.Expires)
}

// About reports whether the subscription is to the topic.
func (s *Subscription) About(t Topic) bool { return slices.Contains(s.Topics, t) }

// Message is an event on its way to one subscription.
type Message struct {
	Seq          int64 // rises over the whole store
	Number       int64 // within its subscription, from 1; a gap shows what was withheld
	Subscription SubscriptionID
	Event
}

// PullPoint holds messages until their consumer fetches them
// (WS-BaseNotification 1.3, section 5).
type PullPoint struct {
	ID      PullPointID
	Owner   Owner
	Created time.Time
	Expires time.Time // zero: never
	Dropped int64     // messages that found it full, of which its consumer was not yet told
}

// Over reports whether the pull point has expired at the time.
func (p *PullPoint) Over(at time.Time) bool {
	return !p.Expires.IsZero() && at.After(p.Expires)
}

// Ask is a request for the messages of a pull point.
type Ask struct {
	Most    int           // messages; 0: the site's own limit
	Request string        // its message ID: one that is repeated gets the same messages
	Wait    time.Duration // how long to wait for a first message
}

// Handed is what a pull point gives for one Ask. It is kept until an Ask with
// another message ID comes.
type Handed struct {
	Messages []Message
	More     <-chan struct{} // closed when something changes at the pull point
}

// Listening sums up who is told of events, for those who mind the daemon.
type Listening struct {
	Subscriptions int
	Paused        int // of them, by their owners
	PullPoints    int
	Unfetched     int             // messages that wait there
	Failing       []FailingTarget // the longest first
}

// FailingTarget is a consumer that takes no messages.
type FailingTarget struct {
	Address       string
	Since         time.Time
	Subscriptions int
	Stopped       bool // the service has paused one of them
}

// Kept counts what is kept for an owner.
type Kept struct {
	Subscriptions int
	PullPoints    int
}
