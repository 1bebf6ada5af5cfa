package main

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestTableJudgesByTheMedian(t *testing.T) {
	tab := newTable("bare handler")
	cpu := goal{name: "cpu", unit: "ms", target: 0.8}
	rate := goal{name: "rate", unit: "/s", target: 1500, least: true}
	for _, v := range []float64{0.5, 9, 0.7} {
		tab.add(cpu, v)
		tab.add(rate, v*1000)
	}
	tab.addBare(cpu, 0.35)
	var out strings.Builder
	tab.print(&out)
	for _, want := range []string{"0.700", "9.00", "<= 0.800", "ok", "MISSED", ">= 1500", "2.00"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}

func TestBaselineComparesWhatIsAcceptedFirst(t *testing.T) {
	s := scene{table: newTable("Haizea 1.1")}
	if err := s.baseline(shape{8, 40, time.Second, .9}, 2); err != nil {
		t.Fatal(err)
	}
	accepted, cpu := s.table.figures[0], s.table.figures[1]
	if accepted.name != "reserve, 8 hosts, 40 leases, accepted" || accepted.verdict() != "ok" ||
		accepted.values[0] <= 0 || accepted.bare[0] != .9 {
		t.Errorf("accepted %+v", accepted)
	}
	if len(cpu.values) != 2 || cpu.values[0] <= 0 || cpu.target != 1000 || cpu.bare[0] != 1e6 {
		t.Errorf("CPU %+v", cpu)
	}
}

func TestBenchmarkLinesBecomeFigures(t *testing.T) {
	tab := newTable("bare handler")
	tab.enter(strings.Fields(
		"BenchmarkAgainstSCP/fetch-2 1 0 ns/op 1.75 ratio 1.5 ratio-min 1.8 ratio-max 3 x"))
	tab.enter(strings.Fields("PASS"))
	f := tab.byName["sftp/scp from a repository, by pairs"]
	if f == nil || !slices.Equal(f.values, []float64{1.75, 1.5, 1.8}) || f.verdict() != "ok" {
		t.Errorf("the ratio is %+v", f)
	}
}

// TestBareHandlerIsMeasured runs the whole way of a measurement against the
// bare handler, which is this test's own program again.
func TestBareHandlerIsMeasured(t *testing.T) {
	s := scene{dir: t.TempDir(), table: newTable("bare handler"), samples: &replies{}}
	for _, name := range []string{"create", "state", "state-two", "destroy"} {
		s.samples.keep(name, []byte("<reply/>"))
	}
	if err := bareRuns(t.Context(), options{runs: 1, reads: 40}, s); err != nil {
		t.Fatal(err)
	}
	if len(s.table.figures) != 12 {
		t.Errorf("%d figures, want 12", len(s.table.figures))
	}
}

func TestMain(m *testing.M) {
	if dir, ok := bareArgument(); ok {
		if err := serveBare(context.Background(), dir); err != nil {
			panic(err)
		}
		return
	}
	m.Run()
}

// bareArgument returns what follows -bare on the command line.
func bareArgument() (string, bool) {
	for i, arg := range os.Args {
		if arg == "-bare" && i+1 < len(os.Args) {
			return os.Args[i+1], true
		}
	}
	return "", false
}
