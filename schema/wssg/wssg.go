// Package wssg holds the properties of WS-ServiceGroup 1.2: those of a group,
// which lists its members, and those of the entry of one member. It is for who
// publishes groups and who reads them.
//
// It must not know what the members are. Messages to add members are not here:
// membership in our groups follows the members themselves.
package wssg

import (
	"strings"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// The elements (WS-ServiceGroup 1.2, 4 and 5).
var (
	in = xmlstrict.In(schema.ServiceGroup2)

	MembershipContentRule = in("MembershipContentRule")
	EntryElement          = in("Entry")

	ServiceGroupEPR = in("ServiceGroupEPR")
	MemberEPR       = in("MemberEPR")
	Content         = in("Content")

	serviceGroupEntryEPR = in("ServiceGroupEntryEPR")
	memberServiceEPR     = in("MemberServiceEPR")
	rpDoc                = in("RPDoc")

	memberInterfaces = xmlstrict.Name{Local: "MemberInterfaces"}
	contentElements  = xmlstrict.Name{Local: "ContentElements"}
)

// Rule is what a MembershipContentRule says: members have the interfaces, if
// any are named, and contents hold the elements.
type Rule struct {
	Interfaces []xmlstrict.Name // port types; may be empty
	Elements   []xmlstrict.Name // may be empty
}

// Write writes the rule.
func (r Rule) Write(enc *xmlstrict.Encoder) {
	enc.Start(MembershipContentRule)
	if len(r.Interfaces) > 0 {
		enc.Attr(memberInterfaces, list(enc, r.Interfaces))
	}
	enc.Attr(contentElements, list(enc, r.Elements))
	enc.End()
}

// list returns names as a list of xs:QName, which are prefixed on the element
// just started.
func list(enc *xmlstrict.Encoder, names []xmlstrict.Name) string {
	var b strings.Builder
	for i, name := range names {
		if i > 0 {
			b.WriteByte(' ')
		}
		if prefix := enc.Prefix(name.Space); prefix != "" {
			b.WriteString(prefix + ":")
		}
		b.WriteString(name.Local)
	}
	return b.String()
}

// Entry is a member as its group lists it.
type Entry struct {
	Reference *wsa.EPR // of the entry; nil when it is none of its own (xsi:nil)
	Member    *wsa.EPR // nil when the group keeps it back
	// Content writes what the group tells about the member; nil for nothing.
	Content func(*xmlstrict.Encoder)
	// Elements are the children of the Content of an entry that was parsed.
	Elements []*etree.Element
}

// Write writes the entry.
func (e Entry) Write(enc *xmlstrict.Encoder) {
	enc.Start(EntryElement)
	if e.Reference == nil {
		enc.Nil(serviceGroupEntryEPR)
	} else {
		e.Reference.Write(enc, serviceGroupEntryEPR, wsa.V200508)
	}
	if e.Member != nil {
		e.Member.Write(enc, memberServiceEPR, wsa.V200508)
	}
	writeContent(enc, e.Content)
	enc.End()
}

// writeContent writes the Content, if there is any.
func writeContent(enc *xmlstrict.Encoder, content func(*xmlstrict.Encoder)) {
	if content == nil {
		return
	}
	enc.Start(Content)
	content(enc)
	enc.End()
}

// The shapes of an entry and of what its group tells about the member.
var (
	entryShape = xmlstrict.Shape{Foreign: schema.ServiceGroup2, Parts: []xmlstrict.Part{
		{Name: serviceGroupEntryEPR}, {Name: memberServiceEPR}, {Name: Content},
	}}
	contentShape = xmlstrict.Shape{Foreign: schema.ServiceGroup2, Parts: []xmlstrict.Part{
		{Name: rpDoc}, {Name: xmlstrict.Name{Space: schema.ServiceGroup2}, Many: true},
	}}
)

// ParseEntry reads an entry. It fails with a *xmlstrict.ContentError.
func ParseEntry(doc *xmlstrict.Document, at *etree.Element) (Entry, error) {
	var e Entry
	if !xmlstrict.Is(at, EntryElement) {
		return e, doc.Errorf(at, EntryElement.String(), "this is no entry")
	}
	if err := doc.Fits(at, entryShape); err != nil {
		return e, err
	}
	reference, err := doc.Only(at, serviceGroupEntryEPR)
	if err == nil && reference == nil {
		err = doc.Errorf(at, "ServiceGroupEntryEPR", "the entry is incomplete")
	}
	if err != nil {
		return e, err
	}
	if xmlstrict.IsNil(reference) {
		err = doc.Fits(reference, xmlstrict.Shape{Foreign: wsa.Space200508, Nillable: true})
		if err != nil {
			return e, err
		}
	} else {
		if e.Reference, err = parseEPR(doc, reference); err != nil {
			return e, err
		}
	}
	if e.Member, err = onlyEPR(doc, at, memberServiceEPR); err != nil {
		return e, err
	}
	e.Elements, err = elements(doc, at)
	return e, err
}

// onlyEPR reads the one reference of that name, if there is one.
func onlyEPR(
	doc *xmlstrict.Document, at *etree.Element, name xmlstrict.Name,
) (*wsa.EPR, error) {
	e, err := doc.Only(at, name)
	if err != nil || e == nil {
		return nil, err
	}
	return parseEPR(doc, e)
}

// parseEPR reads a reference.
func parseEPR(doc *xmlstrict.Document, at *etree.Element) (*wsa.EPR, error) {
	r, err := wsa.ParseEPR(doc, at)
	if err != nil {
		return nil, err
	}
	return &r, nil
}

// elements returns the children of an element's Content.
func elements(doc *xmlstrict.Document, at *etree.Element) ([]*etree.Element, error) {
	content, err := doc.Only(at, Content)
	if err == nil && content != nil {
		err = doc.Fits(content, contentShape)
	}
	var all []*etree.Element
	for child := range xmlstrict.Children(content) {
		all = append(all, child)
	}
	return all, err
}

// EntryDocument is what an entry tells of itself.
type EntryDocument struct {
	Group   wsa.EPR
	Member  *wsa.EPR                 // nil when it is kept back
	Content func(*xmlstrict.Encoder) // writes what is told about the member; may be nil
}

// EntryPropertyNames returns the properties of an entry, in order.
func EntryPropertyNames() []xmlstrict.Name {
	return []xmlstrict.Name{ServiceGroupEPR, MemberEPR, Content}
}

// WriteProperty writes one property; it is false when there is none of the name.
func (d EntryDocument) WriteProperty(enc *xmlstrict.Encoder, name xmlstrict.Name) bool {
	switch name {
	case ServiceGroupEPR:
		d.Group.Write(enc, name, wsa.V200508)
	case MemberEPR:
		if d.Member != nil {
			d.Member.Write(enc, name, wsa.V200508)
		}
	case Content:
		writeContent(enc, d.Content)
	default:
		return false
	}
	return true
}
