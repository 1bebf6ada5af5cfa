package notify

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/philoxenia/philoxenia/client"
	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/wsn"
)

// numbered is a message with a number; what it says follows from text.
func numbered(n int64, text string) client.Notification {
	return client.Notification{
		Producer: seven, Number: n, State: &client.State{Name: client.Running, Fault: text},
	}
}

// told returns what a translator makes of messages that came together, as the
// texts, and "?" where some are missing.
func told(t *testing.T, tr translator, all ...client.Notification) string {
	t.Helper()
	events, err := tr.translate("way", all)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, e := range events {
		if e.Source == Missed {
			b.WriteString("?")
			continue
		}
		b.WriteString(e.Fault)
	}
	return b.String()
}

func TestNumbersTellWhatIsMissing(t *testing.T) {
	type messages []client.Notification
	tests := []struct {
		name string
		come []messages
		want string
	}{
		{"in order", []messages{{numbered(1, "a")}, {numbered(2, "b"), numbered(3, "c")}}, "abc"},
		{"without numbers", []messages{{numbered(0, "a")}, {numbered(0, "a")}}, "aa"},
		{"the first is missing", []messages{{numbered(2, "b")}}, "?b"},
		{"a gap", []messages{{numbered(1, "a")}, {numbered(4, "d")}, {numbered(5, "e")}}, "a?de"},
		{"a repeat", []messages{{numbered(1, "a")}, {numbered(1, "a")}, {numbered(2, "b")}}, "ab"},
		{"a repeat with more behind it",
			[]messages{{numbered(1, "a"), numbered(2, "b")},
				{numbered(1, "a"), numbered(2, "b"), numbered(3, "c")}}, "abc"},
		{"numbers that begin anew",
			[]messages{{numbered(1, "a")}, {numbered(2, "b")}, {numbered(1, "x")},
				{numbered(2, "y")}}, "ab?xy"},
		{"numbers that begin anew within a gap's reach",
			[]messages{{numbered(300, "a")}, {numbered(1, "a")}}, "?a?a"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tr, got := translator{}, ""
			for _, m := range test.come {
				got += told(t, tr, m...)
			}
			if got != test.want {
				t.Errorf("told %q, expected %q", got, test.want)
			}
		})
	}
}

func TestSubscriptionsAreCountedApart(t *testing.T) {
	tr := translator{}
	of := func(key string, n int64) client.Notification {
		m := numbered(n, key)
		m.Subscription = wsa.NewEPR("http://h/ws/SubscriptionManager", wsn.SubscriptionKey, key)
		return m
	}
	got := told(t, tr, of("a", 1), of("b", 1), of("a", 2), of("b", 3), numbered(1, "c"))
	if got != "aba?bc" {
		t.Errorf("told %q", got)
	}
}

func TestAMessageAboutNothingIsRefusedWhole(t *testing.T) {
	tr := translator{}
	if _, err := tr.translate("way", []client.Notification{numbered(1, "a"), {}}); err == nil {
		t.Error("a message about nothing was taken")
	}
	if got := told(t, tr, numbered(1, "a")); got != "a" {
		t.Errorf("what came with it and comes again is told as %q", got)
	}
}

// TestNothingIsLostUnseen sends the messages of a subscription with losses and
// repeats as a delivery at least once has them: every message is told once, or
// stands behind a mark.
func TestNothingIsLostUnseen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tr, seen, marked := translator{}, map[int64]bool{}, false
		last, lost := int64(0), int64(0)
		for next := int64(1); next <= 40; {
			if rapid.IntRange(0, 9).Draw(t, "some are lost") == 0 {
				next += rapid.Int64Range(1, 3).Draw(t, "so many")
				lost = next - 1 // what is lost comes no more
			}
			first := max(next-rapid.Int64Range(0, 3).Draw(t, "repeated"), lost+1)
			var batch []client.Notification
			for n := first; n <= next; n++ {
				batch = append(batch, numbered(n, fmt.Sprint(n)))
			}
			next++
			events, err := tr.translate("way", batch)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range events {
				if e.Source == Missed {
					marked = true
					continue
				}
				var n int64
				if _, err := fmt.Sscan(e.Fault, &n); err != nil || seen[n] {
					t.Fatalf("%q is told again: %v", e.Fault, err)
				}
				if n != last+1 && !marked {
					t.Fatalf("%d follows %d, and nothing says that some are missing", n, last)
				}
				seen[n], last, marked = true, n, false
			}
		}
	})
}

// TestLeasesAreToldOf turns messages about leases into events, repeats apart.
func TestLeasesAreToldOf(t *testing.T) {
	end := time.Date(2026, 11, 22, 18, 0, 0, 0, time.UTC)
	about := func(n int64, s report.Standing) client.Notification {
		return client.Notification{Producer: seven, Number: n, Standing: &s}
	}
	all := []client.Notification{
		about(1, report.Standing{Status: report.LeaseQueued}),
		about(2, report.Standing{Status: report.LeaseActive, End: end}),
		about(2, report.Standing{Status: report.LeaseActive, End: end}),
		about(3, report.Standing{End: end}),
	}
	events, err := translator{}.translate("way", all)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range events {
		if e.State != "" || e.Changed() {
			t.Errorf("%v is of the state", e)
		}
		got = append(got, fmt.Sprintf("%s %t", e.Lease, e.End.Equal(end)))
	}
	want := []string{"queued false", "active true", EndsSoon + " true"}
	if strings.Join(got, "; ") != strings.Join(want, "; ") {
		t.Errorf("told %q, expected %q", got, want)
	}
}
