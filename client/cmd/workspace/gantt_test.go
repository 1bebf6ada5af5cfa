package main

import (
	"strings"
	"testing"
	"time"
)

// busy is a schedule with something of everything, seen at one in the morning.
func busy(from time.Time) []barView {
	at := func(minutes int) time.Time { return from.Add(time.Duration(minutes) * time.Minute) }
	return []barView{
		{Host: "b", Phase: phaseRun, Lease: "7", Start: at(0), End: at(60), Begun: true},
		{Host: "b", Phase: phaseShutdown, Lease: "7", Start: at(60), End: at(65)},
		{Host: "a", Phase: phaseTransfer, Lease: "9", Start: at(20), End: at(35), Firm: true},
		{Host: "a", Phase: phaseBoot, Lease: "9", Start: at(35), End: at(40), Firm: true},
		{Host: "a", Phase: phaseRun, Lease: "9", Start: at(40), End: at(100), Firm: true, Nodes: 2},
		{Host: "a", Phase: phaseRun, Lease: "8", Start: at(0), End: at(30), Begun: true},
		{Host: "a", Phase: phaseSuspend, Lease: "8", Start: at(30), End: at(40)},
		{Host: "a", Phase: phaseResume, Lease: "8", Start: at(100), End: at(110)},
		{Host: "a", Phase: phaseRun, Lease: "8", Start: at(110), End: at(120)},
		{Host: "a", Phase: phaseRun, Start: at(0), End: at(120), Begun: true},
		{Host: "c", Phase: phaseClosed, Start: at(60), End: at(120), Firm: true},
	}
}

func TestGantt(t *testing.T) {
	defer func(zone *time.Location) { time.Local = zone }(time.Local)
	time.Local = time.FixedZone("X", 3600)
	from := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	v := (&scheduleCmd{Rows: 64}).view(period{from: from}, from.Add(30*time.Minute), busy(from))
	got := v.gantt(64).Text(63) // a cell for each two minutes
	want := `Schedule of hosts, 2026-11-22 01:00:00 +01:00 to 2026-11-22 03:00:00 +01:00
a |::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::
  |=8=============vvvvv                              ^^^^^~8~~~
  |          >>>>>>>>++#9x2##########################
b |=7============================---
c |                              xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
  |01:00         |01:30         |02:00         |02:30
                  ^ now
= runs  # promised  ~ planned  : another's  > image on its way
+ boots  v is suspended  ^ is resumed  - shuts down  x closed
`
	if got != want {
		t.Errorf("got\n%s\nexpected\n%s", got, want)
	}
}

func TestGanttAcrossDays(t *testing.T) {
	defer func(zone *time.Location) { time.Local = zone }(time.Local)
	time.Local = time.UTC
	from := time.Date(2026, 11, 22, 18, 0, 0, 0, time.UTC)
	bars := []barView{
		{Host: "a", Phase: phaseRun, Lease: "1", Start: from, End: from.AddDate(0, 1, 0)},
	}
	c := &scheduleCmd{Rows: 64}
	v := c.view(period{from: from}, from, bars)
	if !v.later || v.Until != from.Add(24*time.Hour) {
		t.Errorf("it ends at %s, later %v", v.Until, v.later)
	}
	if text := v.gantt(64).Text(90); !strings.Contains(text, "|Mon 06:00") {
		t.Errorf("the next day has no name:\n%s", text)
	}
	v = c.view(period{from, from.AddDate(0, 1, 0)}, from, bars)
	if text := v.gantt(64).Text(90); v.later || !strings.Contains(text, "|02 Dec") {
		t.Errorf("days have no dates:\n%s", text)
	}
}

func TestScheduleTellsWhatItLeavesOut(t *testing.T) {
	from := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	c := &scheduleCmd{Rows: 2}
	var b strings.Builder
	if err := c.view(period{from: from}, from, busy(from)).write(&b, &printer{}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "2 of 5 lines are shown; --rows 5 shows all.\n") {
		t.Errorf("got\n%s", b.String())
	}
	c = &scheduleCmd{Rows: 64, Hosts: []string{"b"}}
	v := c.view(period{from: from}, from, busy(from))
	if len(v.Bars) != 2 || v.Until != from.Add(65*time.Minute) {
		t.Errorf("of the host b: %v", v.Bars)
	}
	if got := strings.Join(v.names(), " "); got != "7" {
		t.Errorf("leases %q", got)
	}
	b.Reset()
	if err := c.view(period{from: from}, from, nil).write(&b, &printer{}); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(b.String(), "Nothing is planned from 2026-11-22 ") {
		t.Errorf("got\n%s", b.String())
	}
}
