package workspace

import "time"

// Topic is what an event is about.
type Topic string

// The topics that a workspace publishes: t:currentState and wsrl:ResourceTermination.
const (
	TopicState       Topic = "currentState"
	TopicTermination Topic = "ResourceTermination"
)

// Event is something that became durable and that subscribers are told of.
type Event struct {
	Workspace ID
	Topic     Topic
	State     State  // the state entered; of a termination, the last one
	Fault     string // with Corrupted
	At        time.Time
}

// Subscription is a consumer's wish to be told of one topic of one workspace.
type Subscription struct {
	ID         SubscriptionID
	Workspace  ID
	Owner      Owner
	Topic      Topic
	Dialect    string // of the topic expression, given back in the properties
	Expression string
	Consumer   []byte // the consumer's EPR as a standalone XML element
	Address    string // its http(s) URL
	UseNotify  bool   // wrap in wsnt:Notify
	Paused     bool
	Expires    time.Time // zero: with its workspace
	Created    time.Time
}

// Over reports whether the subscription has expired at the time.
func (s *Subscription) Over(at time.Time) bool {
	return !s.Expires.IsZero() && at.After(s.Expires)
}

// Message is an event on its way to one subscription.
type Message struct {
	Seq          int64 // rises over the whole store
	Subscription SubscriptionID
	Event
}
