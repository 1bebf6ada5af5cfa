package dispatch_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// A comparison collects where our reply departs from the recorded one. Prefixes,
// times, identifiers, addresses and the server's own URL play no part.
type comparison struct {
	keys  map[string]string // recorded resource keys to ours
	found []string          // "PATH: what differs"
}

func (c *comparison) note(path, format string, args ...any) {
	c.found = append(c.found, path+": "+fmt.Sprintf(format, args...))
}

// elements compares two elements and all below them.
func (c *comparison) elements(path string, want, got *etree.Element) {
	if w, g := xmlstrict.NameOf(want), xmlstrict.NameOf(got); w != g {
		c.note(path, "element %s instead of %s", g, w)
		return
	}
	path += "/" + want.Tag
	c.attributes(path, want, got)
	c.text(path, want, got)
	c.children(path, want, got)
}

// children compares the sequences of child elements. Where names differ the
// longest common run tells what is missing and what is extra.
func (c *comparison) children(path string, want, got *etree.Element) {
	w, g := want.ChildElements(), got.ChildElements()
	for len(w) > 0 || len(g) > 0 {
		switch {
		case len(g) == 0 || len(w) > 0 && !slices.ContainsFunc(g, same(w[0])):
			c.note(path, "lacks %s", w[0].Tag)
			w = w[1:]
		case len(w) == 0 || !xmlstrict.Is(g[0], xmlstrict.NameOf(w[0])):
			c.note(path, "has %s besides", g[0].Tag)
			g = g[1:]
		default:
			c.elements(path, w[0], g[0])
			w, g = w[1:], g[1:]
		}
	}
}

func same(e *etree.Element) func(*etree.Element) bool {
	name := xmlstrict.NameOf(e)
	return func(other *etree.Element) bool { return xmlstrict.NameOf(other) == name }
}

func (c *comparison) attributes(path string, want, got *etree.Element) {
	w, g := attributesOf(want), attributesOf(got)
	for name, value := range w {
		if other, ok := g[name]; !ok {
			c.note(path, "lacks attribute %s", name.Local)
		} else if other != value {
			c.note(path, "attribute %s is %q instead of %q", name.Local, other, value)
		}
	}
	for name := range g {
		if _, ok := w[name]; !ok {
			c.note(path, "has attribute %s besides", name.Local)
		}
	}
}

// attributesOf returns an element's attributes, declarations left out.
func attributesOf(e *etree.Element) map[xmlstrict.Name]string {
	all := make(map[xmlstrict.Name]string)
	for i := range e.Attr {
		name := xmlstrict.AttrName(e, &e.Attr[i])
		if name.Space != xmlstrict.XMLNSSpace {
			all[name] = e.Attr[i].Value
		}
	}
	return all
}

func (c *comparison) text(path string, want, got *etree.Element) {
	w, g := normal(want), normal(got)
	if ours, ok := c.keys[w]; ok && strings.HasSuffix(want.Tag, "Key") {
		w = ours
	}
	if w != g {
		c.note(path, "text is %q instead of %q", g, w)
	}
}

// normal returns the element's text with what differs from run to run replaced
// by a word for what it is.
func normal(e *etree.Element) string {
	text := xmlstrict.Text(e)
	switch e.Tag {
	case "hostname":
		return "<hostname>"
	case "RelatesTo":
		return text // the request's own id
	}
	if name, err := xmlstrict.ResolveQName(e, text); err == nil && name.Space != "" &&
		strings.Contains(text, ":") {
		return name.String()
	}
	for _, s := range shapes {
		text = s.pattern.ReplaceAllString(text, s.word)
	}
	return text
}

// shapes are the forms of text that are different each time.
var shapes = []struct {
	pattern *regexp.Regexp
	word    string
}{
	{regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`), "<uuid>"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`), "<time>"},
	{regexp.MustCompile(`http://127\.0\.0\.1:\d+/`), "<server>/"},
	{regexp.MustCompile(`^([0-9A-F]{2}:){5}[0-9A-F]{2}$`), "<MAC>"},
	{regexp.MustCompile(`^\d+\.\d+\.\d+\.\d+$`), "<address>"},
}
