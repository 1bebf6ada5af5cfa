package run

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestStopsInReverse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var order []string
		part := func(name string) Part {
			return Part{Name: name, Run: func(ctx context.Context) error {
				<-ctx.Done()
				time.Sleep(time.Second) // virtual: the next must wait for it
				order = append(order, name)
				return nil
			}}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := All(ctx, part("store"), part("engine"), part("door")); err != nil {
			t.Errorf("All = %v", err)
		}
		if want := []string{"door", "engine", "store"}; !slices.Equal(order, want) {
			t.Errorf("stopped in order %v, want %v", order, want)
		}
	})
}

func TestOneFailureStopsAll(t *testing.T) {
	wait := Part{Name: "engine", Run: func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}}
	cause := errors.New("address in use")
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"with an error", cause, "door: address in use"},
		{"silently", nil, "door: it stopped by itself"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			door := Part{"door", func(context.Context) error { return tt.err }}
			err := All(t.Context(), wait, door)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("All = %v, want %q", err, tt.want)
			}
		})
	}
}
