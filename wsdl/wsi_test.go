package wsdl

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// A description is what WS-I Basic Profile 1.1 calls one: the WSDL documents of
// a service with the schemas that they hold or import. The profile knows
// nothing of SOAP 1.2, so bindings to that are left out beforehand: they claim no
// conformance to it.
type description struct {
	documents []*etree.Element // wsdl:definitions
	schemas   []*etree.Element // xs:schema, those of imported files included
	inline    []*etree.Element // xs:schema in wsdl:types
	files     map[string]*etree.Element
	texts     []string
}

// describe reads documents, and the schemas that are published, from their text.
func describe(t *testing.T, texts map[string]string) *description {
	t.Helper()
	d := &description{files: make(map[string]*etree.Element)}
	for name, text := range texts {
		doc := etree.NewDocument()
		if err := doc.ReadFromString(text); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		root := doc.Root()
		d.files[name] = root
		d.texts = append(d.texts, text)
		if root.Tag == "schema" {
			d.schemas = append(d.schemas, root)
			continue
		}
		d.documents = append(d.documents, root)
		d.inline = append(d.inline, all(root, xsSpace, "schema")...)
	}
	d.schemas = append(d.schemas, d.inline...)
	for _, root := range d.documents {
		leaveOutSOAP12(root)
	}
	return d
}

func leaveOutSOAP12(root *etree.Element) {
	for _, e := range append(all(root, soap12, "binding"), all(root, soap12, "address")...) {
		outer := e.Parent()
		outer.Parent().RemoveChild(outer)
	}
}

// all returns the elements of a name at and below one; an empty name is any.
func all(e *etree.Element, space, local string) []*etree.Element {
	var found []*etree.Element
	if (local == "" || e.Tag == local) && e.NamespaceURI() == space {
		found = append(found, e)
	}
	for _, c := range e.ChildElements() {
		found = append(found, all(c, space, local)...)
	}
	return found
}

// each returns the elements of a name in all documents.
func (d *description) each(space, local string) []*etree.Element {
	var found []*etree.Element
	for _, root := range d.documents {
		found = append(found, all(root, space, local)...)
	}
	return found
}

// named finds the component that a QName refers to.
func (d *description) named(kind string, at *etree.Element, text string) *etree.Element {
	q, err := xmlstrict.ResolveQName(at, text)
	if err != nil {
		return nil
	}
	for _, root := range d.documents {
		for _, e := range root.SelectElements(kind) {
			if value(root, "targetNamespace") == q.Space && value(e, "name") == q.Local {
				return e
			}
		}
	}
	return nil
}

// value returns an attribute of no namespace, such as most of WSDL's.
func value(e *etree.Element, name string) string {
	for _, a := range e.Attr {
		if a.Space == "" && a.Key == name {
			return a.Value
		}
	}
	return ""
}

// global reports whether a QName refers to a global element declaration.
func (d *description) global(at *etree.Element, text string) bool {
	q, err := xmlstrict.ResolveQName(at, text)
	return err == nil && slices.ContainsFunc(d.schemas, func(s *etree.Element) bool {
		return value(s, "targetNamespace") == q.Space &&
			slices.ContainsFunc(s.SelectElements("element"), func(e *etree.Element) bool {
				return value(e, "name") == q.Local
			})
	})
}

// A rule returns what breaks it.
type rule func(d *description) []string

// elements makes a rule of a condition that every element of a name must meet.
func elements(space, local string, meets func(*description, *etree.Element) bool) rule {
	return func(d *description) []string {
		var broken []string
		for _, e := range d.each(space, local) {
			if !meets(d, e) {
				broken = append(broken, e.GetPath()+" "+value(e, "name"))
			}
		}
		return broken
	}
}

// profile has the rules of WS-I Basic Profile 1.1, chapter 4, by their numbers.
// Those about messages are held elsewhere: R2712, R2744 and R2745 where messages
// are sent (client/binding).
func profile() map[string]rule {
	rules := make(map[string]rule)
	for _, part := range []map[string]rule{
		structureRules(), typesRules(), messageRules(), portRules(), bindingRules(), soapRules(),
	} {
		for number, r := range part {
			rules[number] = r
		}
	}
	return rules
}

// structureRules are those of section 4.2.
func structureRules() map[string]rule {
	return map[string]rule{
		"R2001": elements(wsdlSpace, "import", func(d *description, e *etree.Element) bool {
			return d.files[value(e, "location")] != nil &&
				d.files[value(e, "location")].Tag == "definitions"
		}),
		"R2002": elements(wsdlSpace, "import", func(_ *description, e *etree.Element) bool {
			return !strings.HasSuffix(value(e, "location"), ".xsd")
		}),
		"R2003": elements(xsSpace, "import", func(_ *description, e *etree.Element) bool {
			return e.Parent().Tag == "schema" && e.Parent().NamespaceURI() == xsSpace
		}),
		"R2004": elements(xsSpace, "import", func(d *description, e *etree.Element) bool {
			location := value(e, "schemaLocation")
			return location == "" || d.files[location] != nil && d.files[location].Tag == "schema"
		}),
		"R2005": elements(wsdlSpace, "import", func(d *description, e *etree.Element) bool {
			to := d.files[value(e, "location")]
			return to == nil || value(to, "targetNamespace") == value(e, "namespace")
		}),
		"R2007": elements(wsdlSpace, "import", func(_ *description, e *etree.Element) bool {
			return value(e, "location") != ""
		}),
		"R2803": elements(wsdlSpace, "import", func(_ *description, e *etree.Element) bool {
			return absolute(value(e, "namespace"))
		}),
		"R2022": order("import"), "R2023": order("import", "types"),
		"R2010": texts("encoding=\"UTF-8\""), "R2011": texts("<?xml version=\"1.0\""),
		"R4003": texts("encoding=\"UTF-8\""), "R4004": texts("<?xml version=\"1.0\""),
		"R2026": elements(wsdlSpace, "", func(_ *description, e *etree.Element) bool {
			return e.SelectAttrValue("wsdl:required", "false") != "true"
		}),
	}
}

func absolute(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.IsAbs()
}

// order makes the rule that some children of the root come before all others.
func order(first ...string) rule {
	return func(d *description) []string {
		var broken []string
		for _, root := range d.documents {
			others := false
			for _, c := range root.ChildElements() {
				early := slices.Contains(first, c.Tag)
				if early && others {
					broken = append(broken, c.GetPath())
				}
				others = others || !early
			}
		}
		return broken
	}
}

// texts makes the rule that every document begins with an XML declaration that
// holds some words.
func texts(words string) rule {
	return func(d *description) []string {
		var broken []string
		for _, text := range d.texts {
			head, _, _ := strings.Cut(text, "?>")
			if !strings.Contains(head, words) {
				broken = append(broken, head)
			}
		}
		return broken
	}
}

// publishedSchemas gives the schema files to a description of three files.
func publishedSchemas(texts map[string]string) map[string]string {
	for _, name := range schema.Names() {
		text, _ := schema.File(name)
		texts[name] = string(text)
	}
	return texts
}

// TestBasicProfile holds every rule against every published document, flat and
// in three files.
func TestBasicProfile(t *testing.T) {
	for i := range services {
		s := &services[i]
		flat, err := Flat(s.name, "http://host.example:8080"+s.face.Path())
		if err != nil {
			t.Fatal(err)
		}
		three := make(map[string]string)
		for name, text := range s.render() {
			three[name] = string(text)
		}
		for form, texts := range map[string]map[string]string{
			"flat": {s.name: string(flat)}, "files": publishedSchemas(three),
		} {
			d := describe(t, texts)
			for number, broken := range profile() {
				for _, where := range broken(d) {
					t.Errorf("%s (%s): %s is broken at %s", s.name, form, number, where)
				}
			}
		}
	}
}
