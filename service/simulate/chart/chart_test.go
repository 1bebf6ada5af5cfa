package chart

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
)

const minute = 60_000

func example() *Gantt {
	return &Gantt{
		Title: "Two & two <hosts>", Rows: []string{"a", "bb"}, To: 60 * minute,
		Kinds: []Kind{
			{"runs", '=', "#111111"}, {"boots", '+', "#222222"}, {"never", '!', "#333333"},
		},
		Bars: []Bar{
			{Row: 0, From: 0, To: 6 * minute, Kind: 1},
			{Row: 0, From: 6 * minute, To: 60 * minute, Label: "17", Title: `lease "17"`},
			{Row: 1, From: 30 * minute, To: 45 * minute, Label: "18"},
			{Row: 1, From: 40 * minute, To: 50 * minute, Label: "a name too long for its bar"},
			{Row: 7, From: 0, To: minute},
		},
	}
}

func TestGanttText(t *testing.T) {
	want := `Two & two <hosts>
a  |++++=17==============================
bb |                  =18=================
`
	got := example().Text(40)
	head, rest, _ := strings.Cut(got, "   |00:00")
	if !strings.HasPrefix(head, want[:len("Two & two <hosts>\na  |++++=17===")]) {
		t.Errorf("\n%s", got)
	}
	if !strings.Contains(head, "bb |                  =18=") {
		t.Errorf("the second row is not as expected:\n%s", got)
	}
	if !strings.Contains(rest, "|00:30") || !strings.HasSuffix(got, "\n= runs  + boots\n") {
		t.Errorf("the axis or the legend is not as expected:\n%s", got)
	}
	for line := range strings.Lines(got) {
		if len(strings.TrimSuffix(line, "\n")) > 40 {
			t.Errorf("more than 40 columns: %q", line)
		}
	}
}

func TestEmptyGantt(t *testing.T) {
	for _, g := range []*Gantt{{}, {Rows: []string{"x"}, Kinds: example().Kinds}} {
		if text := g.Text(10); !strings.Contains(text, "|00:00") {
			t.Errorf("no axis:\n%s", text)
		}
		wellFormed(t, SVG("", g))
	}
}

// wellFormed reads the document as XML and returns its texts.
func wellFormed(t *testing.T, svg string) string {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(svg))
	var all strings.Builder
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return all.String()
		}
		if err != nil {
			t.Fatalf("no XML: %v\n%s", err, svg)
		}
		if text, ok := token.(xml.CharData); ok {
			all.Write(text)
		}
	}
}

func TestSVGIsXMLWithTheTextsAsTheyAre(t *testing.T) {
	svg := SVG("a < b & \x00c", example(),
		&Steps{Title: "use", Steps: []Step{{0, .5}, {30 * minute, 1}}, To: 60 * minute, Most: 1},
		&Distribution{Title: "waits", Sorted: []float64{0, 5, 5, 100}, Least: 1, Name: short})
	text := wellFormed(t, svg)
	for _, want := range []string{"a < b & ", "Two & two <hosts>", `lease "17"`, "waits", "100"} {
		if !strings.Contains(text, want) {
			t.Errorf("the text lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
		t.Error("a place that is no number")
	}
}

func TestLanesKeepBarsApart(t *testing.T) {
	g := &Gantt{Bars: []Bar{
		{Row: 1, From: 0, To: 10}, {Row: 1, From: 5, To: 20}, {Row: 1, From: 10, To: 15},
		{Row: 1, From: 20, To: 30}, {Row: 0, From: 0, To: 100},
	}}
	want := []seat{{0, 2}, {1, 2}, {0, 2}, {0, 1}, {0, 1}}
	if got := g.lanes(); !slices.Equal(got, want) {
		t.Errorf("seats %v, expected %v", got, want)
	}
}

func TestMeansOfSteps(t *testing.T) {
	s := &Steps{Steps: []Step{{0, 1}, {15, 3}, {20, 0}, {35, 2}}, To: 40}
	want := []float64{1, 2, 0, 1}
	for i, got := range s.means(4) {
		if math.Abs(got-want[i]) > 1e-9 {
			t.Errorf("mean %d is %g, expected %g", i, got, want[i])
		}
	}
}

func TestClock(t *testing.T) {
	for ms, want := range map[int64]string{
		0: "00:00", 90 * minute: "01:30", 1000: "00:00:01", 26 * 60 * minute: "1d 02:00",
	} {
		if got := Clock(ms); got != want {
			t.Errorf("%d ms is %q, expected %q", ms, got, want)
		}
	}
}

func TestTicksAreFewAndInside(t *testing.T) {
	for _, span := range []int64{0, 1, 999, 60_000, 86_400_000, 1 << 40, 1 << 50} {
		all := ticks(5, 5+span, 8)
		if len(all) > 10 {
			t.Errorf("%d marks for %d ms", len(all), span)
		}
		for _, at := range all {
			if at < 5 || at > 5+span {
				t.Errorf("a mark at %d of %d ms", at, span)
			}
		}
	}
}

func TestMarksAndClock(t *testing.T) {
	g := example()
	g.Rows[1] = "a host with a long name"
	g.Marks = []Mark{{15 * minute, "now"}, {60 * minute, "the end"}}
	g.Clock = func(ms int64) string { return "T" + Clock(ms) }
	lines := strings.Split(g.Text(64), "\n")
	want := []string{
		strings.Repeat(" ", 24) + "|T00:00",
		strings.Repeat(" ", 25) + strings.Repeat(" ", 9) + "^ now",
		strings.Repeat(" ", 25) + strings.Repeat(" ", 30) + "the end ^",
	}
	for i, start := range want {
		if got := lines[3+i]; !strings.HasPrefix(got, start) {
			t.Errorf("line %d is %q, expected %q", 3+i, got, start)
		}
	}
	text := wellFormed(t, SVG("", g))
	for _, want := range []string{"now", "the end", "T00:15", "a host wi…"} {
		if !strings.Contains(text, want) {
			t.Errorf("the drawing lacks %q:\n%s", want, text)
		}
	}
}
