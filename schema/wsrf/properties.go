package wsrf

import (
	"fmt"
	"maps"
	"slices"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/query"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// element is short for the document model's element.
type element = etree.Element

// XPathDialect is the one dialect of query expressions: XPath 1.0.
const XPathDialect = "http://www.w3.org/TR/1999/REC-xpath-19991116"

var dialectAttr = xmlstrict.Name{Local: "Dialect"}

// Shapes of many elements.
var (
	words    = xmlstrict.Shape{Content: xmlstrict.Words}
	anything = xmlstrict.Shape{Parts: []xmlstrict.Part{{Many: true}}} // any elements
)

// ParseGetResourceProperty reads the property that a GetResourceProperty asks
// for. It fails with a *FaultError (InvalidResourcePropertyQName) around a
// *xmlstrict.ContentError.
func (e Edition) ParseGetResourceProperty(
	doc *xmlstrict.Document, body *element,
) (xmlstrict.Name, error) {
	return e.propertyName(doc, body)
}

// propertyName reads the QName that is an element's text.
func (e Edition) propertyName(doc *xmlstrict.Document, at *element) (xmlstrict.Name, error) {
	if err := doc.Fits(at, words); err != nil {
		return xmlstrict.Name{}, err
	}
	name, err := xmlstrict.ResolveQName(at, xmlstrict.RawText(at))
	if err != nil {
		err = &FaultError{Fault: names[e].InvalidResourcePropertyQName,
			Err: doc.Errorf(at, "the qualified name of a property", "%w", err)}
	}
	return name, err
}

// WriteGetResourceProperty writes the request for one property.
func (e Edition) WriteGetResourceProperty(enc *xmlstrict.Encoder, name xmlstrict.Name) {
	enc.Start(names[e].GetResourceProperty)
	enc.QName(name)
	enc.End()
}

// MaxProperties is how many properties one message may ask for. The answer has
// each as often as it was named, so without a bound it could be of any size.
const MaxProperties = 64

// ParseGetMultipleResourceProperties reads the properties that are asked for,
// at least one, in order. It fails as ParseGetResourceProperty does, or with a
// bare *xmlstrict.ContentError when there are none or more than MaxProperties.
func (e Edition) ParseGetMultipleResourceProperties(
	doc *xmlstrict.Document, body *element,
) ([]xmlstrict.Name, error) {
	var asked []xmlstrict.Name
	if err := doc.Fits(body, anything); err != nil {
		return nil, err
	}
	for child := range xmlstrict.Children(body) {
		if !xmlstrict.Is(child, names[e].property) {
			return nil, doc.Errorf(child, "ResourceProperty", "%s does not belong here", child.Tag)
		}
		if len(asked) == MaxProperties {
			return nil, doc.Errorf(child, fmt.Sprintf("at most %d properties", MaxProperties),
				"too many properties are asked for")
		}
		name, err := e.propertyName(doc, child)
		if err != nil {
			return nil, err
		}
		asked = append(asked, name)
	}
	if len(asked) == 0 {
		return nil, doc.Errorf(body, "at least one ResourceProperty", "no property is asked for")
	}
	return asked, nil
}

// WriteGetMultipleResourceProperties writes the request for several properties.
func (e Edition) WriteGetMultipleResourceProperties(
	enc *xmlstrict.Encoder, properties ...xmlstrict.Name,
) {
	enc.Start(names[e].GetMultipleResourceProperties)
	for _, name := range properties {
		enc.Start(names[e].property)
		enc.QName(name)
		enc.End()
	}
	enc.End()
}

// WriteGetResourcePropertyDocument writes the request for the whole document.
func (e Edition) WriteGetResourcePropertyDocument(enc *xmlstrict.Encoder) {
	enc.Element(names[e].GetResourcePropertyDocument, "")
}

// Query is the content of a QueryResourceProperties.
type Query struct {
	Expression string
	At         *etree.Element // where prefixes of the expression are declared; may be nil
	Edition    Edition        // whose faults errors carry
}

// Prefix returns the namespace that a prefix of the expression stands for.
func (q Query) Prefix(prefix string) (string, bool) {
	return xmlstrict.LookupPrefix(q.At, prefix)
}

// Select evaluates the query over a property document, with the root element
// as the context. It fails with a *FaultError, InvalidQueryExpression or
// QueryEvaluationError, which names the expression's place in doc; doc may be
// nil.
func (q Query) Select(doc *xmlstrict.Document, over query.Source) (query.Results, error) {
	n := names[q.Edition]
	e, err := query.Compile(q.Expression, q.Prefix)
	if err != nil {
		return query.Results{}, &FaultError{
			Fault: n.InvalidQueryExpression, Err: doc.Errorf(q.At, "", "%w", err),
		}
	}
	results, err := e.Select(over)
	if err != nil {
		err = &FaultError{Fault: n.QueryEvaluationError, Err: doc.Errorf(q.At, "", "%w", err)}
	}
	return results, err
}

// ParseQuery reads a QueryResourceProperties. It fails with a *FaultError when
// the dialect is not XPathDialect or there is no expression, and with a
// *xmlstrict.ContentError when the message is not made as it must be.
func (e Edition) ParseQuery(doc *xmlstrict.Document, body *element) (Query, error) {
	query := xmlstrict.Shape{Parts: []xmlstrict.Part{{Name: names[e].query}}}
	if err := doc.Fits(body, query); err != nil {
		return Query{}, err
	}
	at := xmlstrict.Child(body, names[e].query)
	if at == nil {
		return Query{}, doc.Errorf(body, "QueryExpression", "there is no query expression")
	}
	expression := xmlstrict.Shape{
		Content: xmlstrict.Words, Attributes: []xmlstrict.Name{dialectAttr},
	}
	if err := doc.Fits(at, expression); err != nil {
		return Query{}, err
	}
	dialect, _ := xmlstrict.Attr(at, dialectAttr)
	if dialect != XPathDialect {
		return Query{}, &FaultError{Fault: names[e].UnknownQueryExpressionDialect,
			Err: doc.Errorf(at, XPathDialect, "the dialect %q is unknown", xmlstrict.Clip(dialect))}
	}
	q := Query{xmlstrict.Text(at), at, e}
	if q.Expression == "" {
		return q, &FaultError{Fault: names[e].InvalidQueryExpression,
			Err: doc.Errorf(at, "an XPath 1.0 expression", "the query expression is empty")}
	}
	return q, nil
}

// WriteQuery writes the request that evaluates an XPath expression. Spaces are
// the namespaces whose prefixes the expression uses, by prefix; may be nil.
func (e Edition) WriteQuery(
	enc *xmlstrict.Encoder, expression string, spaces map[string]string,
) {
	enc.Start(names[e].QueryResourceProperties)
	enc.Tree(expressionElement(names[e].query, expression, spaces))
	enc.End()
}

// expressionElement returns an element that holds an XPath expression and
// declares its prefixes.
func expressionElement(
	name xmlstrict.Name, expression string, spaces map[string]string,
) *element {
	at := &element{Tag: name.Local}
	at.CreateAttr("xmlns", name.Space)
	for _, prefix := range slices.Sorted(maps.Keys(spaces)) {
		at.CreateAttr("xmlns:"+prefix, spaces[prefix])
	}
	at.CreateAttr(dialectAttr.Local, XPathDialect)
	at.CreateText(expression)
	return at
}

// WriteProperties writes the response element of that name around what
// properties writes, for all three ways to ask.
func WriteProperties(
	enc *xmlstrict.Encoder, response xmlstrict.Name, properties func(*xmlstrict.Encoder),
) {
	enc.Start(response)
	properties(enc)
	enc.End()
}

// ParseProperties returns the property elements of the response of that name.
// It fails with a *xmlstrict.ContentError when e is another element.
func ParseProperties(
	doc *xmlstrict.Document, e *element, response xmlstrict.Name,
) ([]*etree.Element, error) {
	if err := expect(doc, e, response); err != nil {
		return nil, err
	}
	var properties []*etree.Element
	for child := range xmlstrict.Children(e) {
		properties = append(properties, child)
	}
	return properties, nil
}

// expect refuses an element of another name.
func expect(doc *xmlstrict.Document, e *element, name xmlstrict.Name) error {
	if xmlstrict.Is(e, name) {
		return nil
	}
	got := "nothing"
	if e != nil {
		got = xmlstrict.Clip(e.Tag) + " of the namespace " + xmlstrict.Clip(e.NamespaceURI())
	}
	return doc.Errorf(e, name.String(), "the message is %s", got)
}
