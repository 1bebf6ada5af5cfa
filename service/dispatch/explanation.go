package dispatch

import (
	"errors"

	"github.com/philoxenia/philoxenia/schema/deployment"
	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/wsdl"
)

// explained returns what writes why a request was refused, for a fault of the
// face; nil where the error does not say, and on face one, whose clients know
// no such thing.
func explained(face wsdl.Face, err error) func(*xmlstrict.Encoder) {
	var refusal *workspace.Refusal
	if face == wsdl.One || !errors.As(err, &refusal) {
		return nil
	}
	return Explanation(refusal).Write
}

// Amounts returns an allocation as amounts.
func Amounts(a workspace.Allocation) deployment.Amounts {
	return deployment.Amounts{
		MemoryMB: a.MemoryMB, CPUs: a.CPUs, CPUPercent: a.CPUPercent, DiskMB: a.DiskMB,
		NetInKbps: a.NetInKbps, NetOutKbps: a.NetOutKbps,
	}
}

// Explanation returns why a lease waits or a request was refused; nil for nil.
func Explanation(r *workspace.Refusal) *report.Explanation {
	if r == nil {
		return nil
	}
	v := &report.Explanation{
		Code: r.Code, Text: r.Error(), Blocking: numbers(r.Blocking), Earliest: r.Earliest,
	}
	for _, s := range r.Shortages {
		v.Shortages = append(v.Shortages, report.Shortage{
			Resource: s.Resource, Unit: s.Unit, Wanted: s.Wanted, Free: s.Free, Where: s.Where,
		})
	}
	for _, o := range r.Offers {
		v.Offers = append(v.Offers, report.Offer{
			Change: o.Change, Begin: o.Start, Deadline: o.Deadline, Nodes: o.Nodes,
			Duration: o.Duration, Demand: Amounts(o.Demand), Preempts: numbers(o.Preempts),
		})
	}
	return v
}

func numbers(all []workspace.LeaseID) []int64 {
	var out []int64
	for _, id := range all {
		out = append(out, int64(id))
	}
	return out
}
