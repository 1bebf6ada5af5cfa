package main

import (
	"context"
	"io"
	"strconv"
	"time"

	"github.com/philoxenia/philoxenia/client"
	"github.com/philoxenia/philoxenia/schema/report"
)

// A statsCmd is the command stats.
type statsCmd struct{ targetsArg }

// A trafficView is what went through disks or NICs, as it is shown.
type trafficView struct {
	InBytes  int64 `json:"inBytes"`
	OutBytes int64 `json:"outBytes"`
	Ins      int64 `json:"ins"` // operations or packets
	Outs     int64 `json:"outs"`
}

// A useView is what a workspace uses, as it is shown.
type useView struct {
	Key           string        `json:"key"`
	State         string        `json:"state"`
	InMemory      bool          `json:"inMemory"` // false: the rest is nothing
	CPUSeconds    float64       `json:"cpuSeconds"`
	MemoryBytes   int64         `json:"memoryBytes"`
	UnusedBytes   int64         `json:"unusedBytes"`
	ResidentBytes int64         `json:"residentBytes"`
	Disks         []trafficView `json:"disks"`
	NICs          []trafficView `json:"nics"`
}

// usesView are several of them.
type usesView []useView

// names returns the keys.
func (l usesView) names() []string {
	return keys(l, func(v useView) string { return v.Key })
}

// Run reads what each workspace uses.
func (c *statsCmd) Run(ctx context.Context, a *app) error {
	return standings[usesView](ctx, a, c.Targets, newUse)
}

// newUse makes the view of what a workspace uses.
func newUse(key string, p *report.ServiceProperties) useView {
	v := useView{Key: key, State: client.NewState(p.State).Name,
		Disks: []trafficView{}, NICs: []trafficView{}}
	if u := p.Use; u != nil {
		v.InMemory, v.CPUSeconds = true, u.CPUTime.Seconds()
		v.MemoryBytes, v.UnusedBytes, v.ResidentBytes = u.Memory, u.Unused, u.Resident
		v.Disks, v.NICs = newTraffic(u.Disks), newTraffic(u.NICs)
	}
	return v
}

func newTraffic(all []report.Traffic) []trafficView {
	views := make([]trafficView, 0, len(all))
	for _, t := range all {
		views = append(views, trafficView(t))
	}
	return views
}

// write prints a row for each workspace.
func (l usesView) write(w io.Writer, p *printer) error {
	t := table{headers: []string{"KEY", "STATE", "CPU TIME", "MEMORY", "UNUSED", "READ", "WRITTEN",
		"RECEIVED", "SENT"}}
	for _, v := range l {
		if !v.InMemory {
			t.add(v.Key, v.State, "-", "-", "-", "-", "-", "-", "-")
			continue
		}
		read, written := sumOf(v.Disks)
		received, sent := sumOf(v.NICs)
		busy := time.Duration(v.CPUSeconds * float64(time.Second)).Round(time.Millisecond)
		t.add(v.Key, v.State, busy.String(), mega(v.MemoryBytes), mega(v.UnusedBytes), mega(read),
			mega(written), mega(received), mega(sent))
	}
	return t.write(w, true)
}

// sumOf adds up what went in and out, in bytes.
func sumOf(all []trafficView) (in, out int64) {
	for _, t := range all {
		in, out = in+t.InBytes, out+t.OutBytes
	}
	return in, out
}

// mega writes bytes as megabytes.
func mega(bytes int64) string {
	const perMB = 1 << 20
	return strconv.FormatFloat(float64(bytes)/perMB, 'f', 1, 64) + " MB"
}
