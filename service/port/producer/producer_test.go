package producer

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/service/dispatch"
	"github.com/philoxenia/philoxenia/service/port/porttest"
	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/wsdl"
)

// desk is a Manager with the workspaces 6 and 7, of which 7 changed last, and
// the pull point pp, that writes down what it is asked.
type desk struct {
	wishes []workspace.Subscription
	state  workspace.State
	none   bool // of the caller's workspaces
}

func (d *desk) Workspace(
	_ context.Context, owner workspace.Owner, id workspace.ID,
) (*workspace.Workspace, error) {
	if owner != porttest.Owner || id != 7 {
		return nil, workspace.Errorf(workspace.NotFound, "find it", id.String(), "unknown")
	}
	return &workspace.Workspace{ID: 7, State: d.state}, nil
}

func (d *desk) Workspaces(
	ctx context.Context, owner workspace.Owner,
) ([]*workspace.Workspace, error) {
	w, err := d.Workspace(ctx, owner, 7)
	if err != nil || d.none {
		return nil, err
	}
	older := *w
	older.ID, older.State, older.Changed = 6, workspace.Corrupted, w.Changed.Add(-time.Hour)
	return []*workspace.Workspace{&older, w}, nil
}

func (d *desk) PullPoint(
	_ context.Context, owner workspace.Owner, id workspace.PullPointID,
) (*workspace.PullPoint, error) {
	if owner != porttest.Owner || id != "pp" {
		return nil, workspace.Errorf(workspace.NotFound, "find it", string(id), "unknown")
	}
	return &workspace.PullPoint{ID: id, Owner: owner}, nil
}

func (d *desk) Subscribe(
	_ context.Context, s workspace.Subscription,
) (*workspace.Subscription, error) {
	d.wishes = append(d.wishes, s)
	s.ID = "sub"
	return &s, nil
}

// serve returns the producer over the desk; consumers at closed are refused.
func serve(d *desk, face wsdl.Face, all bool) dispatch.Service {
	s := dispatch.Service{
		Face: face, Name: "producer", Operations: map[string]dispatch.Operation{},
	}
	Source{Manager: d, All: all, CheckConsumer: func(url string) error {
		if strings.Contains(url, "closed") {
			return errors.New("that address is closed")
		}
		return nil
	}}.AddTo(s.Operations)
	return s
}

// A request is a Subscribe or GetCurrentMessage, made of its parts.
type request struct {
	face     wsdl.Face
	consumer string // its URL
	key      string // of a pull point, as a reference parameter
	dialect  string // the last part of its URI
	topic    string // none when empty; prefixes t, l and w for lifetimes
	filter   string // further content of the Filter; draft: elements behind UseNotify
	end      string
	more     string // behind all
	current  bool   // GetCurrentMessage
}

const (
	draftDialects = "http://docs.oasis-open.org/wsn/2004/06/TopicExpression/"
	finalDialects = "http://docs.oasis-open.org/wsn/t-1/TopicExpression/"
	types         = "http://www.globus.org/2008/06/workspace/types"
	xpath         = "http://www.w3.org/TR/1999/REC-xpath-19991116"
)

// dialectURI returns the dialect of the expression.
func (r request) dialectURI() string {
	switch {
	case strings.Contains(r.dialect, ":"):
		return r.dialect
	case r.face == wsdl.Two:
		return finalDialects + r.dialect
	}
	return draftDialects + r.dialect
}

// expression is the topic expression as an element of that name.
func (r request) expression(name string) string {
	if r.topic == "" {
		return ""
	}
	return "<n:" + name + ` Dialect="` + r.dialectURI() + `">` + r.topic + "</n:" + name + ">"
}

// text returns the request; each part is on a line of its own.
func (r request) text() string {
	spaces := ` xmlns:t="` + types + `" xmlns:c="u:c" xmlns:p="urn:philoxenia:2026:workspace"`
	parameters := "ReferenceProperties"
	if r.face == wsdl.Two {
		spaces += ` xmlns:n="http://docs.oasis-open.org/wsn/b-2" xmlns:l="` +
			`http://docs.oasis-open.org/wsrf/rl-2" xmlns:a="http://www.w3.org/2005/08/addressing"`
		parameters = "ReferenceParameters"
	} else {
		spaces += ` xmlns:n="http://docs.oasis-open.org/wsn/2004/06/` +
			`wsn-WS-BaseNotification-1.2-draft-01.xsd" xmlns:l="` +
			`http://docs.oasis-open.org/wsrf/2004/06/wsrf-WS-ResourceLifetime-1.2-draft-01.xsd"` +
			` xmlns:a="http://schemas.xmlsoap.org/ws/2004/03/addressing"`
	}
	if r.current {
		return "<n:GetCurrentMessage" + spaces + ">\n" + r.expression("Topic") +
			"\n</n:GetCurrentMessage>"
	}
	key := "<c:key>k1</c:key>"
	if r.key != "" {
		key = "<p:PullPointKey>" + r.key + "</p:PullPointKey>"
	}
	text := "<n:Subscribe" + spaces + ">\n<n:ConsumerReference><a:Address>" + r.consumer +
		"</a:Address><a:" + parameters + ">" + key + "</a:" + parameters +
		"></n:ConsumerReference>\n"
	topic := r.expression("TopicExpression")
	if r.face == wsdl.Two && topic+r.filter != "" {
		topic = "<n:Filter>" + topic + r.filter + "</n:Filter>"
	} else if r.face == wsdl.One {
		topic += "\n" + r.filter
	}
	if r.end != "" {
		topic += "\n<n:InitialTerminationTime>" + r.end + "</n:InitialTerminationTime>"
	}
	return text + topic + "\n" + r.more + "</n:Subscribe>"
}

// call carries the request out on workspace 7.
func (r request) call(t *testing.T, d *desk, all bool) (string, error) {
	t.Helper()
	operation := "Subscribe"
	if r.current {
		operation = "GetCurrentMessage"
	}
	return porttest.Call(t, serve(d, r.face, all), operation, "7", r.text())
}
