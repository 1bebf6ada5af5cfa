package pullpoint

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/service/dispatch"
	"github.com/philoxenia/philoxenia/service/port/porttest"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// desk is a Manager with the pull point pp, that writes down what it is asked.
type desk struct {
	point     workspace.PullPoint
	asks      []workspace.Ask
	wishes    []workspace.Subscription
	destroyed bool
	messages  []workspace.Message
	fail      error // of Subscribe and Messages
}

func (d *desk) CreatePullPoint(
	_ context.Context, owner workspace.Owner, expires time.Time,
) (*workspace.PullPoint, error) {
	d.point = workspace.PullPoint{ID: "pp", Owner: owner, Expires: expires}
	return &d.point, nil
}

func (d *desk) PullPoint(
	_ context.Context, owner workspace.Owner, id workspace.PullPointID,
) (*workspace.PullPoint, error) {
	if owner != porttest.Owner || id != "pp" {
		return nil, workspace.Errorf(workspace.NotFound, "find it", string(id), "unknown")
	}
	return &d.point, nil
}

func (d *desk) RenewPullPoint(
	ctx context.Context, owner workspace.Owner, id workspace.PullPointID, at time.Time,
) (time.Time, error) {
	_, err := d.PullPoint(ctx, owner, id)
	if err == nil {
		d.point.Expires = at
	}
	return at, err
}

func (d *desk) DestroyPullPoint(
	ctx context.Context, owner workspace.Owner, id workspace.PullPointID,
) error {
	_, err := d.PullPoint(ctx, owner, id)
	d.destroyed = err == nil
	return err
}

func (d *desk) Messages(
	ctx context.Context, owner workspace.Owner, id workspace.PullPointID, ask workspace.Ask,
) ([]workspace.Message, error) {
	if _, err := d.PullPoint(ctx, owner, id); err != nil {
		return nil, err
	}
	d.asks = append(d.asks, ask)
	return d.messages, d.fail
}

func (d *desk) Subscribe(
	_ context.Context, s workspace.Subscription,
) (*workspace.Subscription, error) {
	d.wishes = append(d.wishes, s)
	return &s, d.fail
}

func element(space, name, content string) string {
	return `<n:` + name + ` xmlns:n="` + space + `" xmlns:p="` + schema.Lease + `">` + content +
		`</n:` + name + `>`
}

func notification(name, content string) string {
	return element(schema.BaseNotification2, name, content)
}

func event(name, content string) string { return element(schema.ONVIFEvents, name, content) }

func TestFetch(t *testing.T) {
	tests := map[string]struct {
		operation, body string
		ask             workspace.Ask
	}{
		"plain": {"GetMessages", notification("GetMessages", ""), workspace.Ask{Request: "uuid:7"}},
		"some": {"GetMessages", notification("GetMessages", "<n:MaximumNumber>3</n:MaximumNumber>"),
			workspace.Ask{Most: 3, Request: "uuid:7"}},
		"with patience": {"GetMessages", notification("GetMessages", "<p:Wait>PT5S</p:Wait>"),
			workspace.Ask{Wait: 5 * time.Second, Request: "uuid:7"}},
		"with too much": {"GetMessages", notification("GetMessages", "<p:Wait>P1D</p:Wait>"),
			workspace.Ask{Wait: dispatch.LongestWait, Request: "uuid:7"}},
		"of cameras": {"PullMessages", event("PullMessages",
			"<n:Timeout>PT1M</n:Timeout><n:MessageLimit>10</n:MessageLimit>"),
			workspace.Ask{Most: 10, Wait: time.Minute, Request: "uuid:7"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d := &desk{messages: []workspace.Message{{
				Number: 5, Subscription: "s", Event: workspace.Event{
					Workspace: 7, Topic: workspace.TopicState, State: workspace.Running,
				},
			}}}
			reply, err := porttest.Call(t, New(d), tt.operation, "pp", tt.body)
			if err != nil || len(d.asks) != 1 || d.asks[0] != tt.ask {
				t.Fatalf("asked %+v, %v", d.asks, err)
			}
			for _, text := range []string{tt.operation + "Response", ">Running<",
				"http://h/ws/Workspace<", ">5</p:SequenceNumber>"} {
				if !strings.Contains(reply, text) {
					t.Errorf("reply lacks %s: %s", text, reply)
				}
			}
		})
	}
}

func TestFetchOfAFullPullPoint(t *testing.T) {
	d := &desk{fail: workspace.Errorf(workspace.Quota, "hold all", "pp", "7 were dropped")}
	_, err := porttest.Call(t, New(d), "GetMessages", "pp", notification("GetMessages", ""))
	var typed *wsrf.FaultError
	if !errors.As(err, &typed) || typed.Fault != names.UnableToGetMessages ||
		!strings.Contains(err.Error(), "7 were dropped") {
		t.Errorf("error is %v", err)
	}
}

func TestEnds(t *testing.T) {
	for operation, body := range map[string]string{
		"DestroyPullPoint": notification("DestroyPullPoint", ""),
		"Unsubscribe":      notification("Unsubscribe", ""),
		"Destroy":          element(schema.Lifetime2, "Destroy", ""),
	} {
		d := new(desk)
		reply, err := porttest.Call(t, New(d), operation, "pp", body)
		if err != nil || !d.destroyed || !strings.Contains(reply, operation+"Response") {
			t.Errorf("%s: %s, %v, destroyed %t", operation, reply, err, d.destroyed)
		}
	}
}

func TestNothingIsKnownOfOthers(t *testing.T) {
	for operation, body := range map[string]string{
		"GetMessages":      notification("GetMessages", ""),
		"DestroyPullPoint": notification("DestroyPullPoint", ""),
		"Renew":            notification("Renew", "<n:TerminationTime>PT1H</n:TerminationTime>"),
		"PullMessages": event("PullMessages",
			"<n:Timeout>PT1M</n:Timeout><n:MessageLimit>10</n:MessageLimit>"),
		"GetResourcePropertyDocument": element(schema.Properties2,
			"GetResourcePropertyDocument", ""),
	} {
		_, err := porttest.Call(t, New(new(desk)), operation, "theirs", body)
		if workspace.KindOf(err) != workspace.NotFound {
			t.Errorf("%s: error is %v, want not found", operation, err)
		}
	}
}

func TestEveryPropertyCanBeAskedFor(t *testing.T) {
	for _, name := range propertyNames() {
		reply, err := porttest.Call(t, New(&desk{point: workspace.PullPoint{Dropped: 4}}),
			"GetResourceProperty", "pp", `<p:GetResourceProperty xmlns:p="`+schema.Properties2+
				`" xmlns:x="`+name.Space+`">x:`+name.Local+`</p:GetResourceProperty>`)
		if err != nil || !strings.Contains(reply, ":"+name.Local) {
			t.Errorf("%s: reply is %s, %v", name, reply, err)
		}
	}
}

func TestPullPointWithASubscription(t *testing.T) {
	tests := map[string]struct {
		body string
		life time.Duration
	}{
		"for a time": {event("CreatePullPointSubscription",
			"<n:InitialTerminationTime>PT2M</n:InitialTerminationTime>"), 2 * time.Minute},
		"without an end": {event("CreatePullPointSubscription", ""), patience},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d := new(desk)
			reply, err := porttest.Call(t, NewFactory(d), "CreatePullPointSubscription", "",
				tt.body)
			if err != nil || !strings.Contains(reply, "http://h/ws/PullPoint?key=pp<") {
				t.Fatalf("reply is %s, %v", reply, err)
			}
			if left := time.Until(d.point.Expires); left > tt.life || left < tt.life-time.Minute {
				t.Errorf("it ends in %s, want %s", left, tt.life)
			}
			s := d.wishes[0]
			if s.PullPoint != "pp" || s.Workspace != 0 || s.Owner != porttest.Owner ||
				!s.UseNotify || len(s.Topics) != 2 || !s.Expires.IsZero() ||
				!strings.Contains(string(s.Consumer), "PullPointKey") {
				t.Errorf("subscription is %+v", s)
			}
		})
	}
}

func TestPullPointWithoutASubscriptionIsRemoved(t *testing.T) {
	d := &desk{fail: workspace.Errorf(workspace.Quota, "subscribe", "", "you have too many")}
	_, err := porttest.Call(t, NewFactory(d), "CreatePullPointSubscription", "",
		event("CreatePullPointSubscription", ""))
	if workspace.KindOf(err) != workspace.Quota || !d.destroyed {
		t.Errorf("error is %v, destroyed %t", err, d.destroyed)
	}
}
