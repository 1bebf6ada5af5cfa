package report

import (
	"strconv"
	"time"

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

// sets are the property documents of one kind, by edition.
type sets[T any] [2]struct {
	root       xmlstrict.Name
	properties properties[T]
}

// of returns the set of an edition.
func (s sets[T]) of(e wsrf.Edition) properties[T] { return s[e].properties }

// write writes the document of an edition.
func (s sets[T]) write(enc *xmlstrict.Encoder, e wsrf.Edition, v *T) {
	s[e].properties.all(enc, s[e].root, v)
}

// queryDialects is the property that tells in which languages one can query.
func queryDialects[T any]() property[T] {
	name := wsrf.Final.Names().QueryExpressionDialect
	return property[T]{name, func(_ *T, enc *xmlstrict.Encoder) {
		enc.Element(name, wsrf.XPathDialect)
	}}
}

// with returns the properties and more behind them.
func (set properties[T]) with(more ...property[T]) properties[T] {
	return append(set[:len(set):len(set)], more...)
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

var factorySets = sets[FactoryProperties]{
	wsrf.Draft: {FactoryRPSet, factoryProperties},
	wsrf.Final: {FactoryLeaseRPSet, factoryProperties.with(queryDialects[FactoryProperties]())},
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

// Write writes the document as a FactoryRPSet or FactoryLeaseRPSet element.
func (p *FactoryProperties) Write(enc *xmlstrict.Encoder) { factorySets.write(enc, p.Edition, p) }

// WriteProperty writes every value of one property. It is false, and nothing
// is written, when the document has no such property.
func (p *FactoryProperties) WriteProperty(enc *xmlstrict.Encoder, name xmlstrict.Name) bool {
	return factorySets.of(p.Edition).one(enc, name, p)
}

// Names returns the names of the properties, in the order of the schema.
func (p *FactoryProperties) Names() []xmlstrict.Name { return factorySets.of(p.Edition).names() }

var statusProperties = properties[StatusProperties]{
	{PropertyChargeGranularity, func(p *StatusProperties, enc *xmlstrict.Encoder) {
		whole := int64(p.ChargeGranularity / time.Minute)
		enc.Element(PropertyChargeGranularity, strconv.FormatInt(whole, 10))
	}},
}

var statusSets = sets[StatusProperties]{
	wsrf.Draft: {StatusRPSet, statusProperties},
	wsrf.Final: {StatusLeaseRPSet, statusProperties.with(queryDialects[StatusProperties]())},
}

// Write writes the document as a StatusRPSet or StatusLeaseRPSet element.
func (p *StatusProperties) Write(enc *xmlstrict.Encoder) { statusSets.write(enc, p.Edition, p) }

// WriteProperty writes every value of one property. It is false, and nothing
// is written, when the document has no such property.
func (p *StatusProperties) WriteProperty(enc *xmlstrict.Encoder, name xmlstrict.Name) bool {
	return statusSets.of(p.Edition).one(enc, name, p)
}

// Names returns the names of the properties, in the order of the schema.
func (p *StatusProperties) Names() []xmlstrict.Name { return statusSets.of(p.Edition).names() }
