package main

import (
	"cmp"
	"context"
	"io"

	"github.com/philoxenia/philoxenia/client"
	"github.com/philoxenia/philoxenia/schema/wsa"
)

// An action is what a command asks of each workspace or group that it names.
type action struct {
	name  string // "start"
	verb  string // "Starting"
	done  string // what people are told when it was accepted; "accepted" when empty
	goal  string // the state that it leads to, which --wait waits for
	again bool   // it leads to the state that it starts from, as a reboot does
	do    func(ctx context.Context, epr wsa.EPR) error
}

// An outcome is what became of one target of an action, as it is shown.
type outcome struct {
	Key    string `json:"key"`
	Kind   string `json:"kind"`
	Action string `json:"action"`
	State  string `json:"state,omitempty"`
}

// outcomes are what an action shows to scripts; people were told on the way.
type outcomes []outcome

// names returns the keys.
func (o outcomes) names() []string {
	var names []string
	for _, one := range o {
		names = append(names, one.Key)
	}
	return names
}

// write prints nothing: people were told on the way.
func (o outcomes) write(io.Writer, *printer) error { return nil }

// act carries the action out on each target and waits when --wait says so.
func (a *app) act(ctx context.Context, args []string, x action) error {
	targets, err := a.targets(args)
	if err != nil {
		return err
	}
	return a.actOn(ctx, targets, x)
}

// actOn is act for targets that are known.
func (a *app) actOn(ctx context.Context, targets []target, x action) error {
	results := make(outcomes, 0, len(targets))
	one := func(t target) error {
		if err := x.do(ctx, t.epr); err != nil {
			a.tell("%s %s @ %q... failed.", x.verb, t, t.epr.Address)
			return err
		}
		a.keep()
		a.tell("%s %s @ %q... %s.", x.verb, t, t.epr.Address, cmp.Or(x.done, "accepted"))
		results = append(results, newOutcome(t, x.name))
		return nil
	}
	if !a.globals.Wait.On {
		err := each(a, targets, one)
		return a.finish(results, err)
	}
	watched, err := workspaces(targets)
	if err != nil {
		return err
	}
	f, err := a.follow(ctx)
	if err != nil {
		return err
	}
	defer f.close()
	if err := f.watcher.Add(ctx, "", eprs(watched)...); err != nil {
		return err
	}
	if _, err := f.watcher.Sync(ctx); err != nil {
		return err
	}
	if err := each(a, targets, one); err != nil {
		return a.finish(results, err)
	}
	g := goal{state: x.goal, again: x.again, limit: a.timeout()}
	if state := a.globals.Wait.State; state != "" {
		g = goal{state: state, limit: a.timeout()}
	}
	states, err := f.reach(ctx, eprs(watched), g)
	for i := range results {
		results[i].State = states[results[i].Key]
	}
	return a.finish(results, err)
}

// finish prints the outcomes, those before a failure included, and returns the
// failure.
func (a *app) finish(results outcomes, failure error) error {
	if err := a.print(results); err != nil {
		return err
	}
	return failure
}

// newOutcome returns the outcome for a target.
func newOutcome(t target, action string) outcome {
	kind := "workspace"
	if t.group() {
		kind = "group"
	}
	return outcome{Key: client.Key(t.epr), Kind: kind, Action: action}
}
