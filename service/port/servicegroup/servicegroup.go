// Package servicegroup is the port types of service groups on face two: the
// caller's workspaces and the pool's hosts as groups, and the entries in them
// (WS-ServiceGroup 1.2). Membership follows the members: nothing is added or
// removed from here.
//
// It must not know what members are for, or what can be done to them.
package servicegroup

import (
	"context"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/query"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/wssg"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/dispatch"
	"github.com/philoxenia/philoxenia/service/port/property"
	"github.com/philoxenia/philoxenia/wsdl"
)

var lease = xmlstrict.In(schema.Lease)

// kind is a kind of group with members M.
type kind[M any] struct {
	group, entry, member string // services
	key                  xmlstrict.Name
	root                 xmlstrict.Name // of the group's property document
	// content are the properties of a member that its entry tells.
	content []xmlstrict.Name

	list  func(ctx context.Context, c *dispatch.Call) ([]M, error)
	find  func(ctx context.Context, c *dispatch.Call) (M, error)
	keyOf func(M) string
	// write writes the content of a member's entry: the properties above.
	write func(*xmlstrict.Encoder, M)
	// version changes whenever the content does; nil when nothing does.
	version func(M) int64
	shelf   query.Shelf[shelfKey]
}

// shelfKey names an entry as the callers of one address see it.
type shelfKey struct{ root, member string }

// epr returns the reference of a member, or of its entry.
func (k *kind[M]) epr(c *dispatch.Call, service string, m M) wsa.EPR {
	return wsa.NewEPR(c.URL(wsdl.Two, service), k.key, k.keyOf(m))
}

// members are the members of a group as a call sees them.
type members[M any] struct {
	call *dispatch.Call
	all  []M
}

// document returns the property document of the group.
func (k *kind[M]) document(more ...property.Row[members[M]]) *property.Table[members[M]] {
	t := &property.Table[members[M]]{Root: k.root, Rows: []property.Row[members[M]]{
		{Name: wssg.MembershipContentRule, Write: k.writeRule},
		{Name: wssg.EntryElement, Write: k.writeEntries},
	}}
	t.Rows = append(append(t.Rows, more...), property.Dialect[members[M]]())
	return t
}

// writeRule writes what every entry tells of its member (WS-ServiceGroup 1.2,
// 2.2.1).
func (k *kind[M]) writeRule(enc *xmlstrict.Encoder, _ members[M]) {
	wssg.Rule{Elements: k.content}.Write(enc)
}

// writeEntries writes the entries, one for each member.
func (k *kind[M]) writeEntries(enc *xmlstrict.Encoder, all members[M]) {
	for _, m := range all.all {
		k.writeEntry(enc, all.call, m)
	}
}

func (k *kind[M]) writeEntry(enc *xmlstrict.Encoder, c *dispatch.Call, m M) {
	entry, member := k.epr(c, k.entry, m), k.epr(c, k.member, m)
	wssg.Entry{Reference: &entry, Member: &member, Content: k.told(m)}.Write(enc)
}

// told returns what writes the content of a member's entry.
func (k *kind[M]) told(m M) func(*xmlstrict.Encoder) {
	return func(enc *xmlstrict.Encoder) { k.write(enc, m) }
}

// services returns the group and its entries. More are further properties of
// the group.
func (k *kind[M]) services(more ...property.Row[members[M]]) (group, entries dispatch.Service) {
	group = dispatch.Service{
		Face: wsdl.Two, Name: k.group, Operations: map[string]dispatch.Operation{},
	}
	table := k.document(more...)
	property.Source{
		Names: table.Names(),
		Load: func(ctx context.Context, c *dispatch.Call) (property.Set, error) {
			all, err := k.list(ctx, c)
			if err != nil {
				return nil, err
			}
			return table.Of(members[M]{c, all}), nil
		},
		Query: k.query(table),
	}.AddTo(&group)
	return group, k.entries()
}

// query returns what evaluates expressions over the group. The document is not
// written for that: what each entry says is kept until its member changes.
func (k *kind[M]) query(table *property.Table[members[M]]) property.Evaluator {
	return func(ctx context.Context, c *dispatch.Call, q wsrf.Query) (dispatch.Reply, error) {
		all, err := k.list(ctx, c)
		if err != nil {
			return nil, err
		}
		if q.Expression == "/" {
			return table.Of(members[M]{c, all}).Write, nil
		}
		over, err := k.forest(table, members[M]{c, all})
		if err != nil {
			return nil, err
		}
		results, err := q.Select(c.Document, over)
		return results.Write, err
	}
}

// forest returns the group's property document as one that can be asked.
func (k *kind[M]) forest(
	table *property.Table[members[M]], all members[M],
) (*query.Forest, error) {
	f := &query.Forest{Root: table.Root}
	for _, row := range table.Rows {
		pieces, err := k.pieces(row, all)
		if err != nil {
			return nil, err
		}
		f.Pieces = append(f.Pieces, pieces...)
	}
	return f, nil
}

// pieces returns the elements of one property, each as a document.
func (k *kind[M]) pieces(
	row property.Row[members[M]], all members[M],
) ([]*query.Document, error) {
	if row.Name == wssg.EntryElement {
		return k.entriesOf(all)
	}
	return k.shelf.ReadAll(func(enc *xmlstrict.Encoder) { row.Write(enc, all) })
}

// entriesOf returns the entries of the members, each as a document.
func (k *kind[M]) entriesOf(all members[M]) ([]*query.Document, error) {
	if k.version == nil {
		return k.shelf.ReadAll(func(enc *xmlstrict.Encoder) { k.writeEntries(enc, all) })
	}
	pieces := make([]*query.Document, len(all.all))
	for i, m := range all.all {
		var err error
		key := shelfKey{all.call.Root, k.keyOf(m)}
		pieces[i], err = k.shelf.Read(key, k.version(m), func(enc *xmlstrict.Encoder) {
			k.writeEntry(enc, all.call, m)
		})
		if err != nil {
			return nil, err
		}
	}
	return pieces, nil
}

// A place is a member's entry as a call sees it.
type place[M any] struct {
	call   *dispatch.Call
	member M
}

// entries returns the port type of the group's entries (WS-ServiceGroup 1.2,
// section 3). Their keys are those of the members.
func (k *kind[M]) entries() dispatch.Service {
	s := dispatch.Service{
		Face: wsdl.Two, Name: k.entry, Key: k.key, Operations: map[string]dispatch.Operation{},
	}
	table := &property.Table[place[M]]{Root: lease("EntryProperties")}
	for _, name := range wssg.EntryPropertyNames() {
		table.Rows = append(table.Rows, property.Row[place[M]]{
			Name: name,
			Write: func(enc *xmlstrict.Encoder, p place[M]) {
				k.entryDocument(p).WriteProperty(enc, name)
			},
		})
	}
	table.Rows = append(table.Rows, property.Dialect[place[M]]())
	property.Source{
		Names: table.Names(),
		Load: func(ctx context.Context, c *dispatch.Call) (property.Set, error) {
			m, err := k.find(ctx, c)
			if err != nil {
				return nil, err
			}
			return table.Of(place[M]{c, m}), nil
		},
	}.AddTo(&s)
	return s
}

// entryDocument returns what an entry tells of itself.
func (k *kind[M]) entryDocument(p place[M]) wssg.EntryDocument {
	member := k.epr(p.call, k.member, p.member)
	return wssg.EntryDocument{
		Group:  wsa.EPR{Address: p.call.URL(wsdl.Two, k.group)},
		Member: &member, Content: k.told(p.member),
	}
}
