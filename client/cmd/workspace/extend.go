package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/philoxenia/philoxenia/client"
	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/schema/wsa"
)

// An extendCmd is the command extend.
type extendCmd struct {
	targetsArg
	For   string `placeholder:"TIME" help:"So much longer than now set, such as 1h or 30m."`
	Until string `placeholder:"WHEN" help:"Until then, such as 18:30, tomorrow 09:00 or 2006-01-02T18:30:00Z."`
}

// A leaseView is the end of a lease as it is shown.
type leaseView struct {
	Key         string     `json:"key"`
	Previous    *time.Time `json:"previous"`
	Termination time.Time  `json:"termination"`
}

// leasesView are several ends of leases.
type leasesView []leaseView

// names returns the keys.
func (l leasesView) names() []string {
	return keys(l, func(v leaseView) string { return v.Key })
}

// write prints a line for each.
func (l leasesView) write(w io.Writer, p *printer) error {
	for _, v := range l {
		_, err := fmt.Fprintf(w, "Workspace #%s terminates at %s (%s).\n", v.Key,
			moment(&v.Termination), relative(v.Termination, p.present()))
		if err != nil {
			return err
		}
	}
	return nil
}

// Run moves the end of each lease.
func (c *extendCmd) Run(ctx context.Context, a *app) error {
	move, err := c.move(time.Now())
	if err != nil {
		return err
	}
	targets, err := a.workspaces(c.Targets)
	if err != nil {
		return err
	}
	return showEach[leasesView](a, targets, func(t target) (v leaseView, err error) {
		p, err := a.client.Properties(ctx, t.epr)
		if err != nil {
			return v, err
		}
		at, err := a.client.SetTerminationTime(ctx, t.epr, move(p.TerminationTime))
		if err != nil {
			x := extension{t.epr, p, move(p.TerminationTime)}
			return v, a.offeredEnd(ctx, err, x)
		}
		return leaseView{client.Key(t.epr), known(p.TerminationTime), at.UTC()}, nil
	})
}

// move returns how the new end follows from the old.
func (c *extendCmd) move(now time.Time) (func(time.Time) time.Time, error) {
	const op = "cannot extend a lease: "
	switch {
	case (c.For == "") == (c.Until == ""):
		return nil, usagef("", op+"say either --for TIME or --until WHEN")
	case c.For != "":
		d, err := parseSpan(c.For)
		if err != nil {
			return nil, usagef("", op+"--for: %w", err)
		}
		return func(old time.Time) time.Time { return old.Add(d) }, nil
	}
	at, err := parseMoment(c.Until, now)
	if err != nil {
		return nil, usagef("", op+"--until: %w", err)
	}
	if !at.After(now) {
		return nil, usagef("`workspace destroy` ends a lease at once",
			op+"--until: %s is in the past", c.Until)
	}
	return func(time.Time) time.Time { return at }, nil
}

// offeredEnd gives the refusal of an end the ends that would be accepted. The
// draft's operation refuses without any: they are asked for.
func (a *app) offeredEnd(ctx context.Context, err error, x extension) error {
	if !client.IsNoResource(err) {
		return err
	}
	again := a.client.Renegotiate(ctx, x.epr, client.Terms{Until: x.until})
	var f *client.Fault
	if !errors.As(again, &f) || f.Explanation == nil {
		return err
	}
	return &refusal{err, newExplanation(f.Explanation, x.options)}
}

// An extension is a wish for another end of a lease.
type extension struct {
	epr   wsa.EPR
	was   *report.ServiceProperties
	until time.Time
}

// options asks for the offer with the options of extend: as long after the end
// of its running time as before, the workspace is destroyed.
func (x extension) options(o offerView) string {
	start := x.was.Schedule.Start
	if o.duration() == 0 || start.IsZero() {
		return ""
	}
	grace := x.was.TerminationTime.Sub(start.Add(x.was.Schedule.Duration))
	return "--until " + instant(start.Add(o.duration()+grace))
}
