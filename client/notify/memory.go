package notify

// remembered is how many message ids a consumer keeps to know repeats by. The
// service repeats a message soon or never.
const remembered = 4096

// A memory knows the latest ids. Its zero value is empty.
type memory struct {
	known map[string]bool
	order []string
}

// knows reports whether the id was added lately. The empty id never was.
func (m *memory) knows(id string) bool { return m.known[id] }

// add takes an id in.
func (m *memory) add(id string) {
	if id == "" || m.known[id] {
		return
	}
	if m.known == nil {
		m.known = map[string]bool{}
	}
	m.known[id] = true
	m.order = append(m.order, id)
	if len(m.order) > remembered {
		delete(m.known, m.order[0])
		m.order = m.order[1:]
	}
}
