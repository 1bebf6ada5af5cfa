package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/philoxenia/philoxenia/client/notify"
	"github.com/philoxenia/philoxenia/schema/report"
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
	began := time.Unix(0, 0)
	half := moving{transfer: transfer{"propagate", 16 << 20, 32 << 20}, began: began, seen: began}
	rated, joined := half, half
	rated.seen = began.Add(2 * time.Second)
	joined.seen, joined.from = rated.seen, 8<<20
	tests := []struct {
		name string
		all  []*moving
		want string
	}{
		{"nothing", nil, ""},
		{"too early for a rate", []*moving{&half},
			"propagate [##########----------] 50 %, 16.0 of 32.0 MB"},
		{"with a rate", []*moving{&rated},
			"propagate [##########----------] 50 %, 16.0 of 32.0 MB, 8.0 MB/s, 2s left"},
		{"what was there before is no speed", []*moving{&joined},
			"propagate [##########----------] 50 %, 16.0 of 32.0 MB, 4.0 MB/s, 4s left"},
		{"several", []*moving{&rated, &joined},
			"2 transfers [##########----------] 50 %, 32.0 of 64.0 MB, 12.0 MB/s, 3s left"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := bar(tt.all); got != tt.want {
				t.Errorf("bar = %q, want %q", got, tt.want)
			}
		})
	}
}

// Without a terminal a tenth is told of once, and a second apart from the one before.
func TestProgressInLines(t *testing.T) {
	var told []string
	p := &progress{
		wants: func(key string) bool { return key == "7" }, under: map[string]*moving{},
		say: func(key string, t transfer) { told = append(told, key+" "+t.line()) },
	}
	for at, done := range []int64{0, 5, 9, 31, 55, 81, 100} {
		now := time.Unix(0, 0).Add(time.Duration(at) * 400 * time.Millisecond)
		p.see("7", transfer{"propagate", done << 20, 100 << 20}, now)
		p.see("8", transfer{"propagate", done << 20, 100 << 20}, now)
	}
	p.see("7", transfer{"propagate", 1 << 20, 100 << 20}, time.Unix(9, 0)) // anew
	want := []string{
		"7 propagate: 0 %, 0.0 of 100.0 MB", "7 propagate: 31 %, 31.0 of 100.0 MB",
		"7 propagate: 100 %, 100.0 of 100.0 MB", "7 propagate: 1 %, 1.0 of 100.0 MB",
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
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

// The state in which images come may be told after the first that is told of them;
// the one after it ends the bar.
func TestBarOutlivesTheStateThatItBelongsTo(t *testing.T) {
	line := startActivity(nil, "", 0)
	p := &progress{line: line, wants: func(string) bool { return true },
		under: map[string]*moving{}}
	half := report.Transfer{Task: "propagate", Done: 1 << 20, Total: 2 << 20}
	p.heard(notify.Event{Workspace: "7", Transfer: &half}, false)
	p.heard(notify.Event{Workspace: "7", Was: "Unstaged", State: "Unpropagated"}, false)
	if line.bar == "" {
		t.Error("the bar is gone while the image comes")
	}
	p.heard(notify.Event{Workspace: "7", Was: "Unpropagated", State: "Propagated"}, true)
	if line.bar != "" || !p.asks.Load() {
		t.Errorf("the bar is %q after the image has come, asking: %v", line.bar, p.asks.Load())
	}
}
