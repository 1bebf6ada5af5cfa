package message

import (
	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/query"
	"github.com/philoxenia/philoxenia/schema/wsn"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/wsdl"
)

// The elements of conditions on messages: what a Subscribe of either face has
// beside its topic (WS-BaseNotification 1.2 draft 1, 4.1, and 1.3, 4.2).
var (
	Precondition = xmlstrict.Name{Space: wsn.Space, Local: "Precondition"} // of properties
	Selector     = xmlstrict.Name{Space: wsn.Space, Local: "Selector"}     // of the message

	ProducerProperties = notification2("ProducerProperties")
	MessageContent     = notification2("MessageContent")
)

// Conditions are what a subscription asks of messages beyond their topic. All
// must hold.
type Conditions struct {
	face                wsdl.Face // whose documents are asked
	properties, content []*wsrf.Condition
}

// Compile reads the conditions among the children of an element; other
// children are passed over. It fails with a *xmlstrict.ContentError at the
// condition that is none.
func Compile(doc *xmlstrict.Document, within *etree.Element) (*Conditions, error) {
	c := new(Conditions)
	for child := range xmlstrict.Children(within) {
		if err := c.add(doc, child); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// add adds the condition that an element holds, if it is one.
func (c *Conditions) add(doc *xmlstrict.Document, e *etree.Element) error {
	list := &c.properties
	switch xmlstrict.NameOf(e) {
	case Precondition:
	case Selector:
		list = &c.content
	case ProducerProperties:
		c.face = wsdl.Two
	case MessageContent:
		c.face, list = wsdl.Two, &c.content
	default:
		return nil
	}
	condition, err := compile(doc, e)
	*list = append(*list, condition)
	return err
}

// compile reads one condition.
func compile(doc *xmlstrict.Document, e *etree.Element) (*wsrf.Condition, error) {
	dialect, given := xmlstrict.Attr(e, dialectAttr)
	if !given {
		dialect, given = xmlstrict.Attr(e, xmlstrict.Name{
			Space: xmlstrict.NameOf(e).Space, Local: dialectAttr.Local,
		})
	}
	switch {
	case !given:
		return nil, doc.Errorf(e, "the attribute Dialect", "%s has no dialect", e.Tag)
	case dialect != wsrf.XPathDialect:
		return nil, doc.Errorf(e, wsrf.XPathDialect, "the dialect %q of %s is unknown",
			xmlstrict.Clip(dialect), e.Tag)
	}
	for child := range xmlstrict.Children(e) {
		return nil, doc.Errorf(child, "an XPath expression as text", "%s is no text", child.Tag)
	}
	text := xmlstrict.Text(e)
	if text == "" {
		return nil, doc.Errorf(e, "an XPath expression", "%s is empty", e.Tag)
	}
	condition, err := wsrf.NewCondition(text, func(prefix string) (string, bool) {
		return xmlstrict.LookupPrefix(e, prefix)
	})
	if err != nil {
		return nil, doc.Errorf(e, "a boolean expression of XPath 1.0", "%w", err)
	}
	return condition, nil
}

// None reports whether there are no conditions.
func (c *Conditions) None() bool { return len(c.properties)+len(c.content) == 0 }

// A PropertyWriter returns what writes the property document of a workspace on
// a face.
type PropertyWriter func(wsdl.Face, *workspace.Workspace) func(*xmlstrict.Encoder)

// Filter decides which events pass the conditions of subscriptions. It may be
// used by several goroutines at once.
type Filter struct {
	write      PropertyWriter
	conditions *cache[workspace.SubscriptionID, *Conditions]
	documents  *cache[documentKey, *query.Document]
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
		conditions: newCache[workspace.SubscriptionID, *Conditions](maxConditions),
	}
}

// Wants reports whether the event, after which the workspace is as given,
// passes the subscription's conditions. One that cannot be evaluated is passed:
// rather a message too many than one that is lost.
func (f *Filter) Wants(
	s *workspace.Subscription, e workspace.Event, w *workspace.Workspace,
) bool {
	if len(s.Filter) == 0 {
		return true
	}
	c, err := f.conditions.get(s.ID, func() (*Conditions, error) {
		doc, err := xmlstrict.Parse(s.Filter, xmlstrict.DefaultLimits())
		if err != nil {
			return nil, err
		}
		return Compile(doc, doc.Root)
	})
	return err != nil || f.holds(c, e, w)
}

// Try evaluates the conditions as Wants does, and fails with the error of a
// condition that cannot be evaluated.
func (f *Filter) Try(c *Conditions, e workspace.Event, w *workspace.Workspace) error {
	_, err := f.evaluate(c, e, w)
	return err
}

func (f *Filter) holds(c *Conditions, e workspace.Event, w *workspace.Workspace) bool {
	holds, err := f.evaluate(c, e, w)
	return holds || err != nil
}

func (f *Filter) evaluate(
	c *Conditions, e workspace.Event, w *workspace.Workspace,
) (bool, error) {
	for _, set := range []struct {
		conditions []*wsrf.Condition
		properties bool
	}{{c.content, false}, {c.properties, true}} {
		if len(set.conditions) == 0 {
			continue
		}
		over, err := f.document(documentKey{c.face, set.properties, e}, w)
		if err != nil {
			return false, err
		}
		for _, condition := range set.conditions {
			if holds, err := condition.Over(over); err != nil || !holds {
				return false, err
			}
		}
	}
	return true, nil
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

// Element returns the conditions of a subscription as elements with the names
// of a face, whichever face it was made on: each is the element as it came, and
// the name to write it by.
func Elements(filter *etree.Element, face wsdl.Face) map[xmlstrict.Name]*etree.Element {
	all := make(map[xmlstrict.Name]*etree.Element)
	for child := range xmlstrict.Children(filter) {
		switch name := xmlstrict.NameOf(child); {
		case name != Precondition && name != ProducerProperties &&
			name != Selector && name != MessageContent:
		case face == wsdl.One && (name == Precondition || name == ProducerProperties):
			all[Precondition] = child
		case face == wsdl.One:
			all[Selector] = child
		case name == Precondition || name == ProducerProperties:
			all[ProducerProperties] = child
		default:
			all[MessageContent] = child
		}
	}
	return all
}
