package xmlstrict

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// nested returns n elements inside one another.
func nested(n int) string {
	return strings.Repeat("<a>", n) + strings.Repeat("</a>", n)
}

// attributed returns an element with n attributes.
func attributed(n int) string {
	var b strings.Builder
	b.WriteString("<a")
	for i := range n {
		fmt.Fprintf(&b, " x%d=''", i)
	}
	return b.String() + "/>"
}

// declaring returns nested elements with n namespace declarations in all.
func declaring(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "<a xmlns:p%d='u'>", i)
	}
	return b.String() + strings.Repeat("</a>", n)
}

// text returns an element with n bytes of text.
func text(n int) string { return "<a>" + strings.Repeat("x", n) + "</a>" }

// limited are the limits, each with a maker of documents that reach it.
var limited = map[string]struct {
	limits Limits
	make   func(n int) string
	limit  int
	reason string
}{
	"bytes": {Limits{Bytes: 100}, func(n int) string { return text(n - 7) }, 100,
		"larger than 100"},
	"depth": {Limits{}, nested, 64, "nested more than 64"},
	"text":  {Limits{}, text, 256 << 10, "longer than"},
	"tokens": {Limits{Tokens: 10}, func(n int) string {
		return "<a>" + strings.Repeat("<b/>",
			n-2) + "</a>"
	}, 10, "more than 10 tokens"},
	"comments are tokens": {Limits{Tokens: 10},
		func(n int) string {
			return "<a/>" + strings.Repeat("<!---->",
				n-1)
		}, 10, "more than 10 tokens"},
	"CDATA in pieces": {Limits{Text: 10},
		func(n int) string {
			return "<a>" + strings.Repeat("<![CDATA[x]]>", n) +
				"</a>"
		}, 10, "longer than 10"},
	"references in pieces": {Limits{Text: 10},
		func(n int) string {
			return "<a>" + strings.Repeat("&lt;", n) +
				"</a>"
		}, 10, "longer than 10"},
	"attribute value": {Limits{},
		func(n int) string {
			return "<a x='" + strings.Repeat("x", n) +
				"'/>"
		}, 256 << 10, "longer than"},
	"attributes":   {Limits{}, attributed, 64, "more than 64 attributes"},
	"declarations": {Limits{Namespaces: 10}, declaring, 10, "more than 10 namespaces"},
	"element name": {Limits{},
		func(n int) string {
			return "<" + strings.Repeat("x", n) +
				"/>"
		}, 256, "longer than 256"},
	"attribute name": {Limits{},
		func(n int) string {
			return "<a " + strings.Repeat("x", n) +
				"=''/>"
		}, 256, "longer than 256"},
	"attributes when nested": {Limits{Attributes: 2},
		func(n int) string {
			return strings.Repeat("<a x='' y=''>", n) +
				strings.Repeat("</a>", n)
		},
		4, "more than 8 attributes together"},
}

// TestLimits checks each limit from both sides: what just fits is accepted,
// one more is refused.
func TestLimits(t *testing.T) {
	for name, tt := range limited {
		t.Run(name, func(t *testing.T) {
			if _, err := Parse([]byte(tt.make(tt.limit)), tt.limits); err != nil {
				t.Errorf("what just fits is refused: %v", err)
			}
			_, err := Parse([]byte(tt.make(tt.limit+1)), tt.limits)
			var syntax *SyntaxError
			if !errors.As(err, &syntax) || !strings.Contains(syntax.Reason, tt.reason) {
				t.Errorf("one more gives %v, want a reason with %q", err, tt.reason)
			}
		})
	}
}

// TestBombs checks that documents made to exhaust a reader are refused, or
// cost no more memory than a fixed multiple of the document's limit.
func TestBombs(t *testing.T) {
	tests := map[string]string{
		"nested a million deep":      strings.Repeat("<a>", 1_000_000),
		"200,000 attributes":         attributed(200_000),
		"declarations":               declaring(10_000),
		"10 MB attribute":            "<a x='" + strings.Repeat("x", 10<<20) + "'/>",
		"300,000 siblings":           "<a>" + strings.Repeat("<b/>", 300_000) + "</a>",
		"ampersands":                 "<a>" + strings.Repeat("&", 1<<20-8) + "</a>",
		"blank comments":             "<a>" + strings.Repeat("<!----> ", 131_000) + "</a>",
		"unfinished comments":        "<a>" + strings.Repeat("<!-", 300_000),
		"elements as dear as can be": "<a>" + strings.Repeat("<b x=''/>", 99_000) + "</a>",
	}
	for name, document := range tests {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			data := []byte(document)
			runtime.ReadMemStats(&before)
			_, _ = Parse(data, Limits{})
			runtime.ReadMemStats(&after)
			const most = 64 << 20
			if used := after.TotalAlloc - before.TotalAlloc; used > most {
				t.Errorf("it takes %d bytes, want at most %d", used, most)
			}
		})
	}
}

func TestWithDefaults(t *testing.T) {
	if got := (Limits{}).withDefaults(); got != DefaultLimits() {
		t.Errorf("zero limits become %+v", got)
	}
	if got := (Limits{Depth: 3, Text: -1}).withDefaults(); got.Depth != 3 || got.Text != 256<<10 {
		t.Errorf("given limits become %+v", got)
	}
}
