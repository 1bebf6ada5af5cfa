package fairshare

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/philoxenia/philoxenia/service/workspace"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func TestLeft(t *testing.T) {
	day := 24 * time.Hour
	for _, tt := range []struct {
		name           string
		halfLife, used time.Duration
		passed, want   time.Duration
	}{
		{"at once", day, time.Hour, 0, time.Hour},
		{"a half-life", day, time.Hour, day, 30 * time.Minute},
		{"three", day, 8 * time.Hour, 3 * day, time.Hour},
		{"forgotten", day, time.Hour, 99 * day, 0},
		{"for ever", 0, time.Hour, 99 * day, time.Hour},
		{"of the future", day, time.Hour, -day, time.Hour},
		{"less than nothing", day, -time.Hour, day, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := Policy{HalfLife: tt.halfLife}
			if got := p.Left(Usage{tt.used, noon}, noon.Add(tt.passed)); got != tt.want {
				t.Errorf("Left = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestAddKeepsWhatIsToldLate(t *testing.T) {
	p := Policy{HalfLife: time.Hour}
	u := p.Add(Usage{}, time.Hour, noon)
	u = p.Add(u, time.Hour, noon.Add(-time.Hour))
	if u != (Usage{2 * time.Hour, noon}) {
		t.Errorf("the usage is %v", u)
	}
	if u = p.Add(u, math.MaxInt64, noon); u.Amount != math.MaxInt64 {
		t.Errorf("the usage is %v", u)
	}
}

// TestAddInPieces: what is used in pieces decays as if it had been told piece
// by piece or all with the last one, each from its own time on.
func TestAddInPieces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		minutes := time.Duration(rapid.IntRange(1, 1000).Draw(t, "half-life"))
		p := Policy{HalfLife: minutes * time.Minute}
		var u Usage
		var want float64
		at, end := noon, noon.Add(24*time.Hour)
		for range rapid.IntRange(1, 20).Draw(t, "pieces") {
			at = at.Add(time.Duration(rapid.IntRange(0, 60).Draw(t, "pause")) * time.Minute)
			more := time.Duration(rapid.IntRange(0, 1e6).Draw(t, "more")) * time.Millisecond
			u = p.Add(u, more, at)
			want += float64(more) * math.Pow(2, -float64(end.Sub(at))/float64(p.HalfLife))
		}
		if got := p.Left(u, end); math.Abs(float64(got)-want) > 1000 { // nanoseconds
			t.Fatalf("%v is left, want %v", got, time.Duration(want))
		}
	})
}

func TestBehind(t *testing.T) {
	p := Policy{Weight: 8 * time.Hour, Share: func(o workspace.Owner) int64 {
		return map[workspace.Owner]int64{"big": 3, "small": 1, "none": 0}[o]
	}}
	for _, tt := range []struct {
		name string
		used map[workspace.Owner]time.Duration
		want map[workspace.Owner]time.Duration
	}{
		{"nobody", nil, nil},
		{"just their shares", map[workspace.Owner]time.Duration{"big": 3, "small": 1},
			map[workspace.Owner]time.Duration{"big": 4 * time.Hour, "small": 4 * time.Hour}},
		{"one alone", map[workspace.Owner]time.Duration{"small": 1},
			map[workspace.Owner]time.Duration{"small": 4 * time.Hour}},
		{"twice its share", map[workspace.Owner]time.Duration{"none": 1, "small": 0},
			map[workspace.Owner]time.Duration{"none": 6 * time.Hour}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := p.Behind(tt.used)
			if len(got) != len(tt.want) {
				t.Fatalf("Behind = %v, want %v", got, tt.want)
			}
			for owner, d := range tt.want {
				if got[owner] != d {
					t.Errorf("%s stands %v behind, want %v", owner, got[owner], d)
				}
			}
		})
	}
}

// TestBehindIsFair: who used more of equal shares stands further back, who
// deserves more less far, and nobody as far as Weight.
func TestBehindIsFair(t *testing.T) {
	owners := []workspace.Owner{"a", "b", "c", "d"}
	rapid.Check(t, func(t *rapid.T) {
		shares, used := map[workspace.Owner]int64{}, map[workspace.Owner]time.Duration{}
		for _, o := range owners {
			shares[o] = rapid.Int64Range(1, 9).Draw(t, "share")
			used[o] = time.Duration(rapid.Int64Range(0, 1<<40).Draw(t, "used"))
		}
		p := Policy{Weight: 24 * time.Hour,
			Share: func(o workspace.Owner) int64 { return shares[o] }}
		behind := p.Behind(used)
		for _, a := range owners {
			if behind[a] < 0 || behind[a] > p.Weight {
				t.Fatalf("%s stands %v behind", a, behind[a])
			}
			for _, b := range owners {
				more := float64(used[a])/float64(shares[a]) >= float64(used[b])/float64(shares[b])
				if more && behind[a] < behind[b]-time.Second {
					t.Fatalf("%s used more than %s for its share, but stands %v behind, not %v",
						a, b, behind[a], behind[b])
				}
			}
		}
	})
}
