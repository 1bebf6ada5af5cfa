package calendar

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// sunday is 2026-11-22, 06:00.
var sunday = time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)

// window returns one of so many hours from sunday on.
func window(hours int, rule string) workspace.Window {
	return workspace.Window{
		Start: sunday, End: sunday.Add(time.Duration(hours) * time.Hour), Rule: rule}
}

// written returns the spans as day and hour, such as "22 06-07".
func written(spans []Span) string {
	var all []string
	for _, s := range spans {
		all = append(all, s.Start.Format("02T15")+"-"+s.End.Format("02T15"))
	}
	return strings.Join(all, " ")
}

func TestSpans(t *testing.T) {
	for _, tt := range []struct {
		name, rule     string
		hours          int
		from, forHours int // after sunday
		want           string
	}{
		{"once", "", 2, 0, 9, "22T06-22T08"},
		{"once, half over", "", 2, 1, 9, "22T06-22T08"},
		{"once, over", "", 2, 2, 9, ""},
		{"once, later", "", 2, -9, 9, ""},
		{"daily", "FREQ=DAILY", 1, 0, 50, "22T06-22T07 23T06-23T07 24T06-24T07"},
		{"begun before", "FREQ=DAILY", 30, 25, 1, "22T06-24T12"},
		{"touching", "FREQ=DAILY", 24, 0, 49, "22T06-25T06"},
		{"weekdays", "RRULE:FREQ=WEEKLY;BYDAY=MO,TH", 12, 0, 200,
			"23T06-23T18 26T06-26T18 30T06-30T18"},
		{"lower case", "freq=weekly;byday=mo", 12, 0, 100, "23T06-23T18"},
		{"counted", "FREQ=DAILY;COUNT=2", 1, 0, 500, "22T06-22T07 23T06-23T07"},
		{"until", "FREQ=DAILY;UNTIL=20261123T060000Z", 1, 0, 500, "22T06-22T07 23T06-23T07"},
		{"hours", "FREQ=DAILY;BYHOUR=1,9", 1, 0, 24, "22T09-22T10 23T01-23T02"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			from := sunday.Add(time.Duration(tt.from) * time.Hour)
			spans, err := Spans(window(tt.hours, tt.rule), from,
				from.Add(time.Duration(tt.forHours)*time.Hour))
			if got := written(spans); err != nil || got != tt.want {
				t.Errorf("spans are %q (%v), want %q", got, err, tt.want)
			}
		})
	}
}

func TestSpansKeepMilliseconds(t *testing.T) {
	w := workspace.Window{Start: sunday.Add(123 * time.Millisecond), Rule: "FREQ=DAILY",
		End: sunday.Add(time.Second)}
	spans, err := Spans(w, sunday, sunday.Add(time.Hour))
	if err != nil || len(spans) != 1 || spans[0] != (Span{w.Start, w.End}) {
		t.Errorf("spans are %v (%v)", spans, err)
	}
}

func TestCheck(t *testing.T) {
	for _, tt := range []struct {
		name string
		w    workspace.Window
		want string // of the refusal; empty: none
	}{
		{"once", window(1, ""), ""},
		{"weekly", window(1, "FREQ=WEEKLY"), ""},
		{"leap years", window(1, "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29"), ""},
		{"no start", workspace.Window{End: sunday}, "needs a start and an end"},
		{"backwards", window(-1, ""), "at 2026-11-22T05:00:00Z, which is not after its start"},
		{"empty", window(0, ""), "not after its start"},
		{"past", workspace.Window{Start: sunday.Add(-time.Hour), End: sunday},
			"ended at 2026-11-22T06:00:00Z, which is past"},
		{"too long", window(24*367, "FREQ=DAILY"), "a year at most"},
		{"negative", workspace.Window{Start: sunday, End: sunday.Add(1),
			Left: workspace.Capacity{MemoryMB: -1}}, "less than nothing"},
		{"never", window(1, "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"),
			`the rule "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30" never fires`},
		{"over", window(1, "FREQ=DAILY;UNTIL=20250101T000000Z"), "never fires"},
		{"counted to nothing", window(1, "FREQ=DAILY;COUNT=0"), "never fires: its COUNT is 0"},
		{"not a rule", window(1, "every saturday"), "expected such as FREQ=WEEKLY;BYDAY=SA,SU"},
		{"no frequency", window(1, "BYDAY=MO"), "FREQ is required"},
		{"bad day", window(1, "FREQ=WEEKLY;BYDAY=XX"), "cannot be read"},
		{"bad month", window(1, "FREQ=YEARLY;BYMONTH=13"), "cannot be read"},
		{"hourly", window(1, "FREQ=HOURLY;INTERVAL=24;BYHOUR=3"), "use FREQ=DAILY with BYHOUR"},
		{"secondly", window(1, "FREQ=SECONDLY"), "more often than daily"},
		{"own start", window(1, "DTSTART=20260101T000000Z;FREQ=DAILY"), "has a DTSTART"},
		{"two lines", window(1, "DTSTART:20260101T000000Z\nRRULE:FREQ=DAILY"), "one line"},
		{"long", window(1, "FREQ=DAILY;BYHOUR=1"+strings.Repeat(",1", 999)), "one line"},
		{"easter", window(1, "FREQ=YEARLY;BYEASTER=1"), "not of RFC 5545"},
		{"interval 0", window(1, "FREQ=DAILY;INTERVAL=0"), "expected 1 to 1000"},
		{"interval", window(1, "FREQ=DAILY;INTERVAL=99999999"), "expected 1 to 1000"},
		{"two ends", window(1, "FREQ=DAILY;COUNT=1;UNTIL=20300101T000000Z"),
			"both COUNT and UNTIL"},
		{"too often", window(1, "FREQ=DAILY;BYHOUR=1,2,3,4,5,6,7;BYMINUTE=1,2,3,4,5,6,7"),
			"49 windows a day"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := Check(tt.w, sunday)
			if tt.want == "" && err != nil || tt.want != "" &&
				(workspace.KindOf(err) != workspace.Invalid ||
					!strings.Contains(err.Error(), tt.want)) {
				t.Errorf("Check = %v, want %q", err, tt.want)
			}
		})
	}
}

// TestSpansAreOneSchedule: whatever part of the calendar is asked for, the
// answer is that part of one schedule, rising and without overlap.
func TestSpansAreOneSchedule(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := window(rapid.IntRange(1, 80).Draw(t, "hours"), fmt.Sprint(
			"FREQ=", rapid.SampledFrom([]string{"DAILY", "WEEKLY", "MONTHLY"}).Draw(t, "frequency"),
			";INTERVAL=", rapid.IntRange(1, 3).Draw(t, "interval"),
			rapid.SampledFrom([]string{"", ";BYDAY=MO,TU", ";BYHOUR=3,15", ";COUNT=9"}).
				Draw(t, "by")))
		hour := func(name string, least, most int) time.Time {
			return sunday.Add(time.Duration(rapid.IntRange(least, most).Draw(t, name)) * time.Hour)
		}
		from := hour("from", -100, 2000)
		until := from.Add(time.Duration(rapid.IntRange(1, 500).Draw(t, "for")) * time.Hour)
		whole, err := Spans(w, sunday, sunday.Add(3000*time.Hour))
		part, err2 := Spans(w, from, until)
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		for at := from; at.Before(until); at = at.Add(time.Hour) {
			if in(whole, at) != in(part, at) {
				t.Fatalf("at %s: within %s, but of the part %s", at, written(whole), written(part))
			}
		}
		for i, s := range part {
			if !s.End.After(s.Start) || i > 0 && !s.Start.After(part[i-1].End) {
				t.Fatalf("spans are %s", written(part))
			}
		}
	})
}

// in reports whether the time is in one of the spans.
func in(spans []Span, at time.Time) bool {
	for _, s := range spans {
		if !at.Before(s.Start) && at.Before(s.End) {
			return true
		}
	}
	return false
}

func TestLeft(t *testing.T) {
	has := workspace.Capacity{CPUs: 8, MemoryMB: 100, DiskMB: 50}
	for _, tt := range []struct {
		name       string
		left, want workspace.Capacity
	}{
		{"nothing", workspace.Capacity{}, workspace.Capacity{}},
		{"what is not named is not touched", workspace.Capacity{CPUs: 2},
			workspace.Capacity{CPUs: 2, MemoryMB: 100, DiskMB: 50}},
		{"more than there is", workspace.Capacity{CPUs: 99, MemoryMB: 1},
			workspace.Capacity{CPUs: 8, MemoryMB: 1, DiskMB: 50}},
		{"a link that is not counted", workspace.Capacity{NetInKbps: 5},
			workspace.Capacity{CPUs: 8, MemoryMB: 100, DiskMB: 50, NetInKbps: 5}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Left(workspace.Window{Left: tt.left}, has); got != tt.want {
				t.Errorf("Left = %+v, want %+v", got, tt.want)
			}
		})
	}
}

func FuzzCheck(f *testing.F) {
	for _, rule := range []string{
		"FREQ=DAILY", "RRULE:FREQ=WEEKLY;BYDAY=1MO", "FREQ=YEARLY;BYSETPOS=-1"} {
		f.Add(rule)
	}
	f.Fuzz(func(t *testing.T, rule string) {
		w := window(1, rule)
		if err := Check(w, sunday); err == nil && rule != "" {
			if spans, err := Spans(w, sunday, sunday.Add(Horizon)); err != nil || len(spans) == 0 {
				t.Errorf("%q was taken and gives %d spans (%v)", rule, len(spans), err)
			}
		}
	})
}
