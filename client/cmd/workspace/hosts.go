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
)

// A hostsCmd is the command hosts.
type hostsCmd struct{}

// A hostView is one host as it is shown. Its JSON keys are a contract with
// scripts: they are only ever added to.
type hostView struct {
	Key          string   `json:"key"`
	VMM          string   `json:"vmm"`
	Active       bool     `json:"active"`
	Reachable    bool     `json:"reachable"`
	CPUs         int      `json:"cpus"`
	CPUsUsed     int      `json:"cpusUsed"`
	MemoryMB     int      `json:"memoryMB"`
	MemoryMBUsed int      `json:"memoryMBUsed"`
	Networks     []string `json:"networks"`

	Drained bool         `json:"drained"` // it takes no new leases
	Comment string       `json:"comment,omitempty"`
	Windows []windowView `json:"windows"` // in which it has less for leases

	Since     *time.Time `json:"since,omitempty"`     // that it answers, or does not
	Version   string     `json:"version,omitempty"`   // of its hypervisor
	LastError string     `json:"lastError,omitempty"` // why it did not answer last
	Added     *time.Time `json:"added,omitempty"`     // while the service ran

	Description *specView `json:"description,omitempty"` // told to operators alone
}

// hostsView are the hosts of the pool in one table.
type hostsView []hostView

// Run lists the hosts of the pool.
func (hostsCmd) Run(ctx context.Context, a *app) error {
	hosts, err := a.client.Hosts(ctx)
	if err != nil {
		return err
	}
	a.keep()
	view := hostsView{}
	for _, h := range hosts {
		view = append(view, newHost(h))
	}
	slices.SortFunc(view, func(x, y hostView) int { return cmp.Compare(x.Key, y.Key) })
	return a.print(view)
}

// newHost makes the view of a host.
func newHost(h client.Host) hostView {
	v := hostView{
		Key: h.Key, VMM: h.VMM, Active: h.Active, Reachable: h.Reachable,
		CPUs: h.CPUs, CPUsUsed: h.CPUsUsed, MemoryMB: h.MemoryMB, MemoryMBUsed: h.MemoryMBUsed,
		Networks: orEmpty(h.Associations), Windows: []windowView{},
	}
	if m := h.Mode; m != nil {
		v.Drained, v.Comment, v.Windows = m.Drained, m.Comment, windowViews(m.Windows)
	}
	if l := h.Liveness; l != nil {
		v.Since, v.Version, v.LastError = set(l.Since), l.Version, l.LastError
	}
	v.Added, v.Description = set(h.Added), newSpec(h.Description)
	return v
}

// set returns the time, nil when there is none.
func set(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	at = at.UTC()
	return &at
}

// state says in a word whether new workspaces may come to the host.
func (v hostView) state() string {
	switch {
	case !v.Reachable:
		return "unreachable"
	case v.Drained:
		return "drained"
	case !v.Active:
		return "inactive"
	}
	return "active"
}

// names returns the keys.
func (l hostsView) names() []string {
	return keys(l, func(v hostView) string { return v.Key })
}

// write prints the table.
func (l hostsView) write(w io.Writer, p *printer) error {
	t := table{headers: []string{"HOST", "STATE", "CPUS", "MEMORY", "VMM", "NETWORKS"},
		columns: p.columns}
	if p.wide() {
		t.headers = append(t.headers, "SINCE", "VERSION", "LAST ERROR")
	}
	for _, v := range l {
		cells := []string{v.Key, v.state(), fmt.Sprintf("%d of %d", v.CPUsUsed, v.CPUs),
			fmt.Sprintf("%d of %d MB", v.MemoryMBUsed, v.MemoryMB), v.VMM,
			cmp.Or(strings.Join(v.Networks, ","), "all")}
		if p.wide() {
			cells = append(cells, relativeTo(v.Since, p.present()), cmp.Or(v.Version, "-"),
				cmp.Or(v.LastError, "-"))
		}
		t.add(cells...)
	}
	return t.write(w, p.headers)
}
