package libvirt

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// TestPatience: of the time that a call has a guest gets what force does not need.
func TestPatience(t *testing.T) {
	for has, want := range map[time.Duration]time.Duration{
		6 * time.Second: 4 * time.Second, time.Minute: 50 * time.Second,
		time.Hour: time.Hour - 10*time.Second,
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), has)
			defer cancel()
			if got := hostOfDriver("qemu").patienceOf(ctx); got != want {
				t.Errorf("of %v it is %v, want %v", has, got, want)
			}
		})
	}
	if got := hostOfDriver("qemu").patienceOf(t.Context()); got != 2*time.Minute {
		t.Errorf("without a deadline it is %v", got)
	}
}
