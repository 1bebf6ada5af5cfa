package main

import (
	"fmt"
	"strings"
	"time"
)

// instantLayouts are ways of writing a point in time that name their zone, and
// localLayouts those that mean local time. What moment writes can be read again.
var (
	instantLayouts = []string{
		time.RFC3339Nano, "2006-01-02T15:04Z07:00",
		"2006-01-02 15:04:05 Z07:00", "2006-01-02 15:04 Z07:00",
	}
	localLayouts = []string{
		"2006-01-02T15:04:05", "2006-01-02T15:04",
		"2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02",
	}
)

// momentExamples show what can be written, for those who wrote something else.
const momentExamples = "such as 18:30, +2h, tomorrow 09:00, mon 09:00, 2006-01-02 18:30 or " +
	"2006-01-02T18:30:00Z"

// parseMoment reads a point in time: RFC 3339; a date with or without a time, in
// local time; a time of day, which means the next one; today, tomorrow or a day
// of the week, with or without a time; now, or a length of time from now. Local
// is what now is in.
func parseMoment(text string, now time.Time) (time.Time, error) {
	text = strings.Join(strings.Fields(text), " ")
	if text == "now" {
		return now.UTC(), nil
	}
	if length, ok := strings.CutPrefix(text, "+"); ok {
		d, err := parseSpan(strings.TrimSpace(length))
		return now.Add(d).UTC(), err
	}
	instant := strings.Replace(text, " UTC", " Z", 1)
	for _, layout := range instantLayouts {
		if at, err := time.Parse(layout, instant); err == nil {
			return at.UTC(), nil
		}
	}
	at, err := parseLocal(text, now)
	if err != nil {
		return time.Time{}, err
	}
	return at.UTC(), nil
}

// parseEnd reads a point in time that ends what begins at another: of what begins
// on a later day than this a time of day and a day of the week are the next from
// that on. All else is as parseMoment has it.
func parseEnd(text string, begin, now time.Time) (time.Time, error) {
	day, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(text)), " ")
	_, err := parseClock(day)
	_, step, _ := dayOf(day, now)
	local := begin.In(now.Location())
	later := local.After(now) && (local.YearDay() != now.YearDay() || local.Year() != now.Year())
	if (err == nil || step == 7) && later {
		now = local
	}
	return parseMoment(text, now)
}

// parseLocal reads a point in time that does not name its zone.
func parseLocal(text string, now time.Time) (time.Time, error) {
	for _, layout := range localLayouts {
		if at, err := time.Parse(layout, text); err == nil {
			return inZone(at, now.Location())
		}
	}
	day, clock, both := strings.Cut(text, " ")
	if !both && strings.Contains(text, ":") {
		day, clock = "", text
	}
	if clock == "" {
		clock = "00:00"
	}
	hour, err := parseClock(clock)
	first, step, known := dayOf(strings.ToLower(day), now)
	if err != nil || !known || text == "" {
		return time.Time{}, fmt.Errorf("%q is not a time, expected %s", clip(text), momentExamples)
	}
	at, err := inZone(first.Add(hour), now.Location())
	if err == nil && step > 0 && !at.After(now) {
		return inZone(first.AddDate(0, 0, step).Add(hour), now.Location())
	}
	return at, err
}

// parseClock reads a time of day as the time since midnight.
func parseClock(text string) (time.Duration, error) {
	for _, layout := range []string{"15:04", "15:04:05"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.Sub(at.Truncate(24 * time.Hour)), nil
		}
	}
	return 0, fmt.Errorf("%q is not a time of day", text)
}

// dayOf returns the midnight, written as in UTC, of the day that a word names,
// and in how many days the word means the next one when the time has passed: 0
// where it means that day alone.
func dayOf(word string, now time.Time) (midnight time.Time, step int, known bool) {
	today := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, time.UTC)
	switch word {
	case "":
		return today, 1, true
	case "today":
		return today, 0, true
	case "tomorrow":
		return today.AddDate(0, 0, 1), 0, true
	}
	for i := range 7 {
		at := today.AddDate(0, 0, i)
		if name := strings.ToLower(at.Weekday().String()); word == name || word == name[:3] {
			return at, 7, true
		}
	}
	return time.Time{}, 0, false
}

// inZone reads the clock time of at, which is written as in UTC, as that of a
// zone. It refuses those that the zone's clocks skip, as they do in spring.
func inZone(at time.Time, zone *time.Location) (time.Time, error) {
	local := time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), at.Second(),
		at.Nanosecond(), zone)
	if local.Hour() != at.Hour() || local.Minute() != at.Minute() {
		return time.Time{}, fmt.Errorf("there is no %s in local time: the clocks are put forward",
			at.Format("2006-01-02 15:04"))
	}
	return local, nil
}

// moment writes a point in time for people, in local time and with its offset:
// names of zones mean different things in different places.
func moment(at *time.Time) string {
	if at == nil || at.IsZero() {
		return "-"
	}
	local := at.Local()
	if _, offset := local.Zone(); offset == 0 {
		return local.Format("2006-01-02 15:04:05 UTC")
	}
	return local.Format("2006-01-02 15:04:05 -07:00")
}
