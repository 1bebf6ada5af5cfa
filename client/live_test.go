package client_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/client"
	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// TestBothFacesOfOneResource makes a workspace through each face and uses it
// through the other, in everything that both can do.
func TestBothFacesOfOneResource(t *testing.T) {
	ctx, done, one := connect()
	defer done()
	two, err := client.New(demo.URL()+"/ws/", client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer two.Close()
	for _, pair := range [][2]*client.Client{{one, two}, {two, one}} {
		made := lease(ctx, pair[0])
		t.Run(client.FaceOf(made).String(), func(t *testing.T) {
			other := pair[1].Workspace(client.Key(made))
			if client.FaceOf(made) == client.FaceOf(other) {
				t.Fatal("both references are of one face")
			}
			mine, err := pair[0].Properties(ctx, made)
			if err != nil {
				t.Fatal(err)
			}
			theirs, err := pair[1].Properties(ctx, other)
			if err != nil || !theirs.TerminationTime.Equal(mine.TerminationTime) ||
				theirs.State.State != mine.State.State || theirs.NICs[0].MAC != mine.NICs[0].MAC {
				t.Errorf("%+v, %v, expected %+v", theirs, err, mine)
			}
			at := mine.TerminationTime.Add(time.Minute)
			set, err := pair[1].SetTerminationTime(ctx, other, at)
			if err != nil || !set.Equal(at) {
				t.Errorf("set %s, %v", set, err)
			}
			if err := pair[1].Shutdown(ctx, other, client.Pause, ""); err != nil {
				t.Error(err)
			}
			await(ctx, pair[0], client.Paused, made)
			if err := pair[1].Start(ctx, other); err != nil {
				t.Error(err)
			}
			await(ctx, pair[0], client.Running, made)
			if err := pair[1].Destroy(ctx, other); err != nil {
				t.Error(err)
			}
			for i, epr := range []wsa.EPR{made, other} {
				if _, err := pair[i].State(ctx, epr); !errors.Is(err, client.ErrUnknown) {
					t.Errorf("after the end, face %d: %v", i, err)
				}
			}
		})
	}
}

// TestGroupsOfFaceTwo makes a group through face two, and ends it through face
// one.
func TestGroupsOfFaceTwo(t *testing.T) {
	ctx, done, one := connect()
	defer done()
	two, err := client.New(demo.URL(), client.Options{Face: client.FaceTwo})
	if err != nil {
		t.Fatal(err)
	}
	defer two.Close()
	created, err := two.Create(ctx, wish(2))
	if err != nil {
		t.Fatal(err)
	}
	var members []wsa.EPR
	for _, w := range created.Workspaces {
		members = append(members, w.EPR)
	}
	await(ctx, two, client.Running, members...)
	if err := two.Shutdown(ctx, *created.Group, client.Pause, ""); err != nil {
		t.Error(err)
	}
	await(ctx, two, client.Paused, members...)
	if err := two.Start(ctx, *created.Group); err != nil {
		t.Error(err)
	}
	await(ctx, two, client.Running, members...)
	if err := one.Destroy(ctx, one.Group(client.Key(*created.Group))); err != nil {
		t.Error(err)
	}
	if err := two.Destroy(ctx, *created.Group); !errors.Is(err, client.ErrUnknown) {
		t.Errorf("destroyed again: %v", err)
	}
}

// TestReadsOfTheService asks what both faces tell of the service itself.
func TestReadsOfTheService(t *testing.T) {
	ctx, done, one := connect()
	defer done()
	two, err := client.New(demo.URL(), client.Options{Face: client.FaceTwo})
	if err != nil {
		t.Fatal(err)
	}
	defer two.Close()
	var said []string
	for _, c := range []*client.Client{one, two} {
		factory, err := c.FactoryProperties(ctx)
		if err != nil {
			t.Fatal(err)
		}
		step, err := c.ChargeGranularity(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Usage(ctx); err != nil {
			t.Fatal(err)
		}
		said = append(said, fmt.Sprint(factory.MaximumRunningTime, factory.Associations, step))
	}
	if said[0] != said[1] {
		t.Errorf("face one says %s, face two %s", said[0], said[1])
	}
}

// TestTopicsInEveryDialect subscribes to a pull point with each way to name
// topics, on both faces, and to a listener, which is told nothing here.
func TestTopicsInEveryDialect(t *testing.T) {
	ctx, done, c := connect()
	defer done()
	machine := lease(ctx, c)
	two, err := c.InFaceTwo(machine)
	if err != nil {
		t.Fatal(err)
	}
	pullPoint, err := c.CreatePullPoint(ctx, time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	listener := wsa.EPR{Address: "http://127.0.0.1:9/nobody"}
	spaces := map[string]string{"t": schema.Types}
	matching := func(text string) *client.Expression { return &client.Expression{text, spaces} }
	state, end := client.TopicState, client.TopicTermination
	tests := []struct {
		name string
		s    client.Subscription
		bad  bool
	}{
		{"every topic", client.Subscription{}, false},
		{"one", client.Subscription{Topics: []client.Topic{state}}, false},
		{"the other", client.Subscription{Topics: []client.Topic{end}}, false},
		{"both", client.Subscription{Topics: []client.Topic{state, end}}, false},
		{"simple", client.Subscription{Matching: matching("t:currentState")}, false},
		{"concrete", client.Subscription{
			Matching: matching("t:currentState"), Dialect: client.Concrete}, false},
		{"full", client.Subscription{Matching: matching("t:*|t:x"), Dialect: client.Full}, false},
		{"none of them", client.Subscription{Matching: matching("t:x")}, true},
		{"with an end", client.Subscription{
			Topics: []client.Topic{state}, Until: time.Now().Add(time.Hour)}, false},
		{"with an end that is past", client.Subscription{
			Topics: []client.Topic{state}, Until: time.Now().Add(-time.Hour)}, true},
		{"under conditions", client.Subscription{
			Topics: []client.Topic{state}, About: matching("//t:state = 'Running'"),
			Saying: matching("//t:state = 'Paused'")}, false},
	}
	for _, test := range tests {
		for _, from := range []wsa.EPR{machine, two} {
			for _, to := range []wsa.EPR{pullPoint, listener} {
				name := fmt.Sprint(test.name, " ", client.FaceOf(from), " ", client.Describe(to))
				t.Run(name, func(t *testing.T) {
					test.s.Producer, test.s.Consumer = from, to
					subscribe(t, c, test.s, test.bad)
				})
			}
		}
	}
	if err := errors.Join(c.DestroyPullPoint(ctx, pullPoint), c.Destroy(ctx, machine)); err != nil {
		t.Error(err)
	}
}

// subscribe subscribes and ends the subscription, or expects a fault.
func subscribe(t *testing.T, c *client.Client, s client.Subscription, bad bool) {
	t.Helper()
	made, err := c.Subscribe(t.Context(), s)
	if client.IsFault(err) != bad || !bad && err != nil {
		t.Errorf("error %v, expected a fault: %t", err, bad)
	}
	if err != nil {
		return
	}
	if err := c.Unsubscribe(t.Context(), made.EPR); err != nil {
		t.Error(err)
	}
}

// TestCurrentMessage asks both faces for what was told last.
func TestCurrentMessage(t *testing.T) {
	ctx, done, c := connect()
	defer done()
	machine := lease(ctx, c)
	two, err := c.InFaceTwo(machine)
	if err != nil {
		t.Fatal(err)
	}
	for _, epr := range []wsa.EPR{machine, two} {
		last, err := c.CurrentMessage(ctx, epr, client.TopicState)
		if err != nil || last == nil {
			t.Errorf("%s: %v, %v", client.FaceOf(epr), last, err)
		}
		_, err = c.CurrentMessage(ctx, epr, client.TopicTermination)
		var fault *client.Fault
		if !errors.As(err, &fault) || fault.Name.Local != "NoCurrentMessageOnTopicFault" {
			t.Errorf("%s: of the end that has not come: %v", client.FaceOf(epr), err)
		}
	}
	if err := c.Destroy(ctx, machine); err != nil {
		t.Error(err)
	}
}

// TestWithheldMessagesShow pauses a subscription: what it would have told shows
// as a gap in the numbers.
func TestWithheldMessagesShow(t *testing.T) {
	ctx, done, c := connect()
	defer done()
	machine := lease(ctx, c)
	pullPoint, err := c.CreatePullPoint(ctx, time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.Subscribe(ctx, client.Subscription{
		Producer: machine, Consumer: pullPoint, Topics: []client.Topic{client.TopicState},
	})
	if err != nil {
		t.Fatal(err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
	}
	must(c.Shutdown(ctx, machine, client.Pause, ""))
	await(ctx, c, client.Paused, machine)
	must(c.PauseSubscription(ctx, s.EPR))
	must(c.Start(ctx, machine))
	await(ctx, c, client.Running, machine)
	must(c.ResumeSubscription(ctx, s.EPR))
	must(c.Shutdown(ctx, machine, client.Pause, ""))
	await(ctx, c, client.Paused, machine)
	got := ""
	for len(got) < 4 {
		all, err := c.Messages(ctx, pullPoint, client.Ask{Wait: 30 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range all {
			got += fmt.Sprint(m.Number, m.State.Name[:1])
		}
	}
	if got != "1P3P" {
		t.Errorf("told %q, expected the first and the third", got)
	}
	if p, err := c.SubscriptionProperties(ctx, s.EPR); err != nil || p.Last != 3 {
		t.Errorf("%+v, %v", p, err)
	}
	must(c.DestroyPullPoint(ctx, pullPoint))
	must(c.Destroy(ctx, machine))
}

// TestTermsAreRenegotiatedWholeOrNotAtAll asks for what cannot be had.
func TestTermsAreRenegotiatedWholeOrNotAtAll(t *testing.T) {
	ctx, done, c := connect()
	defer done()
	machine := lease(ctx, c)
	before, err := c.Properties(ctx, machine)
	if err != nil {
		t.Fatal(err)
	}
	err = c.Renegotiate(ctx, machine, client.Terms{
		Until: before.TerminationTime.Add(time.Minute), Duration: 1000 * time.Hour,
	})
	if !errors.Is(err, client.ErrDenied) {
		t.Errorf("a running time of 1000 hours: %v", err)
	}
	value := xmlstrict.NewEncoder()
	report.CurrentState{State: client.Paused}.Write(value)
	doc, err := xmlstrict.Parse(value.Bytes(), xmlstrict.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	err = c.UpdateProperties(ctx, machine, doc.Root)
	var fault *client.Fault
	if !errors.As(err, &fault) ||
		fault.Name != wsrf.Final.Names().UnableToModifyResourceProperty {
		t.Errorf("a state that is written: %v", err)
	}
	after, err := c.Properties(ctx, machine)
	if err != nil || !after.TerminationTime.Equal(before.TerminationTime) ||
		after.Schedule.Duration != before.Schedule.Duration {
		t.Errorf("%+v, %v, expected %+v", after.Schedule, err, before.Schedule)
	}
	if err := c.Destroy(ctx, machine); err != nil {
		t.Error(err)
	}
}
