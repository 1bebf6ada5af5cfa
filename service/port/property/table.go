package property

import (
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// Row is one property of a document made of a T: its name, and what writes all
// of its values.
type Row[T any] struct {
	Name  xmlstrict.Name
	Write func(*xmlstrict.Encoder, T)
}

// Table is a kind of property document: its element and its properties in the
// order of the schema.
type Table[T any] struct {
	Root xmlstrict.Name
	Rows []Row[T]
}

// Names returns the names of the properties.
func (t *Table[T]) Names() []xmlstrict.Name {
	all := make([]xmlstrict.Name, len(t.Rows))
	for i := range t.Rows {
		all[i] = t.Rows[i].Name
	}
	return all
}

// Of returns the document of a value.
func (t *Table[T]) Of(v T) Set { return document[T]{t, v} }

// document is a property document with its values.
type document[T any] struct {
	table *Table[T]
	value T
}

// Write writes the whole document. What its properties share is declared once,
// at the root.
func (d document[T]) Write(enc *xmlstrict.Encoder) {
	rows := d.table.Rows
	enc.Start(d.table.Root)
	for i := range rows {
		enc.Declare(rows[i].Name.Space)
	}
	for i := range rows {
		rows[i].Write(enc, d.value)
	}
	enc.End()
}

// WriteProperty writes the values of one property.
func (d document[T]) WriteProperty(enc *xmlstrict.Encoder, name xmlstrict.Name) bool {
	for i := range d.table.Rows {
		if d.table.Rows[i].Name == name {
			d.table.Rows[i].Write(enc, d.value)
			return true
		}
	}
	return false
}

// Dialect returns the row that tells in which language documents can be
// queried (WS-ResourceProperties 1.2, 4.4).
func Dialect[T any]() Row[T] {
	name := wsrf.Final.Names().QueryExpressionDialect
	return Row[T]{name, func(enc *xmlstrict.Encoder, _ T) {
		enc.Element(name, wsrf.XPathDialect)
	}}
}
