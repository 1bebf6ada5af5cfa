package subscription

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/wsn"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/dispatch"
	"github.com/philoxenia/philoxenia/service/port"
	"github.com/philoxenia/philoxenia/service/port/message"
	"github.com/philoxenia/philoxenia/service/port/property"
	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/wsdl"
)

// The properties of ours: whether the subscription is paused, why when that was
// the service's doing, since when its consumer fails, and the number of the
// last message meant for it.
var (
	lease         = xmlstrict.In(schema.Lease)
	paused        = lease("Paused")
	pausedBecause = lease("PausedBecause")
	failingSince  = lease("FailingSince")
	lastNumber    = lease("LastSequenceNumber")
)

// document is the property document of a subscription. One that was made on
// the other face is told in this one's words.
type document struct {
	*workspace.Subscription
	face     wsdl.Face
	consumer wsa.EPR
	asked    wsn.Subscription // what it was made with, as far as it is kept as markup
	now      time.Time
}

func (f service) properties(ctx context.Context, c *dispatch.Call) (property.Set, error) {
	s, err := f.manager.Subscription(ctx, c.Owner, port.SubscriptionID(c))
	if err != nil {
		return nil, err
	}
	d := &document{Subscription: s, face: c.Face, now: time.Now()}
	if d.consumer, err = message.Consumer(s); err != nil {
		return nil, err
	}
	d.asked.Edition = port.Notification(c.Face)
	if len(s.Expression) > 0 {
		if d.asked.Topic, err = wsn.ReadTopicExpression(s.Expression); err != nil {
			return nil, err
		}
		if err := d.translate(); err != nil {
			return nil, err
		}
	}
	d.asked.Filter, err = wsn.ParseFilter(s.Filter)
	return d, err
}

// translate puts the topic expression into the words of this face when it came
// to the other: a simple one for one topic, and a full one for several.
func (d *document) translate() (err error) {
	dialects, name := d.asked.Edition.Dialects(), message.TopicName(d.face, d.Topics[0])
	switch {
	case slices.Contains(dialects, d.asked.Topic.Dialect):
		return nil
	case len(d.Topics) == 1:
		d.asked.Topic = d.asked.Edition.SimpleTopic(name)
		return nil
	}
	enc := xmlstrict.NewEncoder()
	enc.Start(d.asked.Edition.Names().TopicExpression)
	const full = 2
	enc.Attr(xmlstrict.Name{Local: "Dialect"}, dialects[full])
	var paths []string
	for _, topic := range d.Topics {
		name := message.TopicName(d.face, topic)
		paths = append(paths, enc.Prefix(name.Space)+":"+name.Local)
	}
	enc.Text(strings.Join(paths, "|"))
	enc.End()
	d.asked.Topic, err = wsn.ReadTopicExpression(enc.Bytes())
	return err
}

// A row is one property of the document.
type row struct {
	name  xmlstrict.Name
	write func(*document, *xmlstrict.Encoder, xmlstrict.Name)
	apart bool // it is told only to who asks for it by name
}

// tables are the properties by face, in the order of the schemas. Clients of
// 2008 fail on a property that they do not know: on face one ours are told only
// to those who ask for them.
var tables = [...][]row{wsdl.One: rowsOf(wsdl.One), wsdl.Two: rowsOf(wsdl.Two)}

// roots are the documents' root elements.
var roots = [...]xmlstrict.Name{
	wsdl.One: {Space: schema.BaseNotification, Local: "SubscriptionManagerRP"},
	wsdl.Two: lease("SubscriptionProperties"),
}

func rowsOf(face wsdl.Face) []row {
	names, resources := port.Notification(face).Names(), port.Edition(face).Names()
	rows := []row{{name: names.ConsumerReference, write: (*document).writeConsumer}}
	if face == wsdl.Two {
		rows = append(rows, row{name: names.Filter, write: (*document).writeFilter},
			row{name: names.SubscriptionPolicy, write: (*document).writePolicy})
	} else {
		rows = append(rows, row{name: names.TopicExpression, write: (*document).writeTopic},
			row{name: names.UseNotify, write: (*document).writeUseNotify},
			row{name: names.Precondition, write: (*document).writePrecondition},
			row{name: names.Selector, write: (*document).writeSelector})
	}
	rows = append(rows, row{name: names.CreationTime, write: (*document).writeCreation},
		row{name: resources.CurrentTime, write: (*document).writeNow},
		row{name: resources.TerminationTime, write: (*document).writeEnd})
	for _, own := range []row{
		{name: paused, write: (*document).writePaused},
		{name: pausedBecause, write: (*document).writeReason},
		{name: failingSince, write: (*document).writeFailing},
		{name: lastNumber, write: (*document).writeLast},
	} {
		own.apart = face == wsdl.One
		rows = append(rows, own)
	}
	if face == wsdl.Two {
		rows = append(rows, row{name: resources.QueryExpressionDialect, write: writeXPath})
	}
	return rows
}

func propertyNames(face wsdl.Face) []xmlstrict.Name {
	all := make([]xmlstrict.Name, len(tables[face]))
	for i, r := range tables[face] {
		all[i] = r.name
	}
	return all
}

// Write writes the whole document.
func (d *document) Write(enc *xmlstrict.Encoder) {
	enc.Start(roots[d.face])
	for _, r := range tables[d.face] {
		if !r.apart {
			r.write(d, enc, r.name)
		}
	}
	enc.End()
}

// WriteProperty writes one property; it is false when there is none of the name.
func (d *document) WriteProperty(enc *xmlstrict.Encoder, name xmlstrict.Name) bool {
	for _, r := range tables[d.face] {
		if r.name == name {
			r.write(d, enc, name)
			return true
		}
	}
	return false
}

func (d *document) writeConsumer(enc *xmlstrict.Encoder, name xmlstrict.Name) {
	d.consumer.Write(enc, name, port.Addressing(d.face))
}

func (d *document) writeTopic(enc *xmlstrict.Encoder, name xmlstrict.Name) {
	d.asked.Topic.Write(enc, name)
}

// writeFilter writes the topic and the conditions (WS-BaseNotification 1.3,
// 4.2); nothing when the subscriber gave neither.
func (d *document) writeFilter(enc *xmlstrict.Encoder, _ xmlstrict.Name) {
	d.asked.WriteFilter(enc)
}

func (d *document) writePrecondition(enc *xmlstrict.Encoder, name xmlstrict.Name) {
	writeCondition(enc, name, d.asked.Filter.ProducerProperties)
}

func (d *document) writeSelector(enc *xmlstrict.Encoder, name xmlstrict.Name) {
	writeCondition(enc, name, d.asked.Filter.MessageContent)
}

// writeCondition writes a condition, if there is one.
func writeCondition(enc *xmlstrict.Encoder, name xmlstrict.Name, c *wsrf.Condition) {
	if c != nil {
		c.Write(enc, name)
	}
}

// writePolicy writes UseRaw, the one policy that there is.
func (d *document) writePolicy(enc *xmlstrict.Encoder, name xmlstrict.Name) {
	if d.UseNotify {
		return
	}
	enc.Start(name)
	enc.Element(port.Notification(d.face).Names().UseRaw, "")
	enc.End()
}

func (d *document) writeUseNotify(enc *xmlstrict.Encoder, name xmlstrict.Name) {
	enc.Element(name, strconv.FormatBool(d.UseNotify))
}

func (d *document) writeCreation(enc *xmlstrict.Encoder, name xmlstrict.Name) {
	enc.Element(name, wsrf.FormatTime(d.Created))
}

func (d *document) writeNow(enc *xmlstrict.Encoder, name xmlstrict.Name) {
	enc.Element(name, wsrf.FormatTime(d.now))
}

func (d *document) writeEnd(enc *xmlstrict.Encoder, name xmlstrict.Name) {
	wsrf.WriteTimeOrNil(enc, name, d.Expires)
}

func (d *document) writePaused(enc *xmlstrict.Encoder, name xmlstrict.Name) {
	enc.Element(name, strconv.FormatBool(d.Paused))
}

func (d *document) writeReason(enc *xmlstrict.Encoder, name xmlstrict.Name) {
	if d.PausedWhy != "" {
		enc.Element(name, d.PausedWhy)
	}
}

func (d *document) writeFailing(enc *xmlstrict.Encoder, name xmlstrict.Name) {
	if !d.Failing.IsZero() {
		enc.Element(name, wsrf.FormatTime(d.Failing))
	}
}

func writeXPath(_ *document, enc *xmlstrict.Encoder, name xmlstrict.Name) {
	enc.Element(name, wsrf.XPathDialect)
}

func (d *document) writeLast(enc *xmlstrict.Encoder, name xmlstrict.Name) {
	enc.Element(name, strconv.FormatInt(d.Last, 10))
}
