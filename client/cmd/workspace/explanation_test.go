package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/client"
	"github.com/philoxenia/philoxenia/schema/deployment"
	"github.com/philoxenia/philoxenia/schema/report"
)

// reasons is an explanation with something of everything.
func reasons() *report.Explanation {
	return &report.Explanation{
		Code: "taken", Text: "room for 2 of 8 nodes", Blocking: []int64{3, 4},
		Shortages: []report.Shortage{{Resource: "memory", Unit: "MB", Wanted: 1024, Free: 256,
			Where: "node1"}},
		Earliest: noon.Add(2 * time.Hour),
		Offers: []report.Offer{
			{Change: "later", Begin: noon.Add(2*time.Hour + 5*time.Millisecond)},
			{Change: "fewer", Nodes: 2},
			{Change: "shorter", Duration: 90*time.Minute + 500*time.Millisecond},
			{Change: "smaller", Demand: deployment.Amounts{MemoryMB: 256, CPUs: 2},
				Preempts: []int64{5}},
			{Change: "looser"},
		},
	}
}

func TestExplainingAWait(t *testing.T) {
	defer func(zone *time.Location) { time.Local = zone }(time.Local)
	time.Local = time.UTC
	v := newWhy("8", &report.ServiceProperties{
		State: report.CurrentState{State: client.Unpropagated},
		Lease: &report.Lease{
			Number: 7, Kind: deployment.BestEffort, Status: report.LeaseQueued, Preemptible: true,
			Submitted: noon, Ran: time.Minute, Hosts: []string{"a", "b", "a"},
		},
		Explanation: reasons(),
	})
	want := `Workspace #8 is Unpropagated; its lease, 7, waits in the queue.
                 Kind: best-effort, may be interrupted
            Runs from: not planned yet
           Ran so far: 1m
                Hosts: a (2), b
               Reason: taken: others have the hosts at that time
           Too little: memory: 1024 MB wanted, node1 has 256 free
           In the way: leases 3, 4
       Could run from: 2026-11-22 14:00:00 UTC (in 2h)
What would be accepted instead:
  later: from 2026-11-22 14:00:00 UTC (in 2h)     --start 2026-11-22T14:00:00.005Z
  fewer: 2 nodes                                  --nodes 2
  shorter: 1h30m0.5s                              --for 1h30m0.5s
  smaller: 256 MB, 2 CPUs, taking the hosts of 5  --memory 256M --cpus 2
  with --apart and --near as wishes               --wish
`
	var b strings.Builder
	if err := v.write(&b, noon); err != nil || b.String() != want {
		t.Errorf("%v\n%s\nexpected\n%s", err, b.String(), want)
	}
}

func TestExplainingNothing(t *testing.T) {
	for _, test := range []struct {
		lease *report.Lease
		want  string
	}{
		{nil, "Workspace #8 is Running. Nothing keeps it waiting.\n"},
		{&report.Lease{Number: 8, Kind: "immediate", Status: report.LeaseActive, Begin: noon},
			"Workspace #8 is Running; its lease, 8, has its hosts.\n"},
		{&report.Lease{Number: 8, Kind: "best-effort", Status: report.LeaseQueued},
			"Reason: it will begin as planned; nothing has to change for that\n"},
	} {
		v := newWhy("8", &report.ServiceProperties{
			State: report.CurrentState{State: client.Running}, Lease: test.lease,
		})
		var b strings.Builder
		if err := v.write(&b, noon); err != nil || !strings.Contains(b.String(), test.want) {
			t.Errorf("%v, %q, expected %q", err, b.String(), test.want)
		}
	}
}

// TestOffersCanBeTyped holds the options of each offer to what it offers.
func TestOffersCanBeTyped(t *testing.T) {
	for _, o := range newExplanation(reasons(), offerView.deployOptions).Offers {
		c := parsed(t, o.Options+" --apart")
		v := &deployment.WorkspaceDeployment{MinDuration: time.Hour, Nodes: 8}
		v.Allocation.Memory = deployment.Exactly(1024)
		if err := errors.Join(c.leaseFlags.put(v, c.For, noon), c.sizeFlags.put(v)); err != nil {
			t.Errorf("%s: %v", o.Options, err)
			continue
		}
		memory, _ := v.Allocation.Memory.Amount()
		switch o.Change {
		case "later":
			if !v.Terms.Start.Equal(*o.Start) {
				t.Errorf("%s starts at %s, expected %s", o.Options, v.Terms.Start, o.Start)
			}
		case "shorter":
			if v.MinDuration != o.duration() {
				t.Errorf("%s runs %s, expected %s", o.Options, v.MinDuration, o.duration())
			}
		case "smaller":
			if memory != o.MemoryMB || c.CPUs != "2" {
				t.Errorf("%s has %d MB and %s CPUs", o.Options, memory, c.CPUs)
			}
		case "fewer":
			if c.Nodes != o.Nodes {
				t.Errorf("%s has %d nodes", o.Options, c.Nodes)
			}
		}
	}
}

func TestDeadlinesAreOfferedAsSuch(t *testing.T) {
	at := noon.Add(time.Hour)
	o := offerView{Change: "later", Deadline: &at}
	if got := o.deployOptions(); got != "--deadline 2026-11-22T13:00:00Z" {
		t.Errorf("%q", got)
	}
	if got := o.resizeOptions(); got != "" {
		t.Errorf("resize can be asked for a time by %q", got)
	}
}

// TestErrorsTellOffers prints an error whose fault explains.
func TestErrorsTellOffers(t *testing.T) {
	fault := &client.Fault{
		Op: "resize workspace 7", Kind: "no resource", Description: "memory: none is free",
		Explanation: &report.Explanation{Code: "taken", Offers: []report.Offer{
			{Change: "smaller", Demand: deployment.Amounts{MemoryMB: 512}},
		}},
	}
	err := refused(fault, offerView.resizeOptions)
	var text bytes.Buffer
	printError(&text, err, "table", "")
	want := `workspace: cannot resize workspace 7: memory: none is free
What would be accepted instead:
  smaller: 512 MB  --memory 512M
hint: `
	if !strings.HasPrefix(text.String(), want) || exitCode(err) != exitNoResource {
		t.Errorf("exit code %d\n%s", exitCode(err), text.String())
	}
	text.Reset()
	printError(&text, err, "json", "")
	for _, want := range []string{`"code": "taken"`, `"options": "--memory 512M"`} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the document lacks %s:\n%s", want, text.String())
		}
	}
}

func TestRecurrences(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "daily": "FREQ=DAILY", "Weekdays": "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR",
		"RRULE:FREQ=WEEKLY;BYDAY=SA": "FREQ=WEEKLY;BYDAY=SA",
		"freq=daily;count=3":         "FREQ=DAILY;COUNT=3",
	} {
		if got, err := parseRecurrence(text); err != nil || got != want {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	if _, err := parseRecurrence("often"); err == nil ||
		!strings.Contains(err.Error(), `"often" is not a recurrence, expected daily`) {
		t.Errorf("often: %v", err)
	}
}
