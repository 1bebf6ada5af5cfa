package report

import (
	"time"

	"github.com/philoxenia/philoxenia/schema/wsn"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// serviceProperties returns what every workspace tells, in the order in which
// the original sends it, with the names that an edition has for its times.
func serviceProperties(e wsrf.Edition) properties[ServiceProperties] {
	now, end := e.Names().CurrentTime, e.Names().TerminationTime
	return properties[ServiceProperties]{
		{PropertyLogistics, func(p *ServiceProperties, enc *xmlstrict.Encoder) {
			writeLogistics(enc, p.NICs)
		}},
		{PropertySchedule, func(p *ServiceProperties, enc *xmlstrict.Encoder) {
			p.Schedule.Write(enc)
		}},
		{PropertyAllocation, func(p *ServiceProperties, enc *xmlstrict.Encoder) {
			p.Allocation.Write(enc)
		}},
		{now, func(p *ServiceProperties, enc *xmlstrict.Encoder) {
			enc.Element(now, wsrf.FormatTime(p.CurrentTime))
		}},
		{end, func(p *ServiceProperties, enc *xmlstrict.Encoder) {
			writeTime(enc, end, p.TerminationTime)
		}},
		{PropertyState, (*ServiceProperties).writeState},
	}
}

// writeTime writes a nillable time; zero stands for nil.
func writeTime(enc *xmlstrict.Encoder, name xmlstrict.Name, at time.Time) {
	if at.IsZero() {
		enc.Nil(name)
		return
	}
	enc.Element(name, wsrf.FormatTime(at))
}

// writeState writes the state, and the reason for it in the document's edition.
func (p *ServiceProperties) writeState(enc *xmlstrict.Encoder) {
	v := p.State
	if v.Fault != nil {
		fault := *v.Fault
		fault.Edition = p.Edition
		v.Fault = &fault
	}
	v.Write(enc)
}

var serviceSets = sets[ServiceProperties]{
	wsrf.Draft: {ServiceRPSet, serviceProperties(wsrf.Draft).with(
		property[ServiceProperties]{drafted.FixedTopicSet, fixedTopics(drafted.FixedTopicSet)},
		property[ServiceProperties]{drafted.Topic, writeTopics},
		property[ServiceProperties]{drafted.TopicExpressionDialect,
			func(_ *ServiceProperties, enc *xmlstrict.Encoder) {
				for _, d := range wsn.Draft.Dialects() {
					enc.Element(drafted.TopicExpressionDialect, d)
				}
			}},
	)},
	wsrf.Final: {ServiceLeaseRPSet, serviceProperties(wsrf.Final).with(
		property[ServiceProperties]{PropertyLease, writeUnlessNil(
			func(p *ServiceProperties) *Lease { return p.Lease }, (*Lease).Write)},
		property[ServiceProperties]{PropertyShape,
			func(p *ServiceProperties, enc *xmlstrict.Encoder) {
				p.Shape.Write(enc, PropertyShape)
			}},
		property[ServiceProperties]{PropertyExplanation, writeUnlessNil(
			func(p *ServiceProperties) *Explanation { return p.Explanation },
			(*Explanation).Write)},
		property[ServiceProperties]{PropertyDiskImage,
			func(p *ServiceProperties, enc *xmlstrict.Encoder) {
				writeDiskImages(enc, p.Images)
			}},
		property[ServiceProperties]{PropertyUse, writeUnlessNil(
			func(p *ServiceProperties) *Use { return p.Use }, (*Use).Write)},
		property[ServiceProperties]{producer.TopicExpression, writeLeaseTopics},
		property[ServiceProperties]{producer.FixedTopicSet,
			fixedTopics(producer.FixedTopicSet)},
		property[ServiceProperties]{producer.TopicExpressionDialect, writeDialects},
		property[ServiceProperties]{producer.TopicSet, writeTopicSet},
		queryDialects[ServiceProperties](),
	)},
}

// writeUnlessNil returns what writes a property that may be absent.
func writeUnlessNil[T, V any](
	of func(*T) *V, write func(*V, *xmlstrict.Encoder),
) func(*T, *xmlstrict.Encoder) {
	return func(p *T, enc *xmlstrict.Encoder) {
		if v := of(p); v != nil {
			write(v, enc)
		}
	}
}

// fixedTopics writes that topics may come.
func fixedTopics(name xmlstrict.Name) func(*ServiceProperties, *xmlstrict.Encoder) {
	return func(_ *ServiceProperties, enc *xmlstrict.Encoder) { enc.Element(name, "false") }
}

// writeTopics writes what a workspace publishes. The dialect is an attribute
// with a namespace here, as the original has it.
func writeTopics(_ *ServiceProperties, enc *xmlstrict.Encoder) {
	for _, topic := range []xmlstrict.Name{PropertyState, wsrf.Draft.Names().ResourceTermination} {
		enc.Start(drafted.Topic)
		enc.Attr(dialect, wsn.SimpleDialect)
		enc.QName(topic)
		enc.End()
	}
}

// The properties of notification producers (WS-BaseNotification 1.3, 4.1) and
// of topics (WS-Topics 1.3, 8).
var (
	drafted      = wsn.Draft.Names()
	producer     = wsn.Final.Names()
	plainDialect = xmlstrict.Name{Local: "Dialect"}
)

// leaseTopics are what a workspace publishes on face two.
var leaseTopics = []xmlstrict.Name{
	PropertyState, wsrf.Final.Names().ResourceTermination, LeaseWarning, LeaseStatus,
	TransferProgress,
}

func writeLeaseTopics(_ *ServiceProperties, enc *xmlstrict.Encoder) {
	for _, topic := range leaseTopics {
		enc.Start(producer.TopicExpression)
		enc.Attr(plainDialect, wsn.SimpleDialect2)
		enc.QName(topic)
		enc.End()
	}
}

func writeDialects(_ *ServiceProperties, enc *xmlstrict.Encoder) {
	for _, d := range wsn.Final.Dialects() {
		enc.Element(producer.TopicExpressionDialect, d)
	}
}

// writeTopicSet writes the topics as a tree of roots alone.
func writeTopicSet(_ *ServiceProperties, enc *xmlstrict.Encoder) {
	var roots []wsn.TopicNode
	for _, topic := range leaseTopics {
		roots = append(roots, wsn.TopicNode{Name: topic, Topic: true})
	}
	wsn.WriteTopicSet(enc, roots...)
}

// Write writes the document as a ServiceRPSet or ServiceLeaseRPSet element.
func (p *ServiceProperties) Write(enc *xmlstrict.Encoder) { serviceSets.write(enc, p.Edition, p) }

// WriteProperty writes every value of one property. It is false, and nothing
// is written, when the document has no such property.
func (p *ServiceProperties) WriteProperty(enc *xmlstrict.Encoder, name xmlstrict.Name) bool {
	return serviceSets.of(p.Edition).one(enc, name, p)
}

// Names returns the names of the properties, in the order of the schema.
func (p *ServiceProperties) Names() []xmlstrict.Name { return serviceSets.of(p.Edition).names() }
