package line

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// other is a side that answers so many pings, and then no more.
type other struct{ answers int }

func (o *other) Ping(ctx context.Context) error {
	if o.answers == 0 {
		<-ctx.Done()
		return ctx.Err()
	}
	o.answers--
	return nil
}

// TestWatchEndsWithTheOtherSide counts how long one that fell silent is believed in.
func TestWatchEndsWithTheOtherSide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		Watch(t.Context(), &other{answers: 3})
		if took := time.Since(begin); took != 5*every {
			t.Errorf("it took %v, want %v: three answers, a question and the wait for it", took,
				5*every)
		}
	})
}

// TestWatchEndsWithItsOwner: nobody waits for an answer that nobody wants any more.
func TestWatchEndsWithItsOwner(t *testing.T) {
	for _, answers := range []int{0, 100} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), every+time.Second)
			defer cancel()
			begin := time.Now()
			Watch(ctx, &other{answers})
			if took := time.Since(begin); took != every+time.Second {
				t.Errorf("with %d answers it took %v, want %v", answers, took, every+time.Second)
			}
		})
	}
}
