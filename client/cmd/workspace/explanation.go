package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// An explanationView is why a lease waits or is refused, as it is shown. Its
// JSON keys are a contract with scripts: they are only ever added to.
type explanationView struct {
	Code      string         `json:"code"`
	Text      string         `json:"text"`
	Shortages []shortageView `json:"shortages"`
	Blocking  []string       `json:"blocking"` // numbers of leases, the soonest to end first
	Earliest  *time.Time     `json:"earliest"` // when the same would fit; null: never
	Offers    []offerView    `json:"offers"`   // the smallest change first
}

// A shortageView is what there is too little of.
type shortageView struct {
	Resource string `json:"resource"`
	Unit     string `json:"unit,omitempty"`
	Wanted   int64  `json:"wanted"`
	Free     int64  `json:"free"`
	Where    string `json:"where,omitempty"`
}

// An offerView is a change of terms that would be accepted.
type offerView struct {
	Change          string     `json:"change"`
	Start           *time.Time `json:"start,omitempty"`
	Deadline        *time.Time `json:"deadline,omitempty"`
	Nodes           int        `json:"nodes,omitempty"`
	DurationSeconds float64    `json:"durationSeconds,omitempty"`
	MemoryMB        int64      `json:"memoryMB,omitempty"`
	CPUs            int64      `json:"cpus,omitempty"`
	CPUPercent      int64      `json:"cpuPercent,omitempty"`
	NetInKbps       int64      `json:"netInKbps,omitempty"`
	NetOutKbps      int64      `json:"netOutKbps,omitempty"`
	Preempts        []string   `json:"preempts,omitempty"` // leases that would be interrupted
	Options         string     `json:"options,omitempty"`  // that ask for it
}

// duration returns the running time of the offer.
func (o offerView) duration() time.Duration {
	return time.Duration(o.DurationSeconds * float64(time.Second))
}

// codeTexts say the codes of the scheduler's reasons in plain words.
var codeTexts = map[string]string{
	"too-large": "the whole pool, were it empty, is too small for it",
	"no-host":   "too few hosts will do for it, whatever is free on them",
	"too-soon":  "there is no time to bring the image and boot before its start",
	"taken":     "others have the hosts at that time",
	"too-late":  "hosts are free together too late for its deadline",
	"link-busy": "the image cannot be brought to the hosts in time",
	"behind":    "its turn has not come: it may not delay leases that came before it",
	"affinity":  "the hosts that have room are ruled out by --apart and --near",
	"closed":    "hosts are drained, or have less for leases in a window",
}

// sentence says the reason in one sentence: the code in plain words, else what
// the service says.
func (v explanationView) sentence() string {
	switch text := codeTexts[v.Code]; {
	case text != "":
		return v.Code + ": " + text
	case v.Code != "" && v.Text != "":
		return v.Code + ": " + v.Text
	}
	return v.Code + v.Text
}

// rows writes the reason as named values.
func (v explanationView) rows(b *strings.Builder, now time.Time) {
	row(b, "Reason", v.sentence())
	for _, s := range v.Shortages {
		row(b, "Too little", s.String())
	}
	if len(v.Shortages) == 0 && !strings.Contains(v.sentence(), v.Text) {
		row(b, "In detail", v.Text)
	}
	if len(v.Blocking) > 0 {
		row(b, "In the way", "leases "+strings.Join(v.Blocking, ", "))
	}
	if v.Earliest != nil {
		row(b, "Could run from", moment(v.Earliest)+" ("+relative(*v.Earliest, now)+")")
	}
}

// String says the shortage in a phrase.
func (s shortageView) String() string {
	text := fmt.Sprintf("%s: %s wanted", s.Resource, strings.TrimSpace(fmt.Sprintf("%d %s",
		s.Wanted, s.Unit)))
	if s.Where != "" {
		return text + fmt.Sprintf(", %s has %d free", s.Where, s.Free)
	}
	return text + fmt.Sprintf(", %d free", s.Free)
}

// offers writes what would be accepted instead, each with what asks for it.
func offers(w io.Writer, all []offerView, now time.Time) error {
	if len(all) == 0 {
		return nil
	}
	t := table{headers: []string{"", ""}}
	for _, o := range all {
		t.add("  "+o.text(now), o.Options)
	}
	if _, err := fmt.Fprintln(w, "What would be accepted instead:"); err != nil {
		return err
	}
	return t.write(w, false)
}

// text says the offer in a phrase.
func (o offerView) text(now time.Time) string {
	var text string
	switch {
	case o.Change == "looser":
		text = "with --apart and --near as wishes"
	case o.Change == "later" && o.Deadline != nil:
		text = "later: done by " + moment(o.Deadline) + " (" + relative(*o.Deadline, now) + ")"
	case o.Change == "later" && o.Start != nil:
		text = "later: from " + moment(o.Start) + " (" + relative(*o.Start, now) + ")"
	case o.Change == "fewer":
		text = fmt.Sprintf("fewer: %d nodes", o.Nodes)
	case o.Change == "shorter":
		text = "shorter: " + exactSpan(o.duration())
	default:
		text = strings.TrimSuffix(o.Change+": "+strings.Join(o.amounts(), ", "), ": ")
	}
	if len(o.Preempts) > 0 {
		text += ", taking the hosts of " + strings.Join(o.Preempts, ", ")
	}
	return text
}

// amounts says the amounts of the offer.
func (o offerView) amounts() []string {
	var parts []string
	for _, one := range []struct {
		n    int64
		unit string
	}{
		{o.MemoryMB, " MB"}, {o.CPUs, " CPUs"}, {o.CPUPercent, " % of each"},
		{o.NetInKbps, " kbit/s in"}, {o.NetOutKbps, " kbit/s out"},
	} {
		if one.n == 1 {
			one.unit = strings.TrimSuffix(one.unit, "s")
		}
		if one.n > 0 {
			parts = append(parts, fmt.Sprint(one.n, one.unit))
		}
	}
	return parts
}

// sizeOptions asks for the amounts of the offer.
func (o offerView) sizeOptions() string {
	var words []string
	for _, one := range []struct {
		format string
		n      int64
	}{
		{"--memory %dM", o.MemoryMB}, {"--cpus %d", o.CPUs}, {"--cpu-percent %d", o.CPUPercent},
		{"--net-in %dk", o.NetInKbps}, {"--net-out %dk", o.NetOutKbps},
	} {
		if one.n > 0 {
			words = append(words, fmt.Sprintf(one.format, one.n))
		}
	}
	return strings.Join(words, " ")
}

// deployOptions asks for the offer with the options of deploy.
func (o offerView) deployOptions() string {
	switch {
	case o.Change == "later" && o.Deadline != nil:
		return "--deadline " + instant(*o.Deadline)
	case o.Change == "later" && o.Start == nil:
		return ""
	case o.Change == "later":
		return "--start " + instant(*o.Start)
	case o.Change == "fewer":
		return fmt.Sprintf("--nodes %d", o.Nodes)
	case o.Change == "shorter":
		return "--for " + exactSpan(o.duration())
	case o.Change == "looser":
		return "--wish"
	}
	return o.sizeOptions()
}

// instant writes a point in time for the command line, to the millisecond: an
// offer holds for that one.
func instant(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.999Z07:00") }

// exactSpan writes a length of time for the command line, to the millisecond.
func exactSpan(d time.Duration) string {
	var b strings.Builder
	for _, u := range []struct {
		name string
		unit time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}} {
		if n := d / u.unit; n > 0 {
			fmt.Fprintf(&b, "%d%s", n, u.name)
			d -= n * u.unit
		}
	}
	if d > 0 || b.Len() == 0 {
		fmt.Fprintf(&b, "%gs", d.Truncate(time.Millisecond).Seconds())
	}
	return b.String()
}
