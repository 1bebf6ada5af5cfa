package manager_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

const eve = workspace.Owner("/O=Example/CN=Eve")

// wish is a subscription to the states of the workspace, 0: of all.
func wish(of workspace.ID) workspace.Subscription {
	return workspace.Subscription{
		Workspace: of, Owner: ada, Topics: []workspace.Topic{workspace.TopicState},
		Format: "gt4", Consumer: []byte("<c/>"), Address: "http://192.0.2.1/",
	}
}

// subscribe makes the subscription.
func (r *rig) subscribe(s workspace.Subscription) workspace.SubscriptionID {
	r.t.Helper()
	made, err := r.manager.Subscribe(r.t.Context(), s)
	r.check(err)
	return made.ID
}

// kind checks the kind of an error.
func (r *rig) kind(what string, err error, want workspace.Kind) {
	r.t.Helper()
	if err == nil || workspace.KindOf(err) != want {
		r.t.Errorf("%s: error is %v, want one of kind %q", what, err, want)
	}
}

func TestSubscriptionsAreRenewedAndEnd(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, dir, "")
		end := time.Now().Add(time.Minute).UTC().Truncate(time.Millisecond)
		w := wish(0)
		w.Expires = end
		short, long := r.subscribe(w), r.subscribe(w)
		granted, err := r.manager.Renew(t.Context(), ada, long, end.Add(time.Hour))
		r.check(err)
		if !granted.Equal(end.Add(time.Hour)) {
			t.Errorf("renewed until %s, want %s", granted, end.Add(time.Hour))
		}
		_, err = r.manager.Renew(t.Context(), ada, short, time.Now().Add(-time.Second))
		r.kind("renew into the past", err, workspace.Denied)
		_, err = r.manager.Renew(t.Context(), eve, short, end)
		r.kind("renew another's", err, workspace.NotFound)
		time.Sleep(time.Minute + time.Millisecond) // before the next sweep
		_, err = r.manager.Subscription(t.Context(), ada, short)
		r.kind("read what is over", err, workspace.NotFound)
		_, err = r.manager.Renew(t.Context(), ada, short, end.Add(time.Hour))
		r.kind("renew what is over", err, workspace.NotFound)
		time.Sleep(2 * time.Second)
		_, err = r.store.Subscription(t.Context(), short)
		r.kind("what is over, after a sweep", err, workspace.NotFound)
		_, err = r.manager.Renew(t.Context(), ada, long, time.Time{})
		r.check(err)
		time.Sleep(30 * time.Hour)
		s, err := r.manager.Subscription(t.Context(), ada, long)
		if err != nil || !s.Expires.IsZero() {
			t.Errorf("the one without an end is %+v, %v", s, err)
		}
		r.stop()
	})
}

func TestResumeEndsThePauseOfTheService(t *testing.T) {
	r := newRig(t, t.TempDir(), "")
	id := r.subscribe(wish(0))
	r.check(r.store.Update(t.Context(), func(tx workspace.Tx) error {
		s, err := tx.Subscription(id)
		if err != nil {
			return err
		}
		s.Paused, s.PausedWhy, s.Failing = true, "it fails", time.Now()
		return tx.PutSubscription(s)
	}))
	r.check(r.manager.PauseSubscription(t.Context(), ada, id, false))
	s, err := r.manager.Subscription(t.Context(), ada, id)
	if err != nil || s.Paused || s.PausedWhy != "" || !s.Failing.IsZero() {
		t.Errorf("after it was resumed it is %+v, %v", s, err)
	}
}

func TestSubscribersHaveQuotas(t *testing.T) {
	r := newRig(t, t.TempDir(), "") // 3 subscriptions, 2 pull points
	for range 3 {
		r.subscribe(wish(0))
	}
	_, err := r.manager.Subscribe(t.Context(), wish(0))
	r.kind("a fourth subscription", err, workspace.Quota)
	other := wish(0)
	other.Owner = eve
	r.subscribe(other)
	var last workspace.PullPointID
	for range 2 {
		p, err := r.manager.CreatePullPoint(t.Context(), ada, time.Time{})
		r.check(err)
		last = p.ID
	}
	_, err = r.manager.CreatePullPoint(t.Context(), ada, time.Time{})
	r.kind("a third pull point", err, workspace.Quota)
	r.check(r.manager.DestroyPullPoint(t.Context(), ada, last))
	_, err = r.manager.CreatePullPoint(t.Context(), ada, time.Time{})
	r.check(err)
}

func TestSubscribeRefusesWhatIsNotTheCallers(t *testing.T) {
	r := newRig(t, t.TempDir(), "")
	_, err := r.manager.Subscribe(t.Context(), wish(7))
	r.kind("no such workspace", err, workspace.NotFound)
	p, err := r.manager.CreatePullPoint(t.Context(), eve, time.Time{})
	r.check(err)
	w := wish(0)
	w.PullPoint = p.ID
	_, err = r.manager.Subscribe(t.Context(), w)
	r.kind("another's pull point", err, workspace.NotFound)
	_, renew := r.manager.RenewPullPoint(t.Context(), ada, p.ID, time.Time{})
	_, read := r.manager.PullPoint(t.Context(), ada, p.ID)
	_, fetch := r.fetch(p.ID, workspace.Ask{})
	for what, err := range map[string]error{
		"renew": renew, "read": read, "fetch": fetch,
		"destroy": r.manager.DestroyPullPoint(t.Context(), ada, p.ID),
	} {
		r.kind(what+" another's pull point", err, workspace.NotFound)
	}
}

// fetch asks Ada's pull point.
func (r *rig) fetch(id workspace.PullPointID, ask workspace.Ask) ([]workspace.Message, error) {
	return r.manager.Messages(r.t.Context(), ada, id, ask)
}

func TestPullPointWaitsForMessages(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, dir, "* start delay=20s")
		p, err := r.manager.CreatePullPoint(t.Context(), ada, time.Now().Add(time.Hour))
		r.check(err)
		begin := time.Now()
		all, err := r.fetch(p.ID, workspace.Ask{Wait: time.Hour})
		r.check(err)
		if took := time.Since(begin); len(all) != 0 || took != time.Minute {
			t.Errorf("after %s came %v, want nothing after a minute", took, all)
		}
		w := wish(0)
		w.PullPoint = p.ID
		r.subscribe(w)
		r.create(request(1))
		var states []workspace.State
		for number := int64(1); len(states) < 2; {
			all, err := r.fetch(p.ID, workspace.Ask{Wait: 30 * time.Second})
			r.check(err)
			if len(all) == 0 {
				t.Fatalf("nothing came after %v", states)
			}
			for _, m := range all {
				if m.Number != number {
					t.Errorf("message %d has number %d", number, m.Number)
				}
				states, number = append(states, m.State), number+1
			}
		}
		if states[0] != workspace.Propagated || states[1] != workspace.Running {
			t.Errorf("what came is %v, want that it was propagated, and that it runs", states)
		}
		r.stop()
	})
}

func TestPullPointEndsWhileSomebodyWaits(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, dir, "")
		p, err := r.manager.CreatePullPoint(t.Context(), ada, time.Time{})
		r.check(err)
		answer := make(chan error)
		go func() {
			_, err := r.fetch(p.ID, workspace.Ask{Wait: time.Minute})
			answer <- err
		}()
		synctest.Wait()
		r.check(r.manager.DestroyPullPoint(t.Context(), ada, p.ID))
		r.kind("fetch", <-answer, workspace.NotFound)
		r.stop()
	})
}

func TestPullPointExpires(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, dir, "")
		p, err := r.manager.CreatePullPoint(t.Context(), ada, time.Now().Add(time.Minute))
		r.check(err)
		w := wish(0)
		w.PullPoint = p.ID
		id := r.subscribe(w)
		time.Sleep(30 * time.Second)
		_, err = r.manager.RenewPullPoint(t.Context(), ada, p.ID, time.Now().Add(time.Minute))
		r.check(err)
		time.Sleep(59 * time.Second)
		_, err = r.manager.PullPoint(t.Context(), ada, p.ID)
		r.check(err)
		time.Sleep(3 * time.Second)
		_, err = r.store.PullPoint(t.Context(), p.ID)
		r.kind("the pull point", err, workspace.NotFound)
		_, err = r.store.Subscription(t.Context(), id)
		r.kind("its subscription", err, workspace.NotFound)
		r.stop()
	})
}

func TestPullPointTellsOnceWhatItDropped(t *testing.T) {
	r := newRig(t, t.TempDir(), "") // holds 5 messages
	p, err := r.manager.CreatePullPoint(t.Context(), ada, time.Time{})
	r.check(err)
	w := wish(0)
	w.PullPoint = p.ID
	r.subscribe(w)
	of := r.create(request(1))
	r.settle()
	r.check(r.store.Update(t.Context(), func(tx workspace.Tx) error {
		for range 8 {
			err := tx.Emit(workspace.Event{Workspace: of.ID, Topic: workspace.TopicState,
				State: workspace.Paused, At: time.Now()})
			if err != nil {
				return err
			}
		}
		return nil
	}))
	_, err = r.fetch(p.ID, workspace.Ask{Request: "1"})
	r.kind("fetch from one that was full", err, workspace.Quota)
	all, err := r.fetch(p.ID, workspace.Ask{Request: "2"})
	r.check(err)
	if len(all) != 5 || all[4].Number != 5 {
		t.Errorf("then came %+v, want the first 5", all)
	}
}
