package library

import (
	"encoding/hex"
	"regexp"
	"strings"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// Scheme begins the locations that are not places, but entries of the library:
// image:NAME, image:NAME:VERSION, image:NAME:TAG (each with site/ or own/ before the
// name, if need be), or image:?QUERY. A colon without
// slashes, because what follows two slashes is a host and a port (RFC 3986, section
// 3.2), which NAME:TAG is not.
const Scheme = "image:"

// IsReference reports whether a location is one of the library.
func IsReference(location string) bool {
	return len(location) >= len(Scheme) && strings.EqualFold(location[:len(Scheme)], Scheme)
}

// maxName is how long names, versions and tags may be.
const maxName = 64

// plain is what names, versions and tags are made of.
var plain = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+~-]*$`)

// IsName reports whether a text may be the name, a version or a tag of an entry:
// letters, digits and . _ + ~ -, of which the first is a letter or a digit; at most 64.
func IsName(text string) bool { return len(text) <= maxName && plain.MatchString(text) }

// Want reads a location of the library, as it stands in a document: the query for
// what it means. In a query percent signs stand before encoded characters, as in every
// URI (RFC 3986, section 2.1). The error is of kind Invalid.
func Want(location string) (*Query, error) {
	rest := location[len(Scheme):]
	text, isQuery := strings.CutPrefix(rest, "?")
	plain, ok := decoded(text)
	if !ok {
		return nil, workspace.Refuse(workspace.Invalid, "%q is not a URI: a percent sign stands "+
			"before no two digits of hexadecimal", clip(location))
	}
	if isQuery {
		return Parse(plain)
	}
	return Named(plain)
}

// decoded puts the characters in the place of their codes.
func decoded(text string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '%' {
			b.WriteByte(text[i])
			continue
		}
		if i+3 > len(text) {
			return "", false
		}
		code, err := hex.DecodeString(text[i+1 : i+3])
		if err != nil {
			return "", false
		}
		b.Write(code)
		i += 2
	}
	return b.String(), true
}

// Named returns the query for NAME, NAME:VERSION or NAME:TAG, of which "site/" or
// "own/" before it names the shelf. The error is of kind Invalid.
func Named(reference string) (*Query, error) {
	scope, rest, scoped := strings.Cut(reference, "/")
	if !scoped || scope != ScopeOwn && scope != ScopeSite {
		scope, rest = "", reference
	}
	name, selector, selected := strings.Cut(rest, ":")
	if !IsName(name) || selected && !IsName(selector) {
		return nil, workspace.Refuse(workspace.Invalid, "%q is not the name of an image, "+
			"expected NAME, NAME:VERSION or NAME:TAG, or ?QUERY behind image:", clip(reference))
	}
	q := new(Query)
	if scope != "" {
		q.And("scope="+scope, func(e *Entry) bool { return e.scope() == scope })
	}
	q.And("name="+name, func(e *Entry) bool { return e.Name == name })
	if selected {
		q.And("version or tag "+selector, func(e *Entry) bool { return e.called(selector) })
	}
	return q, nil
}

// called reports whether the entry has the version or the tag.
func (e *Entry) called(selector string) bool {
	if e.Version == selector {
		return true
	}
	for _, t := range e.Tags {
		if t == selector {
			return true
		}
	}
	return false
}
