package wsrf

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

func TestParseDuration(t *testing.T) {
	tests := map[string]time.Duration{
		"PT1800S":                  30 * time.Minute,
		"PT2H30M":                  150 * time.Minute,
		"P1D":                      24 * time.Hour,
		"P1DT1S":                   24*time.Hour + time.Second,
		"PT0S":                     0,
		"P0D":                      0,
		" PT1M\n":                  time.Minute,
		"PT1.5S":                   1500 * time.Millisecond,
		"PT0.000000001S":           1,
		"PT0.0000000019S":          1,
		"P1DT2H3M4.005S":           26*time.Hour + 3*time.Minute + 4005*time.Millisecond,
		"PT9223372036S":            9223372036 * time.Second,
		"PT9223372036.854775807S":  math.MaxInt64,
		"PT000000000000000000001M": time.Minute,
	}
	for text, want := range tests {
		if got, err := ParseDuration(text); got != want || err != nil {
			t.Errorf("%s is %v, %v; want %v", text, got, err, want)
		}
	}
}

func TestParseDurationRefuses(t *testing.T) {
	tests := map[string]string{ // to a part of the reason
		"":                        "not a duration",
		"P":                       "no length",
		"PT":                      "no length",
		"P1DT":                    "no length",
		"1800":                    "not a duration",
		"PT1800":                  "not a duration",
		"PT1800s":                 "not a duration",
		"PTS":                     "not a duration",
		"P1S":                     "not a duration",
		"PT1D":                    "not a duration",
		"PT1M2H":                  "not a duration",
		"PT1S1S":                  "not a duration",
		"PT1.5M":                  "not a duration",
		"PT1.S":                   "not a duration",
		"PT.5S":                   "not a duration",
		"PT1.5.5S":                "not a duration",
		"PT-1S":                   "not a duration",
		"PT1S ago":                "not a duration",
		"+PT1S":                   "not a duration",
		"-PT1S":                   "negative",
		"P1Y":                     "holds years",
		"P1M":                     "holds months",
		"P0M":                     "holds months",
		"P1Y2M3DT4H":              "holds years",
		"PT9223372037S":           "too long",
		"PT9223372036.854775808S": "too long",
		"P106752D":                "too long",
		"PT99999999999999999999H": "too long",
		"PT2562047H48M":           "too long",
		"PT１S":                    "not a duration",
	}
	for text, want := range tests {
		_, err := ParseDuration(text)
		var value *ValueError
		if !errors.As(err, &value) || !strings.Contains(value.Reason, want) ||
			value.Expected == "" {
			t.Errorf("%q gives %v, want something with %q", text, err, want)
		}
	}
}

func TestFormatDuration(t *testing.T) {
	tests := map[time.Duration]string{
		0:                       "PT0S",
		30 * time.Minute:        "PT1800S",
		14 * 24 * time.Hour:     "PT1209600S",
		1500 * time.Millisecond: "PT1.5S",
		1005 * time.Millisecond: "PT1.005S",
		time.Microsecond:        "PT0S",
		-time.Second:            "-PT1S",
	}
	for d, want := range tests {
		if got := FormatDuration(d); got != want {
			t.Errorf("%v is written %s, want %s", d, got, want)
		}
	}
}

func TestParseTime(t *testing.T) {
	noon := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	tests := map[string]time.Time{
		"2026-01-31T12:00:00Z":          noon,
		"2026-01-31T12:00:00":           noon,
		" 2026-01-31T13:00:00+01:00\n":  noon,
		"2026-01-31T12:00:00.250Z":      noon.Add(250 * time.Millisecond),
		"2026-01-31T12:00:00.2509999Z":  noon.Add(250 * time.Millisecond),
		"2026-01-31T12:00:00.25":        noon.Add(250 * time.Millisecond),
		"2026-01-31T07:00:00.000-05:00": noon,
		"2026-02-01T02:00:00+14:00":     noon,
		"2026-01-30T24:00:00Z":          noon.Add(-12 * time.Hour),
		"2026-12-31T24:00:00.000Z":      time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC),
		"9999-12-31T23:59:59Z":          time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
	}
	for text, want := range tests {
		got, err := ParseTime(text)
		if err != nil || !got.Equal(want) || got.Location() != time.UTC {
			t.Errorf("%q is %v, %v; want %v", text, got, err, want)
		}
	}
}

func TestParseTimeRefuses(t *testing.T) {
	for _, text := range []string{
		"", "now", "2026-01-31", "12:00:00", "2026-02-30T12:00:00Z", "2026-01-31 12:00:00Z",
		"2026-01-31T12:00Z", "2026-01-31T12:00:00,5Z", "26-01-31T12:00:00Z",
		"-0001-01-01T00:00:00Z",
		"2026-01-31T25:00:00Z", "2026-01-31T12:00:00ZZ", strings.Repeat("9", 1000),
		"2026-01-31T1:00:00Z", "2026-01-31T12:00:00+14:01", "2026-01-31T12:00:00+24:00",
		"2026-01-31T12:00:00+0100", "2026-01-31T24:00:01Z", "2026-01-31T12:00:60Z",
		"2026-01-31T12:00:00.Z", "2026-01-31t12:00:00z", "10000-01-01T00:00:00Z",
		"0000-12-31T00:00:00Z", "0001-01-01T00:00:00+14:00",
		"9999-12-31T24:00:00Z", "9999-12-31T23:59:59-14:00",
	} {
		got, err := ParseTime(text)
		var value *ValueError
		if !errors.As(err, &value) || len(err.Error()) > 200 {
			t.Errorf("%q is %v, %v", text, got, err)
		}
	}
}

func TestFormatTime(t *testing.T) {
	at := time.Date(2026, 1, 31, 13, 0, 0, 7_999_999, time.FixedZone("", 3600))
	if got := FormatTime(at); got != "2026-01-31T12:00:00.007Z" {
		t.Errorf("it is written %s", got)
	}
}

// FuzzDuration checks that no text makes the reader panic, that no accepted
// one is negative, and that what it reads is written and read the same.
func FuzzDuration(f *testing.F) {
	for _, text := range []string{"PT1800S", "PT2H30M", "P1DT0.5S", "P1Y", "-PT1S",
		"PT9223372036.9S",
		"P", "PT", "P1DT", "PT1.S", "PT99999999999999999999S", "P1D", "PT0S", "P0D", "PT1M2H",
		"PT.5S",
		"P1DT2H3M4.005S", " PT1M\n", "+PT1S", "1800", "PT1800s", "PT1.000000000000001S"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ParseDuration(text)
		if err != nil {
			var value *ValueError
			if !errors.As(err, &value) {
				t.Fatalf("error of another type: %v", err)
			}
			return
		}
		again, err := ParseDuration(FormatDuration(d))
		if d < 0 || err != nil || again != d.Truncate(time.Millisecond) {
			t.Fatalf("%q is %v, written %s and read %v, %v", text, d, FormatDuration(d), again, err)
		}
	})
}

// TestLongPastIsNotNever refuses the one moment that stands for no time here:
// asking for it must not mean asking for no end.
func TestLongPastIsNotNever(t *testing.T) {
	doc, err := xmlstrict.Parse([]byte(`<SetTerminationTime xmlns="`+schema.Lifetime+
		`"><RequestedTerminationTime>0001-01-01T00:00:00Z</RequestedTerminationTime>`+
		`</SetTerminationTime>`), xmlstrict.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	if at, err := Draft.ParseSetTerminationTime(doc, doc.Root); err == nil {
		t.Errorf("it is read as %v", at)
	}
}
