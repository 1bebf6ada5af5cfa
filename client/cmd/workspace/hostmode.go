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

// hostDetails are hosts, each in full.
type hostDetails []hostView

// names returns the keys.
func (d hostDetails) names() []string { return hostsView(d).names() }

// write prints each host as a block of lines.
func (d hostDetails) write(w io.Writer, _ *printer) error {
	return writeBlocks(w, d)
}

// detail writes one host.
func (v hostView) detail(b *strings.Builder) {
	fmt.Fprintf(b, "Host %s\n", v.Key)
	row(b, "State", v.state())
	row(b, "Comment", v.Comment)
	row(b, "CPUs", fmt.Sprintf("%d of %d used", v.CPUsUsed, v.CPUs))
	row(b, "Memory", fmt.Sprintf("%d of %d MB used", v.MemoryMBUsed, v.MemoryMB))
	row(b, "VMM", v.VMM)
	row(b, "Version", v.Version)
	if v.Since != nil && v.Reachable {
		row(b, "Answers", "since "+moment(v.Since))
	} else if v.Since != nil {
		row(b, "No answer", "since "+moment(v.Since))
	}
	row(b, "Last error", v.LastError)
	if v.Added != nil {
		row(b, "Added", moment(v.Added))
	}
	row(b, "Networks", cmp.Or(strings.Join(v.Networks, ", "), "all"))
	v.Description.detail(b)
	for i, window := range v.Windows {
		row(b, fmt.Sprintf("Window %d", i+1), window.String())
	}
}

// String says the window in a line.
func (v windowView) String() string {
	text := moment(&v.Start) + " to " + moment(&v.End)
	if v.Rule != "" {
		text += ", again by " + v.Rule
	}
	if v.CPUs == 0 && v.MemoryMB == 0 {
		text += ": closed"
	} else {
		text += fmt.Sprintf(": %d CPUs, %d MB left", v.CPUs, v.MemoryMB)
	}
	if v.Comment != "" {
		text += " (" + v.Comment + ")"
	}
	return text
}

// windowViews makes the views of windows.
func windowViews(all []report.Window) []windowView {
	views := make([]windowView, 0, len(all))
	for _, w := range all {
		views = append(views, windowView{
			Start: w.Begin.UTC(), End: w.End.UTC(), Rule: w.Rule, CPUs: int64(w.Left.CPUs),
			MemoryMB: int64(w.Left.MemoryMB), DiskMB: int64(w.Left.DiskMB),
			NetInKbps: int64(w.Left.NetInKbps), NetOutKbps: int64(w.Left.NetOutKbps),
			Comment: w.Comment,
		})
	}
	return views
}

// find returns the hosts of those names, in their order.
func (a *app) find(ctx context.Context, names []string) ([]client.Host, error) {
	if len(names) == 0 {
		return nil, nil
	}
	all, err := a.client.Hosts(ctx)
	if err != nil {
		return nil, err
	}
	a.keep()
	var found []client.Host
	for _, name := range names {
		i := slices.IndexFunc(all, func(h client.Host) bool { return h.Key == name })
		if i < 0 {
			return nil, failf(exitNotFound, "`workspace host list` shows the hosts",
				"cannot find the host %q: the pool has no such host", clip(name))
		}
		found = append(found, all[i])
	}
	return found, nil
}

// Run shows each host in full.
func (c *hostShowCmd) Run(ctx context.Context, a *app) error {
	hosts, err := a.find(ctx, c.Hosts)
	if err != nil {
		return err
	}
	view := hostDetails{}
	for _, h := range hosts {
		view = append(view, newHost(h))
	}
	return a.print(view)
}

// set changes the mode of each host and prints the hosts as they are then.
func (a *app) set(ctx context.Context, names []string, change func(*report.Mode) error) error {
	hosts, err := a.find(ctx, names)
	if err != nil {
		return err
	}
	return showEach[hostDetails](a, hosts, func(h client.Host) (v hostView, err error) {
		mode := modeOf(h)
		if err := change(&mode); err != nil {
			return v, err
		}
		if err := a.client.SetMode(ctx, h.EPR, mode); err != nil {
			return v, inTheWay(refused(err, func(offerView) string { return "" }), h.Key)
		}
		h.Mode = &mode
		return newHost(h), nil
	})
}

// modeOf returns the host's mode; one of which the service says none takes leases.
func modeOf(h client.Host) report.Mode {
	if h.Mode == nil {
		return report.Mode{}
	}
	return *h.Mode
}

// inTheWay says of a conflict, which is with leases, where these are seen.
func inTheWay(err error, host string) error {
	if exitCode(err) != exitConflict {
		return err
	}
	return failf(exitConflict, "`workspace schedule "+host+"` shows them; choose another time, or "+
		"leave them what they have with --cpus and --memory", "%w", err)
}

// Run lets the hosts take no new leases.
func (c *hostDrainCmd) Run(ctx context.Context, a *app) error {
	if c.Migrate {
		return c.empty(ctx, a)
	}
	if a.globals.Wait.On {
		return usagef("say --migrate, or leave out --wait", "cannot wait for the host to be "+
			"empty: what runs there stays")
	}
	return a.set(ctx, c.Hosts, func(m *report.Mode) error {
		m.Drained, m.Comment = true, cmp.Or(c.Comment, m.Comment)
		return nil
	})
}

// Run lets the hosts take leases again.
func (c *hostUndrainCmd) Run(ctx context.Context, a *app) error {
	return a.set(ctx, c.Hosts, func(m *report.Mode) error {
		m.Drained, m.Comment = false, ""
		return nil
	})
}

// Run gives the host a window, or removes one.
func (c *hostWindowCmd) Run(ctx context.Context, a *app) error {
	if c.Remove != 0 {
		return c.remove(ctx, a)
	}
	w, err := c.window(time.Now())
	if err != nil {
		return err
	}
	return a.set(ctx, []string{c.Host}, func(m *report.Mode) error {
		m.Windows = append(slices.Clone(m.Windows), report.Window{
			Begin: w.Start, End: w.End, Rule: w.Rule, Comment: w.Comment,
			Left: report.Capacity{CPUs: int(w.CPUs), MemoryMB: int(w.MemoryMB)},
		})
		return nil
	})
}

// remove removes a window.
func (c *hostWindowCmd) remove(ctx context.Context, a *app) error {
	if c.From+c.Until+c.For+c.Every != "" {
		return usagef("leave out --remove, or the others",
			"cannot change the windows of the host: --remove stands for itself")
	}
	return a.set(ctx, []string{c.Host}, func(m *report.Mode) error {
		if c.Remove < 1 || c.Remove > len(m.Windows) {
			return usagef("`workspace host show "+c.Host+"` numbers them",
				"cannot remove window %d of the host %q: it has %d windows", c.Remove, c.Host,
				len(m.Windows))
		}
		m.Windows = slices.Concat(m.Windows[:c.Remove-1], m.Windows[c.Remove:])
		return nil
	})
}
