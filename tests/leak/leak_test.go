package leak

import (
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestGoroutinesMayEnd leaves one that takes longer to end than goleak alone waits.
func TestGoroutinesMayEnd(t *testing.T) {
	over := make(chan struct{})
	go func() { <-over }()
	if goleak.Find() == nil {
		t.Error("what goes on is not found")
	}
	time.AfterFunc(time.Second, func() { close(over) })
	None(t)
}
