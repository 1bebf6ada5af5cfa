package main

import (
	"fmt"
	"strings"
	"time"
)

// A hostCmd is the command host: what operators ask of hosts, and who asks what
// they do.
type hostCmd struct {
	List    hostsCmd       `cmd:"" aliases:"ls" help:"List the hosts of the pool, and how much of each is used."`
	Show    hostShowCmd    `cmd:"" help:"Show hosts in detail: what they have, whether they take leases, their windows."`
	Add     hostAddCmd     `cmd:"" help:"Take a host into the pool while the service runs. For operators."`
	Probe   hostProbeCmd   `cmd:"" help:"Have the service test hosts now, and say what to do about what does not work. For operators."`
	Remove  hostRemoveCmd  `cmd:"" aliases:"rm" help:"Take hosts out of the pool on which nothing is. For operators."`
	Forget  hostForgetCmd  `cmd:"" help:"Give up what is on a host that is dead. For operators."`
	Drain   hostDrainCmd   `cmd:"" help:"Let hosts take no new leases; what runs there stays, or with --migrate moves. For operators."`
	Undrain hostUndrainCmd `cmd:"" help:"Let hosts take leases again. For operators."`
	Window  hostWindowCmd  `cmd:"" help:"Give a host a window in which it has less for leases, or nothing; or remove one. For operators."`
}

// hostArgs are the names of hosts.
type hostArgs struct {
	Hosts []string `arg:"" name:"host" help:"Names of hosts, as host list shows them."`
}

// A hostShowCmd is the command host show.
type hostShowCmd struct{ hostArgs }

// A hostDrainCmd is the command host drain.
type hostDrainCmd struct {
	hostArgs
	Comment string `placeholder:"TEXT" help:"Why, for people."`
	Migrate bool   `help:"Have what is there move to other hosts, guests as they run if they can; with --wait, until nothing is there."`
}

// A hostUndrainCmd is the command host undrain.
type hostUndrainCmd struct{ hostArgs }

// A hostWindowCmd is the command host window.
type hostWindowCmd struct {
	Host    string `arg:"" help:"Name of the host, as host list shows it."`
	From    string `placeholder:"WHEN" help:"When it begins, such as tomorrow 22:00."`
	Until   string `placeholder:"WHEN" help:"When it ends."`
	For     string `placeholder:"TIME" help:"How long it is, such as 2h, instead of --until."`
	Every   string `placeholder:"RULE" help:"It comes again: daily, weekdays, weekly, monthly, or a rule of RFC 5545 such as FREQ=WEEKLY;BYDAY=SA,SU, in UTC."`
	CPUs    int64  `name:"cpus" placeholder:"N" help:"CPUs that leases may have meanwhile; without any amount, nothing."`
	Memory  string `placeholder:"SIZE" help:"Memory that leases may have meanwhile."`
	Comment string `placeholder:"TEXT" help:"Why, for people."`
	Remove  int    `placeholder:"N" help:"Remove the window with that number in host show, instead."`
}

// A windowView is a window of a host as it is shown.
type windowView struct {
	Start      time.Time `json:"start"`
	End        time.Time `json:"end"`
	Rule       string    `json:"rule,omitempty"`
	CPUs       int64     `json:"cpus"`     // that leases may have meanwhile
	MemoryMB   int64     `json:"memoryMB"` // likewise
	DiskMB     int64     `json:"diskMB,omitempty"`
	NetInKbps  int64     `json:"netInKbps,omitempty"`
	NetOutKbps int64     `json:"netOutKbps,omitempty"`
	Comment    string    `json:"comment,omitempty"`
}

// recurrences are words for rules that are often meant.
var recurrences = map[string]string{
	"daily": "FREQ=DAILY", "weekly": "FREQ=WEEKLY", "monthly": "FREQ=MONTHLY",
	"weekdays": "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR",
	"weekends": "FREQ=WEEKLY;BYDAY=SA,SU",
}

// parseRecurrence reads a word or a rule (RFC 5545, section 3.3.10), of which
// the service says whether it makes sense.
func parseRecurrence(text string) (string, error) {
	if rule, ok := recurrences[strings.ToLower(text)]; ok || text == "" {
		return rule, nil
	}
	rule := strings.TrimPrefix(strings.ToUpper(text), "RRULE:")
	if !strings.Contains(rule, "FREQ=") {
		return "", fmt.Errorf("%q is not a recurrence, expected daily, weekdays, weekends, "+
			"weekly, monthly or a rule such as FREQ=WEEKLY;BYDAY=SA", clip(text))
	}
	return rule, nil
}

// window reads the options.
func (c *hostWindowCmd) window(now time.Time) (v windowView, err error) {
	const op = "cannot change the windows of the host: "
	switch {
	case c.From == "":
		return v, usagef("such as --from 'tomorrow 22:00' --for 2h; --remove N removes one",
			op+"nobody says when it begins, with --from")
	case (c.Until == "") == (c.For == ""):
		return v, usagef("", op+"say either --until WHEN or --for TIME")
	}
	if v.Start, err = parseMoment(c.From, now); err != nil {
		return v, usagef("", op+"--from: %w", err)
	}
	if v.End, err = c.end(v.Start, now); err != nil {
		return v, err
	}
	if v.Rule, err = parseRecurrence(c.Every); err != nil {
		return v, usagef("", op+"--every: %w", err)
	}
	switch {
	case !v.End.After(v.Start):
		return v, usagef("", op+"it would end at %s, before it begins at %s", moment(&v.End),
			moment(&v.Start))
	case v.Rule == "" && !v.End.After(now):
		return v, usagef("", op+"--until: %s is in the past", moment(&v.End))
	case c.CPUs < 0:
		return v, usagef("", op+"--cpus: %d is not a number of CPUs", c.CPUs)
	}
	v.CPUs, v.Comment = c.CPUs, c.Comment
	if c.Memory != "" {
		if v.MemoryMB, err = parseMemory(c.Memory); err != nil {
			return v, usagef("", op+"--memory: %w", err)
		}
	}
	if (v.CPUs == 0) != (v.MemoryMB == 0) {
		return v, usagef("say both, or none for a window in which it is closed",
			op+"no lease fits into CPUs without memory, or memory without CPUs")
	}
	return v, nil
}

// end reads when the window ends.
func (c *hostWindowCmd) end(start, now time.Time) (time.Time, error) {
	const op = "cannot change the windows of the host: "
	if c.For != "" {
		d, err := parseSpan(c.For)
		if err != nil {
			return start, usagef("", op+"--for: %w", err)
		}
		return start.Add(d), nil
	}
	at, err := parseEnd(c.Until, start, now)
	if err != nil {
		return at, usagef("", op+"--until: %w", err)
	}
	return at, nil
}
