package xmlstrict

// qname is a name as written, with its parts.
type qname struct {
	full, prefix, local string
}

// attribute is an attribute as read, before namespaces are known.
type attribute struct {
	qname
	value string
	space string // namespace URI, once resolved
	at    int
}

// declares tells whether the attribute is a namespace declaration.
func (a *attribute) declares() bool {
	return a.prefix == "xmlns" || a.prefix == "" && a.local == "xmlns"
}

// startTag reads a start tag or an empty-element tag.
func (s *scanner) startTag() error {
	start := s.pos
	if err := s.flush(); err != nil {
		return err
	}
	s.pos++
	name, err := s.name("element")
	if err != nil {
		return err
	}
	if len(s.open) >= s.limits.Depth {
		return s.fail(start, "elements are nested more than %d deep", s.limits.Depth)
	}
	empty, err := s.attributes(name.full)
	if err != nil {
		return err
	}
	if err := s.count(start); err != nil {
		return err
	}
	s.push(name, start)
	if err := s.declare(); err != nil {
		return err
	}
	if err := s.resolve(name, start); err != nil {
		return err
	}
	s.keepAttributes()
	if s.carried > carriedFactor*s.limits.Attributes {
		return s.fail(start, "the open elements have more than %d attributes together",
			carriedFactor*s.limits.Attributes)
	}
	if empty {
		s.closeElement()
	}
	return nil
}

// carriedFactor times the limit of attributes on one element is what all open
// elements may have together: finding a namespace looks at each of them.
const carriedFactor = 4

// push opens a new element.
func (s *scanner) push(name qname, start int) {
	n := s.arena.node(s.doc)
	n.Space, n.Tag, n.offset = name.prefix, name.local, start
	s.open = append(s.open, opened{&n.Element, name.full, len(s.pending), len(s.scope)})
}

// name reads a qualified name (Namespaces in XML 1.0, 4) of a thing.
func (s *scanner) name(thing string) (qname, error) {
	start := s.pos
	end := ncNameEnd(s.src, start)
	q := qname{local: s.src[start:end]}
	if end > start && end < len(s.src) && s.src[end] == ':' {
		q.prefix = q.local
		from := end + 1
		end = ncNameEnd(s.src, from)
		q.local = s.src[from:end]
	}
	if q.local == "" {
		return q, s.fail(start, "an %s name was expected here", thing)
	}
	if end-start > s.limits.Name {
		return q, s.fail(start, "the name is longer than %d bytes", s.limits.Name)
	}
	q.full, s.pos = s.src[start:end], end
	return q, nil
}

// attributes reads up to the end of the start tag and tells whether it was an
// empty-element tag.
func (s *scanner) attributes(tag string) (empty bool, err error) {
	s.attrs = s.attrs[:0]
	for {
		spaced := s.skipSpace()
		switch c := s.peek(0); {
		case c == '>':
			s.pos++
			return false, nil
		case c == '/' && s.peek(1) == '>':
			s.pos += 2
			return true, nil
		case s.pos >= len(s.src):
			return false, s.fail(s.pos, "the document ends inside the tag <%s", tag)
		case !spaced:
			return false, s.fail(s.pos, "the tag <%s is malformed here", tag)
		}
		if err := s.attribute(); err != nil {
			return false, err
		}
	}
}

// attribute reads one attribute.
func (s *scanner) attribute() error {
	at := s.pos
	if len(s.attrs) >= s.limits.Attributes {
		return s.fail(at, "the element has more than %d attributes", s.limits.Attributes)
	}
	name, err := s.name("attribute")
	if err != nil {
		return err
	}
	s.skipSpace()
	if s.peek(0) != '=' {
		return s.fail(s.pos, "attribute %s has no value", name.full)
	}
	s.pos++
	s.skipSpace()
	value, err := s.value(name.full)
	if err != nil {
		return err
	}
	s.attrs = append(s.attrs, attribute{qname: name, value: value, at: at})
	return nil
}

// declare puts the tag's namespace declarations in force.
func (s *scanner) declare() error {
	for i := range s.attrs {
		a := &s.attrs[i]
		if !a.declares() {
			continue
		}
		a.space = XMLNSSpace
		b := binding{a.local, a.value}
		if a.prefix == "" {
			b.prefix = ""
		}
		if reason := illegalBinding(b); reason != "" {
			return s.fail(a.at, "%s", reason)
		}
		if len(s.scope) >= s.limits.Namespaces {
			return s.fail(a.at, "more than %d namespaces are in scope", s.limits.Namespaces)
		}
		s.scope = append(s.scope, b)
	}
	return nil
}

// illegalBinding says what Namespaces in XML 1.0, 3 has against a declaration;
// empty when nothing.
func illegalBinding(b binding) string {
	switch {
	case b.prefix == "xmlns":
		return "the prefix xmlns must not be declared"
	case b.space == XMLNSSpace:
		return "no prefix may be bound to the namespace " + XMLNSSpace
	case (b.prefix == "xml") != (b.space == XMLSpace):
		return "the prefix xml and its namespace belong to each other alone"
	case b.prefix != "" && b.space == "":
		return "the prefix " + b.prefix + " is bound to no namespace"
	}
	return ""
}

// resolve finds the namespaces of the tag's names and refuses undeclared
// prefixes and attributes that are the same once expanded.
func (s *scanner) resolve(name qname, start int) error {
	if _, ok := s.namespace(name.prefix); !ok {
		return s.fail(start, "the prefix of <%s> is not declared", name.full)
	}
	for i := range s.attrs {
		a := &s.attrs[i]
		if a.prefix != "" && a.space == "" {
			space, ok := s.namespace(a.prefix)
			if !ok {
				return s.fail(a.at, "the prefix of attribute %s is not declared", a.full)
			}
			a.space = space
		}
		for j := range i {
			if b := &s.attrs[j]; b.local == a.local && b.space == a.space {
				return s.fail(a.at, "attribute %s is given twice", a.full)
			}
		}
	}
	return nil
}

// namespace returns what the prefix is bound to. No prefix is always bound.
func (s *scanner) namespace(prefix string) (string, bool) {
	if prefix == "" {
		return "", true
	}
	for i := len(s.scope) - 1; i >= 0; i-- {
		if s.scope[i].prefix == prefix {
			return s.scope[i].space, true
		}
	}
	if prefix == "xml" {
		return XMLSpace, true
	}
	return "", false
}

// keepAttributes gives the innermost element its attributes.
func (s *scanner) keepAttributes() {
	if len(s.attrs) == 0 {
		return
	}
	e := s.open[len(s.open)-1].element
	s.carried += len(s.attrs)
	e.Attr = s.arena.attributes(len(s.attrs))
	for i := range s.attrs {
		e.CreateAttr(s.attrs[i].full, s.attrs[i].value)
	}
}
