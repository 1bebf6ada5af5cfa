// Package soap carries the messages of generated bindings. It has the names
// that gowsdl's own run-time package has, as far as the bindings use them, and
// what that package lacks: deadlines, limits, strict reading, addressing
// headers, typed faults, and elements of any content.
//
// It must not know which messages there are: names of elements come from the
// table of operations.
package soap

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"

	"github.com/google/uuid"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/wsdl"
)

const (
	envelopeSpace = "http://schemas.xmlsoap.org/soap/envelope/"
	anonymous     = schema.Addressing2005 + "/anonymous"
	maxReply      = 16 << 20 // bytes
)

// Client sends the messages of one service in SOAP 1.1 envelopes. Its fields
// must not change while it is in use; any number of calls may run at once.
type Client struct {
	URL     string       // of the service
	HTTP    *http.Client // http.DefaultClient when nil
	Headers []Any        // header blocks of every message, such as a resource's key
}

// NewClient returns a client for the service at a URL.
func NewClient(url string) *Client { return &Client{URL: url} }

// CallContext sends a request for the operation with that action and reads the
// reply into response. It fails with a *Fault when the service answers with one.
func (c *Client) CallContext(ctx context.Context, action string, request, response any) error {
	op, err := operation(action)
	if err != nil {
		return err
	}
	message, err := c.envelope(op, request)
	if err != nil {
		return fmt.Errorf("cannot write the request %s: %w", op.In.Local, err)
	}
	reply, err := c.post(ctx, action, message)
	if err != nil {
		return fmt.Errorf("cannot ask for %s: %w", op.Name, err)
	}
	if err := read(reply, op, response); err != nil {
		return fmt.Errorf("%s at %s: %w", op.Name, c.URL, err)
	}
	return nil
}

// operation returns the operation of face two that an action stands for. Those
// of the standards are the same in every service. What has no reply is for
// services to send to clients, and not here.
func operation(action string) (wsdl.Operation, error) {
	for _, op := range wsdl.Operations() {
		if op.Face == wsdl.Two && !op.OneWay && op.Action == action {
			return op, nil
		}
	}
	return wsdl.Operation{}, fmt.Errorf("there is no operation with the action %q", action)
}

// prefixes are declared on the envelope, for requests that hold qualified names
// as text: properties are asked for as "t:schedule".
var prefixes = [][2]string{
	{"w", schema.Workspace}, {"t", schema.Types}, {"m", schema.Metadata},
	{"l", schema.Logistics}, {"d", schema.Definition}, {"n", schema.Negotiable},
	{"s", schema.Status}, {"p", schema.Lease}, {"wsrf-rp", schema.Properties2},
	{"wsrf-rl", schema.Lifetime2}, {"wsrf-sg", schema.ServiceGroup2},
	{"wsnt", schema.BaseNotification2}, {"wstop", schema.Topics1},
}

// envelope writes a message.
func (c *Client) envelope(op wsdl.Operation, request any) ([]byte, error) {
	var b bytes.Buffer
	enc := xml.NewEncoder(&b)
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n<soap:Envelope xmlns:soap=\"" +
		envelopeSpace + `" xmlns:wsa="` + schema.Addressing2005 + `"`)
	for _, p := range prefixes {
		b.WriteString(` xmlns:` + p[0] + `="` + p[1] + `"`)
	}
	b.WriteString(`><soap:Header>`)
	writeText(&b, "To", c.URL)
	writeText(&b, "Action", op.Action)
	writeText(&b, "MessageID", "urn:uuid:"+uuid.NewString())
	b.WriteString(`<wsa:ReplyTo><wsa:Address>` + anonymous + `</wsa:Address></wsa:ReplyTo>`)
	for _, h := range c.Headers {
		if err := enc.Encode(h); err != nil {
			return nil, err
		}
	}
	b.WriteString(`</soap:Header><soap:Body>`)
	start := xml.StartElement{Name: xml.Name{Space: op.In.Space, Local: op.In.Local}}
	if err := enc.EncodeElement(request, start); err != nil {
		return nil, err
	}
	b.WriteString(`</soap:Body></soap:Envelope>`)
	return b.Bytes(), nil
}

func writeText(b *bytes.Buffer, name, text string) {
	b.WriteString(`<wsa:` + name + `>`)
	_ = xml.EscapeText(b, []byte(text)) // a buffer takes everything
	b.WriteString(`</wsa:` + name + `>`)
}

// post sends a message and returns the reply, which has passed the same guard
// as every document of the project.
func (c *Client) post(ctx context.Context, action string, message []byte) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL, bytes.NewReader(message))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "text/xml; charset=utf-8")
	r.Header.Set("SOAPAction", `"`+action+`"`)
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	response, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	reply, err := io.ReadAll(io.LimitReader(response.Body, maxReply+1))
	if err != nil {
		return nil, err
	}
	if len(reply) > maxReply {
		return nil, fmt.Errorf("the reply is longer than %d bytes", maxReply)
	}
	limits := xmlstrict.DefaultLimits()
	limits.Bytes = maxReply
	if _, err := xmlstrict.Parse(reply, limits); err != nil {
		return nil, fmt.Errorf("the server answered %s: %w", response.Status, err)
	}
	return reply, nil
}

// received is what is read of a reply's envelope.
type received struct {
	XMLName xml.Name `xml:"http://schemas.xmlsoap.org/soap/envelope/ Envelope"`
	Body    struct {
		Content []Any `xml:",any"`
	} `xml:"http://schemas.xmlsoap.org/soap/envelope/ Body"`
}

// read reads the reply to an operation.
func read(reply []byte, op wsdl.Operation, response any) error {
	var e received
	if err := xml.Unmarshal(reply, &e); err != nil {
		return err
	}
	if len(e.Body.Content) != 1 {
		return fmt.Errorf("the reply holds %d elements instead of one", len(e.Body.Content))
	}
	content := e.Body.Content[0]
	switch name := content.Name(); name {
	case xml.Name{Space: op.Out.Space, Local: op.Out.Local}:
		return content.Decode(response)
	case faultName:
		return faultOf(content)
	default:
		return fmt.Errorf("the reply is %s instead of %s", name.Local, op.Out.Local)
	}
}
