package strictness

import "strings"

// mutation is one way to spoil a document, or to write it differently. It is
// tried at every element, once for each of its arguments; do reports whether it
// could be done there.
type mutation struct {
	name string
	args []string
	do   func(s site, arg string) bool
}

// mutations are all the ways there are.
var mutations = []mutation{
	{"drop", nil, func(s site, _ string) bool {
		if s.parent == nil {
			return false
		}
		at := s.parent.index(s.node)
		s.parent.kids = append(s.parent.kids[:at], s.parent.kids[at+1:]...)
		return true
	}},
	{"repeat", nil, func(s site, _ string) bool {
		if s.parent == nil {
			return false
		}
		s.parent.insert(s.parent.index(s.node), s.node.clone())
		return true
	}},
	{"repeat at the end", nil, func(s site, _ string) bool {
		if s.parent == nil {
			return false
		}
		s.parent.kids = append(s.parent.kids, s.node.clone())
		return true
	}},
	{"move", []string{"before", "first", "last"}, move},
	{"nest", nil, func(s site, _ string) bool {
		if s.parent == nil {
			return false
		}
		inner := s.node.clone()
		s.node.kids = []*node{inner}
		return true
	}},
	{"unwrap", nil, func(s site, _ string) bool {
		if s.parent == nil || s.node.leaf() {
			return false
		}
		at := s.parent.index(s.node)
		s.parent.kids = append(s.parent.kids[:at:at],
			append(s.node.kids, s.parent.kids[at+1:]...)...)
		return true
	}},
	{"empty", nil, func(s site, _ string) bool {
		had := len(s.node.kids) > 0
		s.node.kids = nil
		return had
	}},
	{"rename", []string{"add", "case", "parent", "sibling", "Reference"}, rename},
	{"namespace", []string{"none", "mut", "parent", "other"}, renamespace},
	{"attribute", attributes, addAttribute},
	{"attributes", []string{"remove", "empty", "spoil", "qualify"}, spoilAttributes},
	{"text", values, func(s site, arg string) bool {
		if !s.node.leaf() || s.node.value() == arg {
			return false
		}
		s.node.set(arg)
		return true
	}},
	{"pad", []string{" ", "\n\t", "\u00a0"}, func(s site, arg string) bool {
		if !s.node.leaf() || s.node.value() == "" {
			return false
		}
		s.node.set(arg + s.node.value() + arg)
		return true
	}},
	{"text between", []string{"word", "1", "\u00a0"}, func(s site, arg string) bool {
		if s.node.leaf() {
			return false
		}
		s.node.insert(len(s.node.kids)/2, &node{kind: text, text: arg})
		return true
	}},
	{"insert", []string{"mut:foreign", "own", "local", "head", "tail"}, insert},
	{"comment", []string{"before", "behind", "inside", "between"}, comments},
	{"section", []string{"whole", "half", "empty"}, sections},
}

// attributes are written as prefix:local=value; what a document declares itself
// is not among the prefixes.
var attributes = []string{
	":color=red", "mut:color=red", "xml:lang=en", "xml:base=http://example.org/",
	"xml:space=preserve", "xsi:nil=true", "xsi:nil=1", "xsi:nil=false",
	"xsi:nil=yes", "xsi:nil=", "xsi:type=xsd:string", "xsi:type=xsd:anyType",
	"xsi:type=mut:Nothing", "xsi:type=no:Prefix", "xsi:type=", "xsi:type=xsd:double",
	"xsi:schemaLocation=urn:example:nowhere nowhere.xsd",
	"xsi:noNamespaceSchemaLocation=nowhere.xsd", "xsi:color=red", "mut:Dialect=red",
	":name=again", ":Dialect=urn:example:dialect",
}

func addAttribute(s site, arg string) bool {
	name, value, _ := strings.Cut(arg, "=")
	prefix, local, _ := strings.Cut(name, ":")
	for _, a := range s.node.attrs {
		if a.local == local {
			return false
		}
	}
	s.node.attrs = append(s.node.attrs, attribute{prefix, local, value})
	return true
}

// spoilAttributes changes what attributes an element has, not its declarations.
func spoilAttributes(s site, arg string) bool {
	var kept []attribute
	done := false
	for _, a := range s.node.attrs {
		if a.prefix != "xmlns" && a.local != "xmlns" {
			done = true
			switch arg {
			case "remove":
				continue
			case "empty":
				a.value = ""
			case "spoil":
				a.value = "spoilt " + a.value
			case "qualify":
				a.prefix = "mut"
			}
		}
		kept = append(kept, a)
	}
	s.node.attrs = kept
	return done
}

func move(s site, arg string) bool {
	if s.parent == nil || len(s.parent.elements()) < 2 {
		return false
	}
	all := s.parent.elements()
	place := 0
	for i, e := range all {
		if e == s.node {
			place = i
		}
	}
	if arg == "last" && place == len(all)-1 || arg != "last" && place == 0 ||
		arg == "first" && place == 1 {
		return false
	}
	at := s.parent.index(s.node)
	s.parent.kids = append(s.parent.kids[:at], s.parent.kids[at+1:]...)
	switch arg {
	case "before":
		s.parent.insert(s.parent.index(all[place-1]), s.node)
	case "first":
		s.parent.insert(0, s.node)
	case "last":
		s.parent.kids = append(s.parent.kids, s.node)
	}
	return true
}

func rename(s site, arg string) bool {
	old := s.node.local
	switch {
	case arg == "add":
		s.node.local += "s"
	case arg == "case" && strings.ToLower(old) != old:
		s.node.local = strings.ToLower(old)
	case arg == "case":
		s.node.local = strings.ToUpper(old)
	case s.parent == nil:
		return false
	case arg == "parent":
		s.node.local, s.node.prefix = s.parent.local, s.parent.prefix
	case arg == "sibling":
		for _, e := range s.parent.elements() {
			if e.local != old {
				s.node.local, s.node.prefix = e.local, e.prefix
				return true
			}
		}
		return false
	default:
		s.node.local = arg
	}
	return s.node.local != old
}

// renamespace puts one element into another namespace, not its content.
func renamespace(s site, arg string) bool {
	switch arg {
	case "none":
		s.node.rebind("")
	case "mut":
		s.node.prefix = "mut"
	case "parent":
		if s.parent == nil || s.parent.prefix == s.node.prefix {
			return false
		}
		s.node.prefix = s.parent.prefix
	case "other":
		for _, e := range sites(s.root) {
			if e.node.prefix != s.node.prefix && s.root.declares(e.node.prefix) {
				s.node.prefix = e.node.prefix
				return true
			}
		}
		return false
	}
	return true
}

// rebind takes an element out of any namespace; its content stays where it is.
func (n *node) rebind(prefix string) {
	bound := n.prefix == ""
	n.prefix = prefix
	if !bound {
		return
	}
	for i, a := range n.attrs {
		if a.prefix == "" && a.local == "xmlns" {
			n.attrs = append(n.attrs[:i], n.attrs[i+1:]...)
			break
		}
	}
	n.attrs = append(n.attrs, attribute{"", "xmlns", ""})
}

// declares tells whether the element binds a prefix.
func (n *node) declares(prefix string) bool {
	for _, a := range n.attrs {
		if a.prefix == "xmlns" && a.local == prefix || prefix == "" && a.local == "xmlns" {
			return true
		}
	}
	return false
}

func insert(s site, arg string) bool {
	kid := &node{kind: element, local: "foreign"}
	at := 0
	switch arg {
	case "mut:foreign":
		kid.prefix, at = "mut", len(s.node.kids)
	case "own":
		kid.prefix, at = s.node.prefix, len(s.node.kids)
	case "local":
		kid.attrs = []attribute{{"", "xmlns", ""}}
	case "head", "tail": // something that the document knows, in another place
		kid = s.root.clone()
		if arg == "tail" && len(kid.elements()) > 0 {
			all := sites(kid)
			kid = all[len(all)-1].node
		}
		kid.attrs = append(kid.attrs, undeclared(s.root, kid)...)
		at = len(s.node.kids)
	}
	s.node.insert(at, kid)
	return true
}

// undeclared returns the root's declarations that a copy of a part lacks.
func undeclared(root, part *node) []attribute {
	var lacking []attribute
	for _, a := range root.attrs {
		if (a.prefix == "xmlns" || a.local == "xmlns") && !part.has(a) {
			lacking = append(lacking, a)
		}
	}
	return lacking
}

func (n *node) has(a attribute) bool {
	for _, b := range n.attrs {
		if b.prefix == a.prefix && b.local == a.local {
			return true
		}
	}
	return false
}

func comments(s site, arg string) bool {
	note := &node{kind: comment, text: " a remark "}
	value := s.node.value()
	switch {
	case arg == "between" && !s.node.leaf():
		s.node.insert(len(s.node.kids)/2, note)
	case arg == "between" || !s.node.leaf() || value == "":
		return false
	case arg == "before":
		s.node.insert(0, note)
	case arg == "behind":
		s.node.kids = append(s.node.kids, note)
	case arg == "inside":
		head, tail := halves(value)
		s.node.kids = []*node{{kind: text, text: head}, note, {kind: text, text: tail}}
	}
	return true
}

func sections(s site, arg string) bool {
	value := s.node.value()
	if !s.node.leaf() || value == "" && arg != "empty" || strings.Contains(value, "]]>") ||
		strings.ContainsAny(value, "\n\r") {
		return false
	}
	switch head, tail := halves(value); arg {
	case "whole":
		s.node.kids = []*node{{kind: cdata, text: value}}
	case "half":
		s.node.kids = []*node{{kind: text, text: head}, {kind: cdata, text: tail}}
	case "empty":
		s.node.kids = append(s.node.kids, &node{kind: cdata})
	}
	return true
}

// halves cuts a text in the middle, between two characters.
func halves(value string) (head, tail string) {
	all := []rune(value)
	return string(all[:len(all)/2]), string(all[len(all)/2:])
}
