// Package servicegroup is the port types of service groups on face two: the
// caller's workspaces and the pool's hosts as groups, and the entries in them
// (WS-ServiceGroup 1.2). Membership follows the members: nothing is added or
// removed from here.
//
// It must not know what members are for, or what can be done to them.
package servicegroup

import (
	"context"
	"strings"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/query"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/dispatch"
	"github.com/philoxenia/philoxenia/service/port/property"
	"github.com/philoxenia/philoxenia/wsdl"
)

var (
	sg    = xmlstrict.In(schema.ServiceGroup2)
	lease = xmlstrict.In(schema.Lease)
)

// The parts of groups and entries (WS-ServiceGroup 1.2, sections 2 and 3).
var (
	membershipContentRule = sg("MembershipContentRule")
	contentElements       = xmlstrict.Name{Local: "ContentElements"}
	entry                 = sg("Entry")
	serviceGroupEntryEPR  = sg("ServiceGroupEntryEPR")
	memberServiceEPR      = sg("MemberServiceEPR")
	serviceGroupEPR       = sg("ServiceGroupEPR")
	memberEPR             = sg("MemberEPR")
	contentOf             = sg("Content")
)

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
		{Name: membershipContentRule, Write: k.writeRule}, {Name: entry, Write: k.writeEntries},
	}}
	t.Rows = append(append(t.Rows, more...), property.Dialect[members[M]]())
	return t
}

// writeRule writes what every entry tells of its member (WS-ServiceGroup 1.2,
// 2.2.1).
func (k *kind[M]) writeRule(enc *xmlstrict.Encoder, _ members[M]) {
	enc.Start(membershipContentRule)
	enc.Attr(contentElements, k.rule(enc))
	enc.End()
}

// rule returns the names of the content as a list of qualified names.
func (k *kind[M]) rule(enc *xmlstrict.Encoder) string {
	words := make([]string, len(k.content))
	for i, name := range k.content {
		words[i] = enc.Prefix(name.Space) + ":" + name.Local
	}
	return strings.Join(words, " ")
}

// writeEntries writes the entries, one for each member.
func (k *kind[M]) writeEntries(enc *xmlstrict.Encoder, all members[M]) {
	for _, m := range all.all {
		k.writeEntry(enc, all.call, m)
	}
}

func (k *kind[M]) writeEntry(enc *xmlstrict.Encoder, c *dispatch.Call, m M) {
	enc.Start(entry)
	k.epr(c, k.entry, m).Write(enc, serviceGroupEntryEPR, wsa.V200508)
	k.epr(c, k.member, m).Write(enc, memberServiceEPR, wsa.V200508)
	k.writeContent(enc, m)
	enc.End()
}

func (k *kind[M]) writeContent(enc *xmlstrict.Encoder, m M) {
	enc.Start(contentOf)
	k.write(enc, m)
	enc.End()
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
	if row.Name == entry {
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
	type row = property.Row[place[M]]
	table := &property.Table[place[M]]{Root: lease("EntryProperties"), Rows: []row{
		{Name: serviceGroupEPR, Write: func(enc *xmlstrict.Encoder, p place[M]) {
			r := wsa.EPR{Address: p.call.URL(wsdl.Two, k.group)}
			r.Write(enc, serviceGroupEPR, wsa.V200508)
		}},
		{Name: memberEPR, Write: func(enc *xmlstrict.Encoder, p place[M]) {
			k.epr(p.call, k.member, p.member).Write(enc, memberEPR, wsa.V200508)
		}},
		{Name: contentOf, Write: func(enc *xmlstrict.Encoder, p place[M]) {
			k.writeContent(enc, p.member)
		}},
		property.Dialect[place[M]](),
	}}
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

// times is the property that says when a member ends.
var times = wsrf.Final.Names().TerminationTime
