package workload

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strconv"

	"github.com/philoxenia/philoxenia/service/lease/book"
	"github.com/philoxenia/philoxenia/service/lease/slot"
)

// WriteLWF writes the workload in Haizea's LWF, so that another scheduler can
// be given the very same requests. Read gives the same workload again, without
// what was broken or skipped, and with networks in whole Mbit/s.
func (w *Workload) WriteLWF() []byte {
	var b bytes.Buffer
	b.WriteString(xml.Header)
	fmt.Fprintf(&b, "<lease-workload name=%s>\n", quoted(w.Name))
	if len(w.Site) > 0 {
		b.WriteString(" <site><resource-types names=\"CPU Memory Disk Net-in Net-out\"/><nodes>\n")
		for _, h := range w.Site {
			writeSet(&b, h.Count, h.Room)
		}
		b.WriteString(" </nodes></site>\n")
	}
	b.WriteString(" <lease-requests>\n")
	for i := range w.Requests {
		w.Requests[i].write(&b)
	}
	b.WriteString(" </lease-requests>\n</lease-workload>\n")
	return b.Bytes()
}

// write writes a request.
func (r *Request) write(b *bytes.Buffer) {
	t := &r.Terms
	fmt.Fprintf(b, " <lease-request arrival=%q>", lwfClock(t.Submitted))
	if r.Real != t.Duration {
		fmt.Fprintf(b, "<realduration time=%q/>", lwfClock(r.Real))
	}
	fmt.Fprintf(b, "\n  <lease id=\"%d\" preemptible=\"%t\"", t.ID, t.Preemptible)
	if t.Owner != "" {
		fmt.Fprintf(b, " user=%s", quoted(t.Owner))
	}
	b.WriteString(">\n   <nodes>\n")
	for _, p := range t.Parts {
		writeSet(b, p.Nodes, p.Need)
	}
	b.WriteString("   </nodes>")
	switch t.Kind {
	case book.Immediate:
		b.WriteString("<start><now/></start>")
	case book.BestEffort:
		b.WriteString("<start/>")
	default:
		fmt.Fprintf(b, "<start><exact time=%q/></start>", lwfClock(t.Start))
	}
	fmt.Fprintf(b, "<duration time=%q/>", lwfClock(t.Duration))
	if t.Kind == book.Deadline {
		fmt.Fprintf(b, "<deadline time=%q/>", lwfClock(t.Deadline))
	}
	if t.Image.Name == "" {
		b.WriteString("<software><none/></software>")
	} else {
		fmt.Fprintf(b, "<software><disk-image id=%s size=\"%d\"/></software>",
			quoted(t.Image.Name), t.Image.SizeMB)
	}
	b.WriteString("\n  </lease>\n </lease-request>\n")
}

// lwfResources are Haizea's names in the order of ours.
var lwfResources = [...]string{
	slot.CPU: "CPU", slot.Memory: "Memory", slot.Disk: "Disk",
	slot.NetIn: "Net-in", slot.NetOut: "Net-out",
}

// writeSet writes so many equal nodes, with what is said of them.
func writeSet(b *bytes.Buffer, nodes int, need slot.Amount) {
	fmt.Fprintf(b, "    <node-set numnodes=\"%d\">", nodes)
	for kind, name := range lwfResources {
		if need[kind] > 0 {
			_, unit, _ := resource(name)
			fmt.Fprintf(b, "<res type=%q amount=\"%d\"/>", name, int64(need[kind])/unit)
		}
	}
	b.WriteString("</node-set>\n")
}

// quoted writes an attribute's value.
func quoted(text string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(text)) // a buffer takes everything
	return `"` + b.String() + `"`
}

// lwfClock writes a time as Haizea does: 01:30:00.00, with days before where
// there are any, to the millisecond where it matters.
func lwfClock(t slot.Time) string {
	fraction := strconv.FormatFloat(float64(t%Second)/float64(Second), 'f', 3, 64)[2:]
	if fraction[2] == '0' {
		fraction = fraction[:2]
	}
	clock := fmt.Sprintf("%02d:%02d:%02d.%s", t/Hour%24, t/Minute%60, t/Second%60, fraction)
	if days := t / Day; days > 0 {
		clock = fmt.Sprintf("%d:%s", days, clock)
	}
	return clock
}
