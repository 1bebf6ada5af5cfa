package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/beevik/etree"
	"github.com/google/uuid"

	"github.com/philoxenia/philoxenia/schema/soap"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/wsdl"
)

// Exchange is one attempt at an operation, for tracing.
type Exchange struct {
	Action  string
	URL     string
	Attempt int
	Took    time.Duration
	Body    *etree.Element // of the answer, nil without one
	Err     error
}

// An answer is what came back.
type answer struct {
	doc      *xmlstrict.Document
	body     *etree.Element
	attempts int // how often the request was sent, also with an error
}

// TransportError says that no answer could be had from the service, or none
// that is SOAP.
type TransportError struct {
	Op        string
	URL       string // that was asked
	MessageID string // under which a create request may be repeated
	Sent      bool   // the request may have reached the service
	Err       error
}

// Error returns "cannot OP: cause".
func (e *TransportError) Error() string {
	if errors.Is(e.Err, context.Canceled) {
		return "cannot " + e.Op + ": interrupted"
	}
	return fmt.Sprintf("cannot %s: %v", e.Op, e.Err)
}

// Unwrap returns the cause.
func (e *TransportError) Unwrap() error { return e.Err }

// What HTTP says when there is no answer.
var (
	errBusy = errors.New("the service is not ready")             // 503: nobody served the request
	errLost = errors.New("a proxy has no answer of the service") // 502, 504: perhaps somebody did
)

// call carries out one operation: it sends the request, again where that is
// safe and promising, and returns the answer or a *Fault or *TransportError.
func (c *Client) call(ctx context.Context, r request) (answer, error) {
	if err := c.prepare(&r); err != nil {
		return answer{}, fmt.Errorf("cannot %s: %w", r.op, err)
	}
	envelope := r.encode()
	sent := false
	for attempt := 1; ; attempt++ {
		began := time.Now()
		message, err := c.exchange(ctx, r, envelope)
		sent = sent || (err != nil && !isUnsent(err))
		x := Exchange{Attempt: attempt, Took: time.Since(began), Err: err}
		c.trace(r, x, message)
		if err == nil {
			a, err := r.read(message)
			a.attempts = attempt
			return a, err
		}
		if errors.Is(err, ErrNoFace) {
			return answer{attempts: attempt}, fmt.Errorf("cannot %s: %w", r.op, err)
		}
		if attempt >= c.options.Attempts || !r.worthRepeating(err) || !c.rest(ctx, attempt) {
			return answer{attempts: attempt}, &TransportError{
				Op: r.op, URL: r.target.Address, MessageID: r.messageID, Sent: sent,
				Err: cause(ctx, err),
			}
		}
	}
}

// prepare fills in what the request needs on the wire.
func (c *Client) prepare(r *request) error {
	if r.messageID == "" {
		r.messageID = newMessageID(r.face())
	}
	if r.target.Address == "" || r.face() == wsdl.Two && c.lacksTwo() {
		return ErrNoFace
	}
	return r.publish()
}

// newMessageID makes up an id, in the form that the face's clients use.
func newMessageID(face wsdl.Face) string {
	if face == wsdl.Two {
		return "urn:uuid:" + uuid.NewString()
	}
	return "uuid:" + uuid.NewString()
}

// lacksTwo reports whether face two is out of reach: forbidden by the options,
// or known to be missing.
func (c *Client) lacksTwo() bool { return c.options.Face == FaceOne || c.lacking.Load() }

// cause prefers the reason why ctx ended, which is the caller's own doing.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// encode writes the envelope. It is the same for each attempt: the service
// knows a repeated request by its MessageID.
func (r request) encode() []byte {
	enc := new(xmlstrict.Encoder)
	envelope, addressing := version(r.face())
	me := &wsa.EPR{Address: addressing.Anonymous()}
	header := wsa.Header{Version: addressing, MessageID: r.messageID, Action: r.action}
	if addressing == wsa.V200403 {
		header.From = me // as the original client
	} else {
		header.ReplyTo = me // SOAP 1.1 clients of WS-Addressing 1.0 say it too (core, 3.4)
	}
	soap.Write(enc, envelope, func(enc *xmlstrict.Encoder) {
		header.WriteRequest(enc, envelope, r.target)
	}, r.body)
	return bytes.Clone(enc.Bytes())
}

// exchange sends the envelope once and parses what comes back.
func (c *Client) exchange(ctx context.Context, r request, envelope []byte) (*soap.Message, error) {
	ctx, cancel := context.WithTimeout(ctx, c.options.Patience+r.wait)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, r.target.Address,
		bytes.NewReader(envelope))
	if err != nil {
		return nil, err
	}
	if v, _ := version(r.face()); v == soap.V12 { // RFC 3902: the action is a parameter
		q.Header.Set("Content-Type", v.ContentType()+`; action="`+r.action+`"`)
	} else {
		q.Header.Set("Content-Type", v.ContentType())
		q.Header.Set("SOAPAction", `"`+r.action+`"`)
	}
	q.Header.Set("User-Agent", c.options.UserAgent)
	p, err := c.options.HTTP.Do(q)
	if err != nil {
		return nil, plain(err)
	}
	defer p.Body.Close()
	if p.StatusCode == http.StatusNotFound && r.face() == wsdl.Two {
		if !isSOAP(p) { // nobody there speaks it
			c.lacking.Store(true)
		}
		return nil, ErrNoFace
	}
	return c.parse(p)
}

// isSOAP reports whether an answer says that it is an envelope.
func isSOAP(p *http.Response) bool {
	media, _, _ := mime.ParseMediaType(p.Header.Get("Content-Type"))
	return media == "text/xml" || media == "application/soap+xml"
}

// plain drops the method and URL that net/http puts before an error: whoever
// asked knows what was asked for.
func plain(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// parse reads an answer, which is SOAP with the status 200 or 500.
func (c *Client) parse(p *http.Response) (*soap.Message, error) {
	data, err := io.ReadAll(io.LimitReader(p.Body, int64(c.options.ReplyLimit)+1))
	if err != nil {
		return nil, err
	}
	switch {
	case len(data) > c.options.ReplyLimit:
		return nil, fmt.Errorf("the answer is longer than %d bytes", c.options.ReplyLimit)
	case p.StatusCode == http.StatusServiceUnavailable:
		return nil, fmt.Errorf("%w: it answered %s", errBusy, p.Status)
	case p.StatusCode == http.StatusBadGateway || p.StatusCode == http.StatusGatewayTimeout:
		return nil, fmt.Errorf("%w: it answered %s", errLost, p.Status)
	case !isSOAP(p):
		return nil, fmt.Errorf("%s answered %s with %q, which is not SOAP",
			p.Request.URL, p.Status, p.Header.Get("Content-Type"))
	}
	return soap.Parse(data, c.limits)
}

// worthRepeating reports whether the same request may be sent once more: it
// never reached the service, or was not served, or a second copy is harmless.
func (r request) worthRepeating(err error) bool {
	if isUnsent(err) || errors.Is(err, errBusy) {
		return true
	}
	if r.once || !repeatable(r.operation) {
		return false
	}
	var lost *net.OpError
	return errors.As(err, &lost) || errors.Is(err, errLost) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, context.DeadlineExceeded)
}

// isUnsent reports whether no connection could be made.
func isUnsent(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// rest waits before the next attempt; false when ctx ended meanwhile.
func (c *Client) rest(ctx context.Context, attempt int) bool {
	timer := time.NewTimer(c.options.Pause << min(attempt-1, 10))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// trace tells of one attempt.
func (c *Client) trace(r request, x Exchange, m *soap.Message) {
	if c.options.Trace == nil {
		return
	}
	x.Action, x.URL = r.action, r.target.Address
	if m != nil {
		x.Body = m.Body
	}
	c.options.Trace(x)
}

// read takes the answer out of a message, or the fault that it is.
func (r request) read(m *soap.Message) (answer, error) {
	if f, ok := soap.ParseFault(m); ok {
		return answer{}, newFault(r.op, f)
	}
	body, err := m.Payload()
	if err != nil {
		return answer{}, r.unusable(err)
	}
	if got := xmlstrict.NameOf(body); got != r.reply {
		err := fmt.Errorf("the service answered with %s, expected %s", got, r.reply)
		return answer{}, r.unusable(err)
	}
	return answer{doc: m.Doc, body: body}, nil
}

// unusable is the error of an answer that is no answer to the request.
func (r request) unusable(err error) error {
	return &TransportError{
		Op: r.op, URL: r.target.Address, MessageID: r.messageID, Sent: true, Err: err,
	}
}
