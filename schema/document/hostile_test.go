package document

import (
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
)

// hostile are texts by what they are read as.
var hostile = map[string]struct{ taken, refused []string }{
	"word": {
		[]string{"a", "\u00e9", "\U0001f600", strings.Repeat("x", 4096)},
		[]string{"", " ", "a\tb", "a\nb", "a&#13;b", "a\u0085b", "a\u009b31mb", "a\u007fb",
			"a\u2028b", "a\u2029b", "a\u202eb", "a\u2066b", strings.Repeat("x", 4097)},
	},
	"uri": {
		[]string{"file://a", "http://[::1]:80/", "urn:x:y", "HTTP://H/%C3%A9"},
		[]string{"a", "/a", "//h/a", "#a", "::", "http://[::1", "http://h:port/", "http://h/%zz",
			"http://h/##", "http://h/a\nb", "1http://h"},
	},
	"number": {
		[]string{"0", "+1", "-0", "007", " 5 ", "2147483647"},
		[]string{"-1", "2147483648", "1.0", "1e3", "0x10", "1_000", "1 0", "\u0661", "NaN", "--1",
			strings.Repeat("9", 4096)},
	},
	"amount": {
		[]string{"0", "-1", "+1.5e3", "1.", ".5", "1e308", "1e-400", "-0"},
		[]string{"NaN", "INF", "-INF", "+INF", "Infinity", "1e309", "0x1p-2", "1_0", "1,5", ".",
			"e5", "1e", "\u0661"},
	},
	"duration": {
		[]string{"PT0S", "P0D", "P1DT0.5S", "P106751D", "PT1.999999999999S"},
		[]string{"P", "PT", "P1DT", "-P1D", "-P0D", "+P1D", "P1Y", "P1M", "P106752D", "PT1H30",
			"PT1M1H", "P1H", "P1W", "pt1s", "PT1.5H", "PT1.S",
			"PT" + strings.Repeat("9", 99) + "S"},
	},
	"time": {
		[]string{"0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2024-02-29T24:00:00+14:00"},
		[]string{"0000-01-01T00:00:00Z", "-0001-01-01T00:00:00Z", "10000-01-01T00:00:00Z",
			"2026-02-29T00:00:00Z", "2026-01-31T24:00:01Z", "2026-01-31T23:59:60Z",
			"2026-01-31T12:00:00+14:01", "2026-01-31T12:00:00 Z", "now"},
	},
	"flag": {
		[]string{"true", "false", "1", "0", " true "},
		[]string{"TRUE", "yes", "2", "", "true false"},
	},
}

// TestHostileValues reads what somebody might try.
func TestHostileValues(t *testing.T) {
	var (
		word, uri string
		number    int
		amount    float64
		span      time.Duration
		at        time.Time
		flag      bool
	)
	type reads = func(*etree.Element)
	kinds := map[string]func(*Reader) reads{
		"word":     func(r *Reader) reads { return r.Word(&word) },
		"uri":      func(r *Reader) reads { return r.URI(&uri) },
		"number":   func(r *Reader) reads { return r.Int(&number, 0, 1<<31-1) },
		"amount":   func(r *Reader) reads { return r.Double(&amount) },
		"duration": func(r *Reader) reads { return r.Duration(&span, true) },
		"time":     func(r *Reader) reads { return r.Time(&at) },
		"flag":     func(r *Reader) reads { return r.Bool(&flag) },
	}
	for kind, tt := range hostile {
		for want, texts := range map[bool][]string{true: tt.taken, false: tt.refused} {
			for _, text := range texts {
				r, e := root(t, "<r>"+text+"</r>")
				kinds[kind](r)(e)
				if taken := r.Err() == nil; taken != want {
					t.Errorf("%s %.60q: taken %v, %v", kind, text, taken, r.Err())
				}
				if err := r.Err(); err != nil && len(err.Error()) > 400 {
					t.Errorf("%s %.60q: a message of %d bytes", kind, text, len(err.Error()))
				}
			}
		}
	}
}
