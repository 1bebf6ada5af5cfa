package xmlstrict

import (
	"strings"

	"github.com/beevik/etree"
)

// arena hands out the tree's memory in pieces cut from a few larger slices,
// so that a message costs a handful of allocations and not a hundred. The
// tree keeps whole slices alive, which is right: it lives and dies as one.
type arena struct {
	nodes  []node
	attrs  []etree.Attr
	tokens []etree.Token
	texts  []etree.CharData
	chunk  int // things in the next slice
}

// maxChunk bounds what a slice may waste when the guess was wrong.
const maxChunk = 512

// begin guesses from the number of tags how much the document will need.
func (a *arena) begin(src string) {
	tags := strings.Count(src, "<")
	a.chunk = min(tags/2+1, maxChunk)
}

// node returns a new element of the document.
func (a *arena) node(d *Document) *node {
	if len(a.nodes) == 0 {
		a.nodes = make([]node, a.chunk)
		d.nodes = append(d.nodes, a.nodes)
	}
	n := &a.nodes[0]
	a.nodes = a.nodes[1:]
	return n
}

// text returns a new character data token.
func (a *arena) text(data string) *etree.CharData {
	if len(a.texts) == 0 {
		a.texts = make([]etree.CharData, a.chunk)
	}
	t := &a.texts[0]
	a.texts = a.texts[1:]
	t.SetData(data)
	return t
}

// attributes returns an empty slice with room for exactly n attributes.
func (a *arena) attributes(n int) []etree.Attr {
	if len(a.attrs) < n {
		a.attrs = make([]etree.Attr, max(n, a.chunk))
	}
	piece := a.attrs[:0:n]
	a.attrs = a.attrs[n:]
	return piece
}

// children returns an empty slice with room for exactly n tokens.
func (a *arena) children(n int) []etree.Token {
	if len(a.tokens) < n {
		a.tokens = make([]etree.Token, max(n, 2*a.chunk))
	}
	piece := a.tokens[:0:n]
	a.tokens = a.tokens[n:]
	return piece
}
