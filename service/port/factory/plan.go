package factory

import (
	"context"
	"time"

	"github.com/philoxenia/philoxenia/schema/deployment"
	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/dispatch"
	"github.com/philoxenia/philoxenia/service/port"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// plan answers Plan: what the create message that it holds would get now.
func (p portType) plan(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
	r, err := asked(c)
	if err != nil {
		return nil, err
	}
	made, err := p.manager.Plan(ctx, r)
	if err != nil {
		return nil, place(c, err)
	}
	return proposal(made).Write, nil
}

// proposal translates what a request would get.
func proposal(v workspace.Proposal) *report.Proposal {
	out := &report.Proposal{
		Status: string(v.Status), Begin: v.Start, End: v.End, Hosts: port.HostNames(v.Hosts),
		Preempts: port.Leases(v.Preempts),
	}
	for _, p := range v.Parts {
		out.Parts = append(out.Parts, deployment.Part{
			Nodes: p.Nodes, Demand: dispatch.Amounts(p.Demand), Least: dispatch.Amounts(p.Least),
		})
	}
	return out
}

// schedule answers QuerySchedule.
func (p portType) schedule(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
	span, err := report.DecodeSpan(c.Document, c.Body)
	if err != nil {
		return nil, err
	}
	if span.From.IsZero() {
		span.From = time.Now()
	}
	bars, err := p.manager.Schedule(ctx, c.Owner, span.From, span.Until)
	if err != nil {
		return nil, err
	}
	told := make([]report.Bar, len(bars))
	for i := range bars {
		told[i] = bar(&bars[i])
	}
	return func(enc *xmlstrict.Encoder) { report.WriteSchedule(enc, told) }, nil
}

func bar(b *workspace.Bar) report.Bar {
	return report.Bar{
		Host: string(b.Host), Begin: b.Start, End: b.End, Phase: string(b.Phase),
		Lease: int64(b.Lease), Nodes: b.Nodes, CPUs: int(b.CPUs), MemoryMB: int(b.MemoryMB),
		Firm: b.Firm, Begun: b.Begun,
	}
}
