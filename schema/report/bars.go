package report

import (
	"math"
	"strconv"
	"time"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/deployment"
	"github.com/philoxenia/philoxenia/schema/document"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// What is asked of the scheduler, and its answers.
var (
	PlanResponse          = p("PlanResponse")
	QuerySchedule         = p("QuerySchedule")
	QueryScheduleResponse = p("QueryScheduleResponse")
)

// Proposal is what a request would get if it were made now.
type Proposal struct {
	Status     string    // LeaseQueued, LeaseAccepted or LeaseActive
	Begin, End time.Time // of its running time; zero: not planned yet
	Hosts      []string  // of each node
	Parts      []deployment.Part
	Preempts   []int64 // numbers of leases that would lose their hosts
}

// Write writes the proposal as a PlanResponse element.
func (v *Proposal) Write(enc *xmlstrict.Encoder) {
	enc.Start(PlanResponse)
	enc.Element(status, v.Status)
	writeMoment(enc, begins, v.Begin)
	writeMoment(enc, ends, v.End)
	for _, host := range v.Hosts {
		enc.Element(onHost, host)
	}
	for i := range v.Parts {
		v.Parts[i].Write(enc, part)
	}
	writeLongs(enc, preempts, v.Preempts)
	enc.End()
}

// DecodeProposal reads a PlanResponse element.
func DecodeProposal(doc *xmlstrict.Document, e *etree.Element) (*Proposal, error) {
	return decode(doc, e, func(r *reader, e *etree.Element, v *Proposal) {
		r.Sequence(e, []document.Field{
			document.One(status, r.OneOf(&v.Status, "status", leaseStatuses...)),
			document.Optional(begins, r.Time(&v.Begin)),
			document.Optional(ends, r.Time(&v.End)),
			document.Many(0, onHost, r.Words(&v.Hosts)),
			document.Many(0, part, deployment.ReadPart(r.Reader, &v.Parts)),
			document.Many(0, preempts, r.longs(&v.Preempts)),
		})
	}, PlanResponse)
}

// Span is the time of which the schedule is asked: zero From is now, zero Until
// as far as anything is planned.
type Span struct{ From, Until time.Time }

// Write writes the question as a QuerySchedule element.
func (v Span) Write(enc *xmlstrict.Encoder) {
	enc.Start(QuerySchedule)
	writeMoment(enc, from, v.From)
	writeMoment(enc, until, v.Until)
	enc.End()
}

// DecodeSpan reads a QuerySchedule element.
func DecodeSpan(doc *xmlstrict.Document, e *etree.Element) (*Span, error) {
	return decode(doc, e, func(r *reader, e *etree.Element, v *Span) {
		r.Sequence(e, []document.Field{
			document.Optional(from, r.Time(&v.From)),
			document.Optional(until, r.Time(&v.Until)),
		})
		if !v.From.IsZero() && !v.Until.IsZero() && !v.Until.After(v.From) {
			r.Fail(xmlstrict.Child(e, until), "a time after From", "",
				"the schedule ends before it begins")
		}
	}, QuerySchedule)
}

// Bar is what a host does for a lease at a time.
type Bar struct {
	Host       string
	Begin, End time.Time
	Phase      string // "transfer", "boot", "run", "suspend", "resume", "shutdown", "closed"
	Lease      int64  // 0: another owner's, or none
	Nodes      int    // of the lease on this host
	CPUs       int    // that they take together
	MemoryMB   int
	Firm       bool // nobody takes it away any more
	Begun      bool
}

// phases are what a host may do.
var phases = []string{"transfer", "boot", "run", "suspend", "resume", "shutdown", "closed"}

// The parts of a schedule.
var (
	part    = p("Part")
	from    = p("From")
	until   = p("Until")
	bar     = p("Bar")
	phase   = p("Phase")
	ofLease = p("Lease")
	firm    = p("Firm")
	begun   = p("Begun")
)

// WriteSchedule writes the bars as a QueryScheduleResponse element.
func WriteSchedule(enc *xmlstrict.Encoder, bars []Bar) {
	enc.Start(QueryScheduleResponse)
	for i := range bars {
		bars[i].write(enc)
	}
	enc.End()
}

func (v *Bar) write(enc *xmlstrict.Encoder) {
	enc.Start(bar)
	enc.Element(onHost, v.Host)
	enc.Element(begins, wsrf.FormatTime(v.Begin))
	enc.Element(ends, wsrf.FormatTime(v.End))
	enc.Element(phase, v.Phase)
	if v.Lease != 0 {
		enc.Element(ofLease, strconv.FormatInt(v.Lease, 10))
	}
	enc.Element(nodeNumber, strconv.Itoa(v.Nodes))
	enc.Element(PropertyCPUs, strconv.Itoa(v.CPUs))
	enc.Element(PropertyMemoryMB, strconv.Itoa(v.MemoryMB))
	enc.Element(firm, strconv.FormatBool(v.Firm))
	enc.Element(begun, strconv.FormatBool(v.Begun))
	enc.End()
}

// DecodeSchedule reads a QueryScheduleResponse element.
func DecodeSchedule(doc *xmlstrict.Document, e *etree.Element) ([]Bar, error) {
	bars, err := decode(doc, e, func(r *reader, e *etree.Element, all *[]Bar) {
		r.Sequence(e, []document.Field{document.Many(0, bar, document.Each(r.bar, all))})
	}, QueryScheduleResponse)
	if err != nil {
		return nil, err
	}
	return *bars, nil
}

func (r *reader) bar(e *etree.Element, v *Bar) {
	r.Sequence(e, []document.Field{
		document.One(onHost, r.Word(&v.Host)),
		document.One(begins, r.Time(&v.Begin)),
		document.One(ends, r.Time(&v.End)),
		document.One(phase, r.OneOf(&v.Phase, "phase", phases...)),
		document.Optional(ofLease, r.long(&v.Lease)),
		document.One(nodeNumber, r.Int(&v.Nodes, 0, math.MaxInt32)),
		document.One(PropertyCPUs, r.Int(&v.CPUs, 0, math.MaxInt32)),
		document.One(PropertyMemoryMB, r.Int(&v.MemoryMB, 0, math.MaxInt32)),
		document.One(firm, r.Bool(&v.Firm)),
		document.One(begun, r.Bool(&v.Begun)),
	})
}
