package client

import (
	"errors"
	"net/http"
	"testing"

	"github.com/philoxenia/philoxenia/schema/deployment"
	"github.com/philoxenia/philoxenia/schema/soap"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/wsdl"
)

func TestFacesOfURLs(t *testing.T) {
	const one, two = "http://h:1/wsrf/services/WorkspaceService", "http://h:1/ws/Workspace"
	tests := []struct {
		name, service string
		face          Face
		workspace     string // the reference that the client makes; empty: an error
		workspaces    string // all of the caller's, in face two; empty: nowhere
	}{
		{"a host alone", "http://h:1", FaceAuto, one, two + "s"},
		{"a host alone, face two", "http://h:1", FaceTwo, two, two + "s"},
		{"face one", "http://h:1/wsrf/services", FaceAuto, one, two + "s"},
		{"face one, but face two", "http://h:1/wsrf/services/", FaceTwo, two, two + "s"},
		{"face two", "http://h:1/ws/", FaceAuto, two, two + "s"},
		{"face two's factory", "http://h:1/ws/WorkspaceFactory?wsdl", FaceAuto, two, two + "s"},
		{"face two, but face one", "http://h:1/ws", FaceOne, one, two + "s"},
		{"below another path", "http://h:1/cloud/ws/", FaceAuto, "http://h:1/cloud/ws/Workspace",
			"http://h:1/cloud/ws/Workspaces"},
		{"another path", "http://h:1/x/", FaceAuto, "http://h:1/x/WorkspaceService", ""},
		{"another path, but face two", "http://h:1/x/", FaceTwo, "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c, err := New(test.service, Options{Face: test.face})
			if (err != nil) != (test.workspace == "") {
				t.Fatalf("error %v", err)
			}
			if err != nil {
				return
			}
			if got := c.Workspace("7").Address; got != test.workspace {
				t.Errorf("a workspace is at %s, expected %s", got, test.workspace)
			}
			if got := c.AllWorkspaces().Address; got != test.workspaces {
				t.Errorf("all are at %q, expected %q", got, test.workspaces)
			}
		})
	}
}

func TestTwins(t *testing.T) {
	tests := []struct{ name, one, two string }{
		{"the factory", "http://h/wsrf/services/WorkspaceFactoryService",
			"http://h/ws/WorkspaceFactory"},
		{"a workspace", "http://h/wsrf/services/WorkspaceService", "http://h/ws/Workspace"},
		{"a group", "http://h/a/wsrf/services/WorkspaceGroupService", "http://h/a/ws/Group"},
		{"a subscription", "http://h/wsrf/services/SubscriptionManagerService",
			"http://h/ws/SubscriptionManager"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			one := wsa.NewEPR(test.one, workspaceKey, "7")
			two, err := twin(one, wsdl.Two)
			if err != nil || two.Address != test.two || Key(two) != "7" {
				t.Errorf("%+v, %v", two, err)
			}
			back, err := twin(two, wsdl.One)
			if err != nil || back.Address != test.one {
				t.Errorf("and back %+v, %v", back, err)
			}
		})
	}
	for _, address := range []string{"http://h/x/WorkspaceService", "http://h/ws/Hosts"} {
		epr := wsa.EPR{Address: address}
		if got, err := twin(epr, wsdl.Two-FaceOf(epr)); !errors.Is(err, ErrNoFace) {
			t.Errorf("the twin of %s is %+v, %v", address, got, err)
		}
	}
	two := wsa.EPR{Address: "http://h/ws/Workspace?key=7"}
	if one, err := twin(two, wsdl.One); err != nil ||
		one.Address != "http://h/wsrf/services/WorkspaceService" {
		t.Errorf("with a query: %+v, %v", one, err)
	}
}

func TestAServerWithoutFaceTwoIsAskedOnce(t *testing.T) {
	f := newFake(t, status(http.StatusNotFound))
	c := f.client(t, Options{})
	for range 3 {
		_, err := c.Query(t.Context(), c.AllHosts(), "//x", nil)
		if !errors.Is(err, ErrNoFace) {
			t.Errorf("error %v", err)
		}
	}
	if n := f.count(); n != 1 {
		t.Errorf("%d requests, expected one", n)
	}
	c = f.client(t, Options{Face: FaceOne})
	if _, err := c.Query(t.Context(), c.AllHosts(), "//x", nil); !errors.Is(err, ErrNoFace) ||
		f.count() != 1 {
		t.Errorf("face two is asked although it may not be: %v", err)
	}
	c, err := New(f.URL+"/x/", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Query(t.Context(), c.AllHosts(), "//x", nil); !errors.Is(err, ErrNoFace) {
		t.Errorf("error %v where there is no telling the address", err)
	}
}

func TestRequestsOfFaceTwo(t *testing.T) {
	var types []string
	f := newFake(t, answerWith(empty(deployment.ShutdownLeaseResponse)))
	f.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		types = append(types, q.Header.Get("Content-Type"), q.Header.Get("SOAPAction"))
		f.ServeHTTP(w, q)
	})
	c := f.client(t, Options{Face: FaceTwo})
	if err := c.Shutdown(t.Context(), c.Workspace("7"), Pause, ""); err != nil {
		t.Fatal(err)
	}
	m := f.requests[0]
	h, err := wsa.ParseHeader(m)
	if err != nil {
		t.Fatal(err)
	}
	const action = "urn:philoxenia:2026:workspace:Workspace:ShutdownRequest"
	if m.Version != soap.V12 || h.Version != wsa.V200508 || h.Action != action ||
		h.To != f.URL+"/ws/Workspace" || h.ReplyTo == nil || h.MessageID == "" {
		t.Errorf("%s, header %+v", m.Version, h)
	}
	if types[0] != `application/soap+xml; charset=utf-8; action="`+action+`"` || types[1] != "" {
		t.Errorf("HTTP header %q", types)
	}
	key := m.Header(workspaceKey)
	mark := xmlstrict.Name{Space: wsa.Space200508, Local: "IsReferenceParameter"}
	if value, _ := xmlstrict.Attr(key, mark); xmlstrict.Text(key) != "7" || value != "true" {
		t.Errorf("the key is %v", key)
	}
}
