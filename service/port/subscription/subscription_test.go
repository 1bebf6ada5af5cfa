package subscription

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/schema/wsn"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/service/port/porttest"
	"github.com/philoxenia/philoxenia/service/workspace"
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

func newDesk() *desk {
	return &desk{&workspace.Subscription{
		ID: "s1", Owner: porttest.Owner, Workspace: 7,
		Topics: []workspace.Topic{workspace.TopicState}, UseNotify: true,
		Expression: []byte(`<n:TopicExpression xmlns:n="` + wsn.Space + `" Dialect="` +
			wsn.SimpleDialect + `" xmlns:t="http://www.globus.org/2008/06/workspace/types">` +
			`t:currentState</n:TopicExpression>`),
		Consumer: []byte(`<n:ConsumerReference xmlns:n="` + wsn.Space + `" xmlns:a="` +
			`http://schemas.xmlsoap.org/ws/2004/03/addressing"><a:Address>http://c/x</a:Address>` +
			`<a:ReferenceProperties><k xmlns="u:k">k1</k></a:ReferenceProperties>` +
			`</n:ConsumerReference>`),
		Created: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC),
	}}
}

func empty(name string) string { return `<n:` + name + ` xmlns:n="` + wsn.Space + `"/>` }

func TestPauseResumeDestroy(t *testing.T) {
	d := newDesk()
	s := New(d)
	steps := []struct {
		operation, body, reply string
		paused                 bool
	}{
		{"PauseSubscription", empty("PauseSubscription"), "PauseSubscriptionResponse", true},
		{"PauseSubscription", empty("PauseSubscription"), "PauseSubscriptionResponse", true},
		{"ResumeSubscription", empty("ResumeSubscription"), "ResumeSubscriptionResponse", false},
	}
	for _, step := range steps {
		reply, err := porttest.Call(t, s, step.operation, "s1", step.body)
		if err != nil || !strings.HasPrefix(reply, "<wsnt:"+step.reply) ||
			d.one.Paused != step.paused {
			t.Errorf("%s: %s, %v, paused %t", step.operation, reply, err, d.one.Paused)
		}
	}
	destroy := `<l:Destroy xmlns:l="` + wsrf.LifetimeSpace + `"/>`
	if _, err := porttest.Call(t, s, "Destroy", "s1", destroy); err != nil || d.one != nil {
		t.Errorf("destroy: %v, left is %v", err, d.one)
	}
	for name := range s.Operations {
		_, err := porttest.Call(t, s, name, "s1", destroy)
		if workspace.KindOf(err) != workspace.NotFound {
			t.Errorf("%s after destroy: %v, want not found", name, err)
		}
	}
}

func TestProperties(t *testing.T) {
	ask := func(expression string) string {
		return `<p:QueryResourceProperties xmlns:p="` + wsrf.PropertiesSpace +
			`" xmlns:n="` + wsn.Space + `"><p:QueryExpression Dialect="` + wsrf.XPathDialect +
			`">` + expression + `</p:QueryExpression></p:QueryResourceProperties>`
	}
	d := newDesk()
	tests := map[string]struct {
		expression string
		says       []string
	}{
		"whole": {"/", []string{"<wsnt:SubscriptionManagerRP", ">http://c/x<", ">k1<",
			"t:currentState<", "UseNotify>true<", "CreationTime>2026-11-21T12:00:00.000Z<",
			`nil="true"`}},
		"one":     {"//n:UseNotify", []string{"UseNotify", ">true<"}},
		"a count": {"count(/*/*)", []string{">6<"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			reply, err := porttest.Call(t, New(d), "QueryResourceProperties", "s1",
				ask(tt.expression))
			for _, text := range tt.says {
				if err != nil || !strings.Contains(reply, text) {
					t.Errorf("reply lacks %s: %s, %v", text, reply, err)
				}
			}
		})
	}
}

func TestEveryPropertyCanBeAskedFor(t *testing.T) {
	d := newDesk()
	d.one.Expires = time.Date(2036, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, name := range names() {
		reply, err := porttest.Call(t, New(d), "GetResourceProperty", "s1",
			`<p:GetResourceProperty xmlns:p="`+wsrf.PropertiesSpace+`" xmlns:x="`+name.Space+
				`">x:`+name.Local+`</p:GetResourceProperty>`)
		if err != nil || !strings.Contains(reply, ":"+name.Local) {
			t.Errorf("%s: reply is %s, %v", name, reply, err)
		}
	}
}
