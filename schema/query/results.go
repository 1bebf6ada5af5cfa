package query

import (
	"math"
	"strconv"
	"strings"

	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// Results are what an expression selected: nodes in order, or one value.
type Results struct {
	view  *view
	nodes []place
	value any // string, float64 or bool; nil for nodes
}

// place is where a navigator stood.
type place struct{ piece, node, attr int32 }

// place returns where the navigator stands.
func (n *navigator) place() place {
	if n.piece < 0 {
		return place{n.piece, 0, noNode}
	}
	return place{n.piece, n.node, n.attr}
}

// before tells whether a place is surely another one than what comes behind it.
func (p place) before(q place) bool {
	return p.piece < q.piece || p.piece == q.piece && p.node < q.node
}

// add adds a node, unless it is there: a set has each once (XPath 1.0, 3), which
// the library does not see to. What was seen is remembered from where nodes come
// out of order.
func (r *Results) add(p place, seen *map[place]bool) {
	n := len(r.nodes)
	if *seen == nil && n > 0 && !r.nodes[n-1].before(p) {
		*seen = make(map[place]bool, 2*n)
		for _, q := range r.nodes {
			(*seen)[q] = true
		}
	}
	if *seen != nil {
		if (*seen)[p] {
			return
		}
		(*seen)[p] = true
	}
	r.nodes = append(r.nodes, p)
}

// Len returns how many nodes, or values, there are.
func (r Results) Len() int {
	if r.value != nil {
		return 1
	}
	return len(r.nodes)
}

// Write writes the results as the content of an element: elements as they are
// with the namespaces they need, everything else as text (XPath 1.0, 4.2).
func (r Results) Write(enc *xmlstrict.Encoder) {
	switch v := r.value.(type) {
	case string:
		enc.Text(v)
	case bool:
		enc.Text(strconv.FormatBool(v))
	case float64:
		enc.Text(number(v))
	}
	for _, p := range r.nodes {
		r.write(enc, p)
	}
}

// write writes one node.
func (r Results) write(enc *xmlstrict.Encoder, p place) {
	if p.piece < 0 {
		r.writeAll(enc)
		return
	}
	d := r.view.pieces[p.piece]
	switch {
	case p.attr != noNode:
		enc.Text(d.attrValue(&d.attrs[p.attr]))
	case d.nodes[p.node].name < 0:
		enc.Text(d.value(&d.nodes[p.node]))
	default:
		d.write(enc, p.node)
	}
}

// writeAll writes the whole document.
func (r Results) writeAll(enc *xmlstrict.Encoder) {
	if r.view.forest != nil {
		enc.Start(r.view.forest.Root)
		defer enc.End()
	}
	for _, d := range r.view.pieces {
		d.Write(enc)
	}
}

// Write writes the document.
func (d *Document) Write(enc *xmlstrict.Encoder) { d.write(enc, 0) }

// Write writes the forest as the one document that it stands for.
func (f *Forest) Write(enc *xmlstrict.Encoder) { Results{view: f.view()}.writeAll(enc) }

// write writes an element as it stands in the source, with the declarations of
// its ancestors that it may need.
func (d *Document) write(enc *xmlstrict.Encoder, i int32) {
	n := &d.nodes[i]
	element := d.src[n.from:n.to]
	if n.parent == noNode {
		enc.RawString(element)
		return
	}
	name := strings.IndexAny(element, " />")
	enc.RawString(element[:name])
	own := d.declsOf(i)
	for above := n.parent; above != noNode; above = d.nodes[above].parent {
		for _, decl := range d.declsOf(above) {
			if d.needs(element, decl, i, above) && !declares(own, decl.prefix) {
				enc.RawDeclaration(decl.prefix, decl.space)
			}
		}
	}
	enc.RawString(element[name:])
}

// needs tells whether an element may need a declaration that stands on an
// ancestor: nothing in between hides it, and its text mentions the prefix. The
// default namespace is always mentioned.
func (d *Document) needs(element string, decl decl, i, above int32) bool {
	for between := d.nodes[i].parent; between != above; between = d.nodes[between].parent {
		if declares(d.declsOf(between), decl.prefix) {
			return false
		}
	}
	return decl.prefix == "" && decl.space != "" ||
		decl.prefix != "" && strings.Contains(element, decl.prefix+":")
}

// declares tells whether one of the declarations is of the prefix.
func declares(all []decl, prefix string) bool {
	for i := range all {
		if all[i].prefix == prefix {
			return true
		}
	}
	return false
}

// number returns a number as XPath's string() does.
func number(v float64) string {
	switch {
	case math.IsInf(v, 0):
		return map[bool]string{true: "Infinity", false: "-Infinity"}[v > 0]
	case v == 0:
		return "0"
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}
