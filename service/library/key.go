package library

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
)

// A key is what a condition is about.
type key struct {
	name      string
	operators []string
	expects   string            // what values are, for errors
	check     func(string) bool // whether a value makes sense; nil: any does
	has       func(*Entry) bool // of keys that may stand alone
	fits      func(e *Entry, op, value string) bool
}

// The operators of keys.
var (
	equality = []string{"=", "!="}
	order    = []string{"=", "!=", "<", "<=", ">", ">="}
)

// keys are those without a name behind them.
var keys = []key{
	words("name", "a name", func(e *Entry) []string { return []string{e.Name} }, sameText),
	versions("version", func(e *Entry) []string { return []string{e.Version} }),
	words("tag", "a tag", func(e *Entry) []string { return e.Tags }, sameText),
	chosen(words("scope", "own or site", func(e *Entry) []string { return []string{e.scope()} },
		sameText), ScopeOwn, ScopeSite),
	words("arch", "an architecture such as x86_64",
		func(e *Entry) []string { return []string{e.Architecture} },
		func(a, b string) bool { return architecture(a) == architecture(b) }),
	words("vmm", "a VMM: Xen, KVM or VMware", func(e *Entry) []string { return e.VMMs },
		strings.EqualFold),
	words("kernel", "file://NAME of a kernel, or none", func(e *Entry) []string {
		return []string{cmp.Or(e.Kernel, "none")}
	}, sameText),
	chosen(words("format", "raw or qcow2", func(e *Entry) []string { return []string{e.Format} },
		sameText), "raw", "qcow2"),
	sizes("size", func(e *Entry) int64 { return e.Size }),
	sizes("file-size", func(e *Entry) int64 { return e.FileSize }),
	words("signed-by", "the name of a signer", func(e *Entry) []string { return e.Signers },
		sameText),
	chosen(words("verified", "true or false", func(e *Entry) []string {
		return []string{strconv.FormatBool(len(e.Signers) > 0)}
	}, sameText), "true", "false"),
}

// Keys returns the words that conditions begin with; those that end in a point are
// followed by a name.
func Keys() []string {
	all := []string{software, attribute}
	for _, k := range keys {
		all = append(all, k.name)
	}
	slices.Sort(all)
	return all
}

// The keys that are followed by a name.
const (
	software  = "software."
	attribute = "attr."
)

// key finds the key that a word is.
func (p *parser) key(t token) (key, error) {
	for _, k := range keys {
		if strings.EqualFold(k.name, t.text) {
			return k, nil
		}
	}
	if name, ok := strings.CutPrefix(t.text, software); ok && name != "" {
		k := versions(t.text, func(e *Entry) []string { return e.software(name) })
		k.has = func(e *Entry) bool { return len(e.software(name)) > 0 }
		return k, nil
	}
	if name, ok := strings.CutPrefix(t.text, attribute); ok && name != "" {
		k := versions(t.text, func(e *Entry) []string { return e.attribute(name) })
		k.expects = "a value"
		k.has = func(e *Entry) bool { return len(e.attribute(name)) > 0 }
		return k, nil
	}
	return key{}, p.fail(t.at, "one of "+strings.Join(named(), ", "), "there is no key %q",
		clip(t.text))
}

// named are the keys as errors show them.
func named() []string {
	all := Keys()
	for i := range all {
		if strings.HasSuffix(all[i], ".") {
			all[i] += "NAME"
		}
	}
	return all
}

func sameText(a, b string) bool { return a == b }

// words is a key of which entries have any number of words.
func words(
	name, expects string, of func(*Entry) []string, same func(a, b string) bool,
) key {
	return key{name: name, operators: equality, expects: expects,
		fits: func(e *Entry, op, value string) bool {
			found := slices.ContainsFunc(of(e), func(w string) bool { return same(w, value) })
			return found == (op == "=")
		}}
}

// chosen lets a key have no other values.
func chosen(k key, values ...string) key {
	k.check = func(v string) bool { return slices.Contains(values, v) }
	return k
}

// versions is a key of which entries have versions: one of them must do, and with !=
// none may be it.
func versions(name string, of func(*Entry) []string) key {
	return key{name: name, operators: order, expects: "a version such as 3.9",
		fits: func(e *Entry, op, value string) bool {
			fits := func(v string) bool {
				switch op {
				case "=", "!=":
					return matchesVersion(v, value)
				}
				return v != "" && ordered(op, CompareVersions(v, value))
			}
			return slices.ContainsFunc(of(e), fits) == (op != "!=")
		}}
}

// ordered reports whether a comparison came out as the operator wants.
func ordered(op string, c int) bool {
	switch op {
	case "=":
		return c == 0
	case "!=":
		return c != 0
	case "<":
		return c < 0
	case "<=":
		return c <= 0
	case ">":
		return c > 0
	}
	return c >= 0
}

// sizes is a key of which entries have a number of bytes, if it is known: what is not
// known fits nothing.
func sizes(name string, of func(*Entry) int64) key {
	return key{name: name, operators: order, expects: "a size such as 2GB or 512MB",
		check: func(v string) bool { _, ok := ParseSize(v); return ok },
		fits: func(e *Entry, op, value string) bool {
			n, ok := ParseSize(value)
			return ok && of(e) > 0 && ordered(op, cmp.Compare(of(e), n))
		}}
}

// ParseSize reads an amount of bytes: a decimal number and a unit (B, KB, MB, GB, TB,
// each 1,024 times the one before; KiB and so on mean the same). Without a unit it is
// bytes.
func ParseSize(text string) (int64, bool) {
	digits := strings.TrimRightFunc(text, func(r rune) bool {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
	})
	unit := strings.ToUpper(text[len(digits):])
	unit = strings.TrimSuffix(strings.TrimSuffix(unit, "B"), "I")
	shift := map[string]int{"": 0, "K": 10, "M": 20, "G": 30, "T": 40}
	by, known := shift[unit]
	if !known || digits == "" || strings.Trim(digits, "0123456789.") != "" {
		return 0, false
	}
	n, err := strconv.ParseFloat(digits, 64)
	n *= float64(int64(1) << by)
	if err != nil || n >= math.MaxInt64 {
		return 0, false
	}
	return int64(n), true
}

func count(n int) string { return strconv.Itoa(n) }
