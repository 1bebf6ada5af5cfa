package producer

import (
	"context"
	"errors"
	"strings"
	"testing"

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
	wishes []workspace.Subscription
	state  workspace.State
}

func (d *desk) Workspace(
	_ context.Context, owner workspace.Owner, id workspace.ID,
) (*workspace.Workspace, error) {
	if owner != porttest.Owner || id != 7 {
		return nil, workspace.Errorf(workspace.NotFound, "find it", id.String(), "unknown")
	}
	return &workspace.Workspace{ID: 7, State: d.state}, nil
}

func (d *desk) Subscribe(
	_ context.Context, s workspace.Subscription,
) (*workspace.Subscription, error) {
	d.wishes = append(d.wishes, s)
	s.ID = "sub"
	return &s, nil
}

// serve returns the producer over the desk; consumers at closed are refused.
func serve(d *desk) dispatch.Service {
	s := dispatch.Service{Name: "producer", Operations: map[string]dispatch.Operation{}}
	Source{Manager: d, CheckConsumer: func(url string) error {
		if strings.Contains(url, "closed") {
			return errors.New("that address is closed")
		}
		return nil
	}}.AddTo(s.Operations)
	return s
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
	if got.Workspace != 7 || got.Owner != porttest.Owner || !got.About(workspace.TopicState) ||
		got.Address != "http://c/x" || got.UseNotify ||
		!strings.Contains(string(got.Expression), simple) {
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
	if got := d.wishes[1]; !got.About(workspace.TopicTermination) || !got.UseNotify {
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
		"a precondition": {subscribe("t:currentState", "http://c/", "<n:Precondition Dialect=\""+
			wsrf.XPathDialect+"\">p</n:Precondition>"),
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
