package report

import (
	"strconv"
	"time"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/document"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// The messages by which a workspace moves to another host, and between states of it
// that its host keeps; QuerySnapshots is empty, and so is SnapshotResponse.
var (
	Migrate                = p("Migrate")
	MigrateResponse        = p("MigrateResponse")
	Snapshot               = p("Snapshot")
	SnapshotResponse       = p("SnapshotResponse")
	QuerySnapshots         = p("QuerySnapshots")
	QuerySnapshotsResponse = p("QuerySnapshotsResponse")
)

// The parts of these messages.
var (
	toHost     = p("Host")
	coldly     = p("Cold")
	keepAction = p("Action")
	keepName   = p("Name")
	keptState  = p("Kept")
	keptMade   = p("Made")
	keptMemory = p("Memory")
	keptSize   = p("SizeMB")
)

// Move is where a workspace is to go, or goes.
type Move struct {
	Host string // empty: the scheduler chooses
	Cold bool   // its guest stands still meanwhile
}

// Write writes the request.
func (m *Move) Write(enc *xmlstrict.Encoder) {
	enc.Start(Migrate)
	if m.Host != "" {
		enc.Element(toHost, m.Host)
	}
	if m.Cold {
		enc.Element(coldly, "true")
	}
	enc.End()
}

// WriteResponse writes the answer.
func (m *Move) WriteResponse(enc *xmlstrict.Encoder) {
	enc.Start(MigrateResponse)
	enc.Element(toHost, m.Host)
	enc.End()
}

// DecodeMove reads a Migrate or a MigrateResponse element.
func DecodeMove(doc *xmlstrict.Document, e *etree.Element) (*Move, error) {
	return decode(doc, e, func(r *reader, e *etree.Element, v *Move) {
		if xmlstrict.Is(e, MigrateResponse) {
			r.Sequence(e, []document.Field{document.One(toHost, r.Word(&v.Host))})
			return
		}
		r.Sequence(e, []document.Field{
			document.Optional(toHost, r.Word(&v.Host)),
			document.Optional(coldly, r.Bool(&v.Cold)),
		})
	}, Migrate, MigrateResponse)
}

// Keep is what is to be done about a snapshot.
type Keep struct{ Action, Name string }

// keepActions are the words for it.
var keepActions = []string{"create", "revert", "delete"}

// Write writes the request.
func (k *Keep) Write(enc *xmlstrict.Encoder) {
	enc.Start(Snapshot)
	enc.Element(keepAction, k.Action)
	enc.Element(keepName, k.Name)
	enc.End()
}

// DecodeKeep reads a Snapshot element.
func DecodeKeep(doc *xmlstrict.Document, e *etree.Element) (*Keep, error) {
	return decode(doc, e, func(r *reader, e *etree.Element, v *Keep) {
		r.Sequence(e, []document.Field{
			document.One(keepAction, r.OneOf(&v.Action, "action", keepActions...)),
			document.One(keepName, r.Word(&v.Name)),
		})
	}, Snapshot)
}

// Kept is a state of a workspace that its host keeps.
type Kept struct {
	Name   string
	Made   time.Time
	Memory bool
	SizeMB int // on the host
}

// Snapshots are all of them, the oldest first.
type Snapshots []Kept

// Write writes the answer.
func (s Snapshots) Write(enc *xmlstrict.Encoder) {
	enc.Start(QuerySnapshotsResponse)
	for _, k := range s {
		enc.Start(keptState)
		enc.Element(keepName, k.Name)
		enc.Element(keptMade, wsrf.FormatTime(k.Made))
		enc.Element(keptMemory, strconv.FormatBool(k.Memory))
		enc.Element(keptSize, strconv.Itoa(k.SizeMB))
		enc.End()
	}
	enc.End()
}

// DecodeSnapshots reads a QuerySnapshotsResponse element.
func DecodeSnapshots(doc *xmlstrict.Document, e *etree.Element) (*Snapshots, error) {
	const most = 1<<31 - 1
	return decode(doc, e, func(r *reader, e *etree.Element, v *Snapshots) {
		r.Sequence(e, []document.Field{document.Many(0, keptState, func(e *etree.Element) {
			var k Kept
			r.Sequence(e, []document.Field{
				document.One(keepName, r.Word(&k.Name)),
				document.One(keptMade, r.Time(&k.Made)),
				document.One(keptMemory, r.Bool(&k.Memory)),
				document.One(keptSize, r.Int(&k.SizeMB, 0, most)),
			})
			*v = append(*v, k)
		})})
	}, QuerySnapshotsResponse)
}
