package wsrf

import (
	"strings"

	"github.com/antchfx/xpath"
	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// navigator walks a tree for the XPath library. It counts every move and
// panics with errTooCostly when no steps are left.
type navigator struct {
	root  *etree.Element
	node  etree.Token // an element or text; nil for the document above the root
	attr  int         // index of the attribute it stands on, or noAttr
	steps *int        // left, shared by all copies
}

// noAttr is the index when the navigator stands on the node itself.
const noAttr = -1

// newNavigator returns a navigator that stands on the root element.
func newNavigator(root *etree.Element, steps *int) *navigator {
	return &navigator{root: root, node: root, attr: noAttr, steps: steps}
}

// spend takes steps off the allowance.
func (n *navigator) spend(steps int) {
	*n.steps -= steps
	if *n.steps < 0 {
		panic(errTooCostly)
	}
}

// element returns the element it stands on, or whose attribute; nil otherwise.
func (n *navigator) element() *etree.Element {
	e, _ := n.node.(*etree.Element)
	return e
}

// attribute returns the attribute it stands on, or nil.
func (n *navigator) attribute() *etree.Attr {
	if n.attr == noAttr {
		return nil
	}
	return &n.element().Attr[n.attr]
}

// NodeType implements xpath.NodeNavigator.
func (n *navigator) NodeType() xpath.NodeType {
	switch {
	case n.attr != noAttr:
		return xpath.AttributeNode
	case n.node == nil:
		return xpath.RootNode
	case n.element() != nil:
		return xpath.ElementNode
	}
	return xpath.TextNode
}

// name returns the expanded name; zero for what has none.
func (n *navigator) name() xmlstrict.Name {
	if a := n.attribute(); a != nil {
		return xmlstrict.AttrName(n.element(), a)
	}
	return xmlstrict.NameOf(n.element())
}

// LocalName implements xpath.NodeNavigator.
func (n *navigator) LocalName() string {
	if a := n.attribute(); a != nil {
		return a.Key
	}
	if e := n.element(); e != nil {
		return e.Tag
	}
	return ""
}

// Prefix implements xpath.NodeNavigator. The library takes equal prefixes for
// equal namespaces when a name test has none, so what is in a default
// namespace must not look as if it were in no namespace.
func (n *navigator) Prefix() string {
	if a := n.attribute(); a != nil {
		return a.Space
	}
	e := n.element()
	switch {
	case e == nil:
		return ""
	case e.Space == "" && xmlstrict.NameOf(e).Space != "":
		return defaultPrefix
	}
	return e.Space
}

// defaultPrefix stands for a default namespace; no document can use it.
const defaultPrefix = "#default"

// NamespaceURL is asked for by the library beyond its interface.
func (n *navigator) NamespaceURL() string { return n.name().Space }

// Value implements xpath.NodeNavigator: the string value (XPath 1.0, 5).
func (n *navigator) Value() string {
	if a := n.attribute(); a != nil {
		return a.Value
	}
	if n.node == nil {
		return n.text(n.root)
	}
	return n.text(n.node)
}

// text returns all text in a token. Long texts cost as many steps as they
// take time.
func (n *navigator) text(t etree.Token) string {
	if c, ok := t.(*etree.CharData); ok {
		n.spend(1 + len(c.Data)/64)
		return c.Data
	}
	e, ok := t.(*etree.Element)
	if !ok {
		return ""
	}
	n.spend(1)
	if len(e.Child) == 1 {
		return n.text(e.Child[0])
	}
	var b strings.Builder
	for _, child := range e.Child {
		b.WriteString(n.text(child))
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
	n.node, n.attr = nil, noAttr
}

// MoveToParent implements xpath.NodeNavigator.
func (n *navigator) MoveToParent() bool {
	n.spend(1)
	switch {
	case n.attr != noAttr:
		n.attr = noAttr
	case n.node == nil:
		return false
	case n.node == etree.Token(n.root):
		n.node = nil
	default:
		n.node = n.node.Parent()
	}
	return true
}

// MoveToNextAttribute implements xpath.NodeNavigator. Namespace declarations
// are not attributes (XPath 1.0, 5.3).
func (n *navigator) MoveToNextAttribute() bool {
	n.spend(1)
	e := n.element()
	if e == nil {
		return false
	}
	for i := n.attr + 1; i < len(e.Attr); i++ {
		if xmlstrict.AttrName(e, &e.Attr[i]).Space != xmlstrict.XMLNSSpace {
			n.attr = i
			return true
		}
	}
	return false
}

// MoveToChild implements xpath.NodeNavigator.
func (n *navigator) MoveToChild() bool {
	n.spend(1)
	if n.attr != noAttr {
		return false
	}
	if n.node == nil {
		n.node = n.root
		return true
	}
	e := n.element()
	return e != nil && n.moveWithin(e, 0, 1)
}

// MoveToFirst implements xpath.NodeNavigator.
func (n *navigator) MoveToFirst() bool {
	n.spend(1)
	moved := false
	for n.MoveToPrevious() {
		moved = true
	}
	return moved
}

// MoveToNext implements xpath.NodeNavigator.
func (n *navigator) MoveToNext() bool { return n.sibling(1) }

// MoveToPrevious implements xpath.NodeNavigator.
func (n *navigator) MoveToPrevious() bool { return n.sibling(-1) }

// sibling moves to the next sibling in a direction.
func (n *navigator) sibling(direction int) bool {
	n.spend(1)
	if n.attr != noAttr || n.node == nil || n.node == etree.Token(n.root) {
		return false
	}
	return n.moveWithin(n.node.Parent(), n.node.Index()+direction, direction)
}

// moveWithin moves to the nearest node among an element's children, from an
// index on in a direction.
func (n *navigator) moveWithin(parent *etree.Element, i, direction int) bool {
	for ; i >= 0 && i < len(parent.Child); i += direction {
		switch t := parent.Child[i].(type) {
		case *etree.Element, *etree.CharData:
			n.node = t
			return true
		}
	}
	return false
}

// MoveTo implements xpath.NodeNavigator.
func (n *navigator) MoveTo(other xpath.NodeNavigator) bool {
	n.spend(1)
	o, ok := other.(*navigator)
	if !ok || o.root != n.root {
		return false
	}
	*n = *o
	return true
}
