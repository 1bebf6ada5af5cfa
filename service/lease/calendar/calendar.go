// Package calendar says when the windows of hosts are: times in which a host
// gives less than it has, for its owner's own use or for maintenance, once or
// by a recurrence rule (RFC 5545, section 3.3.10).
//
// It must not know hosts, leases or the hour: it turns windows into spans of
// time and amounts, and its results depend on nothing but its arguments.
package calendar

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/teambition/rrule-go"

	"github.com/philoxenia/philoxenia/service/workspace"
)

const (
	// Horizon is how far a rule is followed: one that does not fire within it
	// never fires, for all that anyone can plan.
	Horizon = 5 * 366 * 24 * time.Hour

	longest     = 366 * 24 * time.Hour // of one window that recurs
	mostADay    = 48                   // windows that one rule makes
	mostText    = 512                  // bytes of a rule
	mostBetween = 1000                 // days, weeks, months or years of an INTERVAL
)

// Span is the time from Start up to but without End.
type Span struct{ Start, End time.Time }

// Check finds what is wrong with a window that is to count from now on. The
// error, of kind Invalid, tells what was expected.
func Check(w workspace.Window, now time.Time) error {
	switch {
	case w.Start.IsZero() || w.End.IsZero():
		return refuse("a window needs a start and an end")
	case !w.End.After(w.Start):
		return refuse("the window ends at %s, which is not after its start at %s",
			text(w.End), text(w.Start))
	case w.Left.CPUs < 0 || w.Left.MemoryMB < 0 || w.Left.DiskMB < 0 || w.Left.NetInKbps < 0 ||
		w.Left.NetOutKbps < 0:
		return refuse("a window cannot leave less than nothing")
	case w.Rule == "" && !w.End.After(now):
		return refuse("the window ended at %s, which is past", text(w.End))
	case w.Rule == "":
		return nil
	case w.End.Sub(w.Start) > longest:
		return refuse("a window that recurs lasts a year at most, not %s", w.End.Sub(w.Start))
	}
	spans, err := Spans(w, now, now.Add(Horizon))
	if err == nil && len(spans) == 0 {
		err = refuse("the rule %q never fires from %s on", w.Rule, text(now))
	}
	return err
}

// Spans returns when the window is between from and until, rising, those that
// touch as one. Spans that begin before from or end after until are whole. A
// rule that cannot be read is an error of kind Invalid.
func Spans(w workspace.Window, from, until time.Time) ([]Span, error) {
	if w.Rule == "" {
		if w.End.After(from) && w.Start.Before(until) {
			return []Span{{w.Start, w.End}}, nil
		}
		return nil, nil
	}
	rule, err := parse(w.Rule, w.Start)
	if err != nil {
		return nil, err
	}
	var all []Span
	length := w.End.Sub(w.Start)
	within := w.Start.Sub(w.Start.Truncate(time.Second)) // rules know whole seconds
	next := rule.Iterator()
	for at, more := next(); more; at, more = next() {
		one := Span{at.Add(within), at.Add(within + length)}
		if !one.Start.Before(until) {
			break
		}
		if one.End.After(from) {
			all = join(all, one)
		}
	}
	return all, nil
}

// join appends the span, or lengthens the last one by it.
func join(all []Span, s Span) []Span {
	if n := len(all); n > 0 && !s.Start.After(all[n-1].End) {
		all[n-1].End = later(all[n-1].End, s.End)
		return all
	}
	return append(all, s)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Left returns how much of the host leases may have in the window: what the
// window does not name is not touched, and a window that names nothing leaves
// nothing.
func Left(w workspace.Window, of workspace.Capacity) workspace.Capacity {
	if w.Left == (workspace.Capacity{}) {
		return workspace.Capacity{}
	}
	least := func(left, has int64) int64 {
		if has == 0 { // not counted
			return left
		}
		return min(cmp.Or(left, has), has)
	}
	return workspace.Capacity{
		CPUs: least(w.Left.CPUs, of.CPUs), MemoryMB: least(w.Left.MemoryMB, of.MemoryMB),
		DiskMB:     least(w.Left.DiskMB, of.DiskMB),
		NetInKbps:  least(w.Left.NetInKbps, of.NetInKbps),
		NetOutKbps: least(w.Left.NetOutKbps, of.NetOutKbps),
	}
}

// parse reads a rule that begins at start. What recurs more often than daily
// is refused: FREQ=DAILY with BYHOUR says the same, and rules of hours that
// contradict themselves would be followed for ever.
func parse(rule string, start time.Time) (*rrule.RRule, error) {
	if len(rule) > mostText || strings.ContainsAny(rule, "\r\n") {
		return nil, refuse("a rule is one line of %d characters at most", mostText)
	}
	o, err := rrule.StrToROption(strings.ToUpper(rule))
	if err != nil {
		return nil, refuse("the rule %q cannot be read: %w; "+
			"expected such as FREQ=WEEKLY;BYDAY=SA,SU", rule, err)
	}
	if err := limited(rule, o); err != nil {
		return nil, err
	}
	o.Dtstart = start.UTC().Truncate(time.Second)
	r, err := rrule.NewRRule(*o)
	if err != nil {
		return nil, refuse("the rule %q cannot be read: %w", rule, err)
	}
	return r, nil
}

// limited refuses parts that a rule of windows cannot have.
func limited(rule string, o *rrule.ROption) error {
	parts := strings.Split(strings.TrimPrefix(strings.ToUpper(rule), "RRULE:"), ";")
	has := func(key string) bool {
		is := func(p string) bool { return strings.HasPrefix(p, key+"=") }
		return slices.ContainsFunc(parts, is)
	}
	aDay := max(len(o.Byhour), 1) * max(len(o.Byminute), 1) * max(len(o.Bysecond), 1)
	switch {
	case o.Freq > rrule.DAILY:
		return refuse("the rule %q recurs more often than daily; use FREQ=DAILY with BYHOUR", rule)
	case has("DTSTART"):
		return refuse("the rule %q has a DTSTART; the window's start is that", rule)
	case has("BYEASTER"):
		return refuse("the rule %q has a BYEASTER, which is not of RFC 5545", rule)
	case has("COUNT") && o.Count < 1:
		return refuse("the rule %q never fires: its COUNT is %d", rule, o.Count)
	case has("INTERVAL") && (o.Interval < 1 || o.Interval > mostBetween):
		return refuse("the rule %q has an INTERVAL of %d, expected 1 to %d",
			rule, o.Interval, mostBetween)
	case has("COUNT") && has("UNTIL"):
		return refuse("the rule %q has both COUNT and UNTIL", rule)
	case aDay > mostADay:
		return refuse("the rule %q makes %d windows a day, expected %d at most",
			rule, aDay, mostADay)
	}
	return nil
}

// refuse makes an error of kind Invalid.
func refuse(format string, args ...any) error {
	return workspace.Refuse(workspace.Invalid, format, args...)
}

// text writes a time as rules do, in UTC.
func text(t time.Time) string { return t.UTC().Format(time.RFC3339) }
