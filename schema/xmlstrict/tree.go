package xmlstrict

import (
	"fmt"
	"strings"

	"github.com/beevik/etree"
)

// Tree writes an element of a tree with all it contains. Prefixes stay as they
// are, because text and attribute values may use them; declarations that the
// subtree needs from its ancestors are written on its first element. Only
// elements, attributes and text are written.
//
// One long declaration may stand above many small trees. When what trees took
// from above them grows beyond a limit the rest are left out, and Err says so.
func (e *Encoder) Tree(root *etree.Element) { e.TreeWith(root, Name{}, "") }

// maxInherited is how much all trees together may take from above them, in bytes.
const maxInherited = 64 << 10

var errInherited = fmt.Errorf("the elements need more than %d bytes of declarations "+
	"from around them", maxInherited)

// TreeWith writes a tree as Tree does, with one more attribute on its first
// element. One of that name that is there already gives way.
func (e *Encoder) TreeWith(root *etree.Element, name Name, value string) {
	if root == nil {
		return
	}
	e.closeTag()
	if e.inherited > maxInherited {
		e.misuse(errInherited)
		return
	}
	e.tree(root, &marked{name, value})
}

// marked is what the first element of a tree gets beside what it has.
type marked struct {
	name  Name
	value string
}

// write writes the attribute under the prefix that its namespace has here, or
// with a declaration of its own under one that means nothing on the element.
func (m *marked) write(e *Encoder, root *etree.Element) {
	if m.name.Local == "" {
		return
	}
	prefix, known := e.known(m.name.Space)
	if !known || nearest(root, prefix) != nil {
		for prefix = "mark"; nearest(root, prefix) != nil; {
			prefix += "k"
		}
		e.declaration(prefix, m.name.Space)
	}
	e.treeAttr(&etree.Attr{Space: prefix, Key: m.name.Local, Value: m.value})
}

// known returns the prefix that a namespace has in the output here.
func (e *Encoder) known(space string) (string, bool) {
	for i := range e.scope {
		if e.scope[i].space == space {
			return e.scope[i].prefix, true
		}
	}
	return "", false
}

// hides tells whether an attribute of the tree gives way.
func (m *marked) hides(el *etree.Element, a *etree.Attr) bool {
	return m != nil && m.name.Local != "" && a.Key == m.name.Local && AttrName(el, a) == m.name
}

// tree writes one element; top is nil unless it is the first.
func (e *Encoder) tree(el *etree.Element, top *marked) {
	e.checkPrefix(el, el.Space, el.Tag)
	e.buf = append(e.buf, '<')
	e.qualified(el.Space, el.Tag)
	if top != nil {
		e.inherit(el)
		top.write(e, el)
	}
	for i := range el.Attr {
		if top.hides(el, &el.Attr[i]) {
			continue
		}
		e.checkPrefix(el, el.Attr[i].Space, el.Attr[i].Key)
		e.treeAttr(&el.Attr[i])
	}
	if len(el.Child) == 0 {
		e.buf = append(e.buf, "/>"...)
		return
	}
	e.buf = append(e.buf, '>')
	for _, t := range el.Child {
		switch c := t.(type) {
		case *etree.Element:
			e.tree(c, nil)
		case *etree.CharData:
			e.buf = appendText(e.buf, c.Data)
		}
	}
	e.buf = append(e.buf, "</"...)
	e.qualified(el.Space, el.Tag)
	e.buf = append(e.buf, '>')
}

// treeAttr writes an attribute as the tree has it.
func (e *Encoder) treeAttr(a *etree.Attr) {
	e.buf = append(e.buf, ' ')
	e.qualified(a.Space, a.Key)
	e.buf = appendValue(append(e.buf, '=', '"'), a.Value)
	e.buf = append(e.buf, '"')
}

// checkPrefix notes prefixes that the tree declares nowhere, which only trees
// made by hand can have.
func (e *Encoder) checkPrefix(el *etree.Element, prefix, local string) {
	if prefix == "" || prefix == "xmlns" {
		return
	}
	if _, ok := lookup(el, prefix); !ok {
		e.misuse(fmt.Errorf("prefix %q of %s is not declared", prefix, local))
	}
}

// inherit declares on the subtree's first element what it needs from above.
func (e *Encoder) inherit(root *etree.Element) {
	for above := root.Parent(); above != nil; above = above.Parent() {
		for i := range above.Attr {
			a := &above.Attr[i]
			prefix, ok := declaredPrefix(a)
			if !ok || a.Value == "" || e.provides(prefix, a.Value) {
				continue
			}
			if nearest(root, prefix) == a && mentions(root, prefix) {
				e.treeAttr(a)
				e.inherited += len(a.Key) + len(a.Value)
			}
		}
	}
}

// declaredPrefix returns the prefix that an attribute declares.
func declaredPrefix(a *etree.Attr) (prefix string, ok bool) {
	switch {
	case a.Space == "xmlns":
		return a.Key, true
	case a.Space == "" && a.Key == "xmlns":
		return "", true
	}
	return "", false
}

// provides tells whether the output has the prefix bound to the namespace
// already.
func (e *Encoder) provides(prefix, space string) bool {
	for i := range e.scope {
		if e.scope[i].prefix == prefix {
			return e.scope[i].space == space
		}
	}
	return false
}

// nearest returns the declaration of the prefix that is in force at el.
func nearest(el *etree.Element, prefix string) *etree.Attr {
	for ; el != nil; el = el.Parent() {
		for i := range el.Attr {
			if p, ok := declaredPrefix(&el.Attr[i]); ok && p == prefix {
				return &el.Attr[i]
			}
		}
	}
	return nil
}

// mentions tells whether the subtree uses the prefix, or may use it inside
// text or an attribute value. It errs on the side of yes.
func mentions(el *etree.Element, prefix string) bool {
	if el.Space == prefix || prefix == "" {
		return true
	}
	for i := range el.Attr {
		a := &el.Attr[i]
		if a.Space == prefix || names(a.Value, prefix) {
			return true
		}
	}
	for _, t := range el.Child {
		switch c := t.(type) {
		case *etree.Element:
			if mentions(c, prefix) {
				return true
			}
		case *etree.CharData:
			if names(c.Data, prefix) {
				return true
			}
		}
	}
	return false
}

// names tells whether "prefix:" occurs in the text.
func names(text, prefix string) bool {
	for {
		i := strings.Index(text, prefix)
		if i < 0 {
			return false
		}
		text = text[i+len(prefix):]
		if strings.HasPrefix(text, ":") {
			return true
		}
	}
}
