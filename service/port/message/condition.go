package message

import (
	"sync"
	"time"

	"github.com/philoxenia/philoxenia/schema/query"
	"github.com/philoxenia/philoxenia/schema/wsn"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/wsdl"
)

// A PropertyWriter returns what writes the property document of a workspace on
// a face.
type PropertyWriter func(wsdl.Face, *workspace.Workspace) func(*xmlstrict.Encoder)

// Filter decides which events pass the conditions that subscriptions put on
// them beside their topics. It may be used by several goroutines at once.
type Filter struct {
	write      PropertyWriter
	conditions *cache[workspace.SubscriptionID, wsn.Filter]
	documents  *cache[documentKey, *query.Document]
	spent      spent
}

// The documents that conditions ask: one event is held against the conditions
// of many subscriptions, one after the other.
type documentKey struct {
	face       wsdl.Face
	properties bool
	event      workspace.Event
}

// The numbers of conditions and documents that are kept ready.
const (
	maxConditions = 16 << 10
	maxDocuments  = 16
)

// NewFilter returns a filter; write writes what conditions on the producer's
// properties are held against.
func NewFilter(write PropertyWriter) *Filter {
	return &Filter{
		write: write, documents: newCache[documentKey, *query.Document](maxDocuments),
		conditions: newCache[workspace.SubscriptionID, wsn.Filter](maxConditions),
		spent:      spent{most: 250 * time.Millisecond},
	}
}

// spent is the time that all conditions of one owner took over one event: the
// last one. Each condition is bounded, but an owner may have thousands of them,
// and everybody waits until an event is told.
type spent struct {
	mu    sync.Mutex
	most  time.Duration
	owner workspace.Owner
	event workspace.Event
	so    time.Duration
}

// left reports whether the owner has time left for the event.
func (s *spent) left(owner workspace.Owner, e workspace.Event) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.owner != owner || s.event != e {
		s.owner, s.event, s.so = owner, e, 0
	}
	return s.so < s.most
}

// add adds to the time of the last event.
func (s *spent) add(t time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.so += t
}

// Wants reports whether the event, after which the workspace is as given,
// passes the subscription's conditions. What cannot be evaluated passes, and so
// does what there is no time left for: rather a message too many than one that
// is lost.
func (f *Filter) Wants(
	s *workspace.Subscription, e workspace.Event, w *workspace.Workspace,
) bool {
	if len(s.Filter) == 0 {
		return true
	}
	conditions, err := f.conditions.get(s.ID, func() (wsn.Filter, error) {
		return wsn.ParseFilter(s.Filter)
	})
	if err != nil || !f.spent.left(s.Owner, e) {
		return true
	}
	start := time.Now()
	holds, err := f.holds(conditions, FaceOf(s.Format), e, w)
	f.spent.add(time.Since(start))
	return holds || err != nil
}

// holds evaluates the conditions, over the documents of a face.
func (f *Filter) holds(
	c wsn.Filter, face wsdl.Face, e workspace.Event, w *workspace.Workspace,
) (bool, error) {
	holds, err := f.ask(c.MessageContent, documentKey{face, false, e}, w)
	if !holds || err != nil {
		return false, err
	}
	return f.ask(c.ProducerProperties, documentKey{face, true, e}, w)
}

// ask holds a document against a condition; that there is none always holds.
func (f *Filter) ask(
	c *wsrf.Condition, key documentKey, w *workspace.Workspace,
) (bool, error) {
	if c == nil {
		return true, nil
	}
	over, err := f.document(key, w)
	if err != nil {
		return false, err
	}
	return c.Over(over)
}

// document returns what conditions are held against.
func (f *Filter) document(key documentKey, w *workspace.Workspace) (*query.Document, error) {
	return f.documents.get(key, func() (*query.Document, error) {
		write := Content(key.face, key.event).Write
		if key.properties {
			write = f.write(key.face, w)
		}
		text, err := encoded(write)
		if err != nil {
			return nil, err
		}
		return new(query.Names).Read(text)
	})
}
