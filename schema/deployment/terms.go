package deployment

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"strings"
	"time"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/document"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// The kinds of lease that terms may name.
const (
	Immediate   = "immediate"   // now, or not at all
	Reservation = "reservation" // at its start, exactly
	BestEffort  = "best-effort" // when there is room
	ByDeadline  = "deadline"    // done in time
)

// LeaseTerms are what a request on face two asks of the scheduler beyond
// amounts and a duration from now. Absent parts are zero.
type LeaseTerms struct {
	Kind        string    // empty: as follows from Deadline and Start; see Is
	Start       time.Time // of a reservation; the earliest, of a deadline
	Until       time.Time // instead of the request's MinDuration
	Deadline    time.Time
	Preemptible bool
	Warn        time.Duration // before the end of running time
	Extra       Amounts       // disk and bandwidth of each node
	Least       Amounts       // of what each node is to have, what will do
	Parts       []Part        // together they are all nodes of the request
	Near, Apart []Placement
	Images      []Image
}

// Image says what the file must be that the metadata names for a disk.
type Image struct {
	MountAs string // of the disk in the metadata
	SHA256  string // in lower-case hexadecimal, of the file as it lies in its repository
}

// Amounts are those of one node; a zero field says nothing.
type Amounts struct {
	MemoryMB, CPUs, CPUPercent, DiskMB int64
	NetInKbps, NetOutKbps              int64 // kilobits a second
}

// Part is so many nodes of a shape. What Demand does not say is as the request
// does.
type Part struct {
	Nodes         int
	Demand, Least Amounts
}

// Placement says relative to what nodes are to lie; to nothing: to each other.
type Placement struct {
	Soft       bool // a wish; otherwise a condition
	Workspaces []int64
	Hosts      []string
}

// Is returns the kind of lease that the terms ask for, also of none.
func (v *LeaseTerms) Is() string {
	switch {
	case v == nil:
		return Immediate
	case v.Kind != "":
		return v.Kind
	case !v.Deadline.IsZero():
		return ByDeadline
	case !v.Start.IsZero():
		return Reservation
	}
	return Immediate
}

// terms reads the terms of the request v, of which all else has been read.
func (r *reader) terms(v *WorkspaceDeployment) func(*etree.Element) {
	return func(e *etree.Element) {
		l := new(LeaseTerms)
		r.Sequence(e, []document.Field{
			document.Optional(q("Kind"), r.OneOf(&l.Kind, "kind of lease",
				Immediate, Reservation, BestEffort, ByDeadline)),
			document.Optional(q("Start"), r.Time(&l.Start)),
			document.Optional(q("Until"), r.Time(&l.Until)),
			document.Optional(q("Deadline"), r.Time(&l.Deadline)),
			document.Optional(q("Preemptible"), r.Bool(&l.Preemptible)),
			document.Optional(q("Warn"), r.Duration(&l.Warn, false)),
			document.Optional(q("Extra"), r.extra(&l.Extra)),
			document.Optional(q("Least"), r.amounts(&l.Least)),
			document.Many(0, q("Part"), r.part(&l.Parts)).Most(maxParts),
			document.Many(0, q("Near"), r.placement(&l.Near)).Most(maxParts),
			document.Many(0, q("Apart"), r.placement(&l.Apart)).Most(maxParts),
			document.Many(0, q("Image"), r.image(&l.Images)).Most(maxImages),
		})
		v.Terms = l
		r.checkTimes(e, v)
		r.checkAmounts(e, v)
	}
}

// amount returns an optional field that is a whole number from 1.
func (r *reader) amount(name string, to *int64) document.Field {
	return document.Optional(q(name), func(e *etree.Element) {
		var n int
		r.Int(&n, 1, maxAmount)(e)
		*to = int64(n)
	})
}

// ReadAmounts returns what reads amounts, and ReadPart a part, for documents that
// hold them.
func ReadAmounts(r *document.Reader, to *Amounts) func(*etree.Element) {
	return (&reader{r}).amounts(to)
}

// ReadPart returns what appends a part.
func ReadPart(r *document.Reader, to *[]Part) func(*etree.Element) {
	return (&reader{r}).part(to)
}

func (r *reader) amounts(to *Amounts) func(*etree.Element) {
	return func(e *etree.Element) {
		r.Sequence(e, append([]document.Field{
			r.amount("MemoryMB", &to.MemoryMB),
			r.amount("CPUs", &to.CPUs),
			r.amount("CPUPercent", &to.CPUPercent),
		}, r.extras(to)...))
	}
}

func (r *reader) extra(to *Amounts) func(*etree.Element) {
	return func(e *etree.Element) { r.Sequence(e, r.extras(to)) }
}

// extras are the amounts that n:ResourceAllocation does not have.
func (r *reader) extras(to *Amounts) []document.Field {
	return []document.Field{
		r.amount("DiskMB", &to.DiskMB),
		r.amount("NetInKbps", &to.NetInKbps),
		r.amount("NetOutKbps", &to.NetOutKbps),
	}
}

func (r *reader) part(to *[]Part) func(*etree.Element) {
	return func(e *etree.Element) {
		var v Part
		r.Sequence(e, []document.Field{
			document.One(q("Nodes"), r.Int(&v.Nodes, 1, MaxNodes)),
			document.Optional(q("Demand"), r.amounts(&v.Demand)),
			document.Optional(q("Least"), r.amounts(&v.Least)),
		})
		*to = append(*to, v)
	}
}

// maxImages is how many disks may have an image of their own: 64 and the root.
const maxImages = 65

func (r *reader) image(to *[]Image) func(*etree.Element) {
	return func(e *etree.Element) {
		var v Image
		r.Sequence(e, []document.Field{
			document.One(q("MountAs"), r.Word(&v.MountAs)),
			document.One(q("SHA256"), r.checksum(&v.SHA256)),
		})
		*to = append(*to, v)
	}
}

// checksum reads a SHA-256.
func (r *reader) checksum(to *string) func(*etree.Element) {
	return func(e *etree.Element) {
		if r.Word(to)(e); r.Failed() {
			return
		}
		if raw, err := hex.DecodeString(*to); err != nil || len(raw) != sha256.Size {
			r.Fail(e, "64 hexadecimal digits, as sha256sum prints them", "",
				"%.80q is no SHA-256", *to)
		}
		*to = strings.ToLower(*to)
	}
}

func (r *reader) placement(to *[]Placement) func(*etree.Element) {
	return func(e *etree.Element) {
		var v Placement
		r.Sequence(e, []document.Field{
			document.Optional(q("Soft"), r.Bool(&v.Soft)),
			document.Many(0, q("Workspace"), func(e *etree.Element) {
				var id int
				r.Int(&id, 1, math.MaxInt64)(e)
				v.Workspaces = append(v.Workspaces, int64(id))
			}).Most(MaxNodes),
			document.Many(0, q("Host"), r.Words(&v.Hosts)).Most(MaxNodes),
		})
		*to = append(*to, v)
	}
}

// refuse says what is wrong with the child of e that has the name.
func (r *reader) refuse(e *etree.Element, name, expected, format string, args ...any) {
	at := xmlstrict.Child(e, q(name))
	if at == nil {
		at = e
	}
	r.Fail(at, expected, "", format, args...)
}
