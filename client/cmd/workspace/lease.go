package main

import (
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/philoxenia/philoxenia/schema/deployment"
)

// leaseFlags are the options of deploy that say when: what is asked of the
// scheduler beyond a machine now.
type leaseFlags struct {
	Start       string     `placeholder:"WHEN" help:"Reserve it: it runs from then on, such as 18:30, tomorrow 09:00, +2h or 2006-01-02T18:30:00Z."`
	Until       string     `placeholder:"WHEN" help:"Run until then, instead of --for."`
	Deadline    string     `placeholder:"WHEN" help:"Run whenever there is room, and be done by then; with --start, not before that."`
	BestEffort  bool       `help:"Wait in the queue until there is room, rather than be refused."`
	Preemptible bool       `help:"It may be interrupted for a reservation, and goes on later; so it waits in the queue as with --best-effort."`
	Then        string     `placeholder:"WORD" help:"What happens when the running time is over: shutdown, save (to the target of --save-to) or destroy."`
	Warn        string     `placeholder:"TIME" help:"Have a notification sent so long before the running time is over."`
	Apart       placesFlag `placeholder:"NAMES" help:"Put the nodes on different hosts; with --apart=7,sim-001, on other hosts than these workspaces are on, and on none of these hosts."`
	Near        placesFlag `placeholder:"NAMES" help:"Put the nodes on one host; with --near=7,sim-001, where these workspaces are, or on these hosts."`
	DryRun      bool       `help:"Only say what would happen: when it would run, and where. Nothing is leased."`
	Wish        bool       `help:"Take --apart and --near for wishes: better elsewhere than not at all."`
}

// A placesFlag is --apart or --apart=NAMES.
type placesFlag struct {
	On    bool
	Names []string
}

// IsBool tells kong that the flag needs no value.
func (p *placesFlag) IsBool() bool { return true }

// Decode takes the names when they are attached with an equals sign.
func (p *placesFlag) Decode(ctx *kong.DecodeContext) error {
	p.On = true
	if ctx.Scan.Peek().Type != kong.FlagValueToken {
		return nil
	}
	token, err := ctx.Scan.PopValue("NAMES")
	if err != nil {
		return err
	}
	for name := range strings.SplitSeq(token.String(), ",") {
		if name = strings.TrimSpace(name); name != "" {
			p.Names = append(p.Names, name)
		}
	}
	return nil
}

// kind returns the kind of lease that the options ask for, empty when they ask
// for none: the request then says it, or it is to be now.
func (l *leaseFlags) kind() string {
	switch {
	case l.Deadline != "":
		return deployment.ByDeadline
	case l.Start != "" && l.Start != "now":
		return deployment.Reservation
	case l.BestEffort || l.Preemptible:
		return deployment.BestEffort
	case l.Start == "now":
		return deployment.Immediate
	}
	return ""
}

// contradiction refuses options of which one takes back what another asks for.
func (l *leaseFlags) contradiction(length string) error {
	const op = "cannot deploy: "
	queued := "--best-effort"
	if !l.BestEffort {
		queued = "--preemptible"
	}
	waits := l.BestEffort || l.Preemptible
	switch {
	case l.Until != "" && length != "":
		return usagef("leave out one of them", op+"both --until and --for say when it ends")
	case l.Start != "" && waits:
		return usagef("leave out --start to wait for room, or "+queued+" to be promised the time",
			op+"--start asks for a time, %s for any", queued)
	case l.Deadline != "" && waits:
		return usagef("a lease with a --deadline waits for room too, but not longer than it can",
			op+"--deadline and %s are two kinds of lease", queued)
	case l.Until != "" && waits:
		return usagef("say how long it runs with --for, and by when with --deadline",
			op+"--until needs a beginning, and with %s nobody knows it yet", queued)
	case l.Until != "" && l.Deadline != "":
		return usagef("say how long it runs with --for",
			op+"both --until and --deadline say when it is over")
	case l.Wish && !l.Apart.On && !l.Near.On:
		return usagef("", op+"--wish is about --apart and --near, and neither is there")
	}
	return nil
}

// An agenda is what the options say of time.
type agenda struct {
	kind            string
	start, deadline time.Time     // zero: not said
	length          time.Duration // of the running time; 0: not said
}

// agenda reads the options of time; length is the option --for, and start what
// the request says, which holds where no option says what kind of lease it is.
func (l *leaseFlags) agenda(length string, start, now time.Time) (g agenda, err error) {
	const op = "cannot deploy: "
	if err := l.contradiction(length); err != nil {
		return g, err
	}
	g.kind = l.kind()
	if length != "" {
		if g.length, err = parseSpan(length); err != nil {
			return g, usagef("", op+"--for: %w", err)
		}
	}
	if l.Start != "" && l.Start != "now" {
		if g.start, err = future("--start", l.Start, now); err != nil {
			return g, err
		}
	}
	if l.Deadline != "" {
		if g.deadline, err = future("--deadline", l.Deadline, now); err != nil {
			return g, err
		}
	}
	if l.Until != "" {
		begin := now
		switch {
		case !g.start.IsZero():
			begin = g.start
		case g.kind == "" && !start.IsZero():
			begin = start
		}
		until, err := parseEnd(l.Until, begin, now)
		if err = toCome("--until", until, now, err); err != nil {
			return g, err
		}
		if !until.After(begin) {
			return g, usagef("", op+"--until: it would end at %s, before it starts at %s",
				moment(&until), moment(&begin))
		}
		g.length = until.Truncate(time.Millisecond).Sub(begin)
	}
	return g, nil
}

// fits refuses a deadline that the running time cannot meet; length is what
// holds in the end, 0 where the site decides.
func (g agenda) fits(length time.Duration, now time.Time) error {
	if g.deadline.IsZero() || length == 0 {
		return nil
	}
	begin := now
	if !g.start.IsZero() {
		begin = g.start
	}
	if room := g.deadline.Sub(begin); room < length {
		return usagef("choose a later --deadline or a shorter --for", "cannot deploy: "+
			"--deadline: %s is %s from %s, and the running time is %s", moment(&g.deadline),
			span(max(room, 0)), begun(g.start), span(length))
	}
	return nil
}

// begun names the beginning for people.
func begun(start time.Time) string {
	if start.IsZero() {
		return "now"
	}
	return moment(&start)
}

// future reads an option that is a point in time to come.
func future(option, text string, now time.Time) (time.Time, error) {
	at, err := parseMoment(text, now)
	return at.Truncate(time.Millisecond), toCome(option, at, now, err)
}

// toCome refuses a point in time of an option that could not be read or is not to
// come.
func toCome(option string, at, now time.Time, err error) error {
	if err != nil {
		return usagef("", "cannot deploy: %s: %w", option, err)
	}
	if !at.After(now) {
		return usagef("times without a zone are in local time, now "+now.Format("15:04 -07:00"),
			"cannot deploy: %s: %s is in the past, it is %s", option, moment(&at), moment(&now))
	}
	return nil
}

// What may happen at the end of the running time.
const (
	thenShutdown = "shutdown"
	thenSave     = "save"
	thenDestroy  = "destroy"
)

// thenWords are the words that --then takes.
var thenWords = []string{thenShutdown, thenSave, thenDestroy}

// end puts what --then says over the request; saveTo is the option --save-to.
func (l *leaseFlags) end(v *deployment.WorkspaceDeployment, saveTo string) error {
	const op = "cannot deploy: --then: "
	switch l.Then {
	case "":
		return nil
	case thenShutdown, thenDestroy:
		if saveTo != "" {
			return usagef("leave out --save-to, or say --then save",
				op+"after %s nothing is left to save to %q", l.Then, clip(saveTo))
		}
		v.Mechanism, v.PostShutdown = "", nil
		if l.Then == thenDestroy {
			v.Mechanism = deployment.Trash
		}
	case thenSave:
		if v.PostShutdown == nil {
			return usagef("say where with --save-to, such as --save-to file://mine.img",
				op+"nobody says where the image is saved to")
		}
		v.Mechanism = ""
	default:
		return usagef("", op+"%q is none of %s", clip(l.Then), strings.Join(thenWords, ", "))
	}
	return nil
}

// inTerms reports whether anything is asked for that only terms can carry, or
// has to be put over terms that there are.
func (l *leaseFlags) inTerms(are bool) bool {
	kind := l.kind()
	asks := kind != "" && (are || kind != deployment.Immediate)
	return asks || l.Warn != "" || l.Apart.On || l.Near.On
}

// put puts the options over the request; length is the option --for. What an
// option does not say stays as the request has it.
func (l *leaseFlags) put(
	v *deployment.WorkspaceDeployment, length string, now time.Time,
) error {
	before := v.Terms
	if before == nil {
		before = new(deployment.LeaseTerms)
	}
	g, err := l.agenda(length, before.Start, now)
	if err != nil {
		return err
	}
	if g.length > 0 {
		v.MinDuration, before.Until = g.length.Truncate(time.Millisecond), time.Time{}
	}
	if err := g.fits(v.MinDuration, now); err != nil {
		return err
	}
	if !l.inTerms(v.Terms != nil) {
		return nil
	}
	v.Terms = before
	if g.kind != "" {
		v.Terms.Kind, v.Terms.Start, v.Terms.Deadline = g.kind, g.start, g.deadline
		v.Terms.Preemptible = l.Preemptible
	}
	if err := l.putWarning(v); err != nil {
		return err
	}
	return l.putPlaces(v.Terms)
}

// putWarning puts --warn over the terms.
func (l *leaseFlags) putWarning(v *deployment.WorkspaceDeployment) error {
	if l.Warn == "" {
		return nil
	}
	d, err := parseSpan(l.Warn)
	if err != nil {
		return usagef("", "cannot deploy: --warn: %w", err)
	}
	if v.MinDuration > 0 && d >= v.MinDuration {
		return usagef("", "cannot deploy: --warn: %s before its end it has not begun, it runs "+
			"for %s", span(d), span(v.MinDuration))
	}
	v.Terms.Warn = d.Truncate(time.Millisecond)
	return nil
}

// putPlaces adds --apart and --near to the terms.
func (l *leaseFlags) putPlaces(t *deployment.LeaseTerms) error {
	for _, one := range []struct {
		option string
		flag   placesFlag
		to     *[]deployment.Placement
	}{{"--apart", l.Apart, &t.Apart}, {"--near", l.Near, &t.Near}} {
		if !one.flag.On {
			continue
		}
		p := deployment.Placement{Soft: l.Wish}
		for _, name := range one.flag.Names {
			if !isNumber(name) {
				p.Hosts = append(p.Hosts, name)
				continue
			}
			id, err := strconv.ParseInt(name, 10, 64)
			if err != nil || id < 1 {
				return usagef("", "cannot deploy: %s: %q is no workspace's number", one.option,
					name)
			}
			p.Workspaces = append(p.Workspaces, id)
		}
		*one.to = append(*one.to, p)
	}
	return nil
}
