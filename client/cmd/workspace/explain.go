package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/philoxenia/philoxenia/client"
	"github.com/philoxenia/philoxenia/schema/report"
)

// An explainCmd is the command explain.
type explainCmd struct{ targetsArg }

// A standingView is how a lease stands with the scheduler, as it is shown.
type standingView struct {
	Lease       string     `json:"lease"` // the number of its first workspace
	Kind        string     `json:"kind"`
	Status      string     `json:"status"`
	Submitted   time.Time  `json:"submitted"`
	Start       *time.Time `json:"start"` // of its running time, planned or past; null: not known
	End         *time.Time `json:"end"`
	Deadline    *time.Time `json:"deadline,omitempty"`
	Preemptible bool       `json:"preemptible"`
	WarnSeconds float64    `json:"warnSeconds,omitempty"`
	RanSeconds  float64    `json:"ranSeconds"`
	Hosts       []string   `json:"hosts"` // of each of its workspaces
}

// newStanding makes the view of a lease.
func newStanding(l *report.Lease) standingView {
	return standingView{
		Lease: fmt.Sprint(l.Number), Kind: l.Kind, Status: l.Status, Submitted: l.Submitted.UTC(),
		Start: known(l.Begin), End: known(l.End), Deadline: known(l.Deadline),
		Preemptible: l.Preemptible, WarnSeconds: l.Warn.Seconds(), RanSeconds: l.Ran.Seconds(),
		Hosts: orEmpty(l.Hosts),
	}
}

// statusTexts say the statuses of leases in plain words.
var statusTexts = map[string]string{
	report.LeaseQueued:     "waits in the queue",
	report.LeaseAccepted:   "is accepted: its start is promised",
	report.LeaseActive:     "has its hosts",
	report.LeaseSuspending: "is being suspended for another lease",
	report.LeaseSuspended:  "is suspended: its memory is saved until it goes on",
	report.LeaseOver:       "is over",
}

// sentence says how the lease stands.
func (v standingView) sentence() string {
	if text := statusTexts[v.Status]; text != "" {
		return text
	}
	return "is " + v.Status
}

// A whyView is why one workspace waits, or that it does not, as it is shown.
type whyView struct {
	Key         string           `json:"key"`
	State       string           `json:"state"`
	Lease       *standingView    `json:"lease"`       // null: the scheduler has none
	Explanation *explanationView `json:"explanation"` // null: it does not wait
}

// whysView are several of them.
type whysView []whyView

// names returns the keys.
func (l whysView) names() []string {
	return keys(l, func(v whyView) string { return v.Key })
}

// Run explains each workspace.
func (c *explainCmd) Run(ctx context.Context, a *app) error {
	return standings[whysView](ctx, a, c.Targets, newWhy)
}

// newWhy makes the view of a workspace's explanation.
func newWhy(key string, p *report.ServiceProperties) whyView {
	v := whyView{Key: key, State: client.NewState(p.State).Name}
	if p.Lease != nil {
		l := newStanding(p.Lease)
		v.Lease = &l
	}
	if p.Explanation != nil {
		x := newExplanation(p.Explanation, offerView.deployOptions)
		v.Explanation = &x
	}
	return v
}

// write prints each as a block of lines.
func (l whysView) write(w io.Writer, p *printer) error {
	for i, v := range l {
		if i > 0 {
			if _, err := fmt.Fprintln(w); err != nil {
				return err
			}
		}
		if err := v.write(w, p.present()); err != nil {
			return err
		}
	}
	return nil
}

// write prints one.
func (v whyView) write(w io.Writer, now time.Time) error {
	var b strings.Builder
	if v.Lease == nil {
		fmt.Fprintf(&b, "Workspace #%s is %s. Nothing keeps it waiting.\n", v.Key, v.State)
		_, err := io.WriteString(w, b.String())
		return err
	}
	fmt.Fprintf(&b, "Workspace #%s is %s; its lease, %s, %s.\n", v.Key, v.State, v.Lease.Lease,
		v.Lease.sentence())
	v.Lease.rows(&b, now)
	if v.Explanation == nil {
		if v.Lease.Status == report.LeaseQueued || v.Lease.Status == report.LeaseSuspended {
			row(&b, "Reason", "it will begin as planned; nothing has to change for that")
		}
		_, err := io.WriteString(w, b.String())
		return err
	}
	v.Explanation.rows(&b, now)
	if err := offers(&b, v.Explanation.Offers, now); err != nil {
		return err
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// brief writes what the times of a workspace do not tell of its lease.
func (v standingView) brief(b *strings.Builder) {
	row(b, "Lease", fmt.Sprintf("%s, %s, %s", v.Lease, v.Kind, v.Status))
	if v.RanSeconds > 0 && v.Preemptible {
		row(b, "Ran so far", span(time.Duration(v.RanSeconds*float64(time.Second))))
	}
	row(b, "Hosts", countedHosts(v.Hosts))
}

// rows writes the lease as named values.
func (v standingView) rows(b *strings.Builder, now time.Time) {
	kind := v.Kind
	if v.Preemptible {
		kind += ", may be interrupted"
	}
	row(b, "Kind", kind)
	switch {
	case v.Start == nil:
		row(b, "Runs from", "not planned yet")
	default:
		row(b, "Runs from", bothWays(v.Start, now))
	}
	if v.End != nil {
		row(b, "Until", bothWays(v.End, now))
	}
	if v.Deadline != nil {
		row(b, "Deadline", bothWays(v.Deadline, now))
	}
	if v.RanSeconds > 0 {
		row(b, "Ran so far", span(time.Duration(v.RanSeconds*float64(time.Second))))
	}
	row(b, "Hosts", countedHosts(v.Hosts))
}
