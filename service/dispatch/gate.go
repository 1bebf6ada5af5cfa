package dispatch

import "net/http"

// A gate bounds what all requests together take of memory. There are two ways
// in: a body that is large needs a place while it is read, and every request
// needs slots while it is parsed and carried out. A slow sender of a small body
// holds neither, and one of a large body holds up only others like it.
type gate struct {
	large chan struct{} // one in it for each large body
	slots chan struct{}
	turn  chan struct{} // held while taking slots: two that take some each would starve
}

const (
	// maxLarge is how many bodies above maxKept are read or held at once: more
	// than one address has connections, so that none can take all places.
	maxLarge = 128
	// slotBytes is how much of a body one slot is good for. The tree of a
	// document can take thirty times its bytes.
	slotBytes = 32 << 10
)

func newGate(parallel int) *gate {
	return &gate{
		large: make(chan struct{}, maxLarge), slots: make(chan struct{}, parallel),
		turn: make(chan struct{}, 1),
	}
}

// A hold is what one request has of the gate.
type hold struct {
	gate  *gate
	large bool
	slots int
}

// enlarge waits for a place for a large body.
func (h *hold) enlarge(r *http.Request) error {
	if h.large {
		return nil
	}
	if err := wait(h.gate.large, r); err != nil {
		return err
	}
	h.large = true
	return nil
}

// enter waits for the slots of a request with a body of so many bytes.
func (h *hold) enter(r *http.Request, size int) error {
	if err := wait(h.gate.turn, r); err != nil {
		return err
	}
	defer func() { <-h.gate.turn }()
	for range min(1+size/slotBytes, cap(h.gate.slots)) {
		if err := wait(h.gate.slots, r); err != nil {
			return err
		}
		h.slots++
	}
	return nil
}

// release gives everything back.
func (h *hold) release() {
	for ; h.slots > 0; h.slots-- {
		<-h.gate.slots
	}
	if h.large {
		h.large = false
		<-h.gate.large
	}
}

// wait takes a place in the channel, unless the caller leaves before.
func wait(places chan struct{}, r *http.Request) error {
	select {
	case places <- struct{}{}:
		return nil
	case <-r.Context().Done():
		return &refusal{http.StatusServiceUnavailable, "the server is busy, try again later"}
	}
}
