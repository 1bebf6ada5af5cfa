package notify

import "github.com/philoxenia/philoxenia/service/workspace"

// Delivery is a message on its way to the consumer of its subscription.
type Delivery struct {
	Subscription *workspace.Subscription
	Message      workspace.Message
}

// Envelope is what is posted to a consumer.
type Envelope struct {
	Body        []byte
	ContentType string
	Action      string // for the header SOAPAction; empty where ContentType has it
}

// Format writes messages the way the consumers of some subscriptions read them.
// It may be used by several goroutines at once.
type Format interface {
	// Encode returns the envelope for messages to one consumer, oldest first.
	// There is one message alone when its subscription asks for messages
	// without Notify around them. Encoding the same batch again yields the same
	// envelope, message ID included.
	Encode(batch []Delivery) (Envelope, error)
}
