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

// The properties of a workspace that face two alone has: how its lease stands
// with the scheduler, why it waits, and what of it can change while it runs.
var (
	PropertyLease       = p("Lease")
	PropertyExplanation = p("Explanation")
	PropertyShape       = p("Allocation")
)

// The statuses of a lease.
const (
	LeaseQueued     = "queued"
	LeaseAccepted   = "accepted"
	LeaseActive     = "active"
	LeaseSuspending = "suspending"
	LeaseSuspended  = "suspended"
	LeaseOver       = "over"
)

var leaseStatuses = []string{
	LeaseQueued, LeaseAccepted, LeaseActive, LeaseSuspending, LeaseSuspended, LeaseOver,
}

// leaseKinds are the words for kinds of lease.
var leaseKinds = []string{
	deployment.Immediate, deployment.Reservation, deployment.BestEffort, deployment.ByDeadline,
}

// Lease is how a lease stands with the scheduler. Times are zero when they are
// not known.
type Lease struct {
	Number      int64  // that of its first workspace
	Kind        string // deployment.Immediate and its like
	Status      string
	Submitted   time.Time
	Begin, End  time.Time // of its running time, planned or past
	Deadline    time.Time
	Preemptible bool
	Warn        time.Duration // before End
	Ran         time.Duration
	Hosts       []string // of each of its workspaces
}

// The parts of answers about the schedule.
var (
	number      = p("Number")
	kind        = p("Kind")
	status      = p("Status")
	submitted   = p("Submitted")
	begins      = p("Begin")
	ends        = p("End")
	deadline    = p("Deadline")
	preemptible = p("Preemptible")
	warn        = p("Warn")
	ran         = p("Ran")
	onHost      = p("Host")
)

// Write writes the lease as a PropertyLease element.
func (v *Lease) Write(enc *xmlstrict.Encoder) {
	enc.Start(PropertyLease)
	enc.Element(number, strconv.FormatInt(v.Number, 10))
	enc.Element(kind, v.Kind)
	enc.Element(status, v.Status)
	enc.Element(submitted, wsrf.FormatTime(v.Submitted))
	writeMoment(enc, begins, v.Begin)
	writeMoment(enc, ends, v.End)
	writeMoment(enc, deadline, v.Deadline)
	enc.Element(preemptible, strconv.FormatBool(v.Preemptible))
	writeSpan(enc, warn, v.Warn)
	writeSpan(enc, ran, v.Ran)
	for _, host := range v.Hosts {
		enc.Element(onHost, host)
	}
	enc.End()
}

// writeMoment writes a time that is known.
func writeMoment(enc *xmlstrict.Encoder, name xmlstrict.Name, at time.Time) {
	if !at.IsZero() {
		enc.Element(name, wsrf.FormatTime(at))
	}
}

// writeSpan writes a duration above zero.
func writeSpan(enc *xmlstrict.Encoder, name xmlstrict.Name, d time.Duration) {
	if d > 0 {
		enc.Element(name, wsrf.FormatDuration(d))
	}
}

// DecodeLease reads a PropertyLease element.
func DecodeLease(doc *xmlstrict.Document, e *etree.Element) (*Lease, error) {
	return decode(doc, e, (*reader).standing, PropertyLease)
}

func (r *reader) standing(e *etree.Element, v *Lease) {
	r.Sequence(e, []document.Field{
		document.One(number, r.long(&v.Number)),
		document.One(kind, r.OneOf(&v.Kind, "kind of lease", leaseKinds...)),
		document.One(status, r.OneOf(&v.Status, "status", leaseStatuses...)),
		document.One(submitted, r.Time(&v.Submitted)),
		document.Optional(begins, r.Time(&v.Begin)),
		document.Optional(ends, r.Time(&v.End)),
		document.Optional(deadline, r.Time(&v.Deadline)),
		document.One(preemptible, r.Bool(&v.Preemptible)),
		document.Optional(warn, r.Duration(&v.Warn, true)),
		document.Optional(ran, r.Duration(&v.Ran, true)),
		document.Many(0, onHost, r.Words(&v.Hosts)),
	})
}

// long returns what reads any whole number of 64 bits.
func (r *reader) long(to *int64) func(*etree.Element) {
	return func(e *etree.Element) {
		var v int
		r.Int(&v, math.MinInt64, math.MaxInt64)(e)
		*to = int64(v)
	}
}

// longs returns what appends one.
func (r *reader) longs(to *[]int64) func(*etree.Element) {
	return func(e *etree.Element) {
		var v int64
		r.long(&v)(e)
		*to = append(*to, v)
	}
}

// DecodeShape reads a PropertyShape element: what is asked for of it, or what
// there is.
func DecodeShape(doc *xmlstrict.Document, e *etree.Element) (*deployment.Amounts, error) {
	return decode(doc, e, func(r *reader, e *etree.Element, v *deployment.Amounts) {
		deployment.ReadAmounts(r.Reader, v)(e)
	}, PropertyShape)
}
