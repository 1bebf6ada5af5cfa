package client

import (
	"context"
	"time"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// Terms are what of a lease can be renegotiated; what is zero stays as it is.
type Terms struct {
	Until    time.Time     // when the lease ends and the workspace is destroyed
	Duration time.Duration // how long the guest may run, counted from its start
}

// Renegotiate asks for other terms of a workspace's lease, all of them or none
// (SetResourceProperties, WS-ResourceProperties 1.2, 5.7). Policy may refuse
// them. Only face two has it; a reference of face one is asked for there.
func (c *Client) Renegotiate(ctx context.Context, workspace wsa.EPR, terms Terms) error {
	var values []*etree.Element
	if terms.Duration != 0 {
		values = append(values, element(report.Schedule{
			Duration: terms.Duration, Termination: terms.Until,
		}.Write))
	} else if !terms.Until.IsZero() {
		values = append(values, element(func(enc *xmlstrict.Encoder) {
			enc.Element(wsrf.Final.Names().TerminationTime, wsrf.FormatTime(terms.Until))
		}))
	}
	return c.UpdateProperties(ctx, workspace, values...)
}

// UpdateProperties puts values in place of those that properties of a resource
// have, all of them or none. Only those that renegotiate a lease, resize a
// workspace or set the mode of a host are writable. Only face two has it; a
// reference of face one is asked for there.
func (c *Client) UpdateProperties(
	ctx context.Context, epr wsa.EPR, values ...*etree.Element,
) error {
	return c.update(ctx, "change the terms of "+Describe(epr), epr, values...)
}

// update carries out UpdateProperties.
func (c *Client) update(
	ctx context.Context, op string, epr wsa.EPR, values ...*etree.Element,
) error {
	epr, err := c.InFaceTwo(epr)
	if err != nil {
		return failed(op, err)
	}
	_, err = c.call(ctx, request{
		op: op, operation: "SetResourceProperties", target: epr,
		body: func(enc *xmlstrict.Encoder) {
			wsrf.Final.WriteModification(enc, wsrf.Final.Names().SetResourceProperties,
				wsrf.Change{Kind: wsrf.Update, Values: values})
		},
	})
	return err
}

// element returns what is written as a tree.
func element(write func(*xmlstrict.Encoder)) *etree.Element {
	enc := xmlstrict.NewEncoder()
	write(enc)
	doc, err := xmlstrict.Parse(enc.Bytes(), xmlstrict.DefaultLimits())
	if err != nil {
		return &etree.Element{} // what an encoder writes is well-formed
	}
	return doc.Root
}
