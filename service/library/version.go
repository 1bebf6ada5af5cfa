package library

import "strings"

// CompareVersions orders versions as people do: numbers by their value, so that 1.10
// comes after 1.9; 1.0 and 1.0.0 are equal; a letter part comes before the end of the
// other version when it names something unfinished (1.0rc1, 1.0~beta), else after
// (1.0b). What separates the parts does not matter, but that a tilde comes before
// everything, as in Debian (deb-version(7)). It returns -1, 0 or 1.
func CompareVersions(a, b string) int {
	for a != "" || b != "" {
		var x, y part
		x, a = nextPart(a)
		y, b = nextPart(b)
		if c := x.compare(y); c != 0 {
			return c
		}
	}
	return 0
}

// The kinds of part of a version, in the order in which they come.
const (
	tilde      = iota
	unfinished // alpha, beta, pre, rc, ...
	end        // of the version; a zero is as good as nothing
	letters
	number
)

// A part is a stretch of a version.
type part struct {
	kind int
	text string // of a number, without leading zeros
}

// nextPart cuts the first part off a version.
func nextPart(v string) (part, string) {
	for v != "" && !isDigit(v[0]) && !isLetter(v[0]) && v[0] != '~' {
		v = v[1:]
	}
	if v == "" {
		return part{kind: end}, ""
	}
	switch {
	case v[0] == '~':
		return part{kind: tilde}, v[1:]
	case isDigit(v[0]):
		n := 1
		for n < len(v) && isDigit(v[n]) {
			n++
		}
		digits := strings.TrimLeft(v[:n], "0")
		if digits == "" {
			return part{kind: end}, v[n:]
		}
		return part{number, digits}, v[n:]
	}
	n := 1
	for n < len(v) && isLetter(v[n]) {
		n++
	}
	word := strings.ToLower(v[:n])
	switch word {
	case "alpha", "beta", "dev", "pre", "preview", "rc":
		return part{unfinished, word}, v[n:]
	}
	return part{letters, word}, v[n:]
}

// compare orders two parts.
func (p part) compare(q part) int {
	switch {
	case p.kind != q.kind:
		return sign(p.kind - q.kind)
	case p.kind == number && len(p.text) != len(q.text):
		return sign(len(p.text) - len(q.text))
	}
	return strings.Compare(p.text, q.text)
}

func sign(n int) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	}
	return 0
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// isLetter takes all that is not ASCII for a letter, so that no rune is cut.
func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' || c >= 0x80 }

// matchesVersion reports whether a version is the one wanted; 3.9.* stands for all
// that begin so.
func matchesVersion(version, wanted string) bool {
	if stem, ok := strings.CutSuffix(wanted, ".*"); ok {
		return version == stem || strings.HasPrefix(version, stem+".")
	}
	return CompareVersions(version, wanted) == 0
}
