package main

import (
	"bytes"
	"testing"
	"time"
)

func TestParseTransfer(t *testing.T) {
	tests := []struct {
		name, details string
		want          transfer
		ok            bool
	}{
		{"bytes", "propagate 512 of 1024 bytes", transfer{"propagate", 512, 1024}, true},
		{"done", "unpropagate 7 of 7 bytes", transfer{"unpropagate", 7, 7}, true},
		{"a task without bytes", "define", transfer{}, false},
		{"nothing", "", transfer{}, false},
		{"more than all", "propagate 8 of 7 bytes", transfer{"propagate", 8, 7}, false},
		{"nothing to do", "propagate 0 of 0 bytes", transfer{task: "propagate"}, false},
		{"a number beyond reason", "propagate 1 of 9999999999999999999 bytes", transfer{}, false},
		{"something else", "propagate -1 of 3 bytes\n", transfer{}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, ok := parseTransfer(tt.details); ok != tt.ok || got != tt.want {
				t.Errorf("parseTransfer = %+v, %v; want %+v, %v", got, ok, tt.want, tt.ok)
			}
		})
	}
}

func TestBar(t *testing.T) {
	half := transfer{"propagate", 16 << 20, 32 << 20}
	tests := []struct {
		name string
		took time.Duration
		want string
	}{
		{"too early for a rate", 0, "propagate [##########----------] 50 %, 16.0 of 32.0 MB"},
		{"with a rate", 2 * time.Second,
			"propagate [##########----------] 50 %, 16.0 of 32.0 MB, 8.0 MB/s, 2s left"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := bar(half, tt.took); got != tt.want {
				t.Errorf("bar = %q, want %q", got, tt.want)
			}
		})
	}
}

// Without a terminal each tenth is told of once.
func TestProgressInLines(t *testing.T) {
	var notes bytes.Buffer
	p := &progress{
		app:   &app{printer: &printer{form: "table"}, err: &notes},
		began: map[string]time.Time{}, told: map[string]int{},
	}
	for _, done := range []int64{0, 5, 9, 31, 32, 100} {
		p.see("7", transfer{"propagate", done << 20, 100 << 20}, time.Unix(done, 0))
	}
	want := "\"Workspace #7\" propagate: 0 %, 0.0 of 100.0 MB\n" +
		"\"Workspace #7\" propagate: 31 %, 31.0 of 100.0 MB\n" +
		"\"Workspace #7\" propagate: 100 %, 100.0 of 100.0 MB\n"
	if got := notes.String(); got != want {
		t.Errorf("told %q, want %q", got, want)
	}
}

func TestFit(t *testing.T) {
	tests := []struct {
		name, line string
		columns    int
		want       string
	}{
		{"room enough", "abc", 4, "abc"},
		{"the last column would wrap", "abcd", 4, "abc"},
		{"characters, not bytes", "äöüß", 4, "äöü"},
		{"no terminal", "abcd", 0, "abcd"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := fit(tt.line, tt.columns); got != tt.want {
				t.Errorf("fit = %q, want %q", got, tt.want)
			}
		})
	}
}
