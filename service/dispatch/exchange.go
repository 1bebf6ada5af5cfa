package dispatch

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/soap"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// An exchange is one request on its way to its reply. Fields fill up on the
// way, so that a fault can say as much as was understood by then.
type exchange struct {
	handler  *Handler
	endpoint *endpoint
	request  *http.Request
	writer   http.ResponseWriter
	root     string // URL of this server
	hangUp   bool   // the connection is of no use after this
	hold     hold
	size     int // of the message, in bytes

	version    soap.Version
	action     string // of the content type (SOAP 1.2), may be empty
	message    *soap.Message
	addressing wsa.Header
	keyBlock   *etree.Element
	operation  *operation
	owner      workspace.Owner

	replyTo, faultTo *wsa.EPR // where replies and faults go; nil: back on the connection
	target           *wsa.EPR // the one of them that what was written goes to
	said             string   // the action of what was written
	slot             bool     // it holds one of the places for messages to elsewhere
}

// answer writes the reply, or the fault, and returns the HTTP status.
func (x *exchange) answer(enc *xmlstrict.Encoder) (status int) {
	defer x.hold.release()
	defer func() {
		if cause := recover(); cause != nil {
			id := newRequestID()
			x.handler.recovered(cause, id)
			enc.Reset()
			status = x.writeFault(enc, internalFault(x.names(), id))
		}
	}()
	reply, err := x.carryOut()
	if err != nil {
		return x.writeFault(enc, x.faultFor(err))
	}
	x.target, x.said = x.replyTo, x.operation.replyAction
	if x.operation.oneWay {
		x.target = &wsa.EPR{Address: wsa.None200508}
		return http.StatusAccepted
	}
	header := x.header(x.replyTo, x.operation.replyAction, false)
	soap.Write(enc, x.version, header, reply)
	if x.replyTo != nil && len(enc.Bytes()) > maxElsewhere {
		enc.Reset()
		return x.writeFault(enc, x.faultFor(errLargeElsewhere))
	}
	return http.StatusOK
}

// carryOut reads the request and has its operation done.
func (x *exchange) carryOut() (Reply, error) {
	if err := x.read(); err != nil {
		return nil, err
	}
	if err := x.route(); err != nil {
		return nil, err
	}
	call := Call{
		MessageID: x.addressing.MessageID, Document: x.message.Doc,
		Body: x.message.Body, Face: x.endpoint.Face, Root: x.root,
	}
	if err := x.identify(&call); err != nil {
		return nil, err
	}
	if err := x.destinations(); err != nil {
		return nil, err
	}
	if err := x.find(&call); err != nil {
		return nil, err
	}
	if x.operation.Waits {
		return x.wait(&call)
	}
	return x.operation.Do(x.request.Context(), &call)
}

// read takes the message from the request and checks its form.
func (x *exchange) read() error {
	version, err := x.mediaType()
	if err != nil {
		return err
	}
	if version == soap.V12 {
		x.version = version
	}
	m, err := x.parse()
	if err != nil {
		return err
	}
	x.message, x.version = m, m.Version
	if version != anyVersion && version != m.Version {
		return &refusal{http.StatusUnsupportedMediaType,
			"the content type and the envelope are of different versions of SOAP"}
	}
	if err := m.CheckUnderstood(x.understood); err != nil {
		return err
	}
	if x.addressing, err = wsa.ParseHeader(m); err != nil {
		return err
	}
	x.keyBlock, err = x.findKey()
	return err
}

// maxKey is how long a resource key may be, in bytes. Replies repeat it.
const maxKey = 256

// findKey returns the header block with the resource's key; nil when there is
// none. Which resource is meant must not depend on the reader: there is one
// block, and it holds the key alone.
func (x *exchange) findKey() (*etree.Element, error) {
	var block *etree.Element
	for _, b := range x.message.Headers {
		if !xmlstrict.Is(b, x.endpoint.Key) {
			continue
		}
		if block != nil {
			return nil, x.badKey(b, "one resource key", "there is a second %s", b.Tag)
		}
		block = b
	}
	for child := range xmlstrict.Children(block) {
		return nil, x.badKey(child, "the key alone", "there is an element inside a resource key")
	}
	if size := len(xmlstrict.RawText(block)); size > maxKey {
		return nil, x.badKey(block, fmt.Sprintf("at most %d bytes", maxKey),
			"the resource key has %d bytes", size)
	}
	if err := x.checkAttributes(block); err != nil {
		return nil, err
	}
	return block, nil
}

// maxAttributes is how long the names and values of the attributes of a resource
// key may be together, in bytes. Replies repeat them with the key.
const maxAttributes = 2 << 10

// checkAttributes refuses a resource key whose attributes are long.
func (x *exchange) checkAttributes(block *etree.Element) error {
	size := 0
	if block != nil {
		for _, a := range block.Attr {
			size += len(a.Space) + len(a.Key) + len(a.Value)
		}
	}
	if size <= maxAttributes {
		return nil
	}
	return x.badKey(block, fmt.Sprintf("at most %d bytes", maxAttributes),
		"the attributes of the resource key have %d bytes", size)
}

// badKey says what is wrong with the resource's key, and where.
func (x *exchange) badKey(at *etree.Element, expected, format string, args ...any) error {
	return &InvalidKey{x.message.Doc.Errorf(at, expected, format, args...).Error()}
}

// understood tells which header blocks we can deal with.
func (x *exchange) understood(name xmlstrict.Name) bool {
	return wsa.Understood(name) || name == x.endpoint.Key
}

// route finds the operation by the body's element, and refuses what does not
// go with it.
func (x *exchange) route() error {
	if x.endpoint.operations == nil {
		path := x.endpoint.path
		if len(path) > maxKey {
			path = xmlstrict.Clip(path)
		}
		return wsa.DestinationUnreachable(x.root+path, errNowhere)
	}
	body, err := x.message.Payload()
	if err != nil {
		return err
	}
	o := x.endpoint.operations[xmlstrict.NameOf(body)]
	if o == nil {
		return x.noOperation(body)
	}
	x.operation = o
	if o.Bare {
		if err := x.message.Doc.Fits(body, xmlstrict.Shape{}); err != nil {
			return err
		}
	}
	return x.checkActions(o)
}

// noOperation says that the service has no operation for the body's element.
func (x *exchange) noOperation(body *etree.Element) error {
	err := &noOperation{xmlstrict.NameOf(body)}
	if x.addressed() && x.addressing.Action != "" {
		return wsa.ActionNotSupported(x.addressing.Action, err)
	}
	return err
}

// identify finds out who calls.
func (x *exchange) identify(call *Call) error {
	owner, err := x.handler.authn.Caller(x.request)
	if err != nil {
		return err
	}
	if owner == "" && !x.operation.Anonymous {
		return workspace.Errorf(workspace.Denied, "carry out "+x.operation.name, "",
			"no caller identity")
	}
	x.owner, call.Owner = owner, owner
	return nil
}

// find reads the resource's key. Singletons have none and ignore any.
func (x *exchange) find(call *Call) error {
	if x.endpoint.Key == (xmlstrict.Name{}) {
		return nil
	}
	var err error
	if call.Key, err = x.key(); err != nil {
		return err
	}
	if call.Key == "" {
		return &InvalidKey{"resource key is missing, expected the header block " +
			x.endpoint.Key.String() + " with the key from the resource's reference"}
	}
	return nil
}

// KeyParameter is the parameter of an address's query that may hold the
// resource's key, for clients that keep of a reference the address alone.
const KeyParameter = "key"

// key returns the resource's key: that of the header block or of the address.
// Which resource is meant must not depend on the reader: two differing keys are
// refused.
func (x *exchange) key() (string, error) {
	key, query := xmlstrict.Text(x.keyBlock), x.query()
	if len(query) == 0 {
		return key, nil
	}
	if len(query) > 1 || len(query[0]) > maxKey || key != "" && key != query[0] {
		return "", &InvalidKey{"the query of the address holds another resource key, or several; " +
			"expected one, the same as in the header block " + x.endpoint.Key.String()}
	}
	return query[0], nil
}

// isTimeout reports whether reading the body took too long.
func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}
