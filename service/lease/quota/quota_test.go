package quota

import (
	"path"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/philoxenia/philoxenia/service/workspace"
)

func TestMatch(t *testing.T) {
	for _, tt := range []struct {
		pattern string
		owner   workspace.Owner
		want    bool
	}{
		{"/CN=Ada", "/CN=Ada", true},
		{"/CN=Ada", "/CN=Adam", false},
		{"/CN=Adam", "/CN=Ada", false},
		{"*", "/CN=Ada", true},
		{"*", "", true},
		{"/O=x/*", "/O=x/CN=Ada", true},
		{"/O=x/*", "/O=x", false},
		{"*/CN=Ada", "/O=x/CN=Ada", true},
		{"*/CN=Ada", "/O=x/CN=Ada Byron", false},
		{"/O=*/OU=y/*", "/O=x/OU=y/CN=Ada", true},
		{"/O=*/OU=y/*", "/O=x/OU=z/CN=Ada", false},
		{"a*a", "a", false},
		{"a*b*a", "aba", true},
		{"*ab*ab", "ab", false},
		{"/CN=[A]?", "/CN=[A]?", true},
		{"", "", true},
		{"", "x", false},
	} {
		if got := Match(tt.pattern, tt.owner); got != tt.want {
			t.Errorf("Match(%q, %q) = %v", tt.pattern, tt.owner, got)
		}
	}
}

// TestMatchIsThatOfPaths compares with the standard library's, whose * does
// not cross a slash: there is none here.
func TestMatchIsThatOfPaths(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringMatching(`[ab*]{0,8}`).Draw(t, "pattern")
		owner := rapid.StringMatching(`[ab]{0,10}`).Draw(t, "owner")
		want, err := path.Match(pattern, owner)
		if err != nil {
			t.Fatal(err)
		}
		if got := Match(pattern, workspace.Owner(owner)); got != want {
			t.Fatalf("Match(%q, %q) = %v", pattern, owner, got)
		}
	})
}

// A world is what owners hold.
type world map[workspace.Owner]Amounts

func (w world) Of(owner workspace.Owner) Amounts { return w[owner] }

func (w world) Like(pattern string) (sum Amounts) {
	for owner, a := range w {
		if Match(pattern, owner) {
			sum = sum.Plus(a)
		}
	}
	return sum
}

// held is what is held in these tests.
var held = world{
	"/O=x/CN=Ada": {2, 8, 1000, 60_000},
	"/O=x/CN=Bob": {1, 4, 500, 30_000},
	"/O=y/CN=Eve": {100, 100, 100_000},
}

func TestCheck(t *testing.T) {
	one := func(r Resource, most int64) []Limit { return []Limit{{r, most}} }
	for _, tt := range []struct {
		name  string
		rules []Rule
		more  Amounts
		want  string // of the breach; empty: none
	}{
		{"no rule", nil, Amounts{1000}, ""},
		{"room", []Rule{{"*", false, one(Workspaces, 3)}}, Amounts{1}, ""},
		{"none left", []Rule{{"*", false, one(Workspaces, 3)}}, Amounts{2},
			`for each of "*" allows 3 workspaces; held are 2 workspaces, ` +
				`asked for are 2 workspaces more`},
		{"together", []Rule{{"/O=x/*", true, one(CPUs, 16)}}, Amounts{0, 4}, ""},
		{"too much together", []Rule{{"/O=x/*", true, one(CPUs, 16)}}, Amounts{0, 5},
			`for all of "/O=x/*" allows 16 CPUs; held are 12 CPUs`},
		{"another's rule", []Rule{{"/O=y/*", true, one(CPUs, 0)}}, Amounts{0, 5}, ""},
		{"nothing allowed", []Rule{{"*", false, one(MemoryMB, 0)}}, Amounts{0, 0, 1},
			"allows 0 MB of memory; held are 1000 MB of memory"},
		{"nothing more of it", []Rule{{"*", false, one(Workspaces, 1)}}, Amounts{0, 5}, ""},
		{"less of it", []Rule{{"*", false, one(CPUs, 1)}}, Amounts{0, -3}, ""},
		{"the second rule", []Rule{{"*", false, one(CPUs, 99)}, {"*", false, one(CPUTime, 90_000)}},
			Amounts{1, 1, 1, 30_001}, "allows 1m30s of CPU time; held are 1m0s"},
		{"long run", []Rule{{"*", false, one(LongestRun, 5000)}}, Amounts{LongestRun: 5001},
			`for each of "*" allows 5s of running time, not 5.001s of running time`},
		{"runs do not add up", []Rule{{"*", true, one(LongestRun, 5000)}},
			Amounts{LongestRun: 5000}, ""},
		{"more than numbers hold", []Rule{{"*", true, one(CPUs, 16)}}, Amounts{CPUs: 1 << 62},
			"allows 16 CPUs"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := Check(tt.rules, "/O=x/CN=Ada", tt.more, held)
			switch {
			case b == nil && tt.want != "":
				t.Errorf("allowed, want %q", tt.want)
			case b != nil && (tt.want == "" || !strings.Contains(b.Error(), tt.want)):
				t.Errorf("Check = %q, want %q", b, tt.want)
			}
		})
	}
}

// TestCheckKeepsToTheLimits gives whatever Check allows, and finds no limit
// passed.
func TestCheckKeepsToTheLimits(t *testing.T) {
	owners := []workspace.Owner{"a", "ab", "b"}
	rapid.Check(t, func(t *rapid.T) {
		rules := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Rule {
			return Rule{rapid.SampledFrom([]string{"*", "a", "a*", "b"}).Draw(t, "pattern"),
				rapid.Bool().Draw(t, "together"),
				[]Limit{{Resource(rapid.IntRange(0, 3).Draw(t, "of")),
					rapid.Int64Range(0, 9).Draw(t, "most")}}}
		}), 1, 3).Draw(t, "rules")
		given := world{}
		for range rapid.IntRange(0, 20).Draw(t, "requests") {
			owner := rapid.SampledFrom(owners).Draw(t, "owner")
			var more Amounts
			for r := range CPUTime + 1 {
				more[r] = rapid.Int64Range(-1, 4).Draw(t, "more")
			}
			if Check(rules, owner, more, given) == nil {
				given[owner] = given[owner].Plus(more)
			}
		}
		for _, r := range rules {
			of, all := r.Limits[0], Amounts{}
			for owner, a := range given {
				if !Match(r.Pattern, owner) {
					continue
				}
				all = all.Plus(a)
				if !r.Together && a[of.Of] > of.Most {
					t.Fatalf("%s has %v in spite of %+v", owner, a, r)
				}
			}
			if r.Together && all[of.Of] > max(of.Most, 0) {
				t.Fatalf("together they have %v in spite of %+v", all, r)
			}
		}
	})
}
