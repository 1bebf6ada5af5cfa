package report

import (
	"strconv"
	"time"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/document"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// PropertyUse is what a workspace uses of its host, while it is in memory.
var PropertyUse = p("Use")

// Use is what a workspace has used since it came into memory. What its host cannot
// tell is 0.
type Use struct {
	CPUTime  time.Duration // of all processors together
	Memory   int64         // bytes that the guest has
	Unused   int64         // bytes of it that the guest has no use for
	Resident int64         // bytes that the host spends on it
	Disks    []Traffic     // read and written, in the order of its partitions
	NICs     []Traffic     // received and sent, in the order of its NICs
}

// Traffic is what went in and out, in bytes and in operations or packets.
type Traffic struct {
	InBytes, OutBytes, Ins, Outs int64
}

// The parts of a Use.
var (
	cpuTime  = p("CPUTime")
	memory   = p("Memory")
	unused   = p("Unused")
	resident = p("Resident")
	ofDisk   = p("Disk")
	ofNIC    = p("NIC")
	inBytes  = p("InBytes")
	outBytes = p("OutBytes")
	ins      = p("Ins")
	outs     = p("Outs")
)

// Write writes the use as a PropertyUse element.
func (v *Use) Write(enc *xmlstrict.Encoder) {
	enc.Start(PropertyUse)
	enc.Element(cpuTime, wsrf.FormatDuration(v.CPUTime))
	writeLong(enc, memory, v.Memory)
	writeLong(enc, unused, v.Unused)
	writeLong(enc, resident, v.Resident)
	writeTraffic(enc, ofDisk, v.Disks)
	writeTraffic(enc, ofNIC, v.NICs)
	enc.End()
}

func writeLong(enc *xmlstrict.Encoder, name xmlstrict.Name, v int64) {
	enc.Element(name, strconv.FormatInt(v, 10))
}

func writeTraffic(enc *xmlstrict.Encoder, name xmlstrict.Name, all []Traffic) {
	for _, v := range all {
		enc.Start(name)
		writeLong(enc, inBytes, v.InBytes)
		writeLong(enc, outBytes, v.OutBytes)
		writeLong(enc, ins, v.Ins)
		writeLong(enc, outs, v.Outs)
		enc.End()
	}
}

func (r *reader) use(e *etree.Element, v *Use) {
	r.Sequence(e, []document.Field{
		document.One(cpuTime, r.Duration(&v.CPUTime, true)),
		document.One(memory, r.long(&v.Memory)),
		document.One(unused, r.long(&v.Unused)),
		document.One(resident, r.long(&v.Resident)),
		document.Many(0, ofDisk, document.Each(r.traffic, &v.Disks)),
		document.Many(0, ofNIC, document.Each(r.traffic, &v.NICs)),
	})
}

func (r *reader) traffic(e *etree.Element, v *Traffic) {
	r.Sequence(e, []document.Field{
		document.One(inBytes, r.long(&v.InBytes)),
		document.One(outBytes, r.long(&v.OutBytes)),
		document.One(ins, r.long(&v.Ins)),
		document.One(outs, r.long(&v.Outs)),
	})
}
