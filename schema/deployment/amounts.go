package deployment

import "math"

// amountNames are the elements of Amounts, in the order of all.
var amountNames = []string{"MemoryMB", "CPUs", "CPUPercent", "DiskMB", "NetInKbps", "NetOutKbps"}

// all returns the fields in the order of their elements.
func (a *Amounts) all() [6]*int64 {
	return [...]*int64{
		&a.MemoryMB, &a.CPUs, &a.CPUPercent, &a.DiskMB, &a.NetInKbps, &a.NetOutKbps,
	}
}

// or returns a, with b in place of what it does not say.
func (a Amounts) or(b Amounts) Amounts {
	for i, amount := range a.all() {
		if *amount == 0 {
			*amount = *b.all()[i]
		}
	}
	return a
}

// Between returns the range of the amounts from least to most.
func Between(least, most float64) *Range {
	return &Range{Intervals: []Interval{{Boundary{Value: least}, Boundary{Value: most}}}}
}

// bounds returns the most and the least that the range admits, which are the
// same for one amount and zero for none. Where a lower and an upper bound stand
// beside each other, both hold: one that admits either, as JSDL reads it, would
// say nothing.
func (r *Range) bounds() (most, least int64) {
	least, _ = r.Amount()
	switch {
	case r == nil || len(r.Exact) > 0:
	case len(r.Intervals) > 0:
		return r.Intervals[0].Upper.most(), least
	case r.Upper != nil && r.Lower != nil:
		return r.Upper.most(), least
	}
	return least, least
}

// Amounts returns how much each node is to have, and how much will do: zero
// where nothing less will. Without terms a range means its least, and bandwidth
// is not counted, as on face one.
func (v *WorkspaceDeployment) Amounts() (most, least Amounts) {
	a := &v.Allocation
	if v.Terms == nil {
		most.MemoryMB, _ = a.Memory.Amount()
		most.CPUs, _ = a.CPUCount.Amount()
		most.CPUPercent, _ = a.CPUPercentage.Amount()
		return most, least
	}
	most.MemoryMB, least.MemoryMB = a.Memory.bounds()
	most.CPUs, least.CPUs = a.CPUCount.bounds()
	most.CPUPercent, least.CPUPercent = a.CPUPercentage.bounds()
	for _, b := range a.Bandwidth {
		addRate(b.Incoming, &most.NetInKbps, &least.NetInKbps)
		addRate(b.Outgoing, &most.NetOutKbps, &least.NetOutKbps)
	}
	for i, amount := range least.all() {
		if *amount == *most.all()[i] {
			*amount = 0
		}
	}
	return most.or(v.Terms.Extra), v.Terms.Least.or(least)
}

// PartAmounts returns the same for the nodes of a part.
func (v *WorkspaceDeployment) PartAmounts(p Part) (most, least Amounts) {
	most, least = v.Amounts()
	for i, amount := range p.Demand.all() {
		if *amount != 0 {
			*least.all()[i] = 0 // the request's bound is of the request's amount
		}
	}
	return p.Demand.or(most), p.Least.or(least)
}

// addRate adds a rate in bits a second to rates in kilobits a second.
func addRate(r *Range, most, least *int64) {
	upper, lower := r.bounds()
	*most, *least = *most+kilo(upper), *least+kilo(lower)
}

// kilo returns bits a second as kilobits a second, begun ones counted whole.
func kilo(bits int64) int64 {
	if bits > math.MaxInt64-999 {
		return bits / 1000
	}
	return (bits + 999) / 1000
}
