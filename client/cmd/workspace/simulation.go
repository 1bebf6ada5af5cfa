package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/philoxenia/philoxenia/service/simulate"
)

// A simulationView is what a simulation measured, as it is shown.
type simulationView struct {
	simulate.Measures
	gantt string // for people alone; empty: not asked for
}

// names returns the workload's name.
func (v simulationView) names() []string { return []string{v.Workload} }

// write prints the measures.
func (v simulationView) write(w io.Writer, _ *printer) error {
	var b strings.Builder
	row(&b, "Workload", v.Workload)
	row(&b, "Hosts", fmt.Sprint(v.Hosts))
	row(&b, "Leases", fmt.Sprint(v.Leases))
	for _, kind := range slices.Sorted(maps.Keys(v.Kinds)) {
		t := v.Kinds[kind]
		row(&b, kind, fmt.Sprintf("%d asked for, %d refused, %d done", t.Asked, t.Refused,
			t.Done))
	}
	for _, reason := range slices.Sorted(maps.Keys(v.Refusals)) {
		row(&b, "refused", fmt.Sprintf("%d: %s", v.Refusals[reason], reason))
	}
	if v.Broken+v.Skipped > 0 {
		row(&b, "Left out", fmt.Sprintf("%d broken lines, %d jobs that never ran", v.Broken,
			v.Skipped))
	}
	row(&b, "Over after", fmt.Sprintf("%.0f s (%s)", v.Makespan, ofSeconds(v.Makespan)))
	row(&b, "Best effort over", fmt.Sprintf("%.0f s (%s)", v.AllBestEffort,
		ofSeconds(v.AllBestEffort)))
	row(&b, "Utilisation", fmt.Sprintf("%.1f %%, useful %.1f %%", 100*v.Utilisation,
		100*v.Useful))
	row(&b, "Wait", v.spread(v.Wait, "%.0f s"))
	row(&b, "Bounded slowdown", v.spread(v.Slowdown, "%.2f"))
	row(&b, "by the time asked for", v.spread(v.SlowdownAsked, "%.2f"))
	row(&b, "Reservations on time", fmt.Sprintf("%.2f %%, at worst %g s late",
		100*v.Punctuality, v.Late))
	row(&b, "and ran", fmt.Sprintf("%.2f %% of what they asked for", 100*v.Granted))
	if v.Transfers+v.TransfersSaved > 0 {
		row(&b, "Image transfers", fmt.Sprintf(
			"%d of %.0f GB, %d saved, the repository's link used to %.1f %%", v.Transfers,
			v.TransferredGB, v.TransfersSaved, 100*v.LinkUse))
	}
	row(&b, "Preemptions", fmt.Sprintf(
		"%d suspensions (%d migrated), %d kills (%.1f node hours lost)",
		v.Suspensions, v.Migrations, v.Kills, v.LostHours))
	if v.gantt != "" {
		b.WriteString("\n" + v.gantt)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// spread writes how values are spread, each in the format.
func (simulationView) spread(s simulate.Spread, format string) string {
	return fmt.Sprintf("mean "+format+", median "+format+", 95th percentile "+format+
		", longest "+format, s.Mean, s.P50, s.P95, s.Max)
}

// ofSeconds writes a length of time for people.
func ofSeconds(s float64) string { return span(time.Duration(s * float64(time.Second))) }
