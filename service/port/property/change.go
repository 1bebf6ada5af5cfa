package property

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/dispatch"
)

// Values are what a request puts in the place of properties, by name: the
// property elements, at least one each.
type Values map[xmlstrict.Name][]*etree.Element

// modify returns what answers the four messages that change properties in
// components (WS-ResourceProperties 1.2, 5.6 to 5.10). All components are
// looked at before any of them counts.
func (s Source) modify(
	response xmlstrict.Name,
) func(context.Context, *dispatch.Call) (dispatch.Reply, error) {
	return func(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
		set, err := s.Load(ctx, c)
		if err != nil {
			return nil, err
		}
		changes, err := wsrf.Final.ParseModification(c.Document, c.Body)
		if err != nil {
			return nil, err
		}
		values, err := s.collect(c, set, changes)
		if err != nil {
			return nil, err
		}
		return dispatch.Empty(response), s.Change(ctx, c, values)
	}
}

// collect returns the new values that the changes are about. What exists and
// can be changed has values always: they are updated, never inserted or deleted.
func (s Source) collect(c *dispatch.Call, set Set, changes []wsrf.Change) (Values, error) {
	values := make(Values)
	for _, change := range changes {
		for _, name := range change.Names() {
			if err := s.check(c, name); err != nil {
				return nil, err
			}
			if change.Kind != wsrf.Update || !slices.Contains(s.Writable, name) {
				return nil, s.unable(c, set, change, name)
			}
			if values[name] != nil {
				return nil, &wsrf.FaultError{
					Fault: wsrf.Final.Names().InvalidModification,
					Err: c.Document.Errorf(change.At, "each property once",
						"the property %s is changed twice", name),
				}
			}
		}
		for _, v := range change.Values {
			name := xmlstrict.NameOf(v)
			values[name] = append(values[name], v)
		}
	}
	return values, nil
}

// unable says that a property cannot be changed so (WS-ResourceProperties 1.2,
// 5.7.2).
func (s Source) unable(
	c *dispatch.Call, set Set, change wsrf.Change, name xmlstrict.Name,
) error {
	err := c.Document.Errorf(change.At, "an Update of "+listed(s.Writable),
		"%s of %s is not possible", change.Kind, name)
	return &wsrf.FaultError{
		Fault: wsrf.Final.Names().UnableToModifyResourceProperty, Err: err,
		More: wsrf.ChangeFailure{
			Edition: wsrf.Final, Requested: change.Values, Restored: true,
			Current: func(enc *xmlstrict.Encoder) { set.WriteProperty(enc, name) },
		}.Write,
	}
}

// listed returns the names in words.
func listed(names []xmlstrict.Name) string {
	all := make([]string, len(names))
	for i, n := range names {
		all[i] = n.String()
	}
	return strings.Join(all, " or ")
}

// put answers PutResourcePropertyDocument (WS-ResourceProperties 1.2, 5.5): a
// document that differs from the resource's in what can be changed, or not at
// all. The reply has the document as it is then.
func (s Source) put(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
	set, err := s.Load(ctx, c)
	if err != nil {
		return nil, err
	}
	wanted, err := wsrf.Final.ParsePutResourcePropertyDocument(c.Document, c.Body)
	if err != nil {
		return nil, err
	}
	values, err := s.differences(set, wanted)
	if err != nil {
		return nil, unableToPut(c.Document.Errorf(wanted, "", "%w", err))
	}
	if len(values) > 0 {
		if err := s.Change(ctx, c, values); err != nil {
			return nil, asPut(err)
		}
		if set, err = s.Load(ctx, c); err != nil {
			return nil, err
		}
	}
	return func(enc *xmlstrict.Encoder) {
		wsrf.WriteProperties(enc,
			wsrf.Final.Names().PutResourcePropertyDocumentResponse, set.Write)
	}, nil
}

// asPut returns the error of a change as one of putting a document: the faults
// about single properties are those of other messages.
func asPut(err error) error {
	var typed *wsrf.FaultError
	if errors.As(err, &typed) {
		return unableToPut(typed.Err)
	}
	return err
}

func unableToPut(err error) error {
	return &wsrf.FaultError{
		Fault: wsrf.Final.Names().UnableToPutResourcePropertyDocument, Err: err,
	}
}

// differences returns the values of a document that are not the resource's.
func (s Source) differences(set Set, wanted *etree.Element) (Values, error) {
	root, err := tree(set)
	if err != nil {
		return nil, err
	}
	if !xmlstrict.Is(wanted, xmlstrict.NameOf(root)) {
		return nil, fmt.Errorf("the document is not a %s", xmlstrict.NameOf(root))
	}
	if xmlstrict.Text(wanted) != "" || !slices.Equal(attributes(root), attributes(wanted)) {
		return nil, errors.New("the document has text or attributes of its own")
	}
	is, wants := grouped(root), grouped(wanted)
	values := make(Values)
	for name, elements := range wants {
		switch {
		case same(is[name], elements) || s.passes(name):
		case !slices.Contains(s.Writable, name):
			return nil, fmt.Errorf("%s cannot be changed, but %s can", name, listed(s.Writable))
		default:
			values[name] = elements
		}
	}
	for name := range is {
		if wants[name] == nil && !s.passes(name) {
			return nil, errors.New("the document lacks " + name.String())
		}
	}
	return values, nil
}

// passes reports whether a property is another one the moment after it was read.
func (s Source) passes(name xmlstrict.Name) bool {
	return name == wsrf.Final.Names().CurrentTime || slices.Contains(s.Measured, name)
}

// grouped returns an element's children by name.
func grouped(e *etree.Element) Values {
	all := make(Values)
	for child := range xmlstrict.Children(e) {
		name := xmlstrict.NameOf(child)
		all[name] = append(all[name], child)
	}
	return all
}

// same reports whether two lists of elements say the same, prefixes, white
// space around text and the order of attributes aside.
func same(a, b []*etree.Element) bool {
	return slices.EqualFunc(a, b, func(x, y *etree.Element) bool {
		return xmlstrict.NameOf(x) == xmlstrict.NameOf(y) &&
			xmlstrict.Text(x) == xmlstrict.Text(y) && slices.Equal(attributes(x), attributes(y)) &&
			same(slices.Collect(xmlstrict.Children(x)), slices.Collect(xmlstrict.Children(y)))
	})
}

// attributes returns an element's attributes in a fixed order.
func attributes(e *etree.Element) []string {
	var all []string
	for i := range e.Attr {
		if name := xmlstrict.AttrName(e, &e.Attr[i]); name.Space != xmlstrict.XMLNSSpace {
			all = append(all, name.String()+"="+e.Attr[i].Value)
		}
	}
	slices.Sort(all)
	return all
}
