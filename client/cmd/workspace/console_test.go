package main

import (
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestConsoleWhoseInputEnds ends when the machine has been silent for a while, and in
// the end also when it never is.
func TestConsoleWhoseInputEnds(t *testing.T) {
	for name, c := range map[string]struct {
		every, talks, want time.Duration
	}{
		"silent":            {time.Hour, 0, quiet},
		"that answers":      {time.Second, 5 * time.Second, 5*time.Second + quiet},
		"that never is":     {time.Second, time.Hour, listening},
		"that says it late": {quiet + time.Second, time.Hour, quiet},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				line, machine := net.Pipe()
				var talking sync.WaitGroup
				talking.Go(func() {
					for begun := time.Now(); time.Since(begun) < c.talks; {
						time.Sleep(c.every)
						if _, err := machine.Write([]byte("alive\n")); err != nil {
							return
						}
					}
				})
				typed, begun := make(chan []byte), time.Now()
				close(typed)
				err := converse(t.Context(), line, io.Discard, typed)
				if took := time.Since(begun); !errors.Is(err, errQuiet) || took != c.want {
					t.Errorf("it ended after %v, want %v: %v", took, c.want, err)
				}
				line.Close()
				talking.Wait()
			})
		})
	}
}
