package client

import (
	"context"
	"path"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/philoxenia/philoxenia/schema/deployment"
	"github.com/philoxenia/philoxenia/schema/metadata"
	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/wsn"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/wsdl"
)

// noon is a time that survives the wire.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// inReply wraps a document in the response to a query or read.
func inReply(name xmlstrict.Name, write func(*xmlstrict.Encoder)) step {
	return answerWith(func(enc *xmlstrict.Encoder) { wsrf.WriteProperties(enc, name, write) })
}

// What the fake service tells.
var (
	running  = report.CurrentState{State: Running}
	schedule = report.Schedule{
		Start: noon, Duration: time.Hour, Termination: noon.Add(2 * time.Hour),
	}
	properties = &report.ServiceProperties{
		NICs: []metadata.NIC{
			{Name: "eth0", Method: "AllocateAndConfigure", IPAddress: "10.0.0.1"},
		},
		Schedule: schedule, State: running, CurrentTime: noon,
		TerminationTime: noon.Add(time.Hour),
		Allocation:      deployment.ResourceAllocation{Memory: deployment.Exactly(256)},
	}
	factory = &report.FactoryProperties{
		DefaultRunningTime: time.Hour, MaximumRunningTime: 2 * time.Hour,
		Architectures: []string{"x86"}, VMM: &metadata.VMM{Type: "Xen", Versions: []string{"3"}},
		Associations: []string{"private", "public"},
	}
	list = report.CurrentWorkspaces{{
		EPR:   wsa.NewEPR("http://h/wsrf/services/WorkspaceService", workspaceKey, "7"),
		State: running, Schedule: schedule, Allocation: properties.Allocation,
		NICs: properties.NICs,
	}}
	usage = report.Usage{Used: time.Minute, Reserved: time.Hour}
)

func TestReads(t *testing.T) {
	status := &report.StatusProperties{ChargeGranularity: time.Minute}
	moved := wsrf.NewTermination{At: noon, Now: noon.Add(-time.Hour)}
	query := wsrf.Draft.Names().QueryResourcePropertiesResponse
	tests := []struct {
		name  string
		reply step
		read  func(context.Context, *Client, wsa.EPR) (any, error)
		want  any
	}{
		{"properties", inReply(query, properties.Write),
			func(ctx context.Context, c *Client, w wsa.EPR) (any, error) {
				return c.Properties(ctx, w)
			}, properties},
		{"factory", inReply(query, factory.Write),
			func(ctx context.Context, c *Client, _ wsa.EPR) (any, error) {
				return c.FactoryProperties(ctx)
			}, factory},
		{"state", inReply(wsrf.Draft.Names().GetResourcePropertyResponse, running.Write),
			func(ctx context.Context, c *Client, w wsa.EPR) (any, error) {
				return c.State(ctx, w)
			}, State{Name: Running}},
		{"list", answerWith(list.Write),
			func(ctx context.Context, c *Client, _ wsa.EPR) (any, error) { return c.Current(ctx) },
			list},
		{"usage", answerWith(usage.Write),
			func(ctx context.Context, c *Client, _ wsa.EPR) (any, error) { return c.Usage(ctx) },
			usage},
		{"granularity", inReply(query, status.Write),
			func(ctx context.Context, c *Client, _ wsa.EPR) (any, error) {
				return c.ChargeGranularity(ctx)
			}, time.Minute},
		{"termination time", answerWith(moved.Write),
			func(ctx context.Context, c *Client, w wsa.EPR) (any, error) {
				return c.SetTerminationTime(ctx, w, noon)
			}, noon},
	}
	ignore := cmp.Options{cmpopts.IgnoreTypes([]*etree.Element{}), cmpopts.EquateEmpty()}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := newFake(t, test.reply).client(t, Options{})
			got, err := test.read(t.Context(), c, c.Workspace("7"))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got, ignore); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCorruptedTellsWhy(t *testing.T) {
	state := report.CurrentState{State: Corrupted, Fault: &wsrf.BaseFault{
		Timestamp: noon, Description: []string{"disk full"},
		Cause: []wsrf.BaseFault{{Timestamp: noon, Description: []string{"host-3"}}},
	}}
	f := newFake(t, inReply(wsrf.Draft.Names().GetResourcePropertyResponse, state.Write))
	c := f.client(t, Options{})
	got, err := c.State(t.Context(), c.Workspace("7"))
	if err != nil || got != (State{Corrupted, "disk full: host-3"}) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestQueryCarriesItsNamespaces(t *testing.T) {
	f := newFake(t, inReply(wsrf.Draft.Names().QueryResourcePropertiesResponse,
		report.CurrentState{State: Running}.Write))
	c := f.client(t, Options{})
	found, err := c.Query(t.Context(), c.Workspace("7"), "//x:currentState",
		map[string]string{"x": workspaceKey.Space + "/types"})
	if err != nil || len(found) != 1 {
		t.Fatalf("%v, %v", found, err)
	}
	q, err := wsrf.Draft.ParseQuery(f.requests[0].Doc, f.requests[0].Body)
	if err != nil {
		t.Fatal(err)
	}
	space, ok := q.Prefix("x")
	if q.Expression != "//x:currentState" || !ok || space != workspaceKey.Space+"/types" {
		t.Errorf("query %q with %q", q.Expression, space)
	}
}

func TestSeveralPropertiesAtOnce(t *testing.T) {
	reply := wsrf.Draft.Names().GetMultipleResourcePropertiesResponse
	f := newFake(t, inReply(reply, func(enc *xmlstrict.Encoder) {
		report.CurrentState{State: Running}.Write(enc)
		report.Schedule{Duration: time.Hour}.Write(enc)
	}))
	c := f.client(t, Options{})
	found, err := c.Property(t.Context(), c.Workspace("7"), report.PropertyState,
		report.PropertySchedule)
	if err != nil || len(found) != 2 {
		t.Errorf("%v, %v", found, err)
	}
}

func TestSubscriptions(t *testing.T) {
	at := wsa.NewEPR("http://h/wsrf/services/SubscriptionManagerService", subscriptionKey, "s-1")
	subscribed := func(enc *xmlstrict.Encoder) {
		wsn.Draft.WriteSubscribeResponse(enc, wsn.Subscribed{Reference: at})
	}
	names := wsn.Draft.Names()
	f := newFake(t, answerWith(subscribed), answerWith(empty(names.PauseSubscriptionResponse)),
		answerWith(empty(names.ResumeSubscriptionResponse)),
		answerWith(wsrf.Draft.WriteDestroyResponse))
	c := f.client(t, Options{})
	consumer := wsa.NewEPR("http://me/c", wsn.ConsumerKey, "k")
	s, err := c.Subscribe(t.Context(), Subscription{
		Producer: c.Workspace("7"), Consumer: consumer, Topics: []Topic{TopicState},
	})
	if err != nil || Key(s.EPR) != "s-1" {
		t.Fatalf("%+v, %v", s, err)
	}
	s.EPR.Address = f.URL + "/wsrf/services/SubscriptionManagerService"
	if err := c.PauseSubscription(t.Context(), s.EPR); err != nil {
		t.Error(err)
	}
	if err := c.ResumeSubscription(t.Context(), s.EPR); err != nil {
		t.Error(err)
	}
	if err := c.Destroy(t.Context(), s.EPR); err != nil {
		t.Error(err)
	}
	sent, err := wsn.Draft.ParseSubscribe(f.requests[0].Doc, f.requests[0].Body)
	if err != nil || sent.Topic.Topic != xmlstrict.Name(TopicState) || !sent.UseNotify {
		t.Errorf("subscribe %+v, %v", sent, err)
	}
}

func TestGroupsHaveOperationsOfTheirOwn(t *testing.T) {
	f := newFake(t, answerWith(empty(inGroup("startWorkspacesResponse"))),
		answerWith(empty(inGroup("shutdownWorkspacesResponse"))))
	c := f.client(t, Options{})
	g := c.Group("12d9dc5e")
	if err := c.Start(t.Context(), g); err != nil {
		t.Error(err)
	}
	if err := c.Shutdown(t.Context(), g, Normal, ""); err != nil {
		t.Error(err)
	}
	if f.paths[0] != "/wsrf/services/WorkspaceGroupService" || !IsGroup(g) || IsWorkspace(g) {
		t.Errorf("sent to %s", f.paths[0])
	}
	for _, m := range f.requests {
		if key := m.Header(groupKey); key == nil || xmlstrict.Text(key) != "12d9dc5e" {
			t.Errorf("key %v", key)
		}
	}
}

func TestReferencesAreDescribed(t *testing.T) {
	c, err := New("http://h/", Options{})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		epr  wsa.EPR
		want string
	}{
		{c.Workspace("7"), "workspace 7"},
		{c.Group("g"), "group g"},
		{wsa.NewEPR("http://h/s", subscriptionKey, "s"), "subscription s"},
		{c.Factory(), "http://h/wsrf/services/WorkspaceFactoryService"},
	}
	for _, test := range tests {
		if got := Describe(test.epr); got != test.want {
			t.Errorf("%q, expected %q", got, test.want)
		}
	}
}

func TestActionsAreThePublishedOnes(t *testing.T) {
	f := newFake(t, failWith(inTypes("WorkspaceFault"), "no"))
	c := f.client(t, Options{})
	ctx, w, g := t.Context(), c.Workspace("7"), c.Group("g")
	s := wsa.NewEPR(f.URL+"/wsrf/services/SubscriptionManagerService", subscriptionKey, "s")
	_, _ = c.Create(ctx, wish())
	_, _ = c.FactoryProperties(ctx)
	_, _ = c.Current(ctx)
	_, _ = c.Usage(ctx)
	_, _ = c.State(ctx, w)
	_, _ = c.Property(ctx, w, report.PropertyState, report.PropertySchedule)
	_, _ = c.SetTerminationTime(ctx, w, noon)
	_, _ = c.Subscribe(ctx, Subscription{Producer: w, Consumer: w, Topics: []Topic{TopicState}})
	for _, epr := range []wsa.EPR{w, g} {
		_ = c.Start(ctx, epr)
		_ = c.Shutdown(ctx, epr, Normal, "")
		_ = c.Destroy(ctx, epr)
	}
	_ = c.PauseSubscription(ctx, s)
	_ = c.ResumeSubscription(ctx, s)
	_ = c.Destroy(ctx, s)
	for i, m := range f.requests {
		h, err := wsa.ParseHeader(m)
		if err != nil {
			t.Fatal(err)
		}
		if !published(path.Base(f.paths[i]), h.Action, xmlstrict.NameOf(m.Body)) {
			t.Errorf("%s with %s in %s is not published", h.Action,
				xmlstrict.NameOf(m.Body), f.paths[i])
		}
	}
}

// published reports whether the WSDL documents have the operation.
func published(service, action string, in xmlstrict.Name) bool {
	for _, o := range wsdl.Operations() {
		if o.Service == service && o.Action == action && o.In.Local == in.Local &&
			o.In.Space == in.Space {
			return true
		}
	}
	return false
}
