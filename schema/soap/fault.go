package soap

import (
	"strings"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// Fault codes, in the words of SOAP 1.1 (4.4.1). Behind a dot stands what the
// code is refined to, as in Server.generalException.
const (
	CodeVersionMismatch = "VersionMismatch"
	CodeMustUnderstand  = "MustUnderstand"
	CodeClient          = "Client"
	CodeServer          = "Server"
	CodeTyped           = "Server.generalException" // goes with a typed fault in the detail
)

// Fault is a fault of either version, in the words of SOAP 1.1. It is an error
// so that a client can return the one it received.
type Fault struct {
	Code   string // CodeClient, CodeTyped, ...
	String string // for people; often empty when there is a typed detail
	Actor  string // who raised it, a URI; usually empty

	// Subcodes refine the code with names of other namespaces, each the one
	// before it. SOAP 1.2 has all of them (part 1, 5.4.6); in SOAP 1.1 the last
	// one is the faultcode, as WS-Addressing 1.0 SOAP binding, 6 has it.
	Subcodes []xmlstrict.Name
	// Blocks writes header blocks that go with the fault; may be nil.
	Blocks func(*xmlstrict.Encoder)
	// Detail writes the children of the detail; nil writes none.
	Detail func(*xmlstrict.Encoder)
	// Entries are the children of the detail of a fault that was parsed.
	Entries []*etree.Element
	// Doc is the document that Entries belong to.
	Doc *xmlstrict.Document
}

// Error returns "SOAP fault CODE: STRING".
func (f *Fault) Error() string {
	text := "SOAP fault " + f.Code
	if f.String != "" {
		text += ": " + f.String
	}
	return text
}

// axisSpace is where codes beyond the standard's live; the original's toolkit
// puts its own there.
const axisSpace = "http://xml.apache.org/axis/"

// WriteFault writes an envelope whose body is the fault.
func WriteFault(
	enc *xmlstrict.Encoder, v Version, header func(*xmlstrict.Encoder), fault *Fault,
) {
	Write(enc, v, fault.header(header), func(enc *xmlstrict.Encoder) {
		if v == V12 {
			fault.write12(enc)
			return
		}
		fault.write11(enc)
	})
}

// header returns what writes all header blocks; nil when there are none.
func (f *Fault) header(others func(*xmlstrict.Encoder)) func(*xmlstrict.Encoder) {
	if others == nil || f.Blocks == nil {
		if others == nil {
			return f.Blocks
		}
		return others
	}
	return func(enc *xmlstrict.Encoder) {
		others(enc)
		f.Blocks(enc)
	}
}

// write11 writes the fault as SOAP 1.1, 4.4 has it.
func (f *Fault) write11(enc *xmlstrict.Encoder) {
	enc.Start(V11.name("Fault"))
	enc.Start(local("faultcode"))
	enc.QName(f.code11())
	enc.End()
	enc.Element(local("faultstring"), f.String)
	if f.Actor != "" {
		enc.Element(local("faultactor"), f.Actor)
	}
	f.writeDetail(enc, local("detail"))
	enc.End()
}

// code11 returns the faultcode: the most specific name there is.
func (f *Fault) code11() xmlstrict.Name {
	if n := len(f.Subcodes); n > 0 {
		return f.Subcodes[n-1]
	}
	return V11.name(f.Code)
}

// write12 writes the fault as SOAP 1.2 part 1, 5.4 has it.
func (f *Fault) write12(enc *xmlstrict.Encoder) {
	code, sub, refined := strings.Cut(f.Code, ".")
	subcodes := f.Subcodes
	if refined && len(subcodes) == 0 {
		subcodes = []xmlstrict.Name{{Space: axisSpace, Local: sub}}
	}
	enc.Start(V12.name("Fault"))
	enc.Start(V12.name("Code"))
	writeValue(enc, V12.name(swap(code, codes12)))
	for _, subcode := range subcodes {
		enc.Start(V12.name("Subcode"))
		writeValue(enc, subcode)
	}
	for range subcodes {
		enc.End()
	}
	enc.End()
	enc.Start(V12.name("Reason"))
	enc.Start(V12.name("Text"))
	enc.Attr(xmlstrict.Name{Space: xmlstrict.XMLSpace, Local: "lang"}, "en")
	enc.Text(f.String)
	enc.End()
	enc.End()
	if f.Actor != "" {
		enc.Element(V12.name("Role"), f.Actor)
	}
	f.writeDetail(enc, V12.name("Detail"))
	enc.End()
}

// writeDetail writes the detail, or nothing when there is none.
func (f *Fault) writeDetail(enc *xmlstrict.Encoder, name xmlstrict.Name) {
	if f.Detail == nil {
		return
	}
	enc.Start(name)
	f.Detail(enc)
	enc.End()
}

// writeValue writes a SOAP 1.2 code.
func writeValue(enc *xmlstrict.Encoder, code xmlstrict.Name) {
	enc.Start(V12.name("Value"))
	enc.QName(code)
	enc.End()
}

// local returns a name without namespace, as the parts of a SOAP 1.1 fault have.
func local(name string) xmlstrict.Name { return xmlstrict.Name{Local: name} }

// codes12 are the SOAP 1.2 names of the codes that changed.
var codes12 = map[string]string{CodeClient: "Sender", CodeServer: "Receiver"}

// codes11 is the way back.
var codes11 = map[string]string{"Sender": CodeClient, "Receiver": CodeServer}

// swap returns the other version's name of a code.
func swap(code string, names map[string]string) string {
	if other, ok := names[code]; ok {
		return other
	}
	return code
}

// ParseFault returns the fault that the message's body is, if it is one.
func ParseFault(m *Message) (*Fault, bool) {
	if !xmlstrict.Is(m.Body, m.Version.name("Fault")) {
		return nil, false
	}
	f := &Fault{Doc: m.Doc}
	if m.Version == V12 {
		f.parse12(m.Body)
	} else {
		f.parse11(m.Body)
	}
	return f, true
}

// parse11 reads the parts of a SOAP 1.1 fault. Some stacks qualify them, so
// only local names count.
func (f *Fault) parse11(e *etree.Element) {
	for part := range xmlstrict.Children(e) {
		switch part.Tag {
		case "faultcode":
			f.Code = localPart(part)
			if name, err := qname(part); err == nil && name.Space != V11.Space() {
				f.Subcodes = []xmlstrict.Name{name}
			}
		case "faultstring":
			f.String = xmlstrict.Text(part)
		case "faultactor":
			f.Actor = xmlstrict.Text(part)
		case "detail":
			f.keepDetail(part)
		}
	}
}

// parse12 reads the parts of a SOAP 1.2 fault.
func (f *Fault) parse12(e *etree.Element) {
	code := xmlstrict.Child(e, V12.name("Code"))
	f.Code = swap(localPart(xmlstrict.Child(code, V12.name("Value"))), codes11)
	sub := xmlstrict.Child(code, V12.name("Subcode"))
	for ; sub != nil; sub = xmlstrict.Child(sub, V12.name("Subcode")) {
		value := xmlstrict.Child(sub, V12.name("Value"))
		if !strings.Contains(f.Code, ".") {
			f.Code += "." + localPart(value)
		}
		if name, err := qname(value); err == nil {
			f.Subcodes = append(f.Subcodes, name)
		}
	}
	reason := xmlstrict.Child(e, V12.name("Reason"))
	f.String = xmlstrict.Text(xmlstrict.Child(reason, V12.name("Text")))
	f.Actor = xmlstrict.Text(xmlstrict.Child(e, V12.name("Role")))
	f.keepDetail(xmlstrict.Child(e, V12.name("Detail")))
}

// keepDetail keeps the children of the detail.
func (f *Fault) keepDetail(detail *etree.Element) {
	for entry := range xmlstrict.Children(detail) {
		f.Entries = append(f.Entries, entry)
	}
}

// qname returns the name that is an element's text.
func qname(e *etree.Element) (xmlstrict.Name, error) {
	return xmlstrict.ResolveQName(e, xmlstrict.RawText(e))
}

// localPart returns what stands behind the prefix of a QName-valued element.
func localPart(e *etree.Element) string {
	text := xmlstrict.Text(e)
	if i := strings.LastIndexByte(text, ':'); i >= 0 {
		return text[i+1:]
	}
	return text
}
