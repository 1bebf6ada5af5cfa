package main

import (
	"testing"
	"time"
	_ "time/tzdata" // Berlin, also where no zones are installed
)

// TestEnds reads ends of what begins on Friday, at nine.
func TestEnds(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.FixedZone("here", 3600))
	begin := time.Date(2026, 11, 27, 8, 0, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"17:00": "2026-11-27T16:00:00Z", "08:00": "2026-11-28T07:00:00Z",
		"mon 08:00": "2026-11-30T07:00:00Z", "Friday 10:00": "2026-11-27T09:00:00Z",
		"tomorrow 17:00": "2026-11-23T16:00:00Z", "+2h": "2026-11-22T13:00:00Z",
	} {
		if got, err := parseEnd(text, begin, now); err != nil ||
			got.Format(time.RFC3339) != want {
			t.Errorf("%s: %v, %v; want %s", text, got, err, want)
		}
	}
}

func TestMoments(t *testing.T) {
	here := time.FixedZone("here", 3600)
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, here)
	tests := []struct{ text, want string }{
		{"2026-11-22T18:30:00Z", "2026-11-22T18:30:00Z"},
		{"2026-11-22T18:30:00+02:00", "2026-11-22T16:30:00Z"},
		{"2026-11-22 18:30", "2026-11-22T17:30:00Z"},
		{"2026-11-23", "2026-11-22T23:00:00Z"},
		{"18:30", "2026-11-22T17:30:00Z"},
		{"11:59", "2026-11-23T10:59:00Z"},
		{"12:00", "2026-11-23T11:00:00Z"},
		{"now", "2026-11-22T11:00:00Z"},
		{"+2h", "2026-11-22T13:00:00Z"},
		{"+ 1d", "2026-11-23T11:00:00Z"},
		{"tomorrow 09:00", "2026-11-23T08:00:00Z"},
		{"  tomorrow   9:00 ", "2026-11-23T08:00:00Z"},
		{"Tomorrow", "2026-11-22T23:00:00Z"},
		{"today 18:30:15", "2026-11-22T17:30:15Z"},
		{"today 09:00", "2026-11-22T08:00:00Z"}, // past, and refused by who needs what is to come
		{"sunday 13:00", "2026-11-22T12:00:00Z"},
		{"sun 11:00", "2026-11-29T10:00:00Z"},
		{"Mon 09:00", "2026-11-23T08:00:00Z"},
		{"sat", "2026-11-27T23:00:00Z"},
		{"2026-11-22T18:30", "2026-11-22T17:30:00Z"},
		{"2026-11-22 18:30:00 UTC", "2026-11-22T18:30:00Z"},
		{"2026-11-22 18:30 -05:00", "2026-11-22T23:30:00Z"},
		{"noon", ""}, {"", ""}, {"25:00", ""}, {"+", ""}, {"+soon", ""}, {"tomorrow at nine", ""},
		{"18:30 tomorrow", ""}, {"mond 09:00", ""}, {"-2h", ""}, {"2026-02-30", ""},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			got, err := parseMoment(test.text, now)
			if test.want == "" {
				if err == nil {
					t.Errorf("%s, expected an error", got)
				}
				return
			}
			if err != nil || got.Format(time.RFC3339) != test.want {
				t.Errorf("%s, %v, expected %s", got.Format(time.RFC3339), err, test.want)
			}
		})
	}
}

// TestMomentsWhereClocksAreChanged asks for times of the days on which the
// clocks of Berlin are put forward and back.
func TestMomentsWhereClocksAreChanged(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 28, 12, 0, 0, 0, berlin)
	if at, err := parseMoment("tomorrow 02:30", now); err == nil {
		t.Errorf("a time that the clocks skip became %s", at)
	}
	tests := []struct{ text, want string }{
		{"tomorrow 03:30", "2026-03-29T01:30:00Z"},
		{"tomorrow", "2026-03-28T23:00:00Z"},
		{"mon", "2026-03-29T22:00:00Z"},
		{"2026-10-25 03:30", "2026-10-25T02:30:00Z"},
	}
	for _, test := range tests {
		at, err := parseMoment(test.text, now)
		if err != nil || at.Format(time.RFC3339) != test.want {
			t.Errorf("%s: %s, %v, expected %s", test.text, at, err, test.want)
		}
	}
}

func TestMomentsCanBeReadAgain(t *testing.T) {
	defer func(zone *time.Location) { time.Local = zone }(time.Local)
	at := time.Date(2026, 11, 22, 18, 30, 15, 0, time.UTC)
	for _, offset := range []int{0, 3600, -5 * 3600, 5*3600 + 1800} {
		time.Local = time.FixedZone("X", offset)
		got, err := parseMoment(moment(&at), time.Now())
		if err != nil || !got.Equal(at) {
			t.Errorf("%q was read as %s, %v", moment(&at), got, err)
		}
	}
}

func FuzzMoment(f *testing.F) {
	for _, seed := range []string{
		"+2h", "tomorrow 09:00", "mon", "18:30", "2026-11-22T18:30:00Z", "now", "2026-01-01",
	} {
		f.Add(seed)
	}
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.FixedZone("here", 3600))
	f.Fuzz(func(t *testing.T, text string) {
		at, err := parseMoment(text, now)
		if err == nil && at.Location() != time.UTC {
			t.Errorf("%q became %s, which is not in UTC", text, at)
		}
	})
}
