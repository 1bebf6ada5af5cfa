package document

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"pgregory.net/rapid"

	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// root parses a text and returns a reader with its root.
func root(t *testing.T, text string) (*Reader, *etree.Element) {
	t.Helper()
	doc, err := xmlstrict.Parse([]byte(text), xmlstrict.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	return NewReader(doc, "sample"), doc.Root
}

func name(local string) xmlstrict.Name { return xmlstrict.Name{Local: local} }

// TestSequence reads the same sequence from well and badly made elements.
func TestSequence(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"all", "<r><a>1</a><b>2</b><c>3</c><c>4</c></r>", ""},
		{"least", "<r><a>1</a><c>3</c></r>", ""},
		{"spaces", "<r>\n <a> 1 </a>\n <c>3</c>\n</r>", ""},
		{"nothing", "<r/>", "a is missing"},
		{"none of many", "<r><a>1</a><b>2</b></r>", "c is missing"},
		{"passed over", "<r><c>3</c></r>", "a is missing"},
		{"out of order", "<r><c>3</c><a>1</a></r>", "c is out of order"},
		{"late", "<r><a>1</a><c>3</c><b>2</b></r>", "b is out of order"},
		{"repeated", "<r><a>1</a><a>1</a><c>3</c></r>", "a is repeated"},
		{"too many", "<r><a>1</a><c>3</c><c>4</c><c>5</c></r>",
			"c is repeated (expected at most 2)"},
		{"long", "<r><a>" + strings.Repeat("1", 4097) + "</a><c>3</c></r>", "a has 4097 bytes"},
		{"unknown", "<r><a>1</a><d/><c>3</c></r>", "element d is unknown here"},
		{"unknown at the end", "<r><a>1</a><c>3</c><d/></r>", "element d is unknown here"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, e := root(t, tt.text)
			var a, b string
			var c []string
			r.Sequence(e, []Field{
				One(name("a"), r.Word(&a)),
				Optional(name("b"), r.Word(&b)),
				Many(1, name("c"), r.Words(&c)).Most(2),
			})
			if tt.want == "" && (r.Err() != nil || a != "1" || c[0] != "3") {
				t.Errorf("got %q, %q, %q, %v", a, b, c, r.Err())
			}
			if tt.want != "" && (r.Err() == nil || !strings.Contains(r.Err().Error(), tt.want)) {
				t.Errorf("got %v, want %s", r.Err(), tt.want)
			}
		})
	}
}

func TestFirstErrorStays(t *testing.T) {
	r, e := root(t, "<r/>")
	r.Fail(e, "something", "do it", "the first")
	r.Fail(e, "", "", "the second")
	r.Adopt(e, errors.New("the third"))
	var bad *xmlstrict.ContentError
	if !errors.As(r.Err(), &bad) || bad.Err.Error() != "the first" || bad.Hint != "do it" ||
		bad.Document != "sample" || bad.Path != "/r" || bad.Line != 1 {
		t.Errorf("got %#v", r.Err())
	}
}

func TestAdopt(t *testing.T) {
	r, e := root(t, "<r/>")
	cause := errors.New("no such thing")
	r.Adopt(e, nil)
	if r.Failed() {
		t.Error("adopting nothing is a failure")
	}
	r.Adopt(e, cause)
	var bad *xmlstrict.ContentError
	if !errors.As(r.Err(), &bad) || bad.Path != "/r" || !errors.Is(bad, cause) {
		t.Errorf("got %#v", r.Err())
	}
	r, e = root(t, "<r/>")
	r.Adopt(e, &xmlstrict.ContentError{Path: "/elsewhere", Line: 7, Err: cause})
	if !errors.As(r.Err(), &bad) || bad.Path != "/elsewhere" || bad.Document != "sample" {
		t.Errorf("got %#v", r.Err())
	}
}

func TestValues(t *testing.T) {
	var flag bool
	var n int
	var f float64
	var d time.Duration
	var at time.Time
	type reads = func(*etree.Element)
	tests := []struct {
		name, text string
		read       func(*Reader) reads
		value      func() any
		want       any // of type error: its text
	}{
		{"true", "true", func(r *Reader) reads { return r.Bool(&flag) },
			func() any { return flag }, true},
		{"zero", " 0 ", func(r *Reader) reads { return r.Bool(&flag) },
			func() any { return flag }, false},
		{"yes", "yes", func(r *Reader) reads { return r.Bool(&flag) },
			nil, errors.New(`"yes" is not a truth value`)},
		{"number", "7", func(r *Reader) reads { return r.Int(&n, 1, 9) },
			func() any { return n }, 7},
		{"number too large", "10", func(r *Reader) reads { return r.Int(&n, 1, 9) },
			nil, errors.New(`"10" is out of range`)},
		{"double", "2.5E2", func(r *Reader) reads { return r.Double(&f) },
			func() any { return f }, 250.0},
		{"double too large", "1e999", func(r *Reader) reads { return r.Double(&f) },
			nil, errors.New(`"1e999" is not a finite number`)},
		{"duration", "P1DT1.0015S", func(r *Reader) reads {
			return r.Duration(&d, false)
		}, func() any { return d }, 24*time.Hour + 1001*time.Millisecond},
		{"duration shorter than a millisecond", "PT0.0001S",
			func(r *Reader) reads { return r.Duration(&d, false) },
			nil, errors.New("is no time at all")},
		{"no duration", "PT0S", func(r *Reader) reads { return r.Duration(&d, true) },
			func() any { return d }, time.Duration(0)},
		{"time", "2026-11-22T01:00:00+01:00",
			func(r *Reader) reads { return r.Time(&at) },
			func() any { return at }, time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)},
		{"not a time", "tomorrow", func(r *Reader) reads { return r.Time(&at) },
			nil, errors.New(`"tomorrow" is not a time`)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, e := root(t, "<r>"+tt.text+"</r>")
			tt.read(r)(e)
			if want, failing := tt.want.(error); failing {
				if r.Err() == nil || !strings.Contains(r.Err().Error(), want.Error()) {
					t.Errorf("got %v, want %v", r.Err(), want)
				}
				return
			}
			if got := tt.value(); r.Err() != nil || got != tt.want {
				t.Errorf("got %v, %v; want %v", got, r.Err(), tt.want)
			}
		})
	}
}

// TestDoubles writes any finite number and reads it again.
func TestDoubles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.Float64().Draw(t, "number")
		text := FormatDouble(want)
		got, err := ParseDouble(text)
		if err != nil || got != want || !strings.Contains(text, ".") {
			t.Errorf("%v became %q and then %v: %v", want, text, got, err)
		}
	})
}
