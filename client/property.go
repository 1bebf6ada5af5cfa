package client

import (
	"context"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// Property reads resource properties by their names, in the order of the
// names. One name is asked for with GetResourceProperty, several with
// GetMultipleResourceProperties.
func (c *Client) Property(
	ctx context.Context, epr wsa.EPR, names ...xmlstrict.Name,
) ([]*etree.Element, error) {
	a, err := c.property(ctx, epr, names)
	if err != nil {
		return nil, err
	}
	return a.elements(), nil
}

// property carries out Property's request.
func (c *Client) property(
	ctx context.Context, epr wsa.EPR, names []xmlstrict.Name,
) (answer, error) {
	r := request{
		op: "read properties of " + Describe(epr), target: epr,
		operation: "GetMultipleResourceProperties",
		body: func(enc *xmlstrict.Encoder) {
			edition(epr).WriteGetMultipleResourceProperties(enc, names...)
		},
	}
	if len(names) == 1 {
		r.op = "read " + names[0].Local + " of " + Describe(epr)
		r.operation = "GetResourceProperty"
		r.body = func(enc *xmlstrict.Encoder) {
			edition(epr).WriteGetResourceProperty(enc, names[0])
		}
	}
	return c.call(ctx, r)
}

// elements returns what the body element of an answer holds.
func (a answer) elements() []*etree.Element {
	var all []*etree.Element
	for e := range xmlstrict.Children(a.body) {
		all = append(all, e)
	}
	return all
}

// Query evaluates an XPath 1.0 expression over the property document of a
// resource and returns the elements found. Spaces are the namespaces of the
// expression's prefixes. Over the service groups (Hosts, Workspaces) it looks
// through all members at once.
func (c *Client) Query(
	ctx context.Context, epr wsa.EPR, expression string, spaces map[string]string,
) ([]*etree.Element, error) {
	a, err := c.query(ctx, epr, expression, spaces)
	if err != nil {
		return nil, err
	}
	return a.elements(), nil
}

// QueryValue evaluates an XPath 1.0 expression that is a string, a number or a
// truth value, or finds texts and attributes, and returns it as text.
func (c *Client) QueryValue(
	ctx context.Context, epr wsa.EPR, expression string, spaces map[string]string,
) (string, error) {
	a, err := c.query(ctx, epr, expression, spaces)
	return xmlstrict.Text(a.body), err
}

// query carries out Query's request.
func (c *Client) query(
	ctx context.Context, epr wsa.EPR, expression string, spaces map[string]string,
) (answer, error) {
	return c.call(ctx, request{
		op: "query the properties of " + Describe(epr), target: epr,
		operation: "QueryResourceProperties",
		body: func(enc *xmlstrict.Encoder) {
			edition(epr).WriteQuery(enc, expression, spaces)
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
	return sole(a, "read "+Describe(epr), decode)
}

// sole decodes the one element that an answer holds.
func sole[T any](
	a answer, op string,
	decode func(*xmlstrict.Document, *etree.Element) (*T, error),
) (*T, error) {
	elements := a.elements()
	if len(elements) != 1 {
		return nil, unreadable(op,
			a.doc.Errorf(a.body, "one element", "there are %d elements", len(elements)))
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
	a, err := c.property(ctx, epr, []xmlstrict.Name{report.PropertyState})
	if err != nil {
		return State{}, err
	}
	v, err := sole(a, "read the state of "+Describe(epr), ParseState)
	if err != nil {
		return State{}, err
	}
	return *v, nil
}
