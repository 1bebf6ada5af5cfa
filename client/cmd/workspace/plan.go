package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/philoxenia/philoxenia/client"
	"github.com/philoxenia/philoxenia/schema/report"
)

// A planView is what a request would get, as it is shown.
type planView struct {
	Status   string     `json:"status"`
	Start    *time.Time `json:"start"` // null: not planned yet
	End      *time.Time `json:"end"`
	Hosts    []string   `json:"hosts"` // of each node
	Parts    []partView `json:"parts"`
	Preempts []string   `json:"preempts"` // leases that would be interrupted for it
}

// A partView is so many equal nodes as they would be granted.
type partView struct {
	Nodes      int   `json:"nodes"`
	MemoryMB   int64 `json:"memoryMB"`
	CPUs       int64 `json:"cpus"`
	CPUPercent int64 `json:"cpuPercent,omitempty"`
	DiskMB     int64 `json:"diskMB,omitempty"`
	NetInKbps  int64 `json:"netInKbps,omitempty"`
	NetOutKbps int64 `json:"netOutKbps,omitempty"`
}

// plan asks what would come of the request, and leases nothing.
func (c *deployCmd) plan(ctx context.Context, a *app, r client.Request) error {
	p, err := a.client.Plan(ctx, r)
	if err != nil {
		return c.place(a.offered(ctx, err, r))
	}
	a.keep()
	return a.print(newPlan(p))
}

// newPlan makes the view of a proposal.
func newPlan(p *report.Proposal) planView {
	v := planView{
		Status: p.Status, Start: known(p.Begin), End: known(p.End), Hosts: orEmpty(p.Hosts),
		Parts: []partView{}, Preempts: leaseNumbers(p.Preempts),
	}
	for _, part := range p.Parts {
		d := part.Demand
		v.Parts = append(v.Parts, partView{
			Nodes: part.Nodes, MemoryMB: d.MemoryMB, CPUs: d.CPUs, CPUPercent: d.CPUPercent,
			DiskMB: d.DiskMB, NetInKbps: d.NetInKbps, NetOutKbps: d.NetOutKbps,
		})
	}
	return v
}

// leaseNumbers writes numbers of leases.
func leaseNumbers(all []int64) []string {
	numbers := make([]string, 0, len(all))
	for _, n := range all {
		numbers = append(numbers, fmt.Sprint(n))
	}
	return numbers
}

// names returns the hosts.
func (v planView) names() []string { return v.Hosts }

// sentence says what would happen.
func (v planView) sentence() string {
	switch v.Status {
	case report.LeaseActive:
		return "It would begin at once."
	case report.LeaseAccepted:
		return "It would be accepted, and its start promised."
	}
	return "It would wait in the queue."
}

// write prints lines.
func (v planView) write(w io.Writer, p *printer) error {
	now := p.present()
	var b strings.Builder
	b.WriteString(v.sentence() + " Nothing was leased.\n")
	if v.Start == nil {
		row(&b, "Runs from", "not planned yet")
	} else {
		row(&b, "Runs from", bothWays(v.Start, now))
	}
	if v.End != nil {
		row(&b, "Until", bothWays(v.End, now))
	}
	row(&b, "Hosts", countedHosts(v.Hosts))
	for _, part := range v.Parts {
		row(&b, "Nodes", part.String())
	}
	if len(v.Preempts) > 0 {
		row(&b, "Interrupts", "leases "+strings.Join(v.Preempts, ", "))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// String says the part in a line.
func (v partView) String() string {
	o := offerView{
		MemoryMB: v.MemoryMB, CPUs: v.CPUs, CPUPercent: v.CPUPercent, NetInKbps: v.NetInKbps,
		NetOutKbps: v.NetOutKbps,
	}
	amounts := o.amounts()
	if v.DiskMB > 0 {
		amounts = append(amounts, fmt.Sprintf("%d MB of disk", v.DiskMB))
	}
	return fmt.Sprintf("%d with %s", v.Nodes, strings.Join(amounts, ", "))
}

// countedHosts lists hosts, each once, with how many nodes it has.
func countedHosts(hosts []string) string {
	count := map[string]int{}
	for _, host := range hosts {
		count[host]++
	}
	var words []string
	for _, host := range hosts {
		word := host
		if n := count[host]; n > 1 {
			word = fmt.Sprintf("%s (%d)", host, n)
		}
		if !slices.Contains(words, word) {
			words = append(words, word)
		}
	}
	return strings.Join(words, ", ")
}
