package wsrf

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// element is short for the document model's element.
type element = etree.Element

// XPathDialect is the one dialect of query expressions: XPath 1.0.
const XPathDialect = "http://www.w3.org/TR/1999/REC-xpath-19991116"

var (
	resourceProperty = property("ResourceProperty")
	queryExpression  = property("QueryExpression")
	dialectAttr      = xmlstrict.Name{Local: "Dialect"}
)

// ParseGetResourceProperty reads the property that a GetResourceProperty asks
// for. It fails with a *FaultError (InvalidResourcePropertyQName) around a
// *xmlstrict.ContentError.
func ParseGetResourceProperty(doc *xmlstrict.Document, e *element) (xmlstrict.Name, error) {
	return propertyName(doc, e)
}

// propertyName reads the QName that is an element's text.
func propertyName(doc *xmlstrict.Document, e *element) (xmlstrict.Name, error) {
	name, err := xmlstrict.ResolveQName(e, xmlstrict.RawText(e))
	if err != nil {
		err = &FaultError{InvalidResourcePropertyQName,
			doc.Errorf(e, "the qualified name of a property", "%w", err)}
	}
	return name, err
}

// WriteGetResourceProperty writes the request for one property.
func WriteGetResourceProperty(enc *xmlstrict.Encoder, name xmlstrict.Name) {
	enc.Start(GetResourceProperty)
	enc.QName(name)
	enc.End()
}

// MaxProperties is how many properties one message may ask for. The answer has
// each as often as it was named, so without a bound it could be of any size.
const MaxProperties = 64

// ParseGetMultipleResourceProperties reads the properties that are asked for,
// at least one, in order. It fails as ParseGetResourceProperty does, or with a
// bare *xmlstrict.ContentError when there are none or more than MaxProperties.
func ParseGetMultipleResourceProperties(
	doc *xmlstrict.Document, e *element,
) ([]xmlstrict.Name, error) {
	var names []xmlstrict.Name
	for child := range xmlstrict.Children(e) {
		if !xmlstrict.Is(child, resourceProperty) {
			return nil, doc.Errorf(child, "ResourceProperty", "%s does not belong here", child.Tag)
		}
		if len(names) == MaxProperties {
			return nil, doc.Errorf(child, fmt.Sprintf("at most %d properties", MaxProperties),
				"too many properties are asked for")
		}
		name, err := propertyName(doc, child)
		if err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		return nil, doc.Errorf(e, "at least one ResourceProperty", "no property is asked for")
	}
	return names, nil
}

// WriteGetMultipleResourceProperties writes the request for several properties.
func WriteGetMultipleResourceProperties(enc *xmlstrict.Encoder, names ...xmlstrict.Name) {
	enc.Start(GetMultipleResourceProperties)
	for _, name := range names {
		enc.Start(resourceProperty)
		enc.QName(name)
		enc.End()
	}
	enc.End()
}

// Query is the content of a QueryResourceProperties.
type Query struct {
	Expression string
	At         *etree.Element // where prefixes of the expression are declared; may be nil
}

// Prefix returns the namespace that a prefix of the expression stands for.
func (q Query) Prefix(prefix string) (string, bool) {
	return xmlstrict.LookupPrefix(q.At, prefix)
}

// Select evaluates the query over a property document, as the function Select
// does. Its errors name the expression's place in doc, which may be nil.
func (q Query) Select(doc *xmlstrict.Document, root *etree.Element) ([]any, error) {
	results, err := Select(root, q.Expression, q.Prefix)
	var typed *FaultError
	if errors.As(err, &typed) {
		err = &FaultError{typed.Fault, doc.Errorf(q.At, "", "%w", typed.Err)}
	}
	return results, err
}

// ParseQuery reads a QueryResourceProperties. It fails with a *FaultError when
// the dialect is not XPathDialect or there is no expression, and with a
// *xmlstrict.ContentError when the message is not made as it must be.
func ParseQuery(doc *xmlstrict.Document, e *element) (Query, error) {
	at, err := doc.Only(e, queryExpression)
	if err != nil {
		return Query{}, err
	}
	if at == nil {
		return Query{}, doc.Errorf(e, "QueryExpression", "there is no query expression")
	}
	dialect, _ := xmlstrict.Attr(at, dialectAttr)
	if dialect != XPathDialect {
		return Query{}, &FaultError{UnknownQueryExpressionDialect,
			doc.Errorf(at, XPathDialect, "the dialect %q is unknown", xmlstrict.Clip(dialect))}
	}
	q := Query{xmlstrict.Text(at), at}
	if q.Expression == "" {
		return q, &FaultError{InvalidQueryExpression,
			doc.Errorf(at, "an XPath 1.0 expression", "the query expression is empty")}
	}
	return q, nil
}

// WriteQuery writes the request that evaluates an XPath expression. Spaces are
// the namespaces whose prefixes the expression uses, by prefix; may be nil.
func WriteQuery(enc *xmlstrict.Encoder, expression string, spaces map[string]string) {
	at := &element{Tag: queryExpression.Local}
	at.CreateAttr("xmlns", queryExpression.Space)
	for _, prefix := range slices.Sorted(maps.Keys(spaces)) {
		at.CreateAttr("xmlns:"+prefix, spaces[prefix])
	}
	at.CreateAttr(dialectAttr.Local, XPathDialect)
	at.CreateText(expression)
	enc.Start(QueryResourceProperties)
	enc.Tree(at)
	enc.End()
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
