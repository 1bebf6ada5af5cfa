// Package property answers the three ways to ask for resource properties
// (WS-ResourceProperties 1.2 draft 1) over any property document.
//
// It must not know which properties there are, nor where their values are from.
package property

import (
	"context"
	"slices"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/dispatch"
)

// Set is a property document with its values.
type Set interface {
	// Write writes the whole document.
	Write(*xmlstrict.Encoder)
	// WriteProperty writes the values of one property; it is false, and
	// nothing is written, when the document has no such property.
	WriteProperty(*xmlstrict.Encoder, xmlstrict.Name) bool
}

// Source answers for the property documents of one port type.
type Source struct {
	Names []xmlstrict.Name // the properties there are
	// Load returns the document of the call's resource. Its errors are as
	// those of any operation.
	Load func(context.Context, *dispatch.Call) (Set, error)
	// Anonymous documents are told to callers without identity.
	Anonymous bool
}

// AddTo adds the three operations to those of the port type.
func (s Source) AddTo(operations map[string]dispatch.Operation) {
	operations["GetResourceProperty"] = dispatch.Operation{Do: s.one, Anonymous: s.Anonymous}
	operations["GetMultipleResourceProperties"] = dispatch.Operation{
		Do: s.several, Anonymous: s.Anonymous,
	}
	operations["QueryResourceProperties"] = dispatch.Operation{
		Do: s.query, Anonymous: s.Anonymous,
	}
}

// one answers GetResourceProperty. The resource is looked for before the
// property: a poller must hear that its workspace is gone, whatever it asks.
func (s Source) one(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
	set, err := s.Load(ctx, c)
	if err != nil {
		return nil, err
	}
	name, err := wsrf.ParseGetResourceProperty(c.Document, c.Body)
	if err != nil {
		return nil, err
	}
	if err := s.check(c, name); err != nil {
		return nil, err
	}
	return func(enc *xmlstrict.Encoder) {
		enc.Start(wsrf.GetResourcePropertyResponse)
		set.WriteProperty(enc, name)
		enc.End()
	}, nil
}

// several answers GetMultipleResourceProperties, in the order asked.
func (s Source) several(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
	set, err := s.Load(ctx, c)
	if err != nil {
		return nil, err
	}
	names, err := wsrf.ParseGetMultipleResourceProperties(c.Document, c.Body)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if err := s.check(c, name); err != nil {
			return nil, err
		}
	}
	return func(enc *xmlstrict.Encoder) {
		enc.Start(wsrf.GetMultipleResourcePropertiesResponse)
		for _, name := range names {
			set.WriteProperty(enc, name)
		}
		enc.End()
	}, nil
}

// check refuses a property that the document does not have.
func (s Source) check(c *dispatch.Call, name xmlstrict.Name) error {
	if slices.Contains(s.Names, name) {
		return nil
	}
	return &wsrf.FaultError{
		Fault: wsrf.InvalidResourcePropertyQName,
		Err: c.Document.Errorf(c.Body, "one of the properties that QueryResourceProperties shows",
			"the resource has no property %s", name),
	}
}

// query answers QueryResourceProperties. The whole document, which is what the
// original client asks for, is written as it stands; any other expression is
// evaluated over a tree of it.
func (s Source) query(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
	set, err := s.Load(ctx, c)
	if err != nil {
		return nil, err
	}
	q, err := wsrf.ParseQuery(c.Document, c.Body)
	if err != nil {
		return nil, err
	}
	content := set.Write
	if q.Expression != "/" {
		if content, err = evaluate(c.Document, set, q); err != nil {
			return nil, err
		}
	}
	return func(enc *xmlstrict.Encoder) {
		wsrf.WriteProperties(enc, wsrf.QueryResourcePropertiesResponse, content)
	}, nil
}

// evaluate returns what writes the results of a query over the document.
func evaluate(
	doc *xmlstrict.Document, set Set, q wsrf.Query,
) (func(*xmlstrict.Encoder), error) {
	root, err := tree(set)
	if err != nil {
		return nil, err
	}
	results, err := q.Select(doc, root)
	if err != nil {
		return nil, err
	}
	return func(enc *xmlstrict.Encoder) { wsrf.WriteResults(enc, results) }, nil
}

// tree returns the document as a tree.
func tree(set Set) (*etree.Element, error) {
	enc := xmlstrict.Borrow()
	defer enc.Release()
	set.Write(enc)
	doc, err := xmlstrict.Parse(enc.Bytes(), xmlstrict.DefaultLimits())
	if err != nil {
		return nil, err
	}
	return doc.Root, nil
}
