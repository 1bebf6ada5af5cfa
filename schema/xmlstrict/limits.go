package xmlstrict

// Limits bounds what Parse accepts. A field that is zero or negative means
// the value that DefaultLimits has for it.
type Limits struct {
	Bytes      int // size of the whole document, in bytes
	Depth      int // open elements, the root included
	Attributes int // attributes on one element, declarations included; 4 times that when nested
	Namespaces int // namespace declarations in scope at one place
	Tokens     int // tags, runs of text and comments, together
	Text       int // one run of text or one attribute value, in bytes
	Name       int // one qualified name, in bytes
}

// DefaultLimits returns the limits that suit every message of the service:
// 1 MiB, 64 levels, 64 attributes, 128 namespaces, 100,000 tokens, 256 KiB of
// text in one place and names of 256 bytes.
func DefaultLimits() Limits {
	return Limits{
		Bytes:      1 << 20,
		Depth:      64,
		Attributes: 64,
		Namespaces: 128,
		Tokens:     100_000,
		Text:       256 << 10,
		Name:       256,
	}
}

// withDefaults fills the fields that say nothing.
func (l Limits) withDefaults() Limits {
	d := DefaultLimits()
	return Limits{
		Bytes:      positive(l.Bytes, d.Bytes),
		Depth:      positive(l.Depth, d.Depth),
		Attributes: positive(l.Attributes, d.Attributes),
		Namespaces: positive(l.Namespaces, d.Namespaces),
		Tokens:     positive(l.Tokens, d.Tokens),
		Text:       positive(l.Text, d.Text),
		Name:       positive(l.Name, d.Name),
	}
}

// positive returns n, or otherwise when n says nothing.
func positive(n, otherwise int) int {
	if n <= 0 {
		return otherwise
	}
	return n
}
