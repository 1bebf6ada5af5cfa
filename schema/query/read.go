package query

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// Read reads a document that an Encoder wrote. It relies on that: what is no
// well-formed document, or holds what an Encoder never writes, is refused or
// read in any way at all. What a stranger wrote goes through xmlstrict.Parse
// and OfTree.
func (n *Names) Read(data []byte) (*Document, error) {
	d, rest, err := n.read(string(data))
	if err == nil && rest != "" {
		err = errNotEncoded
	}
	if err != nil {
		return nil, err
	}
	return d, nil
}

// ReadAll reads several documents that an Encoder wrote one behind the other.
func (n *Names) ReadAll(data []byte) ([]*Document, error) {
	var all []*Document
	for rest := string(data); rest != ""; {
		d, behind, err := n.read(rest)
		if err != nil {
			return nil, err
		}
		all, rest = append(all, d), behind
	}
	return all, nil
}

// read reads one document and returns what stands behind it.
func (n *Names) read(src string) (d *Document, rest string, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	r := reader{d: &Document{src: src}, names: n}
	if err := r.document(); err != nil {
		return nil, "", err
	}
	r.d.src, rest = src[:r.pos], src[r.pos:]
	r.d.extra, r.d.names = string(r.extra), n.list()
	return r.d, rest, nil
}

// reader is the state of reading a document.
type reader struct {
	d     *Document
	names *Names
	pos   int
	extra []byte
	scope []binding
	open  []opened
	last  int32 // sibling before the next node
}

// binding is a declaration in force, and at how many open elements.
type binding struct {
	decl
	depth int
}

// opened is an element whose end tag has not been read.
type opened struct {
	node   int32
	qname  string
	before int // bindings in force around it
}

var errNotEncoded = errors.New("the document was not written by an encoder")

// maxSource bounds a document: offsets have 32 bits.
const maxSource = 1 << 30

// document reads the whole document.
func (r *reader) document() error {
	if len(r.d.src) > maxSource {
		return errNotEncoded
	}
	tags := strings.Count(r.d.src, "<")
	r.d.nodes = make([]node, 0, tags+1)
	r.last = noNode
	for {
		if err := r.markup(); err != nil {
			return err
		}
		if len(r.open) == 0 {
			break
		}
	}
	return nil
}

// markup reads one tag and the text before it.
func (r *reader) markup() error {
	at := strings.IndexByte(r.d.src[r.pos:], '<')
	if at < 0 || at > 0 && len(r.open) == 0 {
		return errNotEncoded
	}
	if at > 0 {
		if err := r.text(r.d.src[r.pos : r.pos+at]); err != nil {
			return err
		}
		r.pos += at
	}
	switch r.byteAt(r.pos + 1) {
	case '/':
		return r.endTag()
	case '!', '?', 0:
		return errNotEncoded
	}
	return r.startTag()
}

// byteAt returns a byte of the text, 0 behind its end.
func (r *reader) byteAt(i int) byte {
	if i < len(r.d.src) {
		return r.d.src[i]
	}
	return 0
}

// add adds a node that begins here.
func (r *reader) add(n node) int32 {
	i := int32(len(r.d.nodes))
	n.parent, n.prev, n.end = noNode, r.last, i+1
	if len(r.open) > 0 {
		n.parent = r.open[len(r.open)-1].node
	}
	n.attr, n.decl = int32(len(r.d.attrs)), int32(len(r.d.decls))
	r.d.nodes = append(r.d.nodes, n)
	r.last = i
	return i
}

// text adds a run of text.
func (r *reader) text(s string) error {
	from, to, escaped, err := r.span(s)
	if err != nil {
		return err
	}
	n := node{name: textName, from: from, to: to}
	if escaped {
		n.name = extraName
	}
	r.add(n)
	return nil
}

// span returns where a text stands that begins at r.pos in the source: there,
// or in extra when it is escaped.
func (r *reader) span(s string) (from, to int32, escaped bool, err error) {
	if strings.IndexByte(s, '&') < 0 && strings.IndexByte(s, '\r') < 0 {
		return int32(r.pos), int32(r.pos + len(s)), false, nil
	}
	from = int32(len(r.extra))
	if r.extra, err = unescape(r.extra, s); err != nil {
		return 0, 0, false, err
	}
	return from, int32(len(r.extra)), true, nil
}

// unescape appends a text with its references resolved.
func unescape(to []byte, s string) ([]byte, error) {
	for {
		i := strings.IndexByte(s, '&')
		if i < 0 {
			return append(to, s...), nil
		}
		to = append(to, s[:i]...)
		reference, rest, ok := strings.Cut(s[i+1:], ";")
		if !ok {
			return to, errNotEncoded
		}
		char, ok := references[reference]
		if !ok {
			var err error
			if char, err = numeric(reference); err != nil {
				return to, err
			}
		}
		to = utf8.AppendRune(to, char)
		s = rest
	}
}

// references are those with names.
var references = map[string]rune{"amp": '&', "lt": '<', "gt": '>', "quot": '"', "apos": '\''}

// numeric resolves #N and #xN.
func numeric(reference string) (rune, error) {
	digits, base := strings.TrimPrefix(reference, "#"), 10
	if hex, ok := strings.CutPrefix(digits, "x"); ok {
		digits, base = hex, 16
	}
	code, err := strconv.ParseUint(digits, base, 21)
	if err != nil || !strings.HasPrefix(reference, "#") {
		return 0, errNotEncoded
	}
	return rune(code), nil
}

// endTag closes the innermost element.
func (r *reader) endTag() error {
	if len(r.open) == 0 {
		return errNotEncoded
	}
	top := r.open[len(r.open)-1]
	end := r.pos + 2 + len(top.qname)
	if r.byteAt(end) != '>' || r.d.src[r.pos+2:end] != top.qname {
		return errNotEncoded
	}
	r.pos = end + 1
	r.close()
	return nil
}

// close ends the innermost element here.
func (r *reader) close() {
	top := r.open[len(r.open)-1]
	r.open, r.scope = r.open[:len(r.open)-1], r.scope[:top.before]
	n := &r.d.nodes[top.node]
	n.end, n.to = int32(len(r.d.nodes)), int32(r.pos)
	r.last = top.node
}

// startTag reads a start tag or an empty-element tag.
func (r *reader) startTag() error {
	from := r.pos
	r.pos++
	qname := r.word()
	top := opened{qname: qname, before: len(r.scope)}
	top.node = r.add(node{from: int32(from)})
	r.open = append(r.open, top)
	r.last = noNode
	raw, empty, err := r.attributes()
	if err != nil {
		return err
	}
	name, err := r.resolve(qname, true)
	if err != nil {
		return err
	}
	r.d.nodes[top.node].name = name
	if err := r.keep(raw); err != nil {
		return err
	}
	if empty {
		r.close()
	}
	return nil
}

// word reads up to what may follow a name in a tag.
func (r *reader) word() string {
	from := r.pos
	for r.pos < len(r.d.src) {
		switch r.d.src[r.pos] {
		case ' ', '>', '/', '=', '\n', '\t', '\r', '<':
			return r.d.src[from:r.pos]
		}
		r.pos++
	}
	return r.d.src[from:r.pos]
}

// rawAttr is an attribute before its prefix is known.
type rawAttr struct {
	qname string
	a     attr
}

// attributes reads up to the end of the start tag and puts declarations in
// force.
func (r *reader) attributes() (raw []rawAttr, empty bool, err error) {
	for {
		for r.byteAt(r.pos) == ' ' {
			r.pos++
		}
		switch r.byteAt(r.pos) {
		case '>':
			r.pos++
			return raw, false, nil
		case '/':
			r.pos += 2
			return raw, true, nil
		case 0:
			return nil, false, errNotEncoded
		}
		at := int32(r.pos)
		qname := r.word()
		quote := r.byteAt(r.pos + 1)
		if qname == "" || r.byteAt(r.pos) != '=' || quote != '"' && quote != '\'' {
			return nil, false, errNotEncoded
		}
		r.pos += 2
		end := strings.IndexByte(r.d.src[r.pos:], quote)
		if end < 0 {
			return nil, false, errNotEncoded
		}
		a, err := r.attribute(qname, r.d.src[r.pos:r.pos+end])
		if err != nil {
			return nil, false, err
		}
		a.a.at = at
		if r.pos += end + 1; a.qname != "" {
			raw = append(raw, a)
		}
	}
}

// attribute keeps the value of an attribute; a declaration is put in force and
// returned as nothing.
func (r *reader) attribute(qname, text string) (rawAttr, error) {
	from, to, escaped, err := r.span(text)
	if err != nil {
		return rawAttr{}, err
	}
	prefix, declares := "", qname == "xmlns"
	if !declares {
		prefix, declares = strings.CutPrefix(qname, "xmlns:")
	}
	if !declares {
		return rawAttr{qname, attr{from: from, to: to, inExtra: escaped}}, nil
	}
	space := text
	if escaped {
		space = string(r.extra[from:to])
	}
	d := decl{prefix, space}
	r.d.decls = append(r.d.decls, d)
	r.scope = append(r.scope, binding{d, len(r.open)})
	return rawAttr{}, nil
}

// keep resolves and keeps the attributes of the innermost element.
func (r *reader) keep(raw []rawAttr) error {
	for _, one := range raw {
		var err error
		if one.a.name, err = r.resolve(one.qname, false); err != nil {
			return err
		}
		r.d.attrs = append(r.d.attrs, one.a)
	}
	return nil
}

// resolve returns the index of a name. The default namespace is for elements.
func (r *reader) resolve(qname string, element bool) (int32, error) {
	prefix, local, prefixed := strings.Cut(qname, ":")
	if !prefixed {
		prefix, local = "", qname
	}
	if local == "" || prefixed && prefix == "" || strings.Contains(local, ":") {
		return 0, errNotEncoded
	}
	if !prefixed && !element {
		return r.names.of(xmlstrict.Name{Local: local}), nil
	}
	for i := len(r.scope) - 1; i >= 0; i-- {
		if r.scope[i].prefix == prefix {
			return r.names.of(xmlstrict.Name{Space: r.scope[i].space, Local: local}), nil
		}
	}
	switch prefix {
	case "":
		return r.names.of(xmlstrict.Name{Local: local}), nil
	case "xml":
		return r.names.of(xmlstrict.Name{Space: xmlstrict.XMLSpace, Local: local}), nil
	}
	return 0, fmt.Errorf("%w: the prefix %q is not declared", errNotEncoded, prefix)
}
