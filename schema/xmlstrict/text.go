package xmlstrict

import (
	"strings"
	"unicode/utf8"
)

// textRun gathers the text between two tags. Text that stands in the source
// as it is costs no copy; references, CDATA and comments make it spill over.
type textRun struct {
	plain   string // the run, while it is one piece of the source
	spill   []byte // the run, once it is not
	spilled bool
	solid   bool // it holds something other than white space
	split   bool // a comment followed after that
}

// add appends a piece.
func (t *textRun) add(piece string) {
	t.solid = t.solid || !isBlank(piece)
	switch {
	case t.spilled:
		t.spill = append(t.spill, piece...)
	case t.plain == "":
		t.plain = piece
	default:
		t.spill = append(append(t.spill[:0], t.plain...), piece...)
		t.spilled = true
	}
}

// len returns the run's length in bytes.
func (t *textRun) len() int {
	if t.spilled {
		return len(t.spill)
	}
	return len(t.plain)
}

// comment notes that a comment stands here.
func (t *textRun) comment() { t.split = t.split || t.solid }

// take returns the run and begins a new one.
func (t *textRun) take() string {
	text := t.plain
	if t.spilled {
		text = string(t.spill)
	}
	t.plain, t.spilled, t.solid, t.split = "", false, false, false
	return text
}

// flush makes the text read so far a child of the innermost element.
func (s *scanner) flush() error {
	if s.run.len() == 0 {
		return nil
	}
	s.pending = append(s.pending, s.arena.text(s.run.take()))
	return s.count(s.pos)
}

// addText appends a piece that began at an offset to the run.
func (s *scanner) addText(at int, piece string) error {
	if s.run.split && !isBlank(piece) {
		return s.fail(at, "a comment stands inside this text; move it before or behind")
	}
	s.run.add(piece)
	if s.run.len() > s.limits.Text {
		return s.fail(at, "a text is longer than %d bytes", s.limits.Text)
	}
	return nil
}

// text reads character data up to the next markup (XML 1.0, 2.4).
func (s *scanner) text() error {
	for {
		start := s.pos
		for s.pos < len(s.src) && class[s.src[s.pos]]&textByte != 0 {
			s.pos++
		}
		if s.pos > start {
			if err := s.addText(start, s.src[start:s.pos]); err != nil {
				return err
			}
		}
		if s.pos >= len(s.src) || s.src[s.pos] == '<' {
			return nil
		}
		if err := s.special(); err != nil {
			return err
		}
	}
}

// special reads the one character in text that needs attention.
func (s *scanner) special() error {
	at := s.pos
	switch s.src[at] {
	case '&':
		piece, err := s.reference()
		if err != nil {
			return err
		}
		return s.addText(at, piece)
	case '\r':
		s.lineEnd()
		return s.addText(at, "\n")
	}
	if strings.HasPrefix(s.src[at:], "]]>") {
		return s.fail(at, `"]]>" in text; write ]]&gt;`)
	}
	s.pos++
	return s.addText(at, "]")
}

// lineEnd moves over CR or CRLF.
func (s *scanner) lineEnd() {
	s.pos++
	if s.peek(0) == '\n' {
		s.pos++
	}
}

// cdata reads a CDATA section (XML 1.0, 2.7) into the run of text.
func (s *scanner) cdata() error {
	start := s.pos
	from := start + len("<![CDATA[")
	end := strings.Index(s.src[from:], "]]>")
	if end < 0 {
		return s.fail(start, "the CDATA section has no end")
	}
	s.pos = from + end + 3
	if err := s.count(start); err != nil {
		return err
	}
	piece := s.src[from : from+end]
	if strings.IndexByte(piece, '\r') >= 0 {
		piece = strings.ReplaceAll(strings.ReplaceAll(piece, "\r\n", "\n"), "\r", "\n")
	}
	return s.addText(from, piece)
}

// value reads a quoted attribute value and normalises it (XML 1.0, 3.3.3).
func (s *scanner) value(name string) (string, error) {
	quote := s.peek(0)
	if quote != '"' && quote != '\'' {
		return "", s.fail(s.pos, "the value of attribute %s is not quoted", name)
	}
	s.pos++
	start := s.pos
	for s.pos < len(s.src) && class[s.src[s.pos]]&valueByte != 0 {
		s.pos++
	}
	value := s.src[start:s.pos]
	if s.peek(0) != quote {
		var err error
		if value, err = s.normalised(name, value, quote); err != nil {
			return "", err
		}
	}
	s.pos++
	if len(value) > s.limits.Text {
		return "", s.fail(start, "the value of attribute %s is longer than %d bytes",
			name, s.limits.Text)
	}
	return value, nil
}

// normalised reads on in a value that is not plain; head is what was read.
func (s *scanner) normalised(name, head string, quote byte) (string, error) {
	value := []byte(head)
	for s.pos < len(s.src) {
		switch c := s.src[s.pos]; {
		case c == quote:
			return string(value), nil
		case c == '<':
			return "", s.fail(s.pos, "\"<\" in the value of attribute %s; write &lt;", name)
		case c == '&':
			piece, err := s.reference()
			if err != nil {
				return "", err
			}
			value = append(value, piece...)
		case c == '\r':
			s.lineEnd()
			value = append(value, ' ')
		case c == '\n' || c == '\t':
			s.pos++
			value = append(value, ' ')
		default:
			s.pos++
			value = append(value, c)
		}
	}
	return "", s.fail(s.pos, "the document ends inside the value of attribute %s", name)
}

// reference reads an entity or character reference (XML 1.0, 4.1 and 4.6) and
// returns what it stands for.
func (s *scanner) reference() (string, error) {
	at := s.pos
	// The longest legal reference, with some leading zeros, is short: looking
	// no further keeps a document of ampersands linear.
	window := s.src[at+1 : min(len(s.src), at+1+maxReference)]
	end := strings.IndexByte(window, ';')
	if end < 0 {
		return "", s.fail(at, `"&" begins no reference; write &amp;`)
	}
	body := window[:end]
	s.pos = at + 1 + end + 1
	switch body {
	case "amp":
		return "&", nil
	case "lt":
		return "<", nil
	case "gt":
		return ">", nil
	case "quot":
		return `"`, nil
	case "apos":
		return "'", nil
	}
	if r, ok := characterReference(body); ok {
		return string(r), nil
	}
	return "", s.fail(at, "&%s; is not defined", body)
}

// maxReference is how far behind "&" a reference may end, in bytes.
const maxReference = 32

// characterReference reads #N and #xN.
func characterReference(body string) (rune, bool) {
	digits, ok := strings.CutPrefix(body, "#")
	base := rune(10)
	if hex, isHex := strings.CutPrefix(digits, "x"); isHex {
		digits, base = hex, 16
	}
	if !ok || digits == "" {
		return 0, false
	}
	var r rune
	for i := 0; i < len(digits); i++ {
		d := digit(digits[i])
		if d < 0 || d >= base {
			return 0, false
		}
		if r = r*base + d; r > utf8.MaxRune {
			return 0, false
		}
	}
	return r, isChar(r)
}

// digit returns the value of a hexadecimal digit, or -1.
func digit(c byte) rune {
	switch {
	case '0' <= c && c <= '9':
		return rune(c - '0')
	case 'a' <= c && c <= 'f':
		return rune(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return rune(c-'A') + 10
	}
	return -1
}
