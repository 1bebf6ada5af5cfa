package wsrf

import (
	"fmt"
	"strconv"

	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// ChangeKind is what a component of a modification does.
type ChangeKind uint8

// The components (WS-ResourceProperties 1.2, 5.7).
const (
	Insert ChangeKind = iota // adds values
	Update                   // puts values in place of all there are
	Delete                   // removes all values
)

// String returns the local name of the component's element.
func (k ChangeKind) String() string { return [...]string{"Insert", "Update", "Delete"}[k] }

// Change is one component of a modification of properties.
type Change struct {
	Kind   ChangeKind
	Name   xmlstrict.Name // of Delete: the property
	Values []*element     // of Insert and Update: property elements, at least one
	At     *element       // the component, for errors; nil when it was not parsed
}

// Names returns the properties that the change is about, each once, in order.
func (c Change) Names() []xmlstrict.Name {
	if c.Kind == Delete {
		return []xmlstrict.Name{c.Name}
	}
	var all []xmlstrict.Name
	seen := map[xmlstrict.Name]bool{}
	for _, v := range c.Values {
		if name := xmlstrict.NameOf(v); !seen[name] {
			seen[name] = true
			all = append(all, name)
		}
	}
	return all
}

// MaxChanges is how many components one modification may have, and how many
// values a component.
const MaxChanges = 64

// ParseModification reads a SetResourceProperties, which holds any components,
// or an Insert-, Update- or DeleteResourceProperties, which holds the one it is
// named for. It fails with a *FaultError (InvalidResourcePropertyQName) on a
// Delete whose property is no name, and else with a *xmlstrict.ContentError.
func (e Edition) ParseModification(doc *xmlstrict.Document, body *element) ([]Change, error) {
	if err := doc.Fits(body, anything); err != nil {
		return nil, err
	}
	only, free := e.componentOf(xmlstrict.NameOf(body))
	var changes []Change
	for part := range xmlstrict.Children(body) {
		kind, ok := e.componentKind(xmlstrict.NameOf(part))
		if !ok || !free && (kind != only || len(changes) == 1) {
			return nil, doc.Errorf(part, "Insert, Update or Delete", "%s does not belong here",
				part.Tag)
		}
		if len(changes) == MaxChanges {
			return nil, doc.Errorf(part, fmt.Sprintf("at most %d components", MaxChanges),
				"there are too many components")
		}
		change, err := e.parseChange(doc, part, kind)
		if err != nil {
			return nil, err
		}
		changes = append(changes, change)
	}
	if len(changes) == 0 {
		return nil, doc.Errorf(body, "Insert, Update or Delete", "no change is asked for")
	}
	return changes, nil
}

// componentOf returns the one component that a message may hold; free is
// true when it may hold all of them.
func (e Edition) componentOf(message xmlstrict.Name) (only ChangeKind, free bool) {
	switch message {
	case names[e].InsertResourceProperties:
		return Insert, false
	case names[e].UpdateResourceProperties:
		return Update, false
	case names[e].DeleteResourceProperties:
		return Delete, false
	}
	return 0, true
}

// componentKind tells which component an element is.
func (e Edition) componentKind(name xmlstrict.Name) (ChangeKind, bool) {
	switch name {
	case names[e].insert:
		return Insert, true
	case names[e].update:
		return Update, true
	case names[e].remove:
		return Delete, true
	}
	return 0, false
}

// propertyAttr returns the attribute of a Delete that names the property.
func (e Edition) propertyAttr() xmlstrict.Name {
	if e == Draft {
		return xmlstrict.Name{Local: "resourceProperty"}
	}
	return xmlstrict.Name{Local: "ResourceProperty"}
}

// parseChange reads one component.
func (e Edition) parseChange(
	doc *xmlstrict.Document, at *element, kind ChangeKind,
) (Change, error) {
	c := Change{Kind: kind, At: at}
	if kind == Delete {
		return c, e.parseDelete(doc, at, &c.Name)
	}
	if err := doc.Fits(at, anything); err != nil {
		return c, err
	}
	for v := range xmlstrict.Children(at) {
		if len(c.Values) == MaxChanges {
			return c, doc.Errorf(v, fmt.Sprintf("at most %d values", MaxChanges),
				"there are too many values")
		}
		c.Values = append(c.Values, v)
	}
	if len(c.Values) == 0 {
		return c, doc.Errorf(at, "the new values", "%s holds no property", kind)
	}
	return c, nil
}

// parseDelete reads the property that a Delete names.
func (e Edition) parseDelete(
	doc *xmlstrict.Document, at *element, name *xmlstrict.Name,
) error {
	nothing := xmlstrict.Shape{Attributes: []xmlstrict.Name{e.propertyAttr()}}
	if err := doc.Fits(at, nothing); err != nil {
		return err
	}
	text, given := xmlstrict.Attr(at, e.propertyAttr())
	if !given {
		return doc.Errorf(at, "the attribute "+e.propertyAttr().Local, "no property is named")
	}
	var err error
	if *name, err = xmlstrict.ResolveQName(at, text); err != nil {
		return &FaultError{Fault: names[e].InvalidResourcePropertyQName,
			Err: doc.Errorf(at, "the qualified name of a property", "%w", err)}
	}
	return nil
}

// WriteModification writes a message that is one of SetResourceProperties,
// InsertResourceProperties, UpdateResourceProperties and
// DeleteResourceProperties.
func (e Edition) WriteModification(
	enc *xmlstrict.Encoder, message xmlstrict.Name, changes ...Change,
) {
	enc.Start(message)
	for _, c := range changes {
		e.writeChange(enc, c)
	}
	enc.End()
}

// writeChange writes one component.
func (e Edition) writeChange(enc *xmlstrict.Encoder, c Change) {
	switch c.Kind {
	case Insert:
		enc.Start(names[e].insert)
	case Update:
		enc.Start(names[e].update)
	case Delete:
		enc.Start(names[e].remove)
		enc.AttrQName(e.propertyAttr(), c.Name)
	}
	for _, v := range c.Values {
		enc.Tree(v)
	}
	enc.End()
}

// ParsePutResourcePropertyDocument reads the document that is to take the
// place of the resource's. It fails with a *xmlstrict.ContentError.
func (e Edition) ParsePutResourcePropertyDocument(
	doc *xmlstrict.Document, body *element,
) (*element, error) {
	var document *element
	if err := doc.Fits(body, anything); err != nil {
		return nil, err
	}
	for child := range xmlstrict.Children(body) {
		if document != nil {
			return nil, doc.Errorf(child, "one property document", "there is a second element")
		}
		document = child
	}
	if document == nil {
		return nil, doc.Errorf(body, "the property document", "there is no document")
	}
	return document, nil
}

// WritePutResourcePropertyDocument writes the request around what document
// writes.
func (e Edition) WritePutResourcePropertyDocument(
	enc *xmlstrict.Encoder, document func(*xmlstrict.Encoder),
) {
	WriteProperties(enc, names[e].PutResourcePropertyDocument, document)
}

// ChangeFailure tells of a property that was not changed: the part that the
// faults about modifications add (WS-ResourceProperties 1.2, 5.6 and 5.7).
type ChangeFailure struct {
	Edition   Edition
	Current   func(*xmlstrict.Encoder) // writes the values there are; may be nil
	Requested []*element               // the values that were asked for; may be nil
	Restored  bool                     // all is as it was before the request
}

// Write writes the part. It is what FaultError.More and BaseFault.More take.
func (f ChangeFailure) Write(enc *xmlstrict.Encoder) {
	n := names[f.Edition]
	enc.Start(n.changeFailure)
	enc.Attr(xmlstrict.Name{Local: "Restored"}, strconv.FormatBool(f.Restored))
	if f.Current != nil {
		enc.Start(n.currentValue)
		f.Current(enc)
		enc.End()
	}
	if len(f.Requested) > 0 {
		enc.Start(n.requestedValue)
		for _, v := range f.Requested {
			enc.Tree(v)
		}
		enc.End()
	}
	enc.End()
}
