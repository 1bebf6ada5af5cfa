package library

import (
	"slices"
	"strings"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// Entry is an entry of the library as a query sees it.
type Entry struct {
	*workspace.Image
	Signers []string // whose attestations of it hold, by the names that the site has for them
}

// software returns the versions in which the image has the software.
func (e *Entry) software(name string) []string {
	var all []string
	for _, s := range e.Software {
		if strings.EqualFold(s.Name, name) {
			all = append(all, s.Version)
		}
	}
	return all
}

// attribute returns the values of the attribute.
func (e *Entry) attribute(name string) []string {
	var all []string
	for _, a := range e.Attributes {
		if a.Name == name {
			all = append(all, a.Value)
		}
	}
	return all
}

// scope says whose shelf the entry is on.
func (e *Entry) scope() string {
	if e.Owner == "" {
		return ScopeSite
	}
	return ScopeOwn
}

// The shelves, as queries and users call them.
const (
	ScopeSite = "site" // everybody's
	ScopeOwn  = "own"  // the caller's
)

// Runs reports whether an image for one architecture runs on a machine of another:
// they are the same, or a processor of 64 bits runs what is for 32. JSDL's x86_32 is
// what the original's documents call x86.
func Runs(image, machine string) bool {
	image, machine = architecture(image), architecture(machine)
	return image == machine || image == "x86_32" && machine == "x86_64"
}

// architecture returns the JSDL word for an architecture.
func architecture(name string) string {
	switch name = strings.ToLower(name); name {
	case "x86", "i386", "i686":
		return "x86_32"
	case "amd64":
		return "x86_64"
	case "aarch64":
		return "arm64"
	}
	return name
}

// compareEntries puts the better one first: the newer version, the attested one, the
// smaller one, the one that was registered later, the caller's own.
func compareEntries(a, b Entry) int {
	for _, c := range []int{
		CompareVersions(b.Version, a.Version),
		truth(len(b.Signers) > 0) - truth(len(a.Signers) > 0),
		compareSizes(a.Size, b.Size),
		b.Added.Compare(a.Added),
		strings.Compare(a.Name, b.Name),
		truth(b.Owner != "") - truth(a.Owner != ""),
	} {
		if c != 0 {
			return c
		}
	}
	return 0
}

// compareSizes puts what is not known last.
func compareSizes(a, b int64) int {
	if (a == 0) != (b == 0) {
		return truth(a == 0) - truth(b == 0)
	}
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Rank sorts entries, the best first.
func Rank(all []Entry) { slices.SortStableFunc(all, compareEntries) }
