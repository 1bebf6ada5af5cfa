package xmlstrict

import "strings"

// prolog reads everything before the root element: byte order mark, XML
// declaration, white space and comments. It also checks every character of
// the document, so that what follows may look at bytes alone.
func (s *scanner) prolog() error {
	if strings.HasPrefix(s.src, "\xFE\xFF") || strings.HasPrefix(s.src, "\xFF\xFE") {
		return s.fail(0, "the document is in UTF-16; only UTF-8 is accepted")
	}
	if strings.HasPrefix(s.src, "\xEF\xBB\xBF") {
		s.pos = 3
	}
	invalid, wide := invalidAt(s.src[s.pos:])
	if invalid >= 0 {
		return s.fail(s.pos+invalid, "a byte here is not part of a legal UTF-8 XML character")
	}
	if wide >= 0 {
		wide += s.pos
	}
	if err := s.xmlDeclaration(wide); err != nil {
		return err
	}
	if err := s.misc(); err != nil {
		return err
	}
	if s.pos >= len(s.src) {
		return s.fail(s.pos, "the document has no element")
	}
	return nil
}

// epilog reads what may follow the root element: white space and comments.
func (s *scanner) epilog() error {
	if err := s.misc(); err != nil {
		return err
	}
	if s.pos < len(s.src) {
		return s.fail(s.pos, "a second root element")
	}
	return nil
}

// misc skips white space and comments outside the root element and stops at
// a start tag or the end.
func (s *scanner) misc() error {
	for s.skipSpace(); s.pos < len(s.src); s.skipSpace() {
		if s.src[s.pos] != '<' {
			return s.fail(s.pos, "text outside the root element")
		}
		switch s.peek(1) {
		case '?':
			return s.fail(s.pos, "processing instructions are not accepted")
		case '/':
			return s.fail(s.pos, "an end tag without its start tag")
		case '!':
			if !strings.HasPrefix(s.src[s.pos:], "<!--") {
				return s.declaration()
			}
			if err := s.comment(); err != nil {
				return err
			}
		default:
			return nil
		}
	}
	return nil
}

// xmlDeclaration reads <?xml version encoding standalone?> (XML 1.0, 2.8) when
// the document begins with it. Wide is the offset of the first character above
// ASCII, or -1.
func (s *scanner) xmlDeclaration(wide int) error {
	rest := s.src[s.pos:]
	if !strings.HasPrefix(rest, "<?xml") || len(rest) < 6 || class[rest[5]]&spaceByte == 0 {
		return nil
	}
	start := s.pos
	end := strings.Index(rest, "?>")
	if end < 0 {
		return s.fail(start, "the XML declaration has no end")
	}
	s.pos += end + 2
	fields, ok := pseudoAttributes(rest[5:end])
	if !ok {
		return s.fail(start, "the XML declaration is malformed")
	}
	if v := fields["version"]; v != "1.0" {
		return s.fail(start, "XML version %q is not accepted, only 1.0", Clip(v))
	}
	return s.encoding(start, fields["encoding"], wide)
}

// encoding refuses every declared encoding but UTF-8 and US-ASCII.
func (s *scanner) encoding(at int, name string, wide int) error {
	switch strings.ToUpper(name) {
	case "", "UTF-8":
		return nil
	case "US-ASCII", "ASCII":
		if wide >= 0 {
			return s.fail(wide, "a character above ASCII in a document declared as %s", name)
		}
		return nil
	}
	return s.fail(at, "encoding %q is not accepted, only UTF-8", Clip(name))
}

// declarationOrder is the order that the XML declaration's parts must have.
var declarationOrder = []string{"version", "encoding", "standalone"}

// pseudoAttributes reads the parts of an XML declaration, each preceded by
// white space, in their order.
func pseudoAttributes(text string) (map[string]string, bool) {
	fields := map[string]string{}
	next := 0
	for !isBlank(text) {
		trimmed := strings.TrimLeft(text, " \t\r\n")
		name, rest, ok := strings.Cut(trimmed, "=")
		if !ok || len(trimmed) == len(text) {
			return nil, false
		}
		name, rest = Trim(name), strings.TrimLeft(rest, " \t\r\n")
		for next < len(declarationOrder) && declarationOrder[next] != name {
			next++
		}
		if next == len(declarationOrder) || rest == "" || rest[0] != '"' && rest[0] != '\'' {
			return nil, false
		}
		end := strings.IndexByte(rest[1:], rest[0])
		if end < 0 {
			return nil, false
		}
		fields[name], text = rest[1:1+end], rest[end+2:]
		next++
	}
	sa, given := fields["standalone"]
	return fields, !given || sa == "yes" || sa == "no"
}
