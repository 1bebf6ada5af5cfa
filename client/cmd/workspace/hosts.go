package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

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
	return v
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
	var names []string
	for _, v := range l {
		names = append(names, v.Key)
	}
	return names
}

// write prints the table.
func (l hostsView) write(w io.Writer, p *printer) error {
	t := table{headers: []string{"HOST", "STATE", "CPUS", "MEMORY", "VMM", "NETWORKS"}}
	for _, v := range l {
		t.add(v.Key, v.state(), fmt.Sprintf("%d of %d", v.CPUsUsed, v.CPUs),
			fmt.Sprintf("%d of %d MB", v.MemoryMBUsed, v.MemoryMB), v.VMM,
			cmp.Or(strings.Join(v.Networks, ","), "-"))
	}
	return t.write(w, p.headers)
}
