package wsdl

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/philoxenia/philoxenia/schema"
)

// A flat document of face two holds of the schemas what its messages lead to
// and no more. Standards that have nothing to do with a service would put
// equal names into one document, and some stacks confuse those.

// A symbol names a component of a schema, such as the element p:Create.
type symbol struct {
	kind string // element, attribute or type
	name QName
}

// A component is a declaration or definition at the top of a schema.
type component struct {
	symbol symbol
	text   string
	refs   []symbol
}

// A source is a schema file taken apart.
type source struct {
	space      string
	start      string // the tag of its root
	components []component
}

// sources are the files of face two by their order. They are taken apart once,
// when the first flat document is asked for.
var sources = sync.OnceValue(func() []source {
	var all []source
	for _, name := range schema.FaceTwo() {
		text, _ := schema.File(name)
		s, err := takeApart(text)
		if err != nil {
			panic(fmt.Sprintf("wsdl: embedded schema %s: %v", name, err)) // a test reads all
		}
		all = append(all, s)
	}
	return all
})

// takeApart reads a schema.
func takeApart(text []byte) (source, error) {
	t := taker{text: text, dec: xml.NewDecoder(bytes.NewReader(text))}
	for {
		before := t.dec.InputOffset()
		token, err := t.dec.RawToken()
		if token == nil {
			if t.depth != 0 || t.space == "" {
				return source{}, fmt.Errorf("cannot take the schema apart: %w", err)
			}
			return t.source, nil
		}
		switch e := token.(type) {
		case xml.StartElement:
			t.open(e, before)
		case xml.EndElement:
			t.shut(e)
		}
	}
}

// A taker takes a schema apart.
type taker struct {
	source
	text     []byte
	dec      *xml.Decoder
	depth    int
	prefixes map[string]string
	begin    int64
	part     component
}

// open sees a start tag.
func (t *taker) open(e xml.StartElement, at int64) {
	switch t.depth {
	case 0:
		t.root(e, at)
	case 1:
		t.begin = at
		t.part = component{symbol: symbol{kindOf(e.Name.Local), QName{t.space, ""}}}
		for _, a := range e.Attr {
			if a.Name.Local == "name" {
				t.part.symbol.name.Local = a.Value
			}
		}
	}
	if t.depth > 0 {
		t.collect(e)
	}
	t.depth++
}

// root sees the start tag of the schema itself.
func (t *taker) root(e xml.StartElement, at int64) {
	t.prefixes = make(map[string]string)
	for _, a := range e.Attr {
		switch {
		case a.Name.Space == "xmlns":
			t.prefixes[a.Name.Local] = a.Value
		case a.Name.Local == "targetNamespace":
			t.space = a.Value
		}
	}
	t.start = string(t.text[at:t.dec.InputOffset()])
}

// collect notes what a tag refers to.
func (t *taker) collect(e xml.StartElement) {
	for _, a := range e.Attr {
		switch a.Name.Local {
		case "ref":
			t.refer(e.Name.Local, a.Value)
		case "type", "base", "itemType", "memberTypes":
			for _, name := range strings.Fields(a.Value) {
				t.refer("type", name)
			}
		}
	}
}

func (t *taker) refer(kind, name string) {
	prefix, local, _ := strings.Cut(name, ":")
	if space := t.prefixes[prefix]; space != xsSpace {
		t.part.refs = append(t.part.refs, symbol{kind, QName{space, local}})
	}
}

// shut sees an end tag.
func (t *taker) shut(e xml.EndElement) {
	t.depth--
	if t.depth == 1 && e.Name.Local != "import" {
		t.part.text = string(t.text[t.begin:t.dec.InputOffset()])
		t.components = append(t.components, t.part)
	}
}

// kindOf returns the symbol space of a component (XML Schema 1, section 2.5).
func kindOf(tag string) string {
	if strings.HasSuffix(tag, "Type") {
		return "type"
	}
	return tag
}

// pruned writes the schemas with what the roots lead to.
func (d *document) pruned(roots []symbol) {
	kept := reachable(roots)
	for _, s := range sources() {
		var parts []string
		used := make(map[string]bool)
		for _, c := range s.components {
			if !kept[c.symbol] {
				continue
			}
			parts = append(parts, c.text)
			for _, r := range c.refs {
				used[r.name.Space] = true
			}
		}
		if len(parts) == 0 {
			continue
		}
		d.line("%s", s.start)
		for _, other := range sources() {
			if used[other.space] && other.space != s.space {
				d.line(`  <xs:import namespace=%q/>`, other.space)
			}
		}
		for _, p := range parts {
			d.line("  %s", p)
		}
		d.line(`</xs:schema>`)
	}
}

// reachable returns what the roots lead to, themselves included.
func reachable(roots []symbol) map[symbol]bool {
	refs := make(map[symbol][]symbol)
	for _, s := range sources() {
		for _, c := range s.components {
			refs[c.symbol] = c.refs
		}
	}
	kept := make(map[symbol]bool)
	next := slices.Clone(roots)
	for len(next) > 0 {
		s := next[len(next)-1]
		next = next[:len(next)-1]
		if !kept[s] {
			kept[s] = true
			next = append(next, refs[s]...)
		}
	}
	return kept
}
