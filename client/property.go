package client

import (
	"context"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// Property reads resource properties by their names, in the order of the
// names. One name is asked for with GetResourceProperty, several with
// GetMultipleResourceProperties.
func (c *Client) Property(
	ctx context.Context, epr wsa.EPR, names ...xmlstrict.Name,
) ([]*etree.Element, error) {
	a, reply, err := c.property(ctx, epr, names)
	if err != nil {
		return nil, err
	}
	return wsrf.ParseProperties(a.doc, a.body, reply)
}

// property carries out Property's request.
func (c *Client) property(
	ctx context.Context, epr wsa.EPR, names []xmlstrict.Name,
) (answer, xmlstrict.Name, error) {
	r := request{
		op: "read properties of " + Describe(epr), target: epr,
		operation: "GetMultipleResourceProperties",
		action:    wsrf.PropertiesAction + "GetMultipleResourceProperties",
		reply:     wsrf.GetMultipleResourcePropertiesResponse,
		body: func(enc *xmlstrict.Encoder) {
			wsrf.WriteGetMultipleResourceProperties(enc, names...)
		},
	}
	if len(names) == 1 {
		r.op = "read " + names[0].Local + " of " + Describe(epr)
		r.action = wsrf.PropertiesAction + "GetResourceProperty"
		r.reply = wsrf.GetResourcePropertyResponse
		r.body = func(enc *xmlstrict.Encoder) { wsrf.WriteGetResourceProperty(enc, names[0]) }
	}
	a, err := c.call(ctx, r)
	return a, r.reply, err
}

// Query evaluates an XPath 1.0 expression over the property document of a
// resource and returns the elements found. Spaces are the namespaces of the
// expression's prefixes.
func (c *Client) Query(
	ctx context.Context, epr wsa.EPR, expression string, spaces map[string]string,
) ([]*etree.Element, error) {
	a, err := c.query(ctx, epr, expression, spaces)
	if err != nil {
		return nil, err
	}
	return wsrf.ParseProperties(a.doc, a.body, wsrf.QueryResourcePropertiesResponse)
}

// query carries out Query's request.
func (c *Client) query(
	ctx context.Context, epr wsa.EPR, expression string, spaces map[string]string,
) (answer, error) {
	return c.call(ctx, request{
		op: "query the properties of " + Describe(epr), target: epr,
		operation: "QueryResourceProperties",
		action:    wsrf.PropertiesAction + "QueryResourceProperties",
		reply:     wsrf.QueryResourcePropertiesResponse,
		body: func(enc *xmlstrict.Encoder) {
			wsrf.WriteQuery(enc, expression, spaces)
		},
	})
}

// document reads the whole property document of a resource, with the query
// that the original client uses for it.
func document[T any](
	ctx context.Context, c *Client, epr wsa.EPR,
	decode func(*xmlstrict.Document, *etree.Element) (*T, error),
) (*T, error) {
	a, err := c.query(ctx, epr, "/", nil)
	if err != nil {
		return nil, err
	}
	return sole(a, wsrf.QueryResourcePropertiesResponse, "read "+Describe(epr), decode)
}

// sole decodes the one element that an answer holds.
func sole[T any](
	a answer, reply xmlstrict.Name, op string,
	decode func(*xmlstrict.Document, *etree.Element) (*T, error),
) (*T, error) {
	elements, err := wsrf.ParseProperties(a.doc, a.body, reply)
	if err == nil && len(elements) != 1 {
		err = a.doc.Errorf(a.body, "one element", "there are %d elements", len(elements))
	}
	if err != nil {
		return nil, unreadable(op, err)
	}
	v, err := decode(a.doc, elements[0])
	return v, unreadable(op, err)
}

// Properties reads the property document of a workspace.
func (c *Client) Properties(ctx context.Context, epr wsa.EPR) (*report.ServiceProperties, error) {
	return document(ctx, c, epr, report.DecodeServiceProperties)
}

// State reads the state of a workspace. IsUnknown is true of the error when it
// has ended.
func (c *Client) State(ctx context.Context, epr wsa.EPR) (State, error) {
	a, reply, err := c.property(ctx, epr, []xmlstrict.Name{report.PropertyState})
	if err != nil {
		return State{}, err
	}
	v, err := sole(a, reply, "read the state of "+Describe(epr), ParseState)
	if err != nil {
		return State{}, err
	}
	return *v, nil
}
