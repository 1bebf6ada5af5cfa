package strictness

import (
	"strings"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// kind is what a node of a mutant is.
type kind uint8

const (
	element kind = iota
	text
	cdata
	comment
)

// attribute is an attribute, or the declaration of a namespace.
type attribute struct{ prefix, local, value string }

// node is one node of a document that is being mutated. Unlike the trees of the
// decoders it can hold comments and sections, and what is not valid.
type node struct {
	kind   kind
	prefix string
	local  string
	attrs  []attribute
	kids   []*node
	text   string
}

// plant copies the tree of a sample.
func plant(e *etree.Element) *node {
	n := &node{kind: element, prefix: e.Space, local: e.Tag}
	for i := range e.Attr {
		n.attrs = append(n.attrs, attribute{e.Attr[i].Space, e.Attr[i].Key, e.Attr[i].Value})
	}
	for _, kid := range e.Child {
		switch k := kid.(type) {
		case *etree.Element:
			n.kids = append(n.kids, plant(k))
		case *etree.CharData:
			n.kids = append(n.kids, &node{kind: text, text: k.Data})
		}
	}
	return n
}

// clone copies a node with all it holds.
func (n *node) clone() *node {
	c := *n
	c.attrs = append([]attribute(nil), n.attrs...)
	c.kids = make([]*node, len(n.kids))
	for i, kid := range n.kids {
		c.kids[i] = kid.clone()
	}
	return &c
}

// elements returns the node's child elements.
func (n *node) elements() []*node {
	var all []*node
	for _, kid := range n.kids {
		if kid.kind == element {
			all = append(all, kid)
		}
	}
	return all
}

// leaf tells whether the element holds no elements.
func (n *node) leaf() bool { return len(n.elements()) == 0 }

// value returns the text of a leaf.
func (n *node) value() string {
	var b strings.Builder
	for _, kid := range n.kids {
		if kid.kind == text || kid.kind == cdata {
			b.WriteString(kid.text)
		}
	}
	return b.String()
}

// set gives a leaf another text.
func (n *node) set(value string) {
	n.kids = nil
	if value != "" {
		n.kids = []*node{{kind: text, text: value}}
	}
}

// index returns where a child stands, -1 when it is none.
func (n *node) index(kid *node) int {
	for i, k := range n.kids {
		if k == kid {
			return i
		}
	}
	return -1
}

// insert puts a node before the child at a place.
func (n *node) insert(at int, kid *node) {
	n.kids = append(n.kids[:at], append([]*node{kid}, n.kids[at:]...)...)
}

// site is an element of a mutant and what is around it.
type site struct{ node, parent, root *node }

// sites lists the elements of a tree in document order.
func sites(root *node) []site {
	var all []site
	var walk func(n, parent *node)
	walk = func(n, parent *node) {
		all = append(all, site{n, parent, root})
		for _, kid := range n.elements() {
			walk(kid, n)
		}
	}
	walk(root, nil)
	return all
}

// mutantSpace is a namespace that no document uses.
const mutantSpace = "urn:example:mutant"

// declare lets a mutant use the prefixes that mutations write: xsi, and mut for
// a namespace of nobody.
func (n *node) declare() {
	have := map[string]bool{}
	for _, a := range n.attrs {
		have[a.prefix+":"+a.local] = true
	}
	for _, d := range []attribute{
		{"xmlns", "xsi", xmlstrict.XSISpace}, {"xmlns", "xsd", xmlstrict.XSDSpace},
		{"xmlns", "mut", mutantSpace},
	} {
		if !have["xmlns:"+d.local] {
			n.attrs = append(n.attrs, d)
		}
	}
}

// String writes the node. What ends a line inside a text is written as a
// reference, so that a mutant has as many lines as it has elements at most.
func (n *node) String() string {
	var b strings.Builder
	n.write(&b)
	return b.String()
}

func (n *node) write(b *strings.Builder) {
	switch n.kind {
	case text:
		_, _ = escaper.WriteString(b, n.text)
		return
	case cdata:
		b.WriteString("<![CDATA[" + n.text + "]]>")
		return
	case comment:
		b.WriteString("<!--" + n.text + "-->")
		return
	}
	b.WriteString("<" + qualified(n.prefix, n.local))
	for _, a := range n.attrs {
		b.WriteString(" " + qualified(a.prefix, a.local) + `="`)
		_, _ = escaper.WriteString(b, a.value)
		b.WriteString(`"`)
	}
	b.WriteString(">")
	for _, kid := range n.kids {
		kid.write(b)
	}
	b.WriteString("</" + qualified(n.prefix, n.local) + ">")
}

// escaper makes any text fit for an element and for an attribute.
var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;",
	"\n", "&#10;", "\r", "&#13;", "\t", "&#9;")

func qualified(prefix, local string) string {
	if prefix == "" {
		return local
	}
	return prefix + ":" + local
}
