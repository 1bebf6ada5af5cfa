package deployment

import (
	"strconv"
	"time"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// write writes the terms, nothing when they are nil.
func (v *LeaseTerms) write(enc *xmlstrict.Encoder) {
	if v == nil {
		return
	}
	enc.Start(q("LeaseTerms"))
	enc.Declare(schema.Terms)
	optional(enc, q("Kind"), v.Kind)
	moment(enc, "Start", v.Start)
	moment(enc, "Until", v.Until)
	moment(enc, "Deadline", v.Deadline)
	flag(enc, q("Preemptible"), v.Preemptible)
	if v.Warn > 0 {
		enc.Element(q("Warn"), wsrf.FormatDuration(v.Warn))
	}
	v.Extra.Write(enc, q("Extra"))
	v.Least.Write(enc, q("Least"))
	for i := range v.Parts {
		v.Parts[i].Write(enc, q("Part"))
	}
	writePlacements(enc, "Near", v.Near)
	writePlacements(enc, "Apart", v.Apart)
	for _, i := range v.Images {
		enc.Start(q("Image"))
		enc.Element(q("MountAs"), i.MountAs)
		enc.Element(q("SHA256"), i.SHA256)
		enc.End()
	}
	enc.End()
}

// moment writes a time, nothing when it is zero.
func moment(enc *xmlstrict.Encoder, name string, at time.Time) {
	if !at.IsZero() {
		enc.Element(q(name), wsrf.FormatTime(at))
	}
}

// Write writes the part under a name.
func (v *Part) Write(enc *xmlstrict.Encoder, name xmlstrict.Name) {
	enc.Start(name)
	enc.Declare(schema.Terms)
	enc.Element(q("Nodes"), strconv.Itoa(v.Nodes))
	v.Demand.Write(enc, q("Demand"))
	v.Least.Write(enc, q("Least"))
	enc.End()
}

// Write writes the amounts under a name, nothing when all are zero.
func (a *Amounts) Write(enc *xmlstrict.Encoder, name xmlstrict.Name) {
	if *a == (Amounts{}) {
		return
	}
	enc.Start(name)
	enc.Declare(schema.Terms)
	for i, amount := range a.all() {
		if *amount != 0 {
			enc.Element(q(amountNames[i]), strconv.FormatInt(*amount, 10))
		}
	}
	enc.End()
}

func writePlacements(enc *xmlstrict.Encoder, name string, all []Placement) {
	for i := range all {
		enc.Start(q(name))
		flag(enc, q("Soft"), all[i].Soft)
		for _, id := range all[i].Workspaces {
			enc.Element(q("Workspace"), strconv.FormatInt(id, 10))
		}
		for _, host := range all[i].Hosts {
			enc.Element(q("Host"), host)
		}
		enc.End()
	}
}
