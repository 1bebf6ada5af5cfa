package query

import (
	"strings"

	"github.com/antchfx/xpath"

	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// navigator walks a view for the XPath library. It counts every move and
// panics with errTooCostly when no steps are left.
type navigator struct {
	view  *view
	doc   *Document // the piece it stands in; nil above all pieces
	steps *int      // left, shared by all copies
	piece int32     // its index, or atShell or atRoot
	node  int32
	attr  int32 // index of the attribute it stands on, or noNode
}

// Where a navigator stands above all pieces.
const (
	atShell = -1 // on the root element of a forest
	atRoot  = -2 // on the document itself
)

// newNavigator returns a navigator that stands on the root element.
func newNavigator(v *view, steps *int) *navigator {
	n := &navigator{view: v, steps: steps, piece: atRoot, attr: noNode}
	n.MoveToChild()
	return n
}

// spend takes steps off the allowance.
func (n *navigator) spend(steps int) {
	*n.steps -= steps
	if *n.steps < 0 {
		panic(errTooCostly)
	}
}

// at returns the node it stands on, in a piece.
func (n *navigator) at() *node { return &n.doc.nodes[n.node] }

// NodeType implements xpath.NodeNavigator.
func (n *navigator) NodeType() xpath.NodeType {
	switch {
	case n.attr != noNode:
		return xpath.AttributeNode
	case n.piece == atRoot:
		return xpath.RootNode
	case n.piece == atShell || n.at().name >= 0:
		return xpath.ElementNode
	}
	return xpath.TextNode
}

// name returns the expanded name; zero for what has none.
func (n *navigator) name() xmlstrict.Name {
	switch {
	case n.attr != noNode:
		return n.doc.names[n.doc.attrs[n.attr].name]
	case n.piece == atShell:
		return n.view.forest.Root
	case n.piece == atRoot || n.at().name < 0:
		return xmlstrict.Name{}
	}
	return n.doc.names[n.at().name]
}

// LocalName implements xpath.NodeNavigator.
func (n *navigator) LocalName() string { return n.name().Local }

// Prefix implements xpath.NodeNavigator. The library takes equal prefixes for
// equal namespaces when a name test has none, so what is in a default
// namespace must not look as if it were in no namespace.
func (n *navigator) Prefix() string {
	switch {
	case n.name().Space == "":
		return ""
	case n.piece < 0:
		return defaultPrefix
	}
	at := n.at().from + 1
	if n.attr != noNode {
		at = n.doc.attrs[n.attr].at
	}
	written := n.doc.src[at:]
	if end := strings.IndexAny(written, ": =/>"); end >= 0 && written[end] == ':' {
		return written[:end]
	}
	return defaultPrefix
}

// defaultPrefix stands for a default namespace; no document can use it.
const defaultPrefix = "#default"

// NamespaceURL is asked for by the library beyond its interface.
func (n *navigator) NamespaceURL() string { return n.name().Space }

// Value implements xpath.NodeNavigator: the string value (XPath 1.0, 5). Long
// texts cost as many steps as they take time.
func (n *navigator) Value() string {
	switch {
	case n.attr != noNode:
		return n.doc.attrValue(&n.doc.attrs[n.attr])
	case n.piece >= 0:
		return n.text(n.doc, n.node)
	}
	var b strings.Builder
	for _, d := range n.view.pieces {
		b.WriteString(n.text(d, 0))
	}
	return b.String()
}

// text returns all text in a node.
func (n *navigator) text(d *Document, i int32) string {
	from, end := i, d.nodes[i].end
	n.spend(int(end - from))
	only := int32(noNode)
	for ; i < end; i++ {
		if d.nodes[i].name >= 0 {
			continue
		}
		if only != noNode {
			return n.joined(d, from, end)
		}
		only = i
	}
	if only == noNode {
		return ""
	}
	value := d.value(&d.nodes[only])
	n.spend(1 + len(value)/64)
	return value
}

// joined returns the texts among some nodes.
func (n *navigator) joined(d *Document, i, end int32) string {
	var b strings.Builder
	for ; i < end; i++ {
		if d.nodes[i].name < 0 {
			value := d.value(&d.nodes[i])
			n.spend(1 + len(value)/64)
			b.WriteString(value)
		}
	}
	return b.String()
}

// Copy implements xpath.NodeNavigator.
func (n *navigator) Copy() xpath.NodeNavigator {
	n.spend(1)
	clone := *n
	return &clone
}

// MoveToRoot implements xpath.NodeNavigator.
func (n *navigator) MoveToRoot() {
	n.spend(1)
	n.doc, n.piece, n.attr = nil, atRoot, noNode
}

// enter moves to the root element of a piece.
func (n *navigator) enter(piece int32) bool {
	if piece < 0 || int(piece) >= len(n.view.pieces) {
		return false
	}
	n.piece, n.doc, n.node = piece, n.view.pieces[piece], 0
	return true
}

// MoveToParent implements xpath.NodeNavigator.
func (n *navigator) MoveToParent() bool {
	n.spend(1)
	switch {
	case n.attr != noNode:
		n.attr = noNode
	case n.piece == atRoot:
		return false
	case n.piece == atShell, n.at().parent == noNode && n.view.forest == nil:
		n.doc, n.piece = nil, atRoot
	case n.at().parent == noNode:
		n.doc, n.piece = nil, atShell
	default:
		n.node = n.at().parent
	}
	return true
}

// MoveToNextAttribute implements xpath.NodeNavigator. Namespace declarations
// are not attributes (XPath 1.0, 5.3).
func (n *navigator) MoveToNextAttribute() bool {
	n.spend(1)
	if n.piece < 0 {
		return false
	}
	from, to := n.doc.attrsOf(n.node)
	if n.attr != noNode {
		from = n.attr + 1
	}
	if from >= to {
		return false
	}
	n.attr = from
	return true
}

// MoveToChild implements xpath.NodeNavigator.
func (n *navigator) MoveToChild() bool {
	n.spend(1)
	switch {
	case n.attr != noNode:
		return false
	case n.piece == atRoot && n.view.forest != nil:
		n.piece = atShell
		return true
	case n.piece < 0:
		return n.enter(0)
	case n.at().end == n.node+1:
		return false
	}
	n.node++
	return true
}

// MoveToFirst implements xpath.NodeNavigator.
func (n *navigator) MoveToFirst() bool {
	n.spend(1)
	if n.attr != noNode || n.piece < 0 {
		return false
	}
	parent := n.at().parent
	if parent != noNode {
		moved := n.node != parent+1
		n.node = parent + 1
		return moved
	}
	moved := n.piece != 0
	n.enter(0)
	return moved
}

// MoveToNext implements xpath.NodeNavigator.
func (n *navigator) MoveToNext() bool {
	n.spend(1)
	if n.attr != noNode || n.piece < 0 {
		return false
	}
	at := n.at()
	if at.parent == noNode {
		return n.enter(n.piece + 1)
	}
	if at.end == n.doc.nodes[at.parent].end {
		return false
	}
	n.node = at.end
	return true
}

// MoveToPrevious implements xpath.NodeNavigator.
func (n *navigator) MoveToPrevious() bool {
	n.spend(1)
	if n.attr != noNode || n.piece < 0 {
		return false
	}
	at := n.at()
	if at.parent == noNode {
		return n.enter(n.piece - 1)
	}
	if at.prev == noNode {
		return false
	}
	n.node = at.prev
	return true
}

// MoveTo implements xpath.NodeNavigator.
func (n *navigator) MoveTo(other xpath.NodeNavigator) bool {
	n.spend(1)
	o, ok := other.(*navigator)
	if !ok || o.view != n.view {
		return false
	}
	*n = *o
	return true
}
