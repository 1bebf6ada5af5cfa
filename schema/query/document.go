package query

import (
	"strings"
	"sync"
	"sync/atomic"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// Document is a document that can be asked many things. It is read only and
// may be used by several goroutines at once.
type Document struct {
	src   string // the text
	extra string // text and values that stand escaped in src, as they are meant
	names []xmlstrict.Name
	nodes []node // in document order; the first one is the root element
	attrs []attr // by their elements, in order
	decls []decl // namespace declarations by their elements, in order
}

// A node is an element or a run of text.
type node struct {
	name   int32 // of an element, in names; or textName
	parent int32 // index of the element around it; noNode for the root
	prev   int32 // index of the sibling before it; noNode
	end    int32 // index behind the last node inside it
	from   int32 // an element's start tag in src; a text, see span
	to     int32
	attr   int32 // index of its first attribute
	decl   int32 // index of its first declaration
}

// textName stands for the name of a text whose span is in src, extraName for
// one whose span is in extra.
const (
	noNode    = -1
	textName  = -1
	extraName = -2
)

// attr is an attribute that declares no namespace.
type attr struct {
	name     int32
	at       int32 // of its name as written, in src
	inExtra  bool
	from, to int32 // of its value
}

// decl is a namespace declaration.
type decl struct{ prefix, space string }

// Names are the names that documents share. The zero value is ready for use;
// it only ever grows, so it is for documents of known vocabularies.
type Names struct {
	mu    sync.Mutex
	index map[xmlstrict.Name]int32
	all   atomic.Pointer[[]xmlstrict.Name]
}

// of returns the index of a name. The lock must be held.
func (n *Names) of(name xmlstrict.Name) int32 {
	if i, ok := n.index[name]; ok {
		return i
	}
	if n.index == nil {
		n.index = map[xmlstrict.Name]int32{}
	}
	name = xmlstrict.Name{Space: strings.Clone(name.Space), Local: strings.Clone(name.Local)}
	var all []xmlstrict.Name
	if old := n.all.Load(); old != nil {
		all = *old
	}
	i := int32(len(all))
	all = append(all, name)
	n.index[name] = i
	n.all.Store(&all)
	return i
}

// list returns the names by index.
func (n *Names) list() []xmlstrict.Name {
	if all := n.all.Load(); all != nil {
		return *all
	}
	return nil
}

// value returns the text of a node that is text.
func (d *Document) value(n *node) string {
	if n.name == extraName {
		return d.extra[n.from:n.to]
	}
	return d.src[n.from:n.to]
}

// attrValue returns the value of an attribute.
func (d *Document) attrValue(a *attr) string {
	if a.inExtra {
		return d.extra[a.from:a.to]
	}
	return d.src[a.from:a.to]
}

// attrsOf returns the indexes of a node's attributes.
func (d *Document) attrsOf(i int32) (from, to int32) {
	if int(i)+1 < len(d.nodes) {
		return d.nodes[i].attr, d.nodes[i+1].attr
	}
	return d.nodes[i].attr, int32(len(d.attrs))
}

// declsOf returns the declarations on a node.
func (d *Document) declsOf(i int32) []decl {
	from, to := d.nodes[i].decl, int32(len(d.decls))
	if int(i)+1 < len(d.nodes) {
		to = d.nodes[i+1].decl
	}
	return d.decls[from:to]
}

// OfTree returns the document of an element with all it contains.
func OfTree(root *etree.Element) (*Document, error) {
	enc := xmlstrict.Borrow()
	defer enc.Release()
	enc.Tree(root)
	if err := enc.Err(); err != nil {
		return nil, err
	}
	return new(Names).Read(enc.Bytes())
}

// A Forest is several documents that are the children of one root element. It
// may be used by several goroutines at once.
type Forest struct {
	Root xmlstrict.Name // the root element, which has no attributes
	// Pieces are the root's children, in order. None is nil.
	Pieces []*Document
}

// A Source is what an expression is evaluated over: a *Document or a *Forest.
type Source interface{ view() *view }

// view is a document or a forest for a navigator.
type view struct {
	forest *Forest // nil for a lone document
	pieces []*Document
	nodes  int
}

func (d *Document) view() *view {
	return &view{pieces: []*Document{d}, nodes: len(d.nodes)}
}

func (f *Forest) view() *view {
	v := &view{forest: f, pieces: f.Pieces, nodes: 1}
	for _, d := range f.Pieces {
		v.nodes += len(d.nodes)
	}
	return v
}
