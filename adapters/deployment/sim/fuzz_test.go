package sim

import (
	"bytes"
	"slices"
	"testing"
)

// FuzzJournal reads journals that something spoilt. What is read and written
// again reads the same.
func FuzzJournal(f *testing.F) {
	f.Add([]byte("define host1 1 9f86d081884c7d65 64\nstart host1 1\n"))
	f.Add([]byte("state host1 1 ab 64 running 2 1\nundefine host1 1\nsta"))
	f.Add([]byte("define host1 1 ab 64 1 50 0 0\nresize host1 1 96 2 100 10 20\n"))
	f.Add([]byte("state host1 1 ab 64 1 50 0 0 running 2 1\n"))
	f.Add([]byte("define host1 1 ab 64 1 5 0 0\nmigrate host1 1 host2 ab 64 1 5 0 0 paused 2 1\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		records, whole, err := parseJournal(data)
		if err != nil {
			return
		}
		if whole > len(data) || (whole > 0 && data[whole-1] != '\n') {
			t.Fatalf("%d of %d bytes are whole lines", whole, len(data))
		}
		left := Replay(records)
		var lines []byte
		for at, h := range left {
			lines = appendRecord(lines, verbState, at, machineOf(h))
		}
		again, _, err := parseJournal(lines)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v\n%s", err, bytes.TrimSpace(lines))
		}
		for at, h := range Replay(again) {
			if h != historyOf(machineOf(left[at])) {
				t.Errorf("%v was %+v, is %+v", at, left[at], h)
			}
		}
	})
}

// FuzzScript reads fault scripts. Every rule that is taken stands on a line.
func FuzzScript(f *testing.F) {
	f.Add("* start delay=200ms # slow\nhost1 stop 7 nth=2 times=1 chance=0.5 fail=transient lost")
	f.Add("host2 * down\nhost2 watch hang")
	f.Fuzz(func(t *testing.T, text string) {
		rules, err := ParseScript(text)
		if err != nil {
			return
		}
		for _, r := range rules {
			if r.Op != "" && !slices.Contains(ops, r.Op) {
				t.Errorf("an unknown operation %q was taken", r.Op)
			}
		}
	})
}
