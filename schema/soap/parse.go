package soap

import (
	"strings"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// Parse reads an envelope of either version. It fails with a
// *xmlstrict.SyntaxError for what is not acceptable XML and with an *Error for
// what is not an acceptable envelope. A missing Header and an empty Body are
// legal; see Payload.
func Parse(data []byte, limits xmlstrict.Limits) (*Message, error) {
	doc, err := xmlstrict.Parse(data, limits)
	if err != nil {
		return nil, err
	}
	m := &Message{Doc: doc}
	if err := m.envelope(); err != nil {
		return nil, err
	}
	if ref := include(doc.Root); ref != nil {
		return nil, m.fail(Attachment, ref, "references to attachments are not accepted",
			"the data itself, inline")
	}
	return m, nil
}

// envelope recognises the root element and walks its children.
func (m *Message) envelope() error {
	root := xmlstrict.NameOf(m.Doc.Root)
	switch {
	case root.Local != "Envelope":
		return m.fail(NotEnvelope, m.Doc.Root, "the root element is no SOAP envelope",
			"Envelope in "+Space11)
	case root.Space == Space12:
		m.Version = V12
	case root.Space != Space11:
		return m.fail(WrongVersion, m.Doc.Root, "the envelope is of an unknown SOAP version",
			"namespace "+Space11+" or "+Space12)
	}
	return m.parts()
}

// parts reads [Header] Body, in that order, with nothing behind.
func (m *Message) parts() error {
	var header, body *etree.Element
	for part := range xmlstrict.Children(m.Doc.Root) {
		switch {
		case header == nil && body == nil && xmlstrict.Is(part, m.Version.name("Header")):
			header = part
		case body == nil && xmlstrict.Is(part, m.Version.name("Body")):
			body = part
		default:
			return m.fail(BadStructure, part, "this element does not belong here",
				"an optional Header and one Body")
		}
	}
	if body == nil {
		return m.fail(BadStructure, m.Doc.Root, "the envelope has no Body", "one Body")
	}
	if header != nil {
		m.Headers = make([]*etree.Element, 0, len(header.Child))
	}
	for block := range xmlstrict.Children(header) {
		m.Headers = append(m.Headers, block)
	}
	return m.content(body)
}

// content reads the one element of the Body.
func (m *Message) content(body *etree.Element) error {
	for child := range xmlstrict.Children(body) {
		if m.Body != nil {
			return m.fail(SeveralBodies, child, "the Body holds several elements", "exactly one")
		}
		m.Body = child
	}
	if xmlstrict.Text(body) != "" {
		return m.fail(BadStructure, body, "the Body holds text of its own", "one element")
	}
	return nil
}

// xopInclude is what stands for data outside the envelope (XOP 1.0, 2.1).
var xopInclude = xmlstrict.Name{
	Space: "http://www.w3.org/2004/08/xop/include", Local: "Include",
}

// include returns the first XOP reference below e, or nil.
func include(e *etree.Element) *etree.Element {
	if xmlstrict.Is(e, xopInclude) {
		return e
	}
	for child := range xmlstrict.Children(e) {
		if found := include(child); found != nil {
			return found
		}
	}
	return nil
}

// Roles that name this service: it is both next and last on the way.
const (
	actorNext12     = Space12 + "/role/next"
	actorUltimate12 = Space12 + "/role/ultimateReceiver"
	actorNext11     = "http://schemas.xmlsoap.org/soap/actor/next"
)

// CheckUnderstood fails with an *Error when a header block meant for us must
// be understood and understood says no (SOAP 1.1, 4.2.3; SOAP 1.2 part 1, 5.2.3).
func (m *Message) CheckUnderstood(understood func(xmlstrict.Name) bool) error {
	for _, block := range m.Headers {
		must, err := m.mustUnderstand(block)
		if err != nil {
			return err
		}
		if name := xmlstrict.NameOf(block); must && m.forUs(block) && !understood(name) {
			return m.fail(NotUnderstood, block,
				"the header block "+xmlstrict.Clip(name.Local)+" of the namespace "+
					xmlstrict.Clip(name.Space)+" is not understood here", "")
		}
	}
	return nil
}

// mustUnderstand reads the block's mustUnderstand attribute. Both spellings of
// a boolean are taken in both versions, as peers mix them.
func (m *Message) mustUnderstand(block *etree.Element) (bool, error) {
	value, _ := xmlstrict.Attr(block, m.Version.name("mustUnderstand"))
	switch strings.TrimSpace(value) {
	case "", "0", "false":
		return false, nil
	case "1", "true":
		return true, nil
	}
	return false, m.fail(BadStructure, block,
		"mustUnderstand has the value \""+xmlstrict.Clip(value)+"\"", "0 or 1")
}

// forUs tells whether the block is addressed to this service.
func (m *Message) forUs(block *etree.Element) bool {
	role := "actor"
	if m.Version == V12 {
		role = "role"
	}
	value, _ := xmlstrict.Attr(block, m.Version.name(role))
	switch strings.TrimSpace(value) {
	case "", actorNext11, actorNext12, actorUltimate12:
		return true
	}
	return false
}
