package libvirtdtest

import (
	"sync"
	"testing"
)

// changing are the calls that change something, by their numbers in the protocol.
var changing = map[uint32]string{
	28: "resume", 34: "suspend", 182: "managed save", 184: "remove managed save",
	196: "create", 199: "set processors", 204: "set memory", 219: "set scheduler",
	231: "undefine", 232: "save", 233: "restore", 234: "destroy", 258: "shut down",
	264: "set metadata", 291: "update network", 350: "define",
}

// Striker has one fate befall the nth of the calls that go through a relay.
type Striker struct {
	Relay   *Relay
	Daemon  *Daemon
	Fate    Fate
	Changes bool // only calls count that change something

	mu     sync.Mutex
	left   int
	struck bool
}

// Arm has it strike the nth call from now on.
func (s *Striker) Arm(n int) {
	s.mu.Lock()
	s.left, s.struck = n, false
	s.mu.Unlock()
	s.Relay.Judge(func(c Call) Fate {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.struck || s.Changes && changing[c.Procedure] == "" {
			return Pass
		}
		if s.left--; s.left > 0 {
			return Pass
		}
		s.struck = true
		return s.Fate
	})
}

// Disarm ends that, and reports whether it struck.
func (s *Striker) Disarm() bool {
	s.Relay.Judge(nil)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.struck
}

// Mend starts the daemon again, if it was killed.
func (s *Striker) Mend(t *testing.T) {
	t.Helper()
	s.mu.Lock()
	killed := s.struck && s.Fate >= During
	s.mu.Unlock()
	if killed {
		s.Daemon.Restart()
	}
}
