package report

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/deployment"
	"github.com/philoxenia/philoxenia/schema/soap/soaptest"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// bars is a schedule that can be written.
type bars []Bar

func (v bars) Write(enc *xmlstrict.Encoder) { WriteSchedule(enc, v) }

func decodeBars(doc *xmlstrict.Document, e *etree.Element) (bars, error) {
	return DecodeSchedule(doc, e)
}

func decodeSpan(doc *xmlstrict.Document, e *etree.Element) (Span, error) {
	v, err := DecodeSpan(doc, e)
	if err != nil {
		return Span{}, err
	}
	return *v, nil
}

func decodeStanding(doc *xmlstrict.Document, e *etree.Element) (Standing, error) {
	v, err := DecodeStanding(doc, e)
	if err != nil {
		return Standing{}, err
	}
	return *v, nil
}

// lease has every part that a lease may have.
func lease() *Lease {
	return &Lease{
		Number: 7, Kind: deployment.ByDeadline, Status: LeaseSuspended, Submitted: start,
		Begin: start.Add(time.Minute), End: start.Add(time.Hour),
		Deadline: start.Add(2 * time.Hour), Preemptible: true,
		Warn: 5 * time.Minute, Ran: 90 * time.Second,
		Hosts: []string{"node1", "node2"},
	}
}

// explanation has every part that an explanation may have.
func explanation() *Explanation {
	return &Explanation{
		Code: "taken", Text: "memory: wanted 512 MB, node1 has 256 free",
		Shortages: []Shortage{{"memory", "MB", 512, 256, "node1"}, {Resource: "host", Wanted: 2}},
		Blocking:  []int64{3, 4}, Earliest: start,
		Offers: []Offer{
			{Change: "later", Begin: start, Deadline: start.Add(time.Hour)},
			{Change: "smaller", Nodes: 2, Duration: time.Hour,
				Demand: deployment.Amounts{MemoryMB: 256, CPUs: 1}, Preempts: []int64{5}},
		},
	}
}

// standings are the answers about leases and the schedule.
func standings() []answer {
	window := Window{Begin: start, End: start.Add(time.Hour), Rule: "FREQ=WEEKLY",
		Left: Capacity{CPUs: 1, NetOutKbps: 1000}, Comment: "backups"}
	return []answer{
		{"workspace-waits", &ServiceProperties{Edition: wsrf.Final, Allocation: allocation(),
			Schedule:    Schedule{Duration: time.Hour},
			CurrentTime: start, State: CurrentState{State: "Unpropagated"},
			Lease: lease(), Shape: deployment.Amounts{MemoryMB: 256, CPUs: 1, CPUPercent: 50,
				DiskMB: 10, NetInKbps: 1, NetOutKbps: 2},
			Explanation: explanation()}, as(DecodeServiceProperties)},
		{"host-drained", &HostProperties{Key: "node1", VMM: "KVM", Mode: &Mode{Drained: true,
			Comment: "new disks", Windows: []Window{window, {Begin: start,
				End: start.Add(time.Second)}}}}, as(DecodeHostProperties)},
		{"mode", &Mode{}, as(DecodeMode)},
		{"lease", lease(), as(DecodeLease)},
		{"lease-bare", &Lease{Kind: deployment.BestEffort, Status: LeaseQueued, Submitted: start},
			as(DecodeLease)},
		{"explanation", explanation(), as(DecodeExplanation)},
		{"explanation-bare", &Explanation{Text: "no"}, as(DecodeExplanation)},
		{"proposal", &Proposal{Status: LeaseAccepted, Begin: start, End: start.Add(time.Hour),
			Hosts: []string{"node1", "node1"}, Preempts: []int64{9},
			Parts: []deployment.Part{{Nodes: 2, Demand: deployment.Amounts{MemoryMB: 128}}},
		}, as(DecodeProposal)},
		{"proposal-bare", &Proposal{Status: LeaseQueued}, as(DecodeProposal)},
		{"span", Span{start, start.Add(time.Hour)}, as(decodeSpan)},
		{"span-bare", Span{}, as(decodeSpan)},
		{"schedule", bars{
			{Host: "node1", Begin: start, End: start.Add(time.Minute), Phase: "transfer", Lease: 7,
				Nodes: 1, CPUs: 2, MemoryMB: 256, Firm: true, Begun: true},
			{Host: "node2", Begin: start, End: start.Add(time.Hour), Phase: "closed"},
		}, as(decodeBars)},
		{"schedule-bare", bars(nil), as(decodeBars)},
		{"warning", Standing{End: start}, as(decodeStanding)},
		{"status", Standing{LeaseAccepted, start}, as(decodeStanding)},
		{"status-bare", Standing{Status: LeaseQueued}, as(decodeStanding)},
	}
}

// TestStandingErrors changes one thing in an answer.
func TestStandingErrors(t *testing.T) {
	tests := []struct{ answer, from, to, path, want string }{
		{"lease", ">deadline<", ">soon<", "/Lease/Kind", `unknown kind of lease "soon"`},
		{"lease", ">suspended<", ">asleep<", "/Lease/Status", `unknown status "asleep"`},
		{"lease", ">7<", ">seven<", "/Lease/Number", `"seven" is out of range or not a number`},
		{"explanation", "<p:Change>later</p:Change>", "", "/Explanation/Offer[1]",
			"Change is missing"},
		{"schedule", ">closed<", ">asleep<", "/QueryScheduleResponse/Bar[2]/Phase",
			`unknown phase "asleep"`},
		{"span", ">" + wsrf.FormatTime(start.Add(time.Hour)), ">" + wsrf.FormatTime(start),
			"/QuerySchedule/Until", "the schedule ends before it begins"},
		{"host-drained", "<p:End>" + wsrf.FormatTime(start.Add(time.Hour)),
			"<p:End>" + wsrf.FormatTime(start), "/HostProperties/Mode/Window[1]/End",
			"the window ends before it begins"},
		{"host-drained", ">1000<", ">-1<", "/HostProperties/Mode/Window[1]/Left/NetOutKbps",
			`"-1" is out of range`},
		{"warning", "<p:End>" + wsrf.FormatTime(start) + "</p:End>", "", "/leaseWarning",
			"End is missing"},
	}
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			for _, a := range standings() {
				if a.name != tt.answer {
					continue
				}
				before := string(encode(t, a.value))
				text := strings.Replace(before, tt.from, tt.to, 1)
				doc := soaptest.Parse(t, text)
				_, err := a.decode(doc, doc.Root)
				var bad *xmlstrict.ContentError
				if !errors.As(err, &bad) || bad.Path != tt.path ||
					!strings.Contains(err.Error(), tt.want) {
					t.Errorf("got %v of %s", err, text)
				}
			}
		})
	}
}
