package client

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/schema/soap"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// A fakeService answers requests with a script: one step for each request, the
// last one for all further.
type fakeService struct {
	*httptest.Server
	connections atomic.Int32 // ever opened

	mu       sync.Mutex
	steps    []step
	requests []*soap.Message
	paths    []string
}

// A step answers one request.
type step func(w http.ResponseWriter)

// newFake starts a service that answers with the steps.
func newFake(t *testing.T, steps ...step) *fakeService {
	t.Helper()
	f := &fakeService{steps: steps}
	f.Server = httptest.NewUnstartedServer(f)
	f.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			f.connections.Add(1)
		}
	}
	f.Start()
	t.Cleanup(f.Close)
	return f
}

// ServeHTTP implements http.Handler.
func (f *fakeService) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	data, _ := io.ReadAll(q.Body)
	m, err := soap.Parse(data, xmlstrict.DefaultLimits())
	f.mu.Lock()
	if err == nil {
		f.requests = append(f.requests, m)
	}
	f.paths = append(f.paths, q.URL.Path)
	do := f.steps[min(len(f.paths), len(f.steps))-1]
	f.mu.Unlock()
	do(w)
}

// client returns a client of the service that rests only briefly.
func (f *fakeService) client(t *testing.T, o Options) *Client {
	t.Helper()
	if o.Pause == 0 {
		o.Pause = time.Millisecond
	}
	c, err := New(f.URL+"/wsrf/services/", o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// count returns how many requests came.
func (f *fakeService) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.paths)
}

// answerWith is the step that answers with a body.
func answerWith(body func(*xmlstrict.Encoder)) step {
	return func(w http.ResponseWriter) {
		enc := new(xmlstrict.Encoder)
		soap.Write(enc, soap.V11, nil, body)
		w.Header().Set("Content-Type", soap.V11.ContentType())
		_, _ = w.Write(enc.Bytes())
	}
}

// failWith is the step that answers with a typed fault.
func failWith(name xmlstrict.Name, descriptions ...string) step {
	return func(w http.ResponseWriter) {
		enc := new(xmlstrict.Encoder)
		fault := wsrf.BaseFault{
			Name: name, Timestamp: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
			Description: descriptions,
			Cause: []wsrf.BaseFault{
				{Name: wsrf.Draft.Names().FaultCause, Description: []string{"deep down"}},
			},
		}
		soap.WriteFault(enc, soap.V11, nil, fault.SOAP())
		w.Header().Set("Content-Type", soap.V11.ContentType())
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = w.Write(enc.Bytes())
	}
}

// hangUp is the step that takes the request and breaks the connection.
func hangUp(http.ResponseWriter) { panic(http.ErrAbortHandler) }

// status returns the step that answers with a bare HTTP status.
func status(code int) step {
	return func(w http.ResponseWriter) { http.Error(w, "no", code) }
}
