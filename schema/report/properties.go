package report

import (
	"strconv"
	"time"

	"github.com/philoxenia/philoxenia/schema/wsn"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// property is one property of a document of type T and what writes it, all of
// its values included.
type property[T any] struct {
	name  xmlstrict.Name
	write func(*T, *xmlstrict.Encoder)
}

// properties is the content of a property document, in the order of the schema.
type properties[T any] []property[T]

// all writes the whole document. What its properties share is declared once,
// at the root.
func (set properties[T]) all(enc *xmlstrict.Encoder, root xmlstrict.Name, v *T) {
	enc.Start(root)
	for i := range set {
		enc.Declare(set[i].name.Space)
	}
	for i := range set {
		set[i].write(v, enc)
	}
	enc.End()
}

// one writes one property; it is false when there is none of that name.
func (set properties[T]) one(enc *xmlstrict.Encoder, name xmlstrict.Name, v *T) bool {
	for i := range set {
		if set[i].name == name {
			set[i].write(v, enc)
			return true
		}
	}
	return false
}

// names returns the names of the properties.
func (set properties[T]) names() []xmlstrict.Name {
	names := make([]xmlstrict.Name, len(set))
	for i := range set {
		names[i] = set[i].name
	}
	return names
}

var factoryProperties = properties[FactoryProperties]{
	{PropertyDefaultRunningTime, func(p *FactoryProperties, enc *xmlstrict.Encoder) {
		enc.Element(PropertyDefaultRunningTime, minutes(p.DefaultRunningTime))
	}},
	{PropertyMaximumRunningTime, func(p *FactoryProperties, enc *xmlstrict.Encoder) {
		enc.Element(PropertyMaximumRunningTime, minutes(p.MaximumRunningTime))
	}},
	{PropertyArchitecture, func(p *FactoryProperties, enc *xmlstrict.Encoder) {
		for _, word := range p.Architectures {
			enc.Element(PropertyArchitecture, word)
		}
	}},
	{PropertyVMM, func(p *FactoryProperties, enc *xmlstrict.Encoder) {
		if p.VMM != nil {
			p.VMM.Write(enc)
		}
	}},
	{PropertyAssociations, (*FactoryProperties).writeAssociations},
}

func (p *FactoryProperties) writeAssociations(enc *xmlstrict.Encoder) {
	if len(p.Associations) == 0 {
		return
	}
	enc.Start(PropertyAssociations)
	for _, a := range p.Associations {
		enc.Element(association, a)
	}
	enc.End()
}

// Write writes the document as a w:FactoryRPSet element.
func (p *FactoryProperties) Write(enc *xmlstrict.Encoder) {
	factoryProperties.all(enc, FactoryRPSet, p)
}

// WriteProperty writes every value of one property. It is false, and nothing
// is written, when the document has no such property.
func (p *FactoryProperties) WriteProperty(enc *xmlstrict.Encoder, name xmlstrict.Name) bool {
	return factoryProperties.one(enc, name, p)
}

// Names returns the names of the properties, in the order of the schema.
func (p *FactoryProperties) Names() []xmlstrict.Name { return factoryProperties.names() }

// serviceProperties are in the order in which the original sends them.
var serviceProperties = properties[ServiceProperties]{
	{PropertyLogistics, func(p *ServiceProperties, enc *xmlstrict.Encoder) {
		writeLogistics(enc, p.NICs)
	}},
	{PropertySchedule, func(p *ServiceProperties, enc *xmlstrict.Encoder) {
		p.Schedule.Write(enc)
	}},
	{PropertyAllocation, func(p *ServiceProperties, enc *xmlstrict.Encoder) {
		p.Allocation.Write(enc)
	}},
	{wsrf.CurrentTime, func(p *ServiceProperties, enc *xmlstrict.Encoder) {
		enc.Element(wsrf.CurrentTime, wsrf.FormatTime(p.CurrentTime))
	}},
	{wsrf.TerminationTime, func(p *ServiceProperties, enc *xmlstrict.Encoder) {
		if p.TerminationTime.IsZero() {
			enc.Nil(wsrf.TerminationTime)
			return
		}
		enc.Element(wsrf.TerminationTime, wsrf.FormatTime(p.TerminationTime))
	}},
	{PropertyState, func(p *ServiceProperties, enc *xmlstrict.Encoder) { p.State.Write(enc) }},
	{wsn.FixedTopicSet, func(_ *ServiceProperties, enc *xmlstrict.Encoder) {
		enc.Element(wsn.FixedTopicSet, "false")
	}},
	{wsn.Topic, writeTopics},
	{wsn.TopicExpressionDialects, func(_ *ServiceProperties, enc *xmlstrict.Encoder) {
		enc.Element(wsn.TopicExpressionDialects, wsn.SimpleDialect)
	}},
}

// writeTopics writes what a workspace publishes. The dialect is an attribute
// with a namespace here, as the original has it.
func writeTopics(_ *ServiceProperties, enc *xmlstrict.Encoder) {
	for _, topic := range workspaceTopics {
		enc.Start(wsn.Topic)
		enc.Attr(dialect, wsn.SimpleDialect)
		enc.QName(topic)
		enc.End()
	}
}

// Write writes the document as a w:ServiceRPSet element.
func (p *ServiceProperties) Write(enc *xmlstrict.Encoder) {
	serviceProperties.all(enc, ServiceRPSet, p)
}

// WriteProperty writes every value of one property. It is false, and nothing
// is written, when the document has no such property.
func (p *ServiceProperties) WriteProperty(enc *xmlstrict.Encoder, name xmlstrict.Name) bool {
	return serviceProperties.one(enc, name, p)
}

// Names returns the names of the properties, in the order of the schema.
func (p *ServiceProperties) Names() []xmlstrict.Name { return serviceProperties.names() }

var statusProperties = properties[StatusProperties]{
	{PropertyChargeGranularity, func(p *StatusProperties, enc *xmlstrict.Encoder) {
		whole := int64(p.ChargeGranularity / time.Minute)
		enc.Element(PropertyChargeGranularity, strconv.FormatInt(whole, 10))
	}},
}

// Write writes the document as an s:StatusRPSet element.
func (p *StatusProperties) Write(enc *xmlstrict.Encoder) {
	statusProperties.all(enc, StatusRPSet, p)
}

// WriteProperty writes every value of one property. It is false, and nothing
// is written, when the document has no such property.
func (p *StatusProperties) WriteProperty(enc *xmlstrict.Encoder, name xmlstrict.Name) bool {
	return statusProperties.one(enc, name, p)
}

// Names returns the names of the properties, in the order of the schema.
func (p *StatusProperties) Names() []xmlstrict.Name { return statusProperties.names() }
