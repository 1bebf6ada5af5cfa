package main

import (
	"context"
	"slices"
	"time"

	"github.com/philoxenia/philoxenia/client"
	"github.com/philoxenia/philoxenia/schema/deployment"
	"github.com/philoxenia/philoxenia/schema/metadata"
	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/schema/wsa"
)

// A listCmd is the command list.
type listCmd struct {
	State []string `placeholder:"STATE" help:"Only workspaces in one of these states."`
}

// Run lists the caller's workspaces.
func (c *listCmd) Run(ctx context.Context, a *app) error {
	states, err := parseStates(c.State)
	if err != nil {
		return usagef("", "cannot list workspaces: %w", err)
	}
	current, err := a.client.Current(ctx)
	if err != nil {
		return err
	}
	a.keep()
	view := listView{}
	for _, w := range current {
		v := newView(w.EPR, client.NewState(w.State), w.Schedule)
		v.NICs, v.Architecture = newNICs(w.NICs), w.Allocation.Architecture
		v.MemoryMB, v.CPUs = amounts(w.Allocation)
		if len(states) == 0 || slices.Contains(states, v.State) {
			view = append(view, v)
		}
	}
	slices.SortStableFunc(view, func(x, y workspaceView) int { return compareKeys(x.Key, y.Key) })
	return a.print(view)
}

// parseStates reads several states.
func parseStates(texts []string) ([]string, error) {
	var states []string
	for _, text := range texts {
		state, err := parseState(text)
		if err != nil {
			return nil, err
		}
		states = append(states, state)
	}
	return states, nil
}

// newView makes the view of a workspace from what every report tells.
func newView(epr wsa.EPR, state client.State, s report.Schedule) workspaceView {
	v := workspaceView{
		Key: client.Key(epr), Service: epr.Address, State: state.Name, Fault: state.Fault,
		DurationSeconds: int64(s.Duration / time.Second), NICs: []nicView{},
	}
	v.Start, v.Termination = known(s.Start), known(s.Termination)
	if !s.Start.IsZero() {
		v.Shutdown = known(s.Start.Add(s.Duration))
	}
	return v
}

// known returns the time in UTC, nil when it is not known yet.
func known(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	at = at.UTC()
	return &at
}

// newNICs makes the views of network interfaces.
func newNICs(nics []metadata.NIC) []nicView {
	views := make([]nicView, 0, len(nics))
	for _, n := range nics {
		views = append(views, nicView{
			Name: n.Name, Association: n.Association, MAC: n.MAC, IP: n.IPAddress,
			Hostname: n.Hostname, Netmask: n.Netmask, Gateway: n.Gateway, Broadcast: n.Broadcast,
		})
	}
	return views
}

// amounts returns memory in MB and the number of CPUs, 0 where not told.
func amounts(a deployment.ResourceAllocation) (memory, cpus int64) {
	memory, _ = a.Memory.Amount()
	cpus, _ = a.CPUCount.Amount()
	return memory, cpus
}
