package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/philoxenia/philoxenia/schema/report"
)

// A networkCmd is the command network: the site's networks and their addresses.
type networkCmd struct {
	List    networkListCmd    `cmd:"" aliases:"ls" help:"List the networks, and how many of their addresses are taken."`
	Show    networkShowCmd    `cmd:"" help:"Show networks in detail: whose their addresses are, and what is on hold."`
	Hold    networkHoldCmd    `cmd:"" help:"Keep addresses from being leased; those in use stay with their workspaces. For operators."`
	Release networkReleaseCmd `cmd:"" help:"Let addresses on hold be leased again. For operators."`
}

// A networkListCmd is the command network list.
type networkListCmd struct{}

// A networkShowCmd is the command network show.
type networkShowCmd struct {
	Names []string `arg:"" optional:"" name:"network" help:"Only these networks."`
}

// A networkHoldCmd is the command network hold.
type networkHoldCmd struct {
	Address string `arg:"" help:"An address, or two with a dash between them."`
	Network string `placeholder:"NAME" help:"Name of the network; the one that has the address."`
	Comment string `placeholder:"TEXT" help:"Why, for people."`
}

// A networkReleaseCmd is the command network release.
type networkReleaseCmd struct {
	Address string `arg:"" help:"An address that is on hold; those held with it are released too."`
	Network string `placeholder:"NAME" help:"Name of the network; the one that has the address."`
}

// A networkView is one network as it is shown. Its JSON keys are a contract with
// scripts: they are only ever added to.
type networkView struct {
	Name      string             `json:"name"`
	First     string             `json:"first,omitempty"`
	Last      string             `json:"last,omitempty"`
	First6    string             `json:"first6,omitempty"`
	Addresses int                `json:"addresses"`
	Leased    int                `json:"leased"`
	Held      int                `json:"held"`
	Leases    []addressLeaseView `json:"leases"`
	Holds     []holdView         `json:"holds"`
}

// An addressLeaseView is an address of a workspace.
type addressLeaseView struct {
	Workspace int64  `json:"workspace"`
	Owner     string `json:"owner"`
	Host      string `json:"host,omitempty"`
	MAC       string `json:"mac"`
	Hostname  string `json:"hostname,omitempty"`
	Address   string `json:"address,omitempty"`
	Address6  string `json:"address6,omitempty"`
}

// A holdView is a hold as it is shown.
type holdView struct {
	Network string     `json:"network"`
	First   string     `json:"first"`
	Last    string     `json:"last"`
	Comment string     `json:"comment,omitempty"`
	By      string     `json:"by,omitempty"`
	Since   *time.Time `json:"since,omitempty"`
}

// networksView are networks in one table; networkDetails each in full.
type (
	networksView   []networkView
	networkDetails []networkView
)

// Run lists the networks.
func (networkListCmd) Run(ctx context.Context, a *app) error {
	all, err := a.networks(ctx)
	if err != nil {
		return err
	}
	return a.print(networksView(all))
}

// Run shows networks in full.
func (c *networkShowCmd) Run(ctx context.Context, a *app) error {
	all, err := a.networks(ctx)
	if err != nil {
		return err
	}
	for _, name := range c.Names {
		if !slices.ContainsFunc(all, func(v networkView) bool { return v.Name == name }) {
			return failf(exitNotFound, "`workspace network list` shows them",
				"cannot show network %q: the site has none of that name", clip(name))
		}
	}
	return a.print(networkDetails(slices.DeleteFunc(all, func(v networkView) bool {
		return len(c.Names) > 0 && !slices.Contains(c.Names, v.Name)
	})))
}

// Run holds addresses.
func (c *networkHoldCmd) Run(ctx context.Context, a *app) error {
	if c.Comment == "" {
		return usagef("such as --comment 'printers of the second floor'",
			"cannot hold %s: nobody says why, with --comment", clip(c.Address))
	}
	first, last, two := strings.Cut(c.Address, "-")
	if !two {
		last = first
	}
	held, err := a.client.Hold(ctx, report.Hold{Association: c.Network,
		First: strings.TrimSpace(first), Last: strings.TrimSpace(last), Comment: c.Comment})
	if err != nil {
		return err
	}
	a.keep()
	return a.print(heldView{newHold(held), "on hold"})
}

// Run releases addresses.
func (c *networkReleaseCmd) Run(ctx context.Context, a *app) error {
	was, err := a.client.Release(ctx, report.Release{Association: c.Network, Address: c.Address})
	if err != nil {
		return err
	}
	a.keep()
	return a.print(heldView{newHold(was), "no longer on hold"})
}

// networks reads the site's networks.
func (a *app) networks(ctx context.Context) ([]networkView, error) {
	all, err := a.client.Networks(ctx)
	if err != nil {
		return nil, err
	}
	a.keep()
	views := make([]networkView, 0, len(all))
	for _, n := range all {
		v := networkView{Name: n.Name, First: n.First, Last: n.Last, First6: n.First6,
			Addresses: n.Addresses, Leased: n.Leased, Held: n.Held,
			Leases: []addressLeaseView{}, Holds: []holdView{}}
		for _, l := range n.Leases {
			v.Leases = append(v.Leases, addressLeaseView{Workspace: l.Workspace, Owner: l.Owner,
				Host: l.Host, MAC: l.MAC, Hostname: l.Hostname, Address: l.IP, Address6: l.IP6})
		}
		for i := range n.Holds {
			v.Holds = append(v.Holds, newHold(&n.Holds[i]))
		}
		views = append(views, v)
	}
	return views, nil
}

func newHold(h *report.Hold) holdView {
	v := holdView{Network: h.Association, First: h.First, Last: h.Last, Comment: h.Comment,
		By: h.By}
	if !h.Since.IsZero() {
		at := h.Since.UTC()
		v.Since = &at
	}
	return v
}

// span says which addresses are held.
func (v holdView) span() string {
	if v.First == v.Last {
		return v.First
	}
	return v.First + " to " + v.Last
}

// A heldView is a hold after something was done to it.
type heldView struct {
	holdView
	now string
}

func (v heldView) names() []string { return []string{v.First} }

func (v heldView) write(w io.Writer, _ *printer) error {
	_, err := fmt.Fprintf(w, "%s of network %s: %s\n", v.span(), v.Network, v.now)
	return err
}

func (l networksView) names() []string {
	var names []string
	for _, v := range l {
		names = append(names, v.Name)
	}
	return names
}

// write prints the table.
func (l networksView) write(w io.Writer, p *printer) error {
	t := table{headers: []string{"NETWORK", "FIRST", "LAST", "ADDRESSES", "LEASED", "HELD", "FREE"}}
	for _, v := range l {
		t.add(v.Name, cmp.Or(v.First, "-"), cmp.Or(v.Last, "-"), fmt.Sprint(v.Addresses),
			fmt.Sprint(v.Leased), fmt.Sprint(v.Held), fmt.Sprint(v.Addresses-v.Leased-v.Held))
	}
	return t.write(w, p.headers)
}

func (d networkDetails) names() []string { return networksView(d).names() }

// write prints each network as a block of lines.
func (d networkDetails) write(w io.Writer, _ *printer) error {
	return writeBlocks(w, d)
}

// detail writes one network.
func (v networkView) detail(b *strings.Builder) {
	fmt.Fprintf(b, "Network %s\n", v.Name)
	row(b, "Addresses", fmt.Sprintf("%s to %s, %d leased and %d held of %d", v.First, v.Last,
		v.Leased, v.Held, v.Addresses))
	if v.First6 != "" {
		row(b, "IPv6", "from "+v.First6)
	}
	for _, h := range v.Holds {
		text := h.span() + ": " + h.Comment
		if h.By != "" {
			text += " (" + h.By + ")"
		}
		row(b, "On hold", text)
	}
	for _, l := range v.Leases {
		row(b, "Leased", strings.TrimSpace(fmt.Sprintf("%s %s workspace %d, %s", l.Address,
			l.Address6, l.Workspace, l.Owner)))
	}
}
