package client

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/philoxenia/philoxenia/schema/deployment"
	"github.com/philoxenia/philoxenia/schema/metadata"
	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// started is the step that answers a start.
var started = answerWith(empty(inWorkspace("startWorkspaceResponse")))

// stopped is the step that answers any shutdown.
var stopped = answerWith(empty(inWorkspace("shutdownWorkspaceResponse")))

func TestRetries(t *testing.T) {
	tests := []struct {
		name  string
		steps []step
		do    func(context.Context, *Client) error
		tries int
		fails bool
	}{
		{"the answer to a start is lost: again", []step{hangUp, started}, start, 2, false},
		{"it is lost every time: four tries", []step{hangUp}, start, 4, true},
		{"the answer to a reboot is lost: never again", []step{hangUp, stopped}, reboot, 1, true},
		{"nobody served the reboot: again", []step{status(503), stopped}, reboot, 2, false},
		{"a proxy lost the start: again", []step{status(502), started}, start, 2, false},
		{"a proxy lost the reboot: never again", []step{status(504), stopped}, reboot, 1, true},
		{"a fault is an answer: never again",
			[]step{failWith(inTypes("OperationDisabledFault"), "no")}, start, 1, true},
		{"what is not SOAP is no reason to ask again", []step{status(404)}, start, 1, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFake(t, test.steps...)
			err := test.do(t.Context(), f.client(t, Options{}))
			if (err != nil) != test.fails {
				t.Errorf("error %v, expected one: %t", err, test.fails)
			}
			if n := f.count(); n != test.tries {
				t.Errorf("%d tries, expected %d", n, test.tries)
			}
		})
	}
}

func start(ctx context.Context, c *Client) error { return c.Start(ctx, c.Workspace("7")) }

func reboot(ctx context.Context, c *Client) error {
	return c.Shutdown(ctx, c.Workspace("7"), Reboot, "")
}

// created is the answer to a create request.
var created = report.Created{Workspaces: []report.CreatedWorkspace{{
	EPR:      wsa.NewEPR("http://h/wsrf/services/WorkspaceService", workspaceKey, "7"),
	Schedule: report.Schedule{Duration: time.Hour},
	NICs:     []metadata.NIC{{Name: "eth0", Method: metadata.AllocateAndConfigure}},
}}}

// wish is a request that is whole.
func wish() Request {
	return Request{
		Metadata: &metadata.VirtualWorkspace{Name: "urn:x"},
		Deployment: &deployment.WorkspaceDeployment{
			InitialState: deployment.Running, Nodes: 1,
			Allocation: deployment.ResourceAllocation{Memory: deployment.Exactly(256)},
		},
	}
}

func TestCreateIsSentAgainUnderTheSameMessageID(t *testing.T) {
	f := newFake(t, hangUp, hangUp, answerWith(created.Write))
	got, err := f.client(t, Options{}).Create(t.Context(), wish())
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Workspaces) != 1 || Key(got.Workspaces[0].EPR) != "7" {
		t.Errorf("created %+v", got)
	}
	ids := map[string]bool{}
	for _, m := range f.requests {
		h, err := wsa.ParseHeader(m)
		if err != nil {
			t.Fatal(err)
		}
		ids[h.MessageID] = true
	}
	if len(f.requests) != 3 || len(ids) != 1 {
		t.Errorf("%d requests with %d message ids, expected 3 with 1", len(f.requests), len(ids))
	}
}

func TestLostCreateTellsItsMessageID(t *testing.T) {
	f := newFake(t, hangUp)
	r := wish()
	r.MessageID = "uuid:mine"
	_, err := f.client(t, Options{Attempts: 2}).Create(t.Context(), r)
	var lost *TransportError
	if !errors.As(err, &lost) || !lost.Sent || lost.MessageID != "uuid:mine" {
		t.Errorf("error %#v", err)
	}
}

// nobody is where nothing listens: no process is given so low a port by chance.
const nobody = "http://127.0.0.1:1"

func TestUnsentSaysSo(t *testing.T) {
	c, err := New(nobody+"/wsrf/services/", Options{Attempts: 2, Pause: 1})
	if err != nil {
		t.Fatal(err)
	}
	err = start(t.Context(), c)
	var lost *TransportError
	if !errors.As(err, &lost) || lost.Sent {
		t.Errorf("error %#v, expected a TransportError that was not sent", err)
	}
	if !strings.HasPrefix(err.Error(), "cannot start workspace 7: dial tcp") {
		t.Errorf("error %q", err)
	}
}

func TestDestroyAgainFindsNothingLeft(t *testing.T) {
	unknown := failWith(wsrf.Draft.Names().UnknownToLifetime, "unknown workspace")
	f := newFake(t, hangUp, unknown)
	c := f.client(t, Options{})
	if err := c.Destroy(t.Context(), c.Workspace("7")); err != nil {
		t.Errorf("after a lost answer: %v", err)
	}
	f = newFake(t, unknown)
	c = f.client(t, Options{})
	if err := c.Destroy(t.Context(), c.Workspace("7")); !IsUnknown(err) {
		t.Errorf("at first: error %v, expected unknown", err)
	}
}

func TestDeadlines(t *testing.T) {
	hold := make(chan struct{})
	slow := func(http.ResponseWriter) { <-hold }
	f := newFake(t, slow)
	t.Cleanup(func() { close(hold) })
	c := f.client(t, Options{Patience: 20 * time.Millisecond, Attempts: 2})
	if err := reboot(t.Context(), c); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a service that never answers: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := start(ctx, c); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled call: %v", err)
	} else if want := "cannot start workspace 7: interrupted"; err.Error() != want {
		t.Errorf("a cancelled call says %q, expected %q", err, want)
	}
}

func TestAnswersThatAreWrong(t *testing.T) {
	tests := []struct {
		name string
		step step
		want string
	}{
		{"too long", answerWith(func(enc *xmlstrict.Encoder) {
			enc.Element(inWorkspace("startWorkspaceResponse"), strings.Repeat("x", 5000))
		}), "longer than 4096 bytes"},
		{"of another operation", stopped,
			"answered with {" + workspaceKey.Space + "}shutdownWorkspaceResponse"},
		{"an empty body", answerWith(nil), "Body"},
		{"not SOAP", status(404), "404 Not Found"},
		{"half a document", func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "text/xml")
			_, _ = w.Write([]byte("<a>"))
		}, "line 1"},
		{"a redirection is not followed", func(w http.ResponseWriter) {
			w.Header().Set("Location", "http://127.0.0.1:1/")
			w.WriteHeader(http.StatusFound)
		}, "302 Found"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFake(t, test.step)
			err := start(t.Context(), f.client(t, Options{ReplyLimit: 4096}))
			var lost *TransportError
			if !errors.As(err, &lost) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, expected a TransportError with %q", err, test.want)
			}
		})
	}
}

// TestConnectionsAreKept runs in a bubble, whose clock stands still while anything
// moves: net/http keeps no connection of which it does not hear within 50 ms that the
// request was written, which on a busy machine happens.
func TestConnectionsAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t, started)
		c := f.client(t, Options{})
		for range 10 {
			if err := start(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
		if n := f.connections.Load(); n != 1 {
			t.Errorf("ten requests over %d connections", n)
		}
	})
}

func TestServiceURLs(t *testing.T) {
	const usual = "http://h:1/wsrf/services/WorkspaceFactoryService"
	tests := []struct{ name, service, factory string }{
		{"the base", "http://h:1/wsrf/services/", usual},
		{"no slash", "http://h:1/wsrf/services", usual},
		{"the factory", "https://h/wsrf/services/WorkspaceFactoryService?wsdl",
			"https://h/wsrf/services/WorkspaceFactoryService"},
		{"a host alone", "http://h:1", usual},
		{"another place", "http://h/x/", "http://h/x/WorkspaceFactoryService"},
		{"no URL", "h:1", ""},
		{"another scheme", "ftp://h/", ""},
		{"no host", "http:///x", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c, err := New(test.service, Options{})
			switch {
			case (err != nil) != (test.factory == ""):
				t.Errorf("error %v", err)
			case err == nil && c.Factory().Address != test.factory:
				t.Errorf("factory %q, expected %q", c.Factory().Address, test.factory)
			}
		})
	}
}

func TestRequestIsLikeTheOriginals(t *testing.T) {
	f := newFake(t, stopped)
	c := f.client(t, Options{})
	err := c.Shutdown(t.Context(), c.Workspace("7"), ReadyForTransport, "http://h/saved.img")
	if err != nil {
		t.Fatal(err)
	}
	m := f.requests[0]
	h, err := wsa.ParseHeader(m)
	if err != nil {
		t.Fatal(err)
	}
	if h.Action != workspaceKey.Space+"/WorkspacePortType/shutdownRequest" || h.From == nil ||
		h.To != c.Workspace("7").Address {
		t.Errorf("header %+v", h)
	}
	if key := m.Header(workspaceKey); key == nil || xmlstrict.Text(key) != "7" {
		t.Errorf("key %v", key)
	}
	v, err := deployment.DecodeShutdown(m.Doc, m.Body)
	if err != nil || v.Type != "ReadyForTransport" ||
		v.PostShutdown.Target != "http://h/saved.img" {
		t.Errorf("body %+v, %v", v, err)
	}
}
