package report

import (
	"strconv"
	"time"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/document"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// The topics of face two alone, and what is told on them, which bears their name.
var (
	LeaseWarning = p("leaseWarning") // running time is over soon
	LeaseStatus  = p("leaseStatus")  // the scheduler changed the lease, or its terms

	TransferProgress = p("transferProgress") // an image is on its way
)

// Transfer is what is told of an image on its way.
type Transfer struct {
	Task        string // the step of the service that it is of, such as propagate
	Done, Total int64  // bytes
}

// The parts of a TransferProgress element.
var (
	transferTask  = p("Task")
	transferDone  = p("Done")
	transferTotal = p("Total")
)

// Write writes what is told, as a TransferProgress element.
func (v Transfer) Write(enc *xmlstrict.Encoder) {
	enc.Start(TransferProgress)
	enc.Element(transferTask, v.Task)
	enc.Element(transferDone, strconv.FormatInt(v.Done, 10))
	enc.Element(transferTotal, strconv.FormatInt(v.Total, 10))
	enc.End()
}

// DecodeTransfer reads a TransferProgress element.
func DecodeTransfer(doc *xmlstrict.Document, e *etree.Element) (*Transfer, error) {
	return decode(doc, e, func(r *reader, e *etree.Element, v *Transfer) {
		r.Sequence(e, []document.Field{
			document.One(transferTask, r.Word(&v.Task)),
			document.One(transferDone, r.long(&v.Done)),
			document.One(transferTotal, r.long(&v.Total)),
		})
	}, TransferProgress)
}

// Standing is what is told on both topics: on the warning's, when running time
// will be over; on the other, how the lease stands too.
type Standing struct {
	Status string    // empty on the topic LeaseWarning
	End    time.Time // zero: not known
}

// Write writes what is told, as a LeaseWarning or LeaseStatus element.
func (v Standing) Write(enc *xmlstrict.Encoder) {
	name := LeaseStatus
	if v.Status == "" {
		name = LeaseWarning
	}
	enc.Start(name)
	writeText(enc, status, v.Status)
	if v.Status == "" || !v.End.IsZero() {
		enc.Element(ends, wsrf.FormatTime(v.End))
	}
	enc.End()
}

// DecodeStanding reads a LeaseWarning or LeaseStatus element.
func DecodeStanding(doc *xmlstrict.Document, e *etree.Element) (*Standing, error) {
	return decode(doc, e, func(r *reader, e *etree.Element, v *Standing) {
		if xmlstrict.Is(e, LeaseWarning) {
			r.Sequence(e, []document.Field{document.One(ends, r.Time(&v.End))})
			return
		}
		r.Sequence(e, []document.Field{
			document.One(status, r.OneOf(&v.Status, "status", leaseStatuses...)),
			document.Optional(ends, r.Time(&v.End)),
		})
	}, LeaseWarning, LeaseStatus)
}
