package subscription

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/wsn"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/port"
	"github.com/philoxenia/philoxenia/service/port/message"
	"github.com/philoxenia/philoxenia/service/port/porttest"
	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/wsdl"
)

// desk is a Manager with one subscription.
type desk struct{ one *workspace.Subscription }

func (d *desk) Subscription(
	_ context.Context, owner workspace.Owner, id workspace.SubscriptionID,
) (*workspace.Subscription, error) {
	if d.one == nil || owner != d.one.Owner || id != d.one.ID {
		return nil, workspace.Errorf(workspace.NotFound, "find it", string(id), "unknown")
	}
	return d.one, nil
}

func (d *desk) Renew(
	ctx context.Context, owner workspace.Owner, id workspace.SubscriptionID, at time.Time,
) (time.Time, error) {
	s, err := d.Subscription(ctx, owner, id)
	switch {
	case err != nil:
		return at, err
	case !at.IsZero() && at.Before(time.Now()):
		return at, workspace.Errorf(workspace.Denied, "renew it", string(id), "that is past")
	}
	s.Expires = at
	return at, nil
}

func (d *desk) PauseSubscription(
	ctx context.Context, owner workspace.Owner, id workspace.SubscriptionID, pause bool,
) error {
	s, err := d.Subscription(ctx, owner, id)
	if err == nil {
		s.Paused = pause
	}
	return err
}

func (d *desk) DestroySubscription(
	ctx context.Context, owner workspace.Owner, id workspace.SubscriptionID,
) error {
	_, err := d.Subscription(ctx, owner, id)
	if err == nil {
		d.one = nil
	}
	return err
}

// newDesk returns a desk with a subscription that was made on a face, with all
// that one can have.
func newDesk(face wsdl.Face) *desk {
	edition := port.Notification(face)
	condition, err := wsrf.NewCondition("//t:a", func(string) (string, bool) {
		return schema.Types, true
	})
	if err != nil {
		panic(err)
	}
	s := &workspace.Subscription{
		ID: "s1", Owner: porttest.Owner, Workspace: 7, UseNotify: true, Last: 41,
		Topics: []workspace.Topic{workspace.TopicState}, Format: message.FormatOf(face, 0),
		Expression: edition.SimpleTopic(
			message.TopicName(face, workspace.TopicState)).Bytes(),
		Filter: wsn.Filter{ProducerProperties: condition, MessageContent: condition}.Bytes(),
		Consumer: []byte(`<n:ConsumerReference xmlns:n="` + schema.BaseNotification +
			`" xmlns:a="http://schemas.xmlsoap.org/ws/2004/03/addressing">` +
			`<a:Address>http://c/x</a:Address>` +
			`<a:ReferenceProperties><k xmlns="u:k">k1</k></a:ReferenceProperties>` +
			`</n:ConsumerReference>`),
		Created:   time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC),
		PausedWhy: "its consumer failed for a day",
		Failing:   time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC),
	}
	return &desk{s}
}

func element(space, name, content string) string {
	return `<n:` + name + ` xmlns:n="` + space + `">` + content + `</n:` + name + `>`
}

// requests has one request for each operation that changes something.
func requests(face wsdl.Face, at time.Time) map[string]string {
	n, l := port.Notification(face).Names(), port.Edition(face).Names()
	all := map[string]string{
		"PauseSubscription":  element(n.PauseSubscription.Space, "PauseSubscription", ""),
		"ResumeSubscription": element(n.ResumeSubscription.Space, "ResumeSubscription", ""),
		"Destroy":            element(l.Destroy.Space, "Destroy", ""),
		"SetTerminationTime": element(l.SetTerminationTime.Space, "SetTerminationTime",
			"<n:RequestedTerminationTime>"+wsrf.FormatTime(at)+"</n:RequestedTerminationTime>"),
	}
	if face == wsdl.Two {
		all["Renew"] = element(n.Renew.Space, "Renew",
			"<n:TerminationTime>"+wsrf.FormatTime(at)+"</n:TerminationTime>")
		all["Unsubscribe"] = element(n.Renew.Space, "Unsubscribe", "")
	}
	return all
}

var faces = []wsdl.Face{wsdl.One, wsdl.Two}

func TestPauseResumeDestroy(t *testing.T) {
	year := time.Date(2036, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, face := range faces {
		d := newDesk(face)
		s := New(face, d)
		bodies := requests(face, year)
		ends := []string{"Destroy"}
		if face == wsdl.Two {
			ends = append(ends, "Unsubscribe")
		}
		for _, step := range []struct {
			operation string
			paused    bool
		}{
			{"PauseSubscription", true}, {"PauseSubscription", true}, {"ResumeSubscription", false},
		} {
			reply, err := porttest.Call(t, s, step.operation, "s1", bodies[step.operation])
			if err != nil || !strings.HasPrefix(reply, "<wsnt:"+step.operation+"Response") ||
				d.one.Paused != step.paused {
				t.Errorf("%s: %s, %v, paused %t", step.operation, reply, err, d.one.Paused)
			}
		}
		for _, end := range ends {
			*d = *newDesk(face)
			reply, err := porttest.Call(t, s, end, "s1", bodies[end])
			if err != nil || d.one != nil || !strings.Contains(reply, end+"Response") {
				t.Errorf("%s: %s, %v, left is %v", end, reply, err, d.one)
			}
		}
		for name, body := range bodies {
			_, err := porttest.Call(t, s, name, "s1", body)
			if workspace.KindOf(err) != workspace.NotFound {
				t.Errorf("%s after the end: %v, want not found", name, err)
			}
		}
	}
}

func TestRenew(t *testing.T) {
	year := time.Date(2036, 1, 1, 0, 0, 0, 0, time.UTC)
	past := time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, face := range faces {
		for _, operation := range []string{"SetTerminationTime", "Renew"} {
			d := newDesk(face)
			body := requests(face, year)[operation]
			if body == "" {
				continue
			}
			reply, err := porttest.Call(t, New(face, d), operation, "s1", body)
			if err != nil || !d.one.Expires.Equal(year) ||
				!strings.Contains(reply, "TerminationTime>2036-01-01T00:00:00.000Z<") ||
				!strings.Contains(reply, "CurrentTime>") {
				t.Errorf("%s: %s, %v", operation, reply, err)
			}
			_, err = porttest.Call(t, New(face, d), operation, "s1",
				requests(face, past)[operation])
			var typed *wsrf.FaultError
			if errors.As(err, &typed); operation == "Renew" && (typed == nil ||
				typed.Fault != wsn.Final.Names().UnacceptableTerminationTime || typed.More == nil) {
				t.Errorf("%s to the past: %v", operation, err)
			}
			if workspace.KindOf(err) != workspace.Denied || !d.one.Expires.Equal(year) {
				t.Errorf("%s to the past: %v", operation, err)
			}
		}
	}
	relative := element(schema.BaseNotification2, "Renew",
		"<n:TerminationTime>PT1H</n:TerminationTime>")
	d := newDesk(wsdl.Two)
	if _, err := porttest.Call(t, New(wsdl.Two, d), "Renew", "s1", relative); err != nil ||
		time.Until(d.one.Expires) < 59*time.Minute || time.Until(d.one.Expires) > time.Hour {
		t.Errorf("it ends at %s, %v", d.one.Expires, err)
	}
}

// query asks for properties by XPath; the prefix n is for notification.
func query(face wsdl.Face, expression string) string {
	return `<p:QueryResourceProperties xmlns:p="` +
		port.Edition(face).Names().QueryResourceProperties.Space + `" xmlns:n="` +
		port.Notification(face).Names().Subscribe.Space + `"><p:QueryExpression Dialect="` +
		wsrf.XPathDialect + `">` + expression + `</p:QueryExpression></p:QueryResourceProperties>`
}

func TestProperties(t *testing.T) {
	tests := map[string]struct {
		face, made wsdl.Face
		expression string
		says       []string
		not        string
	}{
		"one, whole": {wsdl.One, wsdl.One, "/", []string{"<wsnt:SubscriptionManagerRP",
			">http://c/x<", ">k1<", "t:currentState<", "UseNotify>true<", "<Precondition ",
			"<Selector ", "CreationTime>2026-11-21T12:00:00.000Z<", `nil="true"`},
			schema.Lease},
		"one, one":     {wsdl.One, wsdl.One, "//n:UseNotify", []string{"UseNotify", ">true<"}, "x"},
		"one, a count": {wsdl.One, wsdl.One, "count(/*/*)", []string{">8<"}, "x"},
		"two, whole": {wsdl.Two, wsdl.Two, "/", []string{"<p:SubscriptionProperties",
			">http://c/x<", ">k1<", ":Filter>", "t-1/TopicExpression/Simple", "t:currentState<",
			"<ProducerProperties ", "<MessageContent ", ":Paused>false<", `nil="true"`,
			":PausedBecause>its consumer failed for a day<", ":LastSequenceNumber>41<",
			":FailingSince>2026-11-22T12:00:00.000Z<", ":QueryExpressionDialect>"},
			"SubscriptionPolicy"},
		"one of a subscription made on two": {wsdl.One, wsdl.Two, "/", []string{
			"2004/06/TopicExpression/Simple", "<Precondition ", "<Selector "}, "t-1"},
		"two of a subscription made on one": {wsdl.Two, wsdl.One, "/", []string{
			"t-1/TopicExpression/Simple", "<ProducerProperties ", "<MessageContent "}, "2004/06"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			reply, err := porttest.Call(t, New(tt.face, newDesk(tt.made)),
				"QueryResourceProperties", "s1", query(tt.face, tt.expression))
			for _, text := range tt.says {
				if err != nil || !strings.Contains(reply, text) {
					t.Errorf("reply lacks %s: %s, %v", text, reply, err)
				}
			}
			if strings.Contains(reply, tt.not) && tt.not != "x" {
				t.Errorf("reply has %s: %s", tt.not, reply)
			}
		})
	}
}

// TestManyTopicsAreToldOnTheOtherFace: a union of topics has to be put into the
// other face's words.
func TestManyTopicsAreToldOnTheOtherFace(t *testing.T) {
	d := newDesk(wsdl.One)
	d.one.Topics = []workspace.Topic{workspace.TopicState, workspace.TopicTermination}
	reply, err := porttest.Call(t, New(wsdl.Two, d), "QueryResourceProperties", "s1",
		query(wsdl.Two, "/"))
	if err != nil || !strings.Contains(reply, "TopicExpression/Full") ||
		!strings.Contains(reply, ">t:currentState|wsrl:ResourceTermination<") {
		t.Errorf("reply is %s, %v", reply, err)
	}
}

func TestEveryPropertyCanBeAskedFor(t *testing.T) {
	for _, face := range faces {
		d := newDesk(face)
		d.one.Expires = time.Date(2036, 1, 1, 0, 0, 0, 0, time.UTC)
		d.one.UseNotify = false
		for _, name := range propertyNames(face) {
			reply, err := porttest.Call(t, New(face, d), "GetResourceProperty", "s1",
				`<p:GetResourceProperty xmlns:p="`+
					port.Edition(face).Names().GetResourceProperty.Space+`" xmlns:x="`+
					name.Space+`">x:`+name.Local+`</p:GetResourceProperty>`)
			if err != nil || !strings.Contains(reply[1:], name.Local) {
				t.Errorf("%s: reply is %s, %v", name, reply, err)
			}
		}
	}
}

// TestASubscriptionWithoutMuch has what a subscription of face two may lack.
func TestASubscriptionWithoutMuch(t *testing.T) {
	d := newDesk(wsdl.Two)
	d.one.Expression, d.one.Filter, d.one.PausedWhy = nil, nil, ""
	d.one.Failing = time.Time{}
	reply, err := porttest.Call(t, New(wsdl.Two, d), "GetResourcePropertyDocument", "s1",
		element(schema.Properties2, "GetResourcePropertyDocument", ""))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := xmlstrict.Parse([]byte(reply), xmlstrict.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for root := range xmlstrict.Children(doc.Root) {
		for child := range xmlstrict.Children(root) {
			got = append(got, child.Tag)
		}
	}
	const want = "ConsumerReference CreationTime CurrentTime TerminationTime Paused " +
		"LastSequenceNumber QueryExpressionDialect"
	if strings.Join(got, " ") != want {
		t.Errorf("properties are %v", got)
	}
}
