package dispatch

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/authn"
	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/wsdl"
)

// The paths of face one, and of the published documents of both.
const (
	ServicesPath = "/wsrf/services/" // a service's name follows
	SchemaPath   = "/wsrf/schema/"   // the name of a published document follows
)

// Options are what a Handler is made of.
type Options struct {
	Services      []Service
	Authenticator authn.Authenticator
	// URL is the server's root as clients reach it, such as
	// http://vms.example.org:8080. References to resources are made of it.
	// When it is empty the address that a connection came in on is used.
	URL    string
	Limits Limits
	// Replier sends replies and faults to addresses that requests on face two
	// name. Without one they go back on the connection or nowhere.
	Replier Replier
	Logger  *slog.Logger // slog.Default() when nil
}

// Handler is both faces as an http.Handler. It keeps no state between requests.
type Handler struct {
	authn     authn.Authenticator
	url       string // empty: that of each connection
	limits    Limits
	logger    *slog.Logger
	endpoints map[string]*endpoint // by path
	consumers map[string]*endpoint // what clients serve: described here, and no more
	gate      *gate
	waiting   *waiting
	stopping  chan struct{} // closed when nothing is to be waited for any more
	stop      func()
	replier   Replier
	sending   chan struct{} // one in it for each message on its way to elsewhere
	panics    atomic.Int64
}

// An endpoint is a service with what can be known of it before any request.
type endpoint struct {
	Service
	path       string                        // of its URL
	operations map[xmlstrict.Name]*operation // by the body's element
	flat       func() ([]byte, error)        // the WSDL, at the configured URL; made once
}

// An operation is one row of the WSDL table, joined with who carries it out.
type operation struct {
	Operation
	name        string
	action      string // of the request, as SOAPAction and wsa:Action have it
	replyAction string
	element     string // its request as some clients name it: NAMESPACE/ELEMENT
	oneWay      bool   // nothing but an empty answer is expected
	faults      *faultNames
}

// New returns the Handler, or an error when the services do not carry out
// exactly what the WSDL table promises for them.
func New(o Options) (*Handler, error) {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	h := &Handler{
		authn: o.Authenticator, url: strings.TrimRight(o.URL, "/"),
		limits: o.Limits.withDefaults(), logger: o.Logger,
		endpoints: make(map[string]*endpoint), consumers: make(map[string]*endpoint),
	}
	h.gate = newGate(h.limits.Parallel)
	h.waiting = &waiting{
		all: h.limits.Waiting, share: h.limits.OwnerWaiting, of: make(map[workspace.Owner]int),
	}
	h.stopping = make(chan struct{})
	h.stop = sync.OnceFunc(func() { close(h.stopping) })
	h.replier, h.sending = o.Replier, make(chan struct{}, h.limits.Replies)
	for _, s := range o.Services {
		e, err := newEndpoint(s)
		if err != nil {
			return nil, err
		}
		h.endpoints[e.path] = h.described(e)
	}
	for _, row := range wsdl.Operations() {
		if row.OneWay {
			path := row.Face.Path() + row.Service
			h.consumers[path] = h.described(&endpoint{
				Service: Service{Face: row.Face, Name: row.Service}, path: path,
			})
		}
	}
	return h, nil
}

// described gives an endpoint its WSDL.
func (h *Handler) described(e *endpoint) *endpoint {
	e.flat = sync.OnceValues(func() ([]byte, error) {
		return wsdl.Flat(e.Name, h.url+e.Face.Path())
	})
	return e
}

func newEndpoint(s Service) (*endpoint, error) {
	e := &endpoint{
		Service: s, path: s.Face.Path() + s.Name,
		operations: make(map[xmlstrict.Name]*operation),
	}
	for _, row := range wsdl.Operations() {
		if row.Face != s.Face || row.Service != s.Name {
			continue
		}
		o, ok := s.Operations[row.Name]
		if !ok {
			return nil, fmt.Errorf("cannot serve %s: nothing carries out %s", s.Name, row.Name)
		}
		e.operations[xmlstrict.Name(row.In)] = &operation{
			Operation: o, name: row.Name, action: row.Action,
			replyAction: row.ReplyAction, element: row.In.Space + "/" + row.In.Local,
			oneWay: row.OneWay, faults: faultsOf(s.Face, row.Name),
		}
	}
	if len(e.operations) != len(s.Operations) {
		return nil, fmt.Errorf("cannot serve %s: it has %d operations, its WSDL %d",
			s.Name, len(s.Operations), len(e.operations))
	}
	return e, nil
}

// StopWaiting lets the operations that wait for something answer with what there
// is, now and from now on. It is for when the server stops.
func (h *Handler) StopWaiting() { h.stop() }

// Panics returns how many requests ended in a panic. It ought to be 0.
func (h *Handler) Panics() int64 { return h.panics.Load() }

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		h.post(w, r)
		return
	}
	h.publish(w, r)
}

// post answers a SOAP request.
func (h *Handler) post(w http.ResponseWriter, r *http.Request) {
	e := h.endpointAt(r.URL.Path)
	if e == nil {
		notFound(w)
		return
	}
	x := exchange{
		handler: h, endpoint: e, request: r, writer: w, root: h.rootFor(r),
		hold: hold{gate: h.gate},
	}
	enc := xmlstrict.Borrow()
	defer enc.Release()
	status := x.answer(enc)
	defer x.vacate()
	if x.target != nil {
		x.elsewhere(w, enc.Bytes())
		return
	}
	header := w.Header()
	header["Content-Type"] = contentTypes[x.version]
	header["Content-Length"] = []string{itoa(len(enc.Bytes()))}
	if x.hangUp {
		header["Connection"] = hangUp
	}
	w.WriteHeader(status)
	_, _ = w.Write(enc.Bytes())
}

// endpointAt returns the service at a path. Of face two there is one at every
// path, if only to say in SOAP that nothing is there; nil is for the rest.
func (h *Handler) endpointAt(path string) *endpoint {
	if e := h.endpoints[path]; e != nil {
		return e
	}
	if strings.HasPrefix(path, wsdl.Two.Path()) {
		return &endpoint{Service: Service{Face: wsdl.Two}, path: path}
	}
	return nil
}

// rootFor returns the URL of the server's root, for the request.
func (h *Handler) rootFor(r *http.Request) string {
	if h.url != "" {
		return h.url
	}
	return localURL(r)
}

// localURL returns the server's root by the address the connection came in on.
// The Host header is the caller's to write, so it is not believed.
func localURL(r *http.Request) string {
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	if a, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		return scheme + a.String()
	}
	return scheme + "localhost"
}

// recovered counts and logs a panic.
func (h *Handler) recovered(cause any, requestID string) {
	h.panics.Add(1)
	h.logger.Error("request ended in a panic",
		"request", requestID, "panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
}
