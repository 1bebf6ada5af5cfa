package transfer

// Tail is a writer that keeps the end of what is written to it: of a program's
// complaints the last words count.
type Tail struct {
	kept  []byte
	limit int
}

// NewTail returns a Tail of so many bytes.
func NewTail(limit int) *Tail { return &Tail{limit: limit} }

// Write never fails.
func (t *Tail) Write(b []byte) (int, error) {
	n := len(b)
	b = b[max(0, len(b)-t.limit):]
	over := max(0, len(t.kept)+len(b)-t.limit)
	t.kept = append(t.kept[:copy(t.kept, t.kept[over:])], b...)
	return n, nil
}

// Bytes returns what is kept.
func (t *Tail) Bytes() []byte { return t.kept }
