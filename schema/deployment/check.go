package deployment

import (
	"fmt"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// checkTimes refuses times that contradict each other or the kind of lease. What
// is past is not the text's business.
func (r *reader) checkTimes(e *etree.Element, v *WorkspaceDeployment) {
	l := v.Terms
	kind := l.Is()
	switch {
	case r.Failed():
	case kind == Reservation && l.Start.IsZero():
		r.refuse(e, "Kind", "an element Start", "a reservation has no Start")
	case kind == ByDeadline && l.Deadline.IsZero():
		r.refuse(e, "Kind", "an element Deadline", "a deadline lease has no Deadline")
	case !l.Start.IsZero() && kind != Reservation && kind != ByDeadline:
		r.refuse(e, "Start", "no Start, or Kind reservation",
			"a lease of the kind %s has no Start", kind)
	case !l.Deadline.IsZero() && kind != ByDeadline:
		r.refuse(e, "Deadline", "no Deadline, or Kind deadline",
			"a lease of the kind %s has no Deadline", kind)
	case l.Preemptible && kind != BestEffort:
		r.refuse(e, "Preemptible", "Kind best-effort", "what is promised cannot be preempted: "+
			"the lease is of the kind %s", kind)
	}
	r.checkUntil(e, v, kind)
	r.checkLength(e, v)
}

// checkUntil refuses an end that says nothing, or something else than the rest.
func (r *reader) checkUntil(e *etree.Element, v *WorkspaceDeployment, kind string) {
	l := v.Terms
	switch {
	case l.Until.IsZero():
	case kind != Immediate && kind != Reservation:
		r.refuse(e, "Until", "minDuration", "a lease of the kind %s has no fixed end", kind)
	case v.MinDuration != 0:
		r.refuse(e, "Until", "either of them", "there are both Until and minDuration")
	case !l.Start.IsZero() && !l.Until.After(l.Start):
		r.refuse(e, "Until", "a time after Start", "the lease ends before it starts")
	}
}

// checkLength refuses a running time that does not fit between the times.
func (r *reader) checkLength(e *etree.Element, v *WorkspaceDeployment) {
	l := v.Terms
	length := v.MinDuration
	if !l.Until.IsZero() && !l.Start.IsZero() {
		length = l.Until.Sub(l.Start)
	}
	switch {
	case r.Failed():
	case l.Deadline.IsZero() || l.Start.IsZero():
	case !l.Deadline.After(l.Start):
		r.refuse(e, "Deadline", "a time after Start", "the deadline is before the start")
	case l.Deadline.Sub(l.Start) < length:
		r.refuse(e, "Deadline", "at least "+length.String()+" after Start",
			"between Start and Deadline are %v, the lease takes %v",
			l.Deadline.Sub(l.Start), length)
	}
	if l.Warn > 0 && length > 0 && l.Warn >= length {
		r.refuse(e, "Warn", "less than "+length.String(),
			"the warning would come before the lease starts")
	}
}

// checkAmounts refuses lower bounds above the upper ones, lower bounds of what
// is not asked for, and parts that are not the request's nodes.
func (r *reader) checkAmounts(e *etree.Element, v *WorkspaceDeployment) {
	r.checkRanges(e.Parent(), v)
	r.checkBandwidth(e, v)
	if r.Failed() {
		return
	}
	most, least := v.Amounts()
	r.checkBounds(e, "", most, least)
	nodes, n := 0, 0
	for kid := range xmlstrict.Children(e) {
		if !xmlstrict.Is(kid, q("Part")) || r.Failed() {
			continue
		}
		part := v.Terms.Parts[n]
		most, least := v.PartAmounts(part)
		r.checkBounds(kid, fmt.Sprintf("of part %d, ", n+1), most, least)
		nodes, n = nodes+part.Nodes, n+1
	}
	if n > 0 && nodes != v.Nodes {
		r.refuse(e, "Part", fmt.Sprintf("parts of %d nodes together, as NodeNumber says", v.Nodes),
			"the parts have %d nodes", nodes)
	}
}

// checkBounds compares amounts, each of which has an element in the Least of e.
func (r *reader) checkBounds(e *etree.Element, whose string, most, least Amounts) {
	at := e
	if child := xmlstrict.Child(e, q("Least")); child != nil {
		at = child
	}
	for i, amount := range least.all() {
		name, bound := amountNames[i], most.all()[i]
		switch {
		case *amount == 0:
		case *bound == 0:
			r.refuse(at, name, "how much there should be, beside how much will do",
				"%sthere is a least %s, but no %s is asked for", whose, name, name)
		case *amount > *bound:
			r.refuse(at, name, fmt.Sprintf("at most %d", *bound),
				"%sthe lower bound of %s, %d, is above the upper one, %d",
				whose, name, *amount, *bound)
		}
	}
}

// checkRanges refuses ranges below request in which nothing is, or too much.
func (r *reader) checkRanges(request *etree.Element, v *WorkspaceDeployment) {
	a := &v.Allocation
	at := xmlstrict.Child(request, n("ResourceAllocation"))
	r.checkRange(xmlstrict.Child(at, n("CPUPercentage")), a.CPUPercentage, maxAmount)
	r.checkRange(xmlstrict.Child(at, j("IndividualCPUCount")), a.CPUCount, maxAmount)
	r.checkRange(xmlstrict.Child(at, j("IndividualPhysicalMemory")), a.Memory, maxAmount)
	for i := range a.Bandwidth {
		bandwidth := xmlstrict.Child(at, n("Bandwidth"))
		r.checkRange(bandwidth, a.Bandwidth[i].Incoming, maxRate)
		r.checkRange(bandwidth, a.Bandwidth[i].Outgoing, maxRate)
	}
}

// checkRange refuses the range at e in which nothing is, or more than limit.
func (r *reader) checkRange(e *etree.Element, bounds *Range, limit int64) {
	most, least := bounds.bounds()
	switch {
	case least > most:
		r.Fail(e, "an upper bound above the lower one", "",
			"the lower bound %d is above the upper one, %d", least, most)
	case most > limit:
		r.Fail(e, fmt.Sprintf("at most %d", limit), "", "%s is absurdly large", e.Tag)
	}
}

// checkBandwidth refuses bandwidth that is given for each NIC and for all.
func (r *reader) checkBandwidth(e *etree.Element, v *WorkspaceDeployment) {
	x := v.Terms.Extra
	if len(v.Allocation.Bandwidth) > 0 && (x.NetInKbps > 0 || x.NetOutKbps > 0) {
		r.refuse(e, "Extra", "either of them",
			"bandwidth is given here, and for NICs in ResourceAllocation")
	}
}
