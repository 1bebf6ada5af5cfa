// Package property answers the ways to read resource properties, and to change
// them, over any property document (WS-ResourceProperties 1.2, draft 1 and
// final, section 5).
//
// It must not know which properties there are, where their values are from, nor
// what a change of them means.
package property

import (
	"context"
	"slices"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/query"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/dispatch"
	"github.com/philoxenia/philoxenia/service/port"
	"github.com/philoxenia/philoxenia/wsdl"
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
	// Query evaluates a query over the call's document and returns what writes
	// the results; nil evaluates it over what Load returns.
	Query Evaluator

	// Writable are the properties that requests may change. Change gives them
	// new values, all or none.
	Writable []xmlstrict.Name
	Change   func(context.Context, *dispatch.Call, Values) error
	// Measured are those that change by themselves, and come and go: a document that is
	// put may have them as they were when it was read. The current time is one anyway.
	Measured []xmlstrict.Name
}

// AddTo adds the operations that the service's face has to those it has.
func (s Source) AddTo(service *dispatch.Service) {
	add := func(name string, do func(context.Context, *dispatch.Call) (dispatch.Reply, error)) {
		service.Operations[name] = dispatch.Operation{Do: do, Anonymous: s.Anonymous}
	}
	add("GetResourceProperty", s.one)
	add("GetMultipleResourceProperties", s.several)
	add("QueryResourceProperties", s.query)
	if service.Face == wsdl.One {
		return
	}
	service.Operations["GetResourcePropertyDocument"] = dispatch.Operation{
		Do: s.document, Anonymous: s.Anonymous, Bare: true,
	}
	if s.Change == nil {
		return
	}
	names := wsrf.Final.Names()
	add("SetResourceProperties", s.modify(names.SetResourcePropertiesResponse))
	add("InsertResourceProperties", s.modify(names.InsertResourcePropertiesResponse))
	add("UpdateResourceProperties", s.modify(names.UpdateResourcePropertiesResponse))
	add("DeleteResourceProperties", s.modify(names.DeleteResourcePropertiesResponse))
	add("PutResourcePropertyDocument", s.put)
}

// one answers GetResourceProperty. The resource is looked for before the
// property: a poller must hear that its workspace is gone, whatever it asks.
func (s Source) one(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
	set, err := s.Load(ctx, c)
	if err != nil {
		return nil, err
	}
	edition := port.Edition(c.Face)
	name, err := edition.ParseGetResourceProperty(c.Document, c.Body)
	if err != nil {
		return nil, err
	}
	if err := s.check(c, name); err != nil {
		return nil, err
	}
	return func(enc *xmlstrict.Encoder) {
		enc.Start(edition.Names().GetResourcePropertyResponse)
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
	edition := port.Edition(c.Face)
	names, err := edition.ParseGetMultipleResourceProperties(c.Document, c.Body)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if err := s.check(c, name); err != nil {
			return nil, err
		}
	}
	return func(enc *xmlstrict.Encoder) {
		enc.Start(edition.Names().GetMultipleResourcePropertiesResponse)
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
		Fault: port.Edition(c.Face).Names().InvalidResourcePropertyQName,
		Err: c.Document.Errorf(c.Body, "one of the properties that QueryResourceProperties shows",
			"the resource has no property %s", name),
	}
}

// document answers GetResourcePropertyDocument.
func (s Source) document(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
	set, err := s.Load(ctx, c)
	if err != nil {
		return nil, err
	}
	return func(enc *xmlstrict.Encoder) {
		wsrf.WriteProperties(enc,
			port.Edition(c.Face).Names().GetResourcePropertyDocumentResponse, set.Write)
	}, nil
}

// query answers QueryResourceProperties. The whole document, which is what the
// original client asks for, is written as it stands; any other expression is
// evaluated over a tree of it.
func (s Source) query(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
	edition := port.Edition(c.Face)
	evaluate := s.Query
	if evaluate == nil {
		set, err := s.Load(ctx, c)
		if err != nil {
			return nil, err
		}
		evaluate = over(set)
	}
	q, err := edition.ParseQuery(c.Document, c.Body)
	if err != nil {
		return nil, err
	}
	content, err := evaluate(ctx, c, q)
	if err != nil {
		return nil, err
	}
	return func(enc *xmlstrict.Encoder) {
		wsrf.WriteProperties(enc, edition.Names().QueryResourcePropertiesResponse, content)
	}, nil
}

// Evaluator evaluates a query over the document of the call's resource, and
// returns what writes the results.
type Evaluator func(context.Context, *dispatch.Call, wsrf.Query) (dispatch.Reply, error)

// over returns what evaluates queries over a document.
func over(set Set) Evaluator {
	return func(_ context.Context, c *dispatch.Call, q wsrf.Query) (dispatch.Reply, error) {
		if q.Expression == "/" {
			return set.Write, nil
		}
		over, err := readable(set)
		if err != nil {
			return nil, err
		}
		results, err := q.Select(c.Document, over)
		if err != nil {
			return nil, err
		}
		return results.Write, nil
	}
}

// readable returns the document as one that can be asked.
func readable(set Set) (*query.Document, error) {
	enc := xmlstrict.Borrow()
	defer enc.Release()
	set.Write(enc)
	return new(query.Names).Read(enc.Bytes())
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
