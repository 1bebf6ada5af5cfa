package ws

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/schema/wsn"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/dispatch"
	"github.com/philoxenia/philoxenia/service/port/porttest"
	"github.com/philoxenia/philoxenia/service/workspace"
)

const (
	space  = "http://www.globus.org/2008/06/workspace"
	simple = "http://docs.oasis-open.org/wsn/2004/06/TopicExpression/Simple"
	wsaNS  = "http://schemas.xmlsoap.org/ws/2004/03/addressing"
)

// desk is a Manager with one workspace, 7, that writes down what it is asked.
type desk struct {
	asked   []string
	wishes  []workspace.Subscription
	state   workspace.State
	fault   string
	granted time.Time
}

func (d *desk) Workspace(
	_ context.Context, owner workspace.Owner, id workspace.ID,
) (*workspace.Workspace, error) {
	if owner != porttest.Owner || id != 7 {
		return nil, workspace.Errorf(workspace.NotFound, "find it", id.String(), "unknown")
	}
	return &workspace.Workspace{
		ID: 7, State: d.state, Fault: d.fault,
		Demand: workspace.Allocation{MemoryMB: 256, CPUs: 2, CPUsGiven: true, CPUPercent: 50},
		Lease:  workspace.Lease{Duration: time.Hour, Grace: time.Minute},
	}, nil
}

func (d *desk) note(words ...string) error {
	d.asked = append(d.asked, strings.Join(words, " "))
	return nil
}

func (d *desk) Start(_ context.Context, _ workspace.Owner, id workspace.ID) error {
	return d.note("start", id.String())
}

func (d *desk) Shutdown(
	_ context.Context, _ workspace.Owner, id workspace.ID, kind workspace.ShutdownKind, to string,
) error {
	return d.note("shutdown", id.String(), string(kind), to)
}

func (d *desk) Destroy(_ context.Context, _ workspace.Owner, id workspace.ID) error {
	return d.note("destroy", id.String())
}

func (d *desk) SetTermination(
	_ context.Context, _ workspace.Owner, id workspace.ID, at time.Time,
) (time.Time, error) {
	return d.granted, d.note("end", id.String(), wsrf.FormatTime(at))
}

func (d *desk) Subscribe(
	_ context.Context, s workspace.Subscription,
) (*workspace.Subscription, error) {
	d.wishes = append(d.wishes, s)
	s.ID = "sub"
	return &s, nil
}

// serve returns the port type over the desk; consumers at closed are refused.
func serve(d *desk) dispatch.Service {
	return New(d, func(url string) error {
		if strings.Contains(url, "closed") {
			return errors.New("that address is closed")
		}
		return nil
	})
}

func shutdown(kind, more string) string {
	return `<shutdownWorkspace xmlns="` + space + `"><t:shutdownType xmlns:t="` + space +
		`/types">` + kind + `</t:shutdownType>` + more + `</shutdownWorkspace>`
}

const saveTo = `<n:PostShutdown xmlns:n="` + space + `/negotiable">` +
	`<n:rootPartitionUnpropagationTarget>sftp://r/new.img</n:rootPartitionUnpropagationTarget>` +
	`</n:PostShutdown>`

func TestOperationsReachTheManager(t *testing.T) {
	destroy := `<l:Destroy xmlns:l="` + wsrf.LifetimeSpace + `"/>`
	tests := map[string]struct{ operation, body, asked, reply string }{
		"start": {"start", `<startWorkspace xmlns="` + space + `"/>`, "start 7",
			`<w:startWorkspaceResponse xmlns:w="` + space + `"/>`},
		"destroy": {"Destroy", destroy, "destroy 7",
			`<wsrl:DestroyResponse xmlns:wsrl="` + wsrf.LifetimeSpace + `"/>`},
	}
	for _, kind := range []string{
		"Normal", "Pause", "Serialize", "Reboot", "Trash", "ReadyForTransport",
	} {
		tests[kind] = struct{ operation, body, asked, reply string }{
			"shutdown", shutdown(kind, ""), "shutdown 7 " + kind + " ",
			`<w:shutdownWorkspaceResponse xmlns:w="` + space + `"/>`,
		}
	}
	tests["save"] = struct{ operation, body, asked, reply string }{
		"shutdown", shutdown("ReadyForTransport", saveTo),
		"shutdown 7 ReadyForTransport sftp://r/new.img",
		`<w:shutdownWorkspaceResponse xmlns:w="` + space + `"/>`,
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d := new(desk)
			reply, err := porttest.Call(t, serve(d), tt.operation, "7", tt.body)
			if err != nil || reply != tt.reply {
				t.Errorf("reply is %s, %v, want %s", reply, err, tt.reply)
			}
			if len(d.asked) != 1 || d.asked[0] != tt.asked {
				t.Errorf("the manager was asked %q, want %q", d.asked, tt.asked)
			}
		})
	}
}

func TestPostShutdownGoesWithReadyForTransportAlone(t *testing.T) {
	d := new(desk)
	_, err := porttest.Call(t, serve(d), "shutdown", "7", shutdown("Normal", saveTo))
	var content *xmlstrict.ContentError
	if !errors.As(err, &content) || len(d.asked) > 0 {
		t.Errorf("error is %v, the manager was asked %q", err, d.asked)
	}
}

func TestEveryOperationWantsAProperKey(t *testing.T) {
	s := serve(new(desk))
	for name := range s.Operations {
		_, err := porttest.Call(t, s, name, "x7", `<x/>`)
		var key *dispatch.InvalidKey
		if !errors.As(err, &key) {
			t.Errorf("%s: error is %v, want an invalid key", name, err)
		}
	}
}

func TestSetTerminationTime(t *testing.T) {
	d := &desk{granted: time.Date(2036, 1, 1, 0, 0, 0, 0, time.UTC)}
	reply, err := porttest.Call(t, serve(d), "SetTerminationTime", "7",
		`<l:SetTerminationTime xmlns:l="`+wsrf.LifetimeSpace+`"><l:RequestedTerminationTime>`+
			`2036-06-01T02:00:00+02:00</l:RequestedTerminationTime></l:SetTerminationTime>`)
	if err != nil || d.asked[0] != "end 7 2036-06-01T00:00:00.000Z" ||
		!strings.Contains(reply, "NewTerminationTime>2036-01-01T00:00:00.000Z<") {
		t.Errorf("asked %q, reply is %s, %v", d.asked, reply, err)
	}
}

func TestProperties(t *testing.T) {
	query := `<p:QueryResourceProperties xmlns:p="` + wsrf.PropertiesSpace +
		`"><p:QueryExpression Dialect="` + wsrf.XPathDialect + `">/</p:QueryExpression>` +
		`</p:QueryResourceProperties>`
	tests := map[string]struct {
		desk desk
		says []string
		not  string
	}{
		"running": {desk{state: workspace.Running}, []string{
			">Running<", "IndividualCPUCount", ">2.0<", "CPUPercentage", ">50.0<", ">256.0<",
			":Topic ", "TopicExpressionDialects", "FixedTopicSet",
		}, "WorkspaceFault"},
		"on its way": {desk{state: workspace.ReadyingForTransport}, []string{">Propagated<"},
			"ReadyingForTransport"},
		"given up": {desk{state: workspace.Propagated, fault: "no room in the repository"},
			[]string{">Propagated<", "WorkspaceFault", "no room in the repository"}, "Corrupted"},
		"corrupted": {desk{state: workspace.Corrupted, fault: "image is damaged"}, []string{
			">Corrupted<", "WorkspaceFault", "image is damaged",
		}, "Running"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			reply, err := porttest.Call(t, serve(&tt.desk), "QueryResourceProperties", "7", query)
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range tt.says {
				if !strings.Contains(reply, text) {
					t.Errorf("properties lack %s: %s", text, reply)
				}
			}
			if strings.Contains(reply, tt.not) {
				t.Errorf("properties have %s: %s", tt.not, reply)
			}
		})
	}
}

func subscribe(topic, consumer, more string) string {
	return `<n:Subscribe xmlns:n="` + wsn.Space + `" xmlns:a="` + wsaNS + `" xmlns:c="u:c">` +
		`<n:ConsumerReference><a:Address>` + consumer + `</a:Address><a:ReferenceProperties>` +
		`<c:key>k1</c:key></a:ReferenceProperties></n:ConsumerReference>` +
		`<n:TopicExpression Dialect="` + simple + `" xmlns:t="` + space + `/types" xmlns:l="` +
		wsrf.LifetimeSpace + `">` + topic + `</n:TopicExpression>` + more + `</n:Subscribe>`
}

func TestSubscribe(t *testing.T) {
	d := new(desk)
	body := subscribe("t:currentState", "http://c/x", "<n:UseNotify>false</n:UseNotify>")
	reply, err := porttest.Call(t, serve(d), "Subscribe", "7", body)
	if err != nil || !strings.Contains(reply, ">sub</k:SubscriptionKey>") ||
		!strings.Contains(reply, porttest.Root+"/wsrf/services/SubscriptionManagerService<") {
		t.Fatalf("reply is %s, %v", reply, err)
	}
	got := d.wishes[0]
	if got.Workspace != 7 || got.Owner != porttest.Owner || got.Topic != workspace.TopicState ||
		got.Address != "http://c/x" || got.UseNotify || got.Dialect != simple {
		t.Errorf("subscription is %+v", got)
	}
	doc, err := xmlstrict.Parse(got.Consumer, xmlstrict.DefaultLimits())
	if err != nil || !strings.Contains(string(got.Consumer), "k1") {
		t.Errorf("the consumer kept is %s, %v", got.Consumer, err)
	} else if name := xmlstrict.NameOf(doc.Root); name != consumerReference {
		t.Errorf("the consumer kept is a %s", name)
	}
	if _, err := porttest.Call(t, serve(d), "Subscribe", "7",
		subscribe("l:ResourceTermination", "http://c/x", "")); err != nil {
		t.Error(err)
	}
	if got := d.wishes[1]; got.Topic != workspace.TopicTermination || !got.UseNotify {
		t.Errorf("subscription is %+v", got)
	}
}

func TestSubscribeRefuses(t *testing.T) {
	tests := map[string]struct {
		body, says string
		fault      xmlstrict.Name
	}{
		"another topic": {subscribe("t:logistics", "http://c/", ""), "is not published",
			wsn.TopicNotSupported},
		"a closed consumer": {subscribe("t:currentState", "http://closed/", ""), "closed",
			xmlstrict.Name{}},
		"a precondition": {subscribe("t:currentState", "http://c/", "<n:Precondition/>"),
			"not served", xmlstrict.Name{}},
		"an end that has passed": {subscribe("t:currentState", "http://c/",
			"<n:InitialTerminationTime>2001-01-01T00:00:00Z</n:InitialTerminationTime>"),
			"has passed", xmlstrict.Name{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d := new(desk)
			_, err := porttest.Call(t, serve(d), "Subscribe", "7", tt.body)
			if err == nil || !strings.Contains(err.Error(), tt.says) || len(d.wishes) > 0 {
				t.Errorf("error is %v, want one with %q", err, tt.says)
			}
			var typed *wsrf.FaultError
			if errors.As(err, &typed); typed != nil && typed.Fault != tt.fault {
				t.Errorf("fault is %s, want %s", typed.Fault, tt.fault)
			}
		})
	}
}

func TestGetCurrentMessage(t *testing.T) {
	ask := func(topic string) string {
		return `<n:GetCurrentMessage xmlns:n="` + wsn.Space + `"><n:Topic Dialect="` + simple +
			`" xmlns:t="` + space + `/types" xmlns:l="` + wsrf.LifetimeSpace + `">` + topic +
			`</n:Topic></n:GetCurrentMessage>`
	}
	d := &desk{state: workspace.Paused}
	reply, err := porttest.Call(t, serve(d), "GetCurrentMessage", "7", ask("t:currentState"))
	if err != nil || !strings.Contains(reply, "ResourcePropertyValueChangeNotification") ||
		!strings.Contains(reply, ">Paused<") {
		t.Errorf("reply is %s, %v", reply, err)
	}
	for topic, fault := range map[string]xmlstrict.Name{
		"l:ResourceTermination": wsn.NoCurrentMessageOnTopic, "t:other": wsn.TopicNotSupported,
	} {
		_, err := porttest.Call(t, serve(d), "GetCurrentMessage", "7", ask(topic))
		var typed *wsrf.FaultError
		if !errors.As(err, &typed) || typed.Fault != fault {
			t.Errorf("%s: error is %v, want %s", topic, err, fault)
		}
	}
	_, err = porttest.Call(t, serve(d), "GetCurrentMessage", "8", ask("t:currentState"))
	if workspace.KindOf(err) != workspace.NotFound {
		t.Errorf("error is %v, want not found", err)
	}
}
