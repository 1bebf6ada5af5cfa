package document

import (
	"errors"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// text returns the text of an element that has no children, and whether it
// could be read.
func (r *Reader) text(e *etree.Element, attributes ...string) (string, bool) {
	if !r.open(e, attributes) {
		return "", false
	}
	for kid := range xmlstrict.Children(e) {
		r.Fail(kid, "text only", "", "element %s is unknown here", xmlstrict.Clip(kid.Tag))
		return "", false
	}
	return xmlstrict.RawText(e), true
}

// Text reads text as it stands (xs:string).
func (r *Reader) Text(to *string, attributes ...string) func(*etree.Element) {
	return func(e *etree.Element) {
		if s, ok := r.text(e, attributes...); ok {
			*to = strings.Clone(s)
		}
	}
}

// maxWord is how long a word may be, in bytes: as the longest path of a file.
const maxWord = 4096

// Word reads text of which white space around it is no part. It must not be
// empty, longer than 4,096 bytes, or hold control characters.
func (r *Reader) Word(to *string) func(*etree.Element) {
	return func(e *etree.Element) { *to = r.word(e) }
}

// word reads a word, empty after an error.
func (r *Reader) word(e *etree.Element, attributes ...string) string {
	s, ok := r.text(e, attributes...)
	if !ok {
		return ""
	}
	s = xmlstrict.Trim(s)
	if s == "" {
		r.Fail(e, "text", "", "%s is empty", e.Tag)
		return ""
	}
	if len(s) > maxWord {
		r.Fail(e, "at most 4096 bytes", "", "%s has %d bytes", e.Tag, len(s))
		return ""
	}
	if !IsWord(s) {
		r.Fail(e, "text without control characters", "", "%q is not a word", xmlstrict.Clip(s))
		return ""
	}
	return strings.Clone(s)
}

// IsWord reports whether a text may be a word: at most 4,096 bytes without
// control characters.
func IsWord(text string) bool {
	return len(text) <= maxWord && !strings.ContainsFunc(text, isControl)
}

// isControl reports whether c is a control character, of Unicode's second
// block too, or ends a line or turns the direction of writing: what stands in
// a list or a log must look like what it is.
func isControl(c rune) bool {
	return unicode.IsControl(c) || unicode.In(c, unicode.Zl, unicode.Zp, unicode.Bidi_Control)
}

// Words reads a repeated word into a list.
func (r *Reader) Words(to *[]string) func(*etree.Element) {
	return func(e *etree.Element) { *to = append(*to, r.word(e)) }
}

// Each reads one more of a list by what reads one.
func Each[T any](read func(*etree.Element, *T), to *[]T) func(*etree.Element) {
	return func(e *etree.Element) {
		var v T
		read(e, &v)
		*to = append(*to, v)
	}
}

// URI reads an absolute URI reference (a scheme is required).
func (r *Reader) URI(to *string) func(*etree.Element) {
	return func(e *etree.Element) {
		s := r.word(e)
		if r.err != nil {
			return
		}
		if u, err := url.Parse(s); err != nil || u.Scheme == "" || !xmlstrict.IsURI(s) {
			r.Fail(e, "a URI with a scheme, such as file://NAME", "",
				"%q is not an absolute URI", xmlstrict.Clip(s))
			return
		}
		*to = s
	}
}

// OneOf reads a word of an enumeration. What names it in errors: "VMM type".
func (r *Reader) OneOf(to *string, what string, words ...string) func(*etree.Element) {
	return func(e *etree.Element) {
		s := r.word(e)
		for _, w := range words {
			if s == w {
				*to = w
				return
			}
		}
		r.Fail(e, "one of "+strings.Join(words, ", "), "the words are case-sensitive",
			"unknown %s %q", what, xmlstrict.Clip(s))
	}
}

// Reference reads a URI reference, absolute or not (XML Schema part 2, 3.2.17).
func (r *Reader) Reference(to *string) func(*etree.Element) {
	return func(e *etree.Element) {
		s := r.word(e)
		if r.err == nil && !xmlstrict.IsURI(s) {
			r.Fail(e, "a URI such as urn:example:name", "", "%q is not a URI", xmlstrict.Clip(s))
		}
		*to = s
	}
}

// Bool reads an xs:boolean.
func (r *Reader) Bool(to *bool) func(*etree.Element) {
	return func(e *etree.Element) {
		s := r.word(e)
		if r.err == nil && !xmlstrict.IsBool(s) {
			r.Fail(e, "true or false", "", "%q is not a truth value", xmlstrict.Clip(s))
		}
		*to = s == "true" || s == "1"
	}
}

// Int reads a whole number between least and most.
func (r *Reader) Int(to *int, least, most int) func(*etree.Element) {
	return func(e *etree.Element) {
		s := r.word(e)
		n, err := strconv.Atoi(s)
		if err != nil || n < least || n > most {
			r.Fail(e, "a whole number from "+strconv.Itoa(least)+" to "+strconv.Itoa(most), "",
				"%q is out of range or not a number", xmlstrict.Clip(s))
			return
		}
		*to = n
	}
}

// Double reads a finite xs:double; attributes are those the element may have.
func (r *Reader) Double(to *float64, attributes ...string) func(*etree.Element) {
	return func(e *etree.Element) {
		s := r.word(e, attributes...)
		f, err := ParseDouble(s)
		if err != nil {
			r.Fail(e, "a number such as 256.0", "", "%q is not a finite number", xmlstrict.Clip(s))
			return
		}
		*to = f
	}
}

// ParseDouble reads the finite values of xs:double (XML Schema part 2, 3.2.5):
// decimal, with or without an exponent.
func ParseDouble(s string) (float64, error) {
	if strings.ContainsAny(s, "xXpP_iInN") {
		return 0, strconv.ErrSyntax
	}
	f, err := strconv.ParseFloat(s, 64)
	if err == nil && math.IsInf(f, 0) {
		err = strconv.ErrRange
	}
	return f, err
}

// FormatDouble writes a number as the original does: always with a fraction,
// 256.0.
func FormatDouble(f float64) string {
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// Duration reads an xs:duration without years and months, to the millisecond.
// A negative one is refused; one that is zero is refused unless zero is true.
func (r *Reader) Duration(to *time.Duration, zero bool) func(*etree.Element) {
	return func(e *etree.Element) {
		s := r.word(e)
		if r.err != nil {
			return
		}
		d, err := wsrf.ParseDuration(s)
		if err != nil {
			r.value(e, err)
			return
		}
		d = d.Truncate(time.Millisecond)
		if d == 0 && !zero {
			r.Fail(e, "a duration longer than zero", "", "%q is no time at all", xmlstrict.Clip(s))
			return
		}
		*to = d
	}
}

// Time reads an xs:dateTime.
func (r *Reader) Time(to *time.Time) func(*etree.Element) {
	return func(e *etree.Element) {
		s := r.word(e)
		if r.err != nil {
			return
		}
		at, err := wsrf.ParseTime(s)
		if err != nil {
			r.value(e, err)
			return
		}
		*to = at
	}
}

// value records why a text is not the value it should be.
func (r *Reader) value(e *etree.Element, err error) {
	var bad *wsrf.ValueError
	if !errors.As(err, &bad) {
		r.Adopt(e, err)
		return
	}
	r.Fail(e, bad.Expected, bad.Hint, "%q %s", bad.Value, bad.Reason)
}
