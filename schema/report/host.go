package report

import (
	"math"
	"strconv"
	"time"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/document"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// The properties of a host of the pool; HostKey also names the host in endpoint
// references.
var (
	HostKey              = p("HostKey")
	PropertyHostVMM      = p("VMM")
	PropertyActive       = p("Active")
	PropertyReachable    = p("Reachable")
	PropertyCPUs         = p("CPUs")
	PropertyCPUsUsed     = p("CPUsUsed")
	PropertyMemoryMB     = p("MemoryMB")
	PropertyMemoryMBUsed = p("MemoryMBUsed")
	PropertyAssociation  = p("Association")
)

// HostProperties is what a host of the pool tells of itself.
type HostProperties struct {
	Key          string
	VMM          string // type of hypervisor: Xen, VMware, KVM
	Active       bool   // new workspaces may come to it
	Reachable    bool   // it answered last
	CPUs         int
	CPUsUsed     int
	MemoryMB     int
	MemoryMBUsed int
	Associations []string
	Mode         *Mode // what operators want of it; nil: nothing was ever asked
	Liveness     *Liveness
	Added        time.Time // while the service ran; zero: it is configured
	Description  *HostSpec // told to operators alone; nil: not told
}

var hostProperties = properties[HostProperties]{
	{HostKey, func(h *HostProperties, enc *xmlstrict.Encoder) { enc.Element(HostKey, h.Key) }},
	{PropertyHostVMM, func(h *HostProperties, enc *xmlstrict.Encoder) {
		enc.Element(PropertyHostVMM, h.VMM)
	}},
	flagOf(PropertyActive, func(h *HostProperties) bool { return h.Active }),
	flagOf(PropertyReachable, func(h *HostProperties) bool { return h.Reachable }),
	numberOf(PropertyCPUs, func(h *HostProperties) int { return h.CPUs }),
	numberOf(PropertyCPUsUsed, func(h *HostProperties) int { return h.CPUsUsed }),
	numberOf(PropertyMemoryMB, func(h *HostProperties) int { return h.MemoryMB }),
	numberOf(PropertyMemoryMBUsed, func(h *HostProperties) int { return h.MemoryMBUsed }),
	{PropertyAssociation, func(h *HostProperties, enc *xmlstrict.Encoder) {
		for _, a := range h.Associations {
			enc.Element(PropertyAssociation, a)
		}
	}},
	{PropertyMode, writeUnlessNil(
		func(h *HostProperties) *Mode { return h.Mode }, (*Mode).Write)},
	{PropertyLiveness, writeUnlessNil(
		func(h *HostProperties) *Liveness { return h.Liveness }, (*Liveness).Write)},
	{PropertyAdded, func(h *HostProperties, enc *xmlstrict.Encoder) {
		writeMoment(enc, PropertyAdded, h.Added)
	}},
	{PropertyDescription, func(h *HostProperties, enc *xmlstrict.Encoder) {
		if h.Description != nil {
			h.Description.Write(enc, PropertyDescription)
		}
	}},
	queryDialects[HostProperties](),
}

// flagOf is a property that is true or false.
func flagOf(name xmlstrict.Name, value func(*HostProperties) bool) property[HostProperties] {
	return property[HostProperties]{name, func(h *HostProperties, enc *xmlstrict.Encoder) {
		enc.Element(name, strconv.FormatBool(value(h)))
	}}
}

// numberOf is a property that is a whole number.
func numberOf(name xmlstrict.Name, value func(*HostProperties) int) property[HostProperties] {
	return property[HostProperties]{name, func(h *HostProperties, enc *xmlstrict.Encoder) {
		enc.Element(name, strconv.Itoa(value(h)))
	}}
}

// Write writes the document as a HostRPSet element.
func (h *HostProperties) Write(enc *xmlstrict.Encoder) { hostProperties.all(enc, HostRPSet, h) }

// WriteProperty writes every value of one property. It is false, and nothing
// is written, when the document has no such property.
func (h *HostProperties) WriteProperty(enc *xmlstrict.Encoder, name xmlstrict.Name) bool {
	return hostProperties.one(enc, name, h)
}

// Names returns the names of the properties, in the order of the schema.
func (h *HostProperties) Names() []xmlstrict.Name { return hostProperties.names() }

// DecodeHostProperties reads a HostRPSet element, or the Content of the entry of
// a host in its service group.
func DecodeHostProperties(doc *xmlstrict.Document, e *etree.Element) (*HostProperties, error) {
	return decode(doc, e, func(r *reader, e *etree.Element, h *HostProperties) {
		r.Set(e, []document.Field{
			document.One(HostKey, r.Word(&h.Key)),
			document.One(PropertyHostVMM, r.Word(&h.VMM)),
			document.One(PropertyActive, r.Bool(&h.Active)),
			document.One(PropertyReachable, r.Bool(&h.Reachable)),
			document.One(PropertyCPUs, r.Int(&h.CPUs, 0, math.MaxInt32)),
			document.One(PropertyCPUsUsed, r.Int(&h.CPUsUsed, 0, math.MaxInt32)),
			document.One(PropertyMemoryMB, r.Int(&h.MemoryMB, 0, math.MaxInt32)),
			document.One(PropertyMemoryMBUsed, r.Int(&h.MemoryMBUsed, 0, math.MaxInt32)),
			document.Many(0, PropertyAssociation, r.Words(&h.Associations)),
			document.Optional(PropertyMode, pointed(r.mode, &h.Mode)),
			document.Optional(PropertyLiveness, pointed(r.liveness, &h.Liveness)),
			document.Optional(PropertyAdded, r.Time(&h.Added)),
			document.Optional(PropertyDescription, pointed(r.hostSpec, &h.Description)),
		})
	}, HostRPSet, entryContent)
}
