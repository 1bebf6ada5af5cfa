package manager

import (
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/philoxenia/philoxenia/service/change"
)

// TestHeraldIsBrief has a transfer report itself often: it is told at each tenth, and
// after five seconds without one.
func TestHeraldIsBrief(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHerald(nil, slog.New(slog.DiscardHandler))
		p := change.Progress{Change: 1, Task: "propagate", Total: 1000}
		for p.Done = 0; p.Done <= 1000; p.Done++ {
			h.Progressed(7, p)
		}
		h.Progressed(7, change.Progress{Change: 1, Task: "propagate", Done: 1000, Total: 1000})
		if got := len(h.queue); got != 11 {
			t.Errorf("a quick transfer is told %d times, want 11", got)
		}
		p.Change = 2
		for p.Done = 0; p.Done < 100; p.Done++ {
			time.Sleep(time.Second)
			h.Progressed(7, p)
		}
		if got := len(h.queue) - 11; got != 20 {
			t.Errorf("a slow transfer is told %d times in 100 s, want 20", got)
		}
		h.Progressed(7, change.Progress{Change: 3, Task: "customise"})
		if got := len(h.queue); got != 31 {
			t.Error("what has no bytes is told of")
		}
	})
}
