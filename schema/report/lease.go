package report

import (
	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/document"
	"github.com/philoxenia/philoxenia/schema/metadata"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// The parts of face two's answers.
var (
	leaseWorkspace = p("Workspace")
	leaseGroup     = p("Group")
	leaseKey       = p("Key")
	leaseReference = p("Reference")
	leaseUsed      = p("Used")
	leaseReserved  = p("Reserved")
)

// WriteLease writes the answer as face two has it, a CreateLeaseResponse
// element. The keys it tells beside the references are those of the references.
func (c *Created) WriteLease(enc *xmlstrict.Encoder) {
	enc.Start(CreateLeaseResponse)
	enc.Declare(schema.Addressing2005, schema.Workspace, schema.Types, schema.Logistics)
	for i := range c.Workspaces {
		one := &c.Workspaces[i]
		enc.Start(leaseWorkspace)
		writeKeyed(enc, one.EPR, WorkspaceKey)
		one.Schedule.Write(enc)
		if len(one.NICs) > 0 {
			metadata.WriteNetworking(enc, one.NICs)
		}
		writeDiskImages(enc, one.Images)
		enc.End()
	}
	if c.Group != nil {
		enc.Start(leaseGroup)
		writeKeyed(enc, *c.Group, GroupKey)
		enc.End()
	}
	enc.End()
}

// writeKeyed writes a resource's key and its reference.
func writeKeyed(enc *xmlstrict.Encoder, epr wsa.EPR, name xmlstrict.Name) {
	key, _ := epr.Key(name)
	enc.Element(leaseKey, key)
	epr.Write(enc, leaseReference, wsa.V200508)
}

// lease reads the answer of face two.
func (r *reader) lease(e *etree.Element, c *Created) {
	r.Sequence(e, []document.Field{
		document.Many(1, leaseWorkspace, func(e *etree.Element) {
			var one CreatedWorkspace
			r.Sequence(e, append(r.keyed(&one.EPR, WorkspaceKey),
				document.One(PropertySchedule, bind(r.schedule, &one.Schedule)),
				document.Optional(networking, r.networking(&one.NICs)),
				document.Many(0, PropertyDiskImage, r.diskImages(&one.Images))))
			c.Workspaces = append(c.Workspaces, one)
		}),
		document.Optional(leaseGroup, func(e *etree.Element) {
			c.Group = new(wsa.EPR)
			r.Sequence(e, r.keyed(c.Group, GroupKey))
		}),
	})
}

// keyed reads a resource's key and its reference, which must have the same key:
// which of two counts must not depend on the reader.
func (r *reader) keyed(to *wsa.EPR, name xmlstrict.Name) []document.Field {
	var key string
	return []document.Field{
		document.One(leaseKey, r.Word(&key)),
		document.One(leaseReference, func(e *etree.Element) {
			if r.epr(to)(e); r.Failed() {
				return
			}
			if found, ok := to.Key(name); !ok || found != key {
				r.Fail(e, name.Local+" "+xmlstrict.Clip(key)+" among its parameters", "",
					"the reference is not that of the key before it")
			}
		}),
	}
}

// WriteLease writes the account as face two has it, a QueryUsageResponse
// element.
func (u Usage) WriteLease(enc *xmlstrict.Encoder) {
	enc.Start(QueryUsageResponse)
	enc.Element(leaseUsed, wsrf.FormatDuration(u.Used))
	enc.Element(leaseReserved, wsrf.FormatDuration(u.Reserved))
	enc.End()
}
