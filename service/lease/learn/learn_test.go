package learn

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// plain has no margin.
var plain = Policy{
	Times: map[What]time.Duration{Boot: 30 * time.Second, Shutdown: 10 * time.Second},
	Rates: map[What]int64{Suspend: 50, Resume: 100},
}

func everything(workspace.HostID) bool { return true }

// again does something so many times.
func again(times int, do func()) {
	for range times {
		do()
	}
}

func TestNothingLearned(t *testing.T) {
	wide := plain
	wide.Margin = 20
	for _, tt := range []struct {
		policy Policy
		what   What
		want   time.Duration
		rate   int64
	}{
		{plain, Boot, 30 * time.Second, 0},
		{wide, Boot, 36 * time.Second, 0},
		{plain, Suspend, 20 * time.Second, 50},
		{wide, Suspend, 24 * time.Second, 41},
		{plain, Resume, 10 * time.Second, 100},
		{wide, Migrate, 0, 0},
	} {
		times := New(tt.policy)
		if got := times.Expect(tt.what, "h", 1000); got != tt.want {
			t.Errorf("%s takes %v, want %v", tt.what, got, tt.want)
		}
		if got := times.Rate(tt.what, "h"); tt.what.rated() && got != tt.rate {
			t.Errorf("%s has rate %d, want %d", tt.what, got, tt.rate)
		}
	}
}

// TestTheNearestIsBelieved: the host's own guests of the size come first, then
// all of the host's, then those of the size anywhere, then all.
func TestTheNearestIsBelieved(t *testing.T) {
	times := New(plain)
	near := func(what What, host workspace.HostID, size int64, want time.Duration) {
		t.Helper()
		got := times.Expect(what, host, size)
		if got < want || got > want+want/2 {
			t.Errorf("%s of %d MB on %q takes %v, want %v or little more",
				what, size, host, got, want)
		}
	}
	again(2, func() { times.Observe(Boot, "slow", 512, time.Minute) })
	near(Boot, "slow", 512, 30*time.Second) // twice is not enough
	again(30, func() { times.Observe(Boot, "slow", 512, time.Minute) })
	near(Boot, "slow", 512, time.Minute)
	near(Boot, "slow", 700, time.Minute)
	near(Boot, "slow", 64, time.Minute)
	near(Boot, "other", 512, time.Minute)
	again(30, func() { times.Observe(Boot, "slow", 8192, 4*time.Minute) })
	near(Boot, "slow", 8000, 4*time.Minute)
	near(Boot, "slow", 512, time.Minute)
	again(30, func() { times.Observe(Boot, "fast", 512, time.Second) })
	near(Boot, "fast", 512, time.Second)
	near(Boot, "fast", 8192, time.Second)
	near(Boot, "other", 8192, 4*time.Minute)
	near(Shutdown, "slow", 512, 10*time.Second)
	again(30, func() { times.Observe(Suspend, "slow", 1000, 100*time.Second) })
	near(Suspend, "slow", 4000, 400*time.Second)
	if rate := times.Rate(Suspend, "slow"); rate < 7 || rate > 10 {
		t.Errorf("the rate of the slow one is %d MB/s, want 10 or little less", rate)
	}
}

// TestNotBelieved tells what cannot be.
func TestNotBelieved(t *testing.T) {
	times := New(plain)
	again(9, func() { times.Observe(Boot, "h", 512, -time.Second) })
	again(9, func() { times.Observe(Boot, "h", 512, 25*time.Hour) })
	again(9, func() { times.Observe(Suspend, "h", 0, time.Second) })
	if times.Fresh() || times.Expect(Boot, "h", 512) != 30*time.Second {
		t.Error("something was learned of it")
	}
}

// TestFewAreLate draws times that vary, as real ones do: those planned with are
// rarely passed, and are not many times what is usual. After a change of the
// machines they are soon right again.
func TestFewAreLate(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	times := New(plain)
	for _, usual := range []time.Duration{20 * time.Second, 50 * time.Second, 5 * time.Second} {
		late, sum := 0, time.Duration(0)
		const warm, draws = 40, 4000
		for i := range warm + draws {
			took := time.Duration(float64(usual) * math.Exp(0.25*random.NormFloat64()))
			if expected := times.Expect(Boot, "h", 512); i >= warm {
				sum += expected
				if took > expected {
					late++
				}
			}
			times.Observe(Boot, "h", 512, took)
		}
		if late > draws*4/100 {
			t.Errorf("of %d boots that take %v %d were late", draws, usual, late)
		}
		if mean := sum / draws; mean > 2*usual {
			t.Errorf("boots that take %v were planned with %v", usual, mean)
		}
	}
}

// TestEncodeAndDecode: what is written is read, and says the same.
func TestEncodeAndDecode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		times := New(plain)
		for range rapid.IntRange(0, 50).Draw(t, "observations") {
			times.Observe(rapid.SampledFrom([]What{Boot, Suspend, Migrate}).Draw(t, "what"),
				rapid.SampledFrom([]workspace.HostID{"a", "b", "gone"}).Draw(t, "host"),
				rapid.Int64Range(0, 1<<20).Draw(t, "size"),
				time.Duration(rapid.Int64Range(-1, int64(longest)+1).Draw(t, "took")))
		}
		data := times.Encode(func(h workspace.HostID) bool { return h != "gone" })
		second := New(plain)
		if err := second.Decode(data); err != nil || second.Fresh() || times.Fresh() {
			t.Fatal(err)
		}
		if text := second.Encode(everything); !bytes.Equal(data, text) {
			t.Fatalf("written again it is\n%s, not\n%s", text, data)
		}
		for _, host := range []workspace.HostID{"a", "b", "unknown"} {
			for _, what := range []What{Boot, Shutdown, Suspend, Migrate} {
				got, want := second.Expect(what, host, 999), times.Expect(what, host, 999)
				if got != want || got < 0 {
					t.Fatalf("%s on %s takes %v, took %v before", what, host, got, want)
				}
			}
		}
	})
}

func TestDecodeRefuses(t *testing.T) {
	times := New(plain)
	again(5, func() { times.Observe(Boot, "h", 1, time.Second) })
	want := times.Expect(Boot, "h", 1)
	for _, text := range []string{
		"{", `[{"What":"boot","N":0}]`, `[{"What":"boot","N":1,"Dev":-1}]`} {
		if err := times.Decode([]byte(text)); workspace.KindOf(err) != workspace.Internal {
			t.Errorf("Decode(%q) = %v", text, err)
		}
	}
	if err := times.Decode(nil); err != nil || times.Expect(Boot, "h", 1) != want {
		t.Errorf("what was known is lost (%v)", err)
	}
}
