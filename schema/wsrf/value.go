package wsrf

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// timeLayout is how times are written: UTC with milliseconds.
const timeLayout = "2006-01-02T15:04:05.000Z"

// FormatTime returns t as an xs:dateTime in UTC with milliseconds.
func FormatTime(t time.Time) string { return t.UTC().Format(timeLayout) }

// timeForm is an xs:dateTime of the years 1 to 9999: date, time of day, zone.
var timeForm = regexp.MustCompile(`^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2}(?:\.\d+)?)` +
	`(Z|[+-](?:0\d|1[0-3]):[0-5]\d|[+-]14:00)?$`)

// midnight is the end of a day, which is also the beginning of the next.
var midnight = regexp.MustCompile(`^24:00:00(\.0+)?$`)

// ParseTime reads an xs:dateTime (XML Schema part 2, 3.2.7) and returns it in
// UTC, truncated to milliseconds. A time without zone is taken as UTC; years
// before 1 and after 9999 are refused. It fails with a *ValueError.
func ParseTime(text string) (time.Time, error) {
	text = xmlstrict.Trim(text)
	part := timeForm.FindStringSubmatch(text)
	if part == nil {
		return time.Time{}, badTime(text)
	}
	clock, zone := part[2], part[3]
	if zone == "" {
		zone = "Z"
	}
	day := time.Duration(0)
	if midnight.MatchString(clock) {
		clock, day = "00:00:00", 24*time.Hour
	}
	t, err := time.Parse(time.RFC3339, part[1]+"T"+clock+zone)
	t = t.Add(day).UTC().Truncate(time.Millisecond)
	if err != nil || t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}, badTime(text)
	}
	return t, nil
}

// badTime returns the error for a time.
func badTime(text string) error {
	return &ValueError{
		Value:    xmlstrict.Clip(text),
		Reason:   "is not a time",
		Expected: "a dateTime such as 2026-01-31T12:00:00Z",
	}
}

// FormatDuration returns d as an xs:duration in seconds, as the original
// writes it: PT1800S. Fractions are kept to the millisecond; a negative
// duration gets a leading minus.
func FormatDuration(d time.Duration) string {
	sign := ""
	if d < 0 {
		sign, d = "-", -d
	}
	seconds := strconv.FormatInt(int64(d/time.Second), 10)
	if ms := d % time.Second / time.Millisecond; ms > 0 {
		fraction := strconv.Itoa(1000 + int(ms))[1:]
		seconds += "." + strings.TrimRight(fraction, "0")
	}
	return sign + "PT" + seconds + "S"
}

// durationUnits are the designators of a duration in their order, and what one
// of each lasts, or how many months that is.
var durationUnits = []struct {
	designator byte
	inTime     bool // stands behind the T
	name       string
	length     time.Duration
	months     int
}{
	{'Y', false, "years", 0, 12},
	{'M', false, "months", 0, 1},
	{'D', false, "days", 24 * time.Hour, 0},
	{'H', true, "hours", time.Hour, 0},
	{'M', true, "minutes", time.Minute, 0},
	{'S', true, "seconds", time.Second, 0},
}

// ParseDuration reads an xs:duration (XML Schema part 2, 3.2.6) made of days,
// hours, minutes and seconds. It refuses years and months, whose length
// depends on the calendar, negative durations, and more than 292 years; it
// fails with a *ValueError. Fractions below the nanosecond are dropped.
func ParseDuration(text string) (time.Duration, error) {
	d := readDuration(text, false)
	return d.total, d.err
}

// parseSpanText reads an xs:duration that is counted from a known time, so
// that years and months may be in it.
func parseSpanText(text string) (months int, rest time.Duration, err error) {
	d := readDuration(text, true)
	return d.months, d.total, d.err
}

// readDuration reads an xs:duration.
func readDuration(text string, calendar bool) duration {
	d := duration{text: xmlstrict.Trim(text), calendar: calendar}
	rest, ok := strings.CutPrefix(d.text, "P")
	date, clock, timed := strings.Cut(rest, "T")
	switch {
	case strings.HasPrefix(d.text, "-P"):
		d.fail("is negative", "")
	case !ok:
		d.fail("is not a duration", "")
	case date == "" && clock == "" || timed && clock == "":
		d.fail("names no length", "")
	default:
		d.read(date, false)
		d.read(clock, true)
	}
	return d
}

// duration is the state of reading one.
type duration struct {
	text     string
	calendar bool // years and months are taken
	next     int  // the first unit that may still come
	months   int
	total    time.Duration
	err      error
}

// read reads the date or the time part.
func (d *duration) read(part string, inTime bool) {
	for part != "" && d.err == nil {
		end := strings.IndexFunc(part, func(r rune) bool {
			return r != '.' && (r < '0' || r > '9')
		})
		if end <= 0 {
			d.fail("is not a duration", "")
			return
		}
		d.add(part[:end], part[end], inTime)
		part = part[end+1:]
	}
}

// add adds one number with its designator.
func (d *duration) add(number string, designator byte, inTime bool) {
	for d.next < len(durationUnits) {
		unit := durationUnits[d.next]
		d.next++
		if unit.designator != designator || unit.inTime != inTime {
			continue
		}
		switch {
		case unit.months == 0:
			d.addUnits(number, unit.length)
		case d.calendar:
			d.addMonths(number, unit.months)
		default:
			d.fail("holds "+unit.name+", whose length is not fixed", "write it in days: P30D")
		}
		return
	}
	d.fail("is not a duration", "")
}

// maxMonths is as long as a time.Duration can be.
const maxMonths = 292 * 12

// addMonths adds number times some months.
func (d *duration) addMonths(number string, months int) {
	n, err := strconv.Atoi(number)
	switch {
	case !digits(number):
		d.fail("is not a duration", "")
	case err != nil || n > (maxMonths-d.months)/months:
		d.fail("is too long", "")
	default:
		d.months += n * months
	}
}

// addUnits adds number times unit. Only seconds may have a fraction.
func (d *duration) addUnits(number string, unit time.Duration) {
	whole, fraction, fractional := strings.Cut(number, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	switch {
	case fractional && (unit != time.Second || !digits(fraction)), !digits(whole):
		d.fail("is not a duration", "")
		return
	case err != nil || n > int64((math.MaxInt64-d.total)/unit):
		d.fail("is too long", "")
		return
	}
	d.total += time.Duration(n) * unit
	nanos := time.Duration(0)
	for i := range min(len(fraction), 9) {
		nanos += time.Duration(fraction[i]-'0') * time.Duration(math.Pow10(8-i))
	}
	if nanos > math.MaxInt64-d.total {
		d.fail("is too long", "")
		return
	}
	d.total += nanos
}

// fail says what is wrong. What was read is worth nothing then.
func (d *duration) fail(reason, hint string) {
	d.months, d.total = 0, 0
	d.err = &ValueError{
		xmlstrict.Clip(d.text), reason, "a duration such as PT2H30M or P1D", hint,
	}
}

// digits tells whether s is made of digits, at least one.
func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
