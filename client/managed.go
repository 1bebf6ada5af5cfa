package client

import (
	"context"
	"strconv"
	"time"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/wsn"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// SubscriptionProperties is what a subscription tells of itself.
type SubscriptionProperties struct {
	Consumer wsa.EPR
	Created  time.Time
	Ends     time.Time // zero: with its workspace
	Paused   bool
	Because  string    // why the service has paused it; empty when its owner has
	Failing  time.Time // since when its consumer fails; zero: it answers
	Last     int64     // the number of the last message that was meant for it
}

// PullPointProperties is what a pull point tells of itself.
type PullPointProperties struct {
	Created time.Time
	Ends    time.Time // zero: when it is destroyed
	Dropped int64     // messages that found it full, not told of yet
}

// inLease names an element of face two's own namespace.
var inLease = xmlstrict.In(lease)

// SubscriptionProperties reads what a subscription tells of itself: whether it
// is paused, and why; since when its consumer fails; how many messages were
// meant for it. Only face two has it; a reference of face one is asked for
// there.
func (c *Client) SubscriptionProperties(
	ctx context.Context, subscription wsa.EPR,
) (*SubscriptionProperties, error) {
	r, err := c.managed(ctx, subscription)
	if err != nil {
		return nil, err
	}
	p := &SubscriptionProperties{
		Created: r.time(names.CreationTime), Ends: r.time(lifetime.TerminationTime),
		Paused: r.text(inLease("Paused")) == "true", Because: r.text(inLease("PausedBecause")),
		Failing: r.time(inLease("FailingSince")), Last: r.number(inLease("LastSequenceNumber")),
	}
	if at := xmlstrict.Child(r.root, names.ConsumerReference); at != nil && r.err == nil {
		p.Consumer, r.err = wsa.ParseEPR(r.doc, at)
	}
	return p, unreadable("read "+Describe(subscription), r.err)
}

// PullPointProperties reads what a pull point tells of itself.
func (c *Client) PullPointProperties(
	ctx context.Context, pullPoint wsa.EPR,
) (*PullPointProperties, error) {
	r, err := c.managed(ctx, pullPoint)
	if err != nil {
		return nil, err
	}
	p := &PullPointProperties{
		Created: r.time(names.CreationTime), Ends: r.time(lifetime.TerminationTime),
		Dropped: r.number(inLease("Dropped")),
	}
	return p, unreadable("read "+Describe(pullPoint), r.err)
}

// names and lifetime are the names that the properties have.
var (
	names    = wsn.Final.Names()
	lifetime = wsrf.Final.Names()
)

// managed reads the property document of a resource in face two.
func (c *Client) managed(ctx context.Context, epr wsa.EPR) (*values, error) {
	op := "read " + Describe(epr)
	epr, err := c.InFaceTwo(epr)
	if err != nil {
		return nil, failed(op, err)
	}
	a, err := c.call(ctx, request{
		op: op, operation: "GetResourcePropertyDocument", target: epr,
		body: wsrf.Final.WriteGetResourcePropertyDocument,
	})
	if err != nil {
		return nil, err
	}
	for root := range xmlstrict.Children(a.body) {
		return &values{doc: a.doc, root: root}, nil
	}
	return nil, unreadable(op, a.doc.Errorf(a.body, "a property document", "there is none"))
}

// values reads properties that stand once in a document, or not at all.
type values struct {
	doc  *xmlstrict.Document
	root *etree.Element
	err  error // the first
}

// text returns the text of a property, empty without one.
func (v *values) text(name xmlstrict.Name) string {
	return xmlstrict.Text(xmlstrict.Child(v.root, name))
}

// time returns the time that a property tells, zero for nil and without one.
func (v *values) time(name xmlstrict.Name) time.Time {
	e := xmlstrict.Child(v.root, name)
	if e == nil || v.err != nil {
		return time.Time{}
	}
	var at time.Time
	at, v.err = wsrf.TimeOrNil(v.doc, e)
	return at
}

// number returns the number that a property tells, 0 without one.
func (v *values) number(name xmlstrict.Name) int64 {
	e := xmlstrict.Child(v.root, name)
	if e == nil || v.err != nil {
		return 0
	}
	n, err := strconv.ParseInt(xmlstrict.Text(e), 10, 64)
	if err != nil {
		v.err = v.doc.Errorf(e, "a whole number", "%w", err)
	}
	return n
}
