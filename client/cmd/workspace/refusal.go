package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/philoxenia/philoxenia/client"
	"github.com/philoxenia/philoxenia/schema/report"
)

// A refusal is an error with the reason that the service gives, and what it
// would accept instead.
type refusal struct {
	err  error
	view explanationView
}

// Error returns the text of the fault.
func (r *refusal) Error() string { return r.err.Error() }

// Unwrap returns the fault.
func (r *refusal) Unwrap() error { return r.err }

// refused gives an error the explanation that its fault has; ask returns the
// options that ask for an offer. Other errors stay as they are.
func refused(err error, ask func(offerView) string) error {
	var f *client.Fault
	if !errors.As(err, &f) || f.Explanation == nil {
		return err
	}
	return &refusal{err, newExplanation(f.Explanation, ask)}
}

// newExplanation makes the view of an explanation.
func newExplanation(x *report.Explanation, ask func(offerView) string) explanationView {
	v := explanationView{
		Code: x.Code, Text: strings.TrimPrefix(x.Text, "; "), Shortages: []shortageView{},
		Blocking: leaseNumbers(x.Blocking),
		Earliest: known(x.Earliest), Offers: []offerView{},
	}
	for _, s := range x.Shortages {
		v.Shortages = append(v.Shortages, shortageView(s))
	}
	for _, o := range x.Offers {
		offer := offerView{
			Change: o.Change, Start: known(o.Begin), Deadline: known(o.Deadline), Nodes: o.Nodes,
			DurationSeconds: o.Duration.Seconds(), MemoryMB: o.Demand.MemoryMB,
			CPUs: o.Demand.CPUs, CPUPercent: o.Demand.CPUPercent, NetInKbps: o.Demand.NetInKbps,
			NetOutKbps: o.Demand.NetOutKbps, Preempts: leaseNumbers(o.Preempts),
		}
		offer.Options = ask(offer)
		v.Offers = append(v.Offers, offer)
	}
	return v
}

// offered gives a refusal of the request the options of deploy for each offer.
// Face one refuses without offers: they are asked for.
func (a *app) offered(ctx context.Context, err error, r client.Request) error {
	var f *client.Fault
	if errors.As(err, &f) && f.Explanation == nil && client.IsNoResource(err) {
		var why *client.Fault
		if _, again := a.client.Plan(ctx, r); errors.As(again, &why) && why.Explanation != nil {
			return &refusal{err, newExplanation(why.Explanation, offerView.deployOptions)}
		}
	}
	return refused(err, offerView.deployOptions)
}

// writeOffers writes what an error's refusal offers, nothing when it is none.
func writeOffers(w io.Writer, err error, now time.Time) {
	var r *refusal
	if !errors.As(err, &r) {
		return
	}
	if r.view.Earliest != nil && len(r.view.Offers) == 0 {
		fmt.Fprintf(w, "The same could run from %s (%s).\n", moment(r.view.Earliest),
			relative(*r.view.Earliest, now))
	}
	_ = offers(w, r.view.Offers, now)
}
