package wsa

import (
	"fmt"
	"strings"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/soap"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// Header is the addressing of one message. Every field may be empty.
type Header struct {
	Version   Version
	MessageID string // a URI, such as uuid:...
	To        string // where the message goes
	Action    string // what it asks or answers, a URI
	RelatesTo string // the MessageID of the request, in a reply
	From      *EPR
	ReplyTo   *EPR
	FaultTo   *EPR
}

// ParseHeader reads the addressing of a message. A message without any is
// fine and yields the zero Header. It fails with a *xmlstrict.ContentError on a
// block given twice, versions mixed, or an endpoint reference without address.
func ParseHeader(m *soap.Message) (Header, error) {
	var h Header
	found, seen := false, 0
	for _, block := range m.Headers {
		v, ok := versionOf(block)
		if !ok || isParameter(block) {
			continue
		}
		if found && v != h.Version {
			return h, m.Doc.Errorf(block, "", "two versions of WS-Addressing in one message")
		}
		found, h.Version = true, v
		bit := single[block.Tag]
		if seen&bit != 0 {
			return h, second(m.Doc, block)
		}
		seen |= bit
		if err := h.parse(m.Doc, block); err != nil {
			return h, err
		}
	}
	return h, nil
}

// single are the blocks that may stand once, each with a bit of its own.
var single = map[string]int{
	"MessageID": 1, "To": 2, "Action": 4, "From": 8, "ReplyTo": 16, "FaultTo": 32,
}

// Understood tells whether a header block is one of addressing. Of 2004/03 all
// are, as they always were.
func Understood(name xmlstrict.Name) bool {
	return name.Space == Space200403 || name.Space == Space200508 &&
		(single[name.Local] != 0 || name.Local == "RelatesTo")
}

// isParameter tells whether a block is the copy of a reference parameter: it
// may have any name, and says nothing about this message (2005/08 SOAP
// binding, 3.2).
func isParameter(block *etree.Element) bool {
	value, _ := xmlstrict.Attr(block, isReferenceParameter)
	return value == "true" || value == "1"
}

var isReferenceParameter = V200508.name("IsReferenceParameter")

// versionOf returns the version that a block belongs to.
func versionOf(block *etree.Element) (Version, bool) {
	switch xmlstrict.NameOf(block).Space {
	case Space200403:
		return V200403, true
	case Space200508:
		return V200508, true
	}
	return 0, false
}

// parse reads one block. RelatesTo may be given several times, for other
// relationships than reply; the first reply counts.
func (h *Header) parse(doc *xmlstrict.Document, block *etree.Element) error {
	switch block.Tag {
	case "MessageID":
		return text(doc, block, &h.MessageID)
	case "To":
		if err := text(doc, block, &h.To); err != nil {
			return err
		}
		return checkAddress(doc, block, h.To)
	case "Action":
		return text(doc, block, &h.Action)
	case "RelatesTo":
		if h.RelatesTo == "" && h.isReply(block) {
			h.RelatesTo = xmlstrict.Text(block)
		}
	case "From":
		return reference(doc, block, &h.From)
	case "ReplyTo":
		return reference(doc, block, &h.ReplyTo)
	case "FaultTo":
		return reference(doc, block, &h.FaultTo)
	}
	return nil
}

// isReply tells whether a RelatesTo names the request that the message
// answers: that is what it means unless it says otherwise. Peers of 2004/03
// differ in how they say it, so there any counts.
func (h *Header) isReply(block *etree.Element) bool {
	kind, given := xmlstrict.Attr(block, xmlstrict.Name{Local: "RelationshipType"})
	return h.Version == V200403 || !given || kind == Reply200508
}

// maxText is how long the text of a block may be, in bytes. Replies repeat it,
// and message ids are kept.
const maxText = 2048

// text keeps the text of a block that may stand once.
func text(doc *xmlstrict.Document, block *etree.Element, field *string) error {
	*field = xmlstrict.Text(block)
	if len(*field) > maxText {
		return doc.Errorf(block, "at most 2048 bytes", "%s has %d bytes", block.Tag, len(*field))
	}
	return nil
}

// reference keeps the endpoint reference of a block that may stand once.
func reference(doc *xmlstrict.Document, block *etree.Element, field **EPR) error {
	if v, _ := versionOf(block); isAnonymous(block, v) {
		*field = &EPR{Address: v.Anonymous()}
		return nil
	}
	r, err := ParseEPR(doc, block)
	if err != nil {
		return badReference(block, &r, err)
	}
	if err := checkSize(doc, block, &r); err != nil {
		return err
	}
	*field = &r
	return checkAddress(doc, block, r.Address)
}

// isAnonymous tells whether a reference is the anonymous address and nothing
// else, as nearly all in requests are: of that nothing needs to be checked.
func isAnonymous(block *etree.Element, v Version) bool {
	if len(block.Child) != 1 {
		return false
	}
	address, ok := block.Child[0].(*etree.Element)
	if !ok || len(address.Child) != 1 || !xmlstrict.Is(address, v.name("Address")) ||
		xmlstrict.RawText(address) != v.Anonymous() {
		return false
	}
	for _, a := range address.Attr {
		if a.Space != "xmlns" && a.FullKey() != "xmlns" {
			return false
		}
	}
	return true
}

// maxReference is how large a reference in a header may be, in bytes, once it
// stands alone. Replies repeat its parameters, and what small parameters inherit
// from around them may be large.
const maxReference = 16 << 10

// checkSize refuses a reference that is too large to be repeated.
func checkSize(doc *xmlstrict.Document, block *etree.Element, r *EPR) error {
	if len(r.Properties) == 0 && len(r.Address) <= maxReference {
		return nil
	}
	v, _ := versionOf(block)
	enc := xmlstrict.Borrow()
	defer enc.Release()
	enc.Start(v.name(block.Tag))
	r.target(enc, v)
	enc.End()
	if len(enc.Bytes()) <= maxReference {
		return nil
	}
	err := doc.Errorf(block, fmt.Sprintf("at most %d bytes", maxReference),
		"the reference is too large to be repeated in replies")
	if v == V200508 {
		return InvalidHeader(InvalidEPR, block.Tag, err)
	}
	return err
}

// second says that a block is there twice (SOAP Binding 1.0, 6.4.1.3).
func second(doc *xmlstrict.Document, block *etree.Element) error {
	err := doc.Errorf(block, "one "+block.Tag, "a second %s", block.Tag)
	if v, _ := versionOf(block); v == V200508 {
		return InvalidHeader(InvalidCardinality, block.Tag, err)
	}
	return err
}

// badReference says what is wrong with a block that is a reference, of which r
// could be read (SOAP Binding 1.0, 6.4.1.1, 6.4.1.2 and 6.4.1.4).
func badReference(block *etree.Element, r *EPR, err error) error {
	if v, _ := versionOf(block); v != V200508 {
		return err
	}
	switch {
	case r.Address == "":
		return InvalidHeader(MissingAddressInEPR, block.Tag, err)
	case !isAbsolute(r.Address), !xmlstrict.IsURI(r.Address):
		return InvalidHeader(InvalidAddress, block.Tag, err)
	}
	return InvalidHeader(InvalidEPR, block.Tag, err)
}

// checkAddress refuses an address that is no absolute IRI. Only the published
// standard has a fault for it (SOAP Binding 1.0, 6.4.1.1); peers of the drafts
// write what they like.
func checkAddress(doc *xmlstrict.Document, block *etree.Element, address string) error {
	if v, _ := versionOf(block); v != V200508 || isAbsolute(address) {
		return nil
	}
	return InvalidHeader(InvalidAddress, block.Tag, doc.Errorf(block, "an absolute IRI",
		"the address is \"%s\"", xmlstrict.Clip(address)))
}

// isAbsolute reports whether a text is an IRI with a scheme (RFC 3987, 2.2).
func isAbsolute(text string) bool {
	scheme, rest, ok := strings.Cut(text, ":")
	if !ok || rest == "" || strings.ContainsAny(text, " \t\r\n<>\"{}|\\^`") {
		return false
	}
	for i := range len(scheme) {
		c := scheme[i] | 0x20
		letter := 'a' <= c && c <= 'z'
		if !letter && (i == 0 || !strings.ContainsRune("0123456789+-.", rune(scheme[i]))) {
			return false
		}
	}
	return scheme != ""
}

// Reply returns the addressing of the answer to h that goes back on its
// connection: its message id, action, and whom it is from. A request without a
// MessageID gets no RelatesTo. What goes to another place is written with
// WriteRequest.
func (h Header) Reply(messageID, action string, from *EPR) Header {
	return Header{
		Version:   h.Version,
		MessageID: messageID,
		To:        h.Version.Anonymous(),
		Action:    action,
		RelatesTo: h.MessageID,
		From:      from,
	}
}

// FaultReply returns the addressing of the fault that answers h. As the
// original's, it has the version's fault action and no To.
func (h Header) FaultReply(messageID string, from *EPR) Header {
	reply := h.Reply(messageID, h.Version.FaultAction(), from)
	reply.To = ""
	return reply
}

// Write writes the header blocks, each marked as not mandatory, in the order
// of the original: MessageID, To, Action, From, ReplyTo, FaultTo, RelatesTo.
func (h Header) Write(enc *xmlstrict.Encoder, sv soap.Version) {
	enc.Declare(h.Version.Space())
	h.block(enc, sv, "MessageID", h.MessageID)
	h.block(enc, sv, "To", h.To)
	h.block(enc, sv, "Action", h.Action)
	h.endpoint(enc, sv, "From", h.From)
	h.endpoint(enc, sv, "ReplyTo", h.ReplyTo)
	h.endpoint(enc, sv, "FaultTo", h.FaultTo)
	if h.RelatesTo == "" {
		return
	}
	enc.Start(h.Version.name("RelatesTo"))
	if h.Version == V200403 {
		enc.AttrQName(xmlstrict.Name{Local: "RelationshipType"}, h.Version.name("Reply"))
	}
	soap.NotMandatory(enc, sv)
	enc.Text(h.RelatesTo)
	enc.End()
}

// WriteRequest writes the header blocks of a message to the endpoint: those of h
// with To set to the endpoint's address, and each of its properties as a block
// of its own.
func (h Header) WriteRequest(enc *xmlstrict.Encoder, sv soap.Version, target EPR) {
	h.To = target.Address
	h.Write(enc, sv)
	for _, p := range target.Properties {
		h.parameter(enc, sv, p)
	}
}

// block writes a block that holds text; nothing when there is none.
func (h Header) block(enc *xmlstrict.Encoder, sv soap.Version, local, text string) {
	if text == "" {
		return
	}
	enc.Start(h.Version.name(local))
	soap.NotMandatory(enc, sv)
	enc.Text(text)
	enc.End()
}

// endpoint writes a block that is an endpoint reference, if there is one.
func (h Header) endpoint(enc *xmlstrict.Encoder, sv soap.Version, local string, r *EPR) {
	if r == nil {
		return
	}
	enc.Start(h.Version.name(local))
	soap.NotMandatory(enc, sv)
	r.target(enc, h.Version)
	r.extras(enc, h.Version)
	enc.End()
}

// parameter writes a parameter of the target as a header block. In 2005/08 it
// is the parameter with a mark (SOAP binding, 3.2); in 2004/03 blocks made of
// text alone get the marks of a header block, others are copied as they are.
func (h Header) parameter(enc *xmlstrict.Encoder, sv soap.Version, p *etree.Element) {
	if h.Version == V200508 {
		enc.TreeWith(p, isReferenceParameter, "true")
		return
	}
	for range xmlstrict.Children(p) {
		enc.Tree(p)
		return
	}
	enc.Start(xmlstrict.NameOf(p))
	soap.NotMandatory(enc, sv)
	enc.Text(xmlstrict.RawText(p))
	enc.End()
}
