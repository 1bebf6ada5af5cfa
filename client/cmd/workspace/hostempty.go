package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/philoxenia/philoxenia/client"
	"github.com/philoxenia/philoxenia/schema/report"
)

// A departureView is what becomes of a workspace on a host that is to be empty, as
// it is shown.
type departureView struct {
	Key  string `json:"key"`
	From string `json:"from"`
	Fate string `json:"fate"` // moves, waits or stays
	To   string `json:"to,omitempty"`
	Why  string `json:"why,omitempty"`
}

// departuresView are several of them.
type departuresView []departureView

// names returns the keys.
func (l departuresView) names() []string {
	return keys(l, func(v departureView) string { return v.Key })
}

// write prints a line for each.
func (l departuresView) write(w io.Writer, _ *printer) error {
	var b strings.Builder
	for _, v := range l {
		switch v.Fate {
		case fateMoves:
			fmt.Fprintf(&b, "Workspace #%s goes from %s to %s.\n", v.Key, v.From, v.To)
		default:
			fmt.Fprintf(&b, "Workspace #%s %s on %s: %s\n", v.Key, v.Fate, v.From, v.Why)
		}
	}
	if len(l) == 0 {
		b.WriteString("Nothing is there.\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// What becomes of a workspace, as the service says it.
const (
	fateMoves = "moves"
	fateStays = "stays"
)

// see takes in what the service says of one host.
func (l *departuresView) see(host string, all []report.Departure) {
	for _, d := range all {
		v := departureView{d.Workspace, host, d.Fate, d.Host, d.Text}
		i := slices.IndexFunc(*l, func(o departureView) bool { return o.Key == v.Key })
		if i < 0 {
			*l = append(*l, v)
		} else {
			(*l)[i] = v
		}
	}
}

// empty drains the hosts, and has what is there move to others.
func (c *hostDrainCmd) empty(ctx context.Context, a *app) error {
	hosts, err := a.find(ctx, c.Hosts)
	if err != nil {
		return err
	}
	if a.globals.Wait.On {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, a.timeout())
		defer cancel()
	}
	for _, h := range hosts { // none of them takes what leaves another
		mode := modeOf(h)
		mode.Drained, mode.Comment = true, cmp.Or(c.Comment, mode.Comment)
		if err := a.client.SetMode(ctx, h.EPR, mode); err != nil {
			return err
		}
	}
	view := departuresView{}
	failure := each(a, hosts, func(h client.Host) error { return a.leave(ctx, h, &view) })
	if err := a.print(view); err != nil {
		return err
	}
	return failure
}

// leave has what is on one host move, and waits if it is to.
func (a *app) leave(ctx context.Context, h client.Host, view *departuresView) error {
	for {
		all, err := a.client.Evacuate(ctx, h.EPR)
		if err != nil {
			return err
		}
		a.keep()
		view.see(h.Key, all)
		var stay []string
		for _, d := range all {
			if d.Fate == fateStays {
				stay = append(stay, d.Workspace)
			}
		}
		switch {
		case len(stay) > 0 && (len(stay) == len(all) || !a.globals.Wait.On):
			return failf(exitConflict, "it stays drained; `workspace host undrain "+h.Key+"` lets "+
				"it take leases again", "cannot move workspaces off the host %q: %s", h.Key,
				strings.Join(stay, ", "))
		case len(all) == 0 || !a.globals.Wait.On:
			return nil
		}
		select {
		case <-ctx.Done():
			return failf(exitTimeout, "they move on all the same",
				"workspaces are on the host %q still: %d", h.Key, len(all))
		case <-time.After(glance):
		}
	}
}
