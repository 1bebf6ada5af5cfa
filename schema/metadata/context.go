package metadata

import (
	"strings"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/document"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

func (r *reader) contextualization(e *etree.Element, c *Contextualization) {
	r.Sequence(e, []document.Field{
		document.Optional(l("provides"), func(e *etree.Element) {
			c.Provides = new(Provides)
			r.provides(e, c.Provides)
		}),
		document.Optional(l("requires"), func(e *etree.Element) {
			c.Requires = new(Requires)
			r.requires(e, c.Requires)
		}),
	})
}

// maxFacts is how many identities, roles or data one workspace may offer or need.
const maxFacts = 1024

func (r *reader) provides(e *etree.Element, p *Provides) {
	r.Sequence(e, []document.Field{
		document.Many(1, l("identity"), func(e *etree.Element) {
			var id Identity
			r.Sequence(e, append([]document.Field{
				document.Optional(l("interface"), r.fact(&id.Interface)),
			}, r.identity(&id)...))
			p.Identities = append(p.Identities, id)
		}).Most(maxFacts),
		document.Many(0, l("role"), func(e *etree.Element) {
			var role ProvidedRole
			r.Text(&role.Role, "interface")(e)
			role.Interface = r.attribute(e, "interface")
			p.Roles = append(p.Roles, role)
		}).Most(maxFacts),
	})
}

func (r *reader) requires(e *etree.Element, q *Requires) {
	r.Sequence(e, []document.Field{
		document.Many(0, l("identity"), func(e *etree.Element) {
			var id Identity
			r.Sequence(e, r.identity(&id))
			q.Identities = append(q.Identities, id)
		}).Most(maxFacts),
		document.Many(0, l("role"), func(e *etree.Element) {
			var role RequiredRole
			r.requiredRole(e, &role)
			q.Roles = append(q.Roles, role)
		}).Most(maxFacts),
		document.Many(0, l("data"), func(e *etree.Element) {
			var data RequiredData
			r.Text(&data.Text, "name")(e)
			data.Name = r.named(e)
			q.Data = append(q.Data, data)
		}).Most(maxFacts),
	})
}

// identity is the part that both sides share.
func (r *reader) identity(id *Identity) []document.Field {
	return []document.Field{
		document.Optional(l("ip"), r.fact(&id.IP)),
		document.Optional(l("hostname"), r.fact(&id.Hostname)),
		document.Optional(l("pubkey"), r.fact(&id.Pubkey)),
	}
}

// fact reads text whose presence matters even when it is empty.
func (r *reader) fact(to **string) func(*etree.Element) {
	return func(e *etree.Element) {
		*to = new(string)
		r.Text(*to)(e)
	}
}

func (r *reader) requiredRole(e *etree.Element, role *RequiredRole) {
	r.Text(&role.Text, "name", "hostname", "pubkey")(e)
	role.Name = r.named(e)
	role.Hostname = r.flag(e, "hostname")
	role.Pubkey = r.flag(e, "pubkey")
}

// named returns the attribute name, which must be there.
func (r *reader) named(e *etree.Element) string {
	name := r.attribute(e, "name")
	if name == "" {
		r.Fail(e, "the attribute name", "", "%s has no name", e.Tag)
	}
	return name
}

// flag reads an xs:boolean attribute that is false when absent.
func (r *reader) flag(e *etree.Element, local string) bool {
	v, given := xmlstrict.Attr(e, xmlstrict.Name{Local: local})
	if v = xmlstrict.Trim(v); given && !xmlstrict.IsBool(v) {
		r.Fail(e, "true or false", "", "attribute %s is %.40q", local, v)
	}
	return v == "true" || v == "1"
}

// attribute returns the trimmed value of an attribute in no namespace, empty
// when it is absent. It is a word as the texts of elements are.
func (r *reader) attribute(e *etree.Element, local string) string {
	value, _ := xmlstrict.Attr(e, xmlstrict.Name{Local: local})
	if value = xmlstrict.Trim(value); !document.IsWord(value) {
		r.Fail(e, "at most 4096 bytes without control characters", "",
			"attribute %s is %.40q", local, value)
	}
	return strings.Clone(value) // a copy: see package document
}
