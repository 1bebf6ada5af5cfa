package crash

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/adapters/deployment/sim"
)

// script slows the simulated hosts down a little, so that kills also meet
// tasks in the middle of their effect.
const script = `
* define   delay=3ms
* start    delay=15ms
* stop     delay=10ms
* reboot   delay=10ms
* undefine delay=3ms
`

func TestKillsAreSurvived(t *testing.T) {
	r := newRig(t, busy)
	file := r.write(t, "sim.script", script)
	r.options.Args = append(r.options.Args, "--sim-script", file)
	r.books.disks = []string{filepath.Join(r.options.Data, "disks")}
	r.books.spool = filepath.Join(r.options.Data, "spool")
	r.books.hosts = func() (map[string]guest, error) {
		return simulated(filepath.Join(r.options.Data, "sim"))
	}
	r.play(t, *killsFlag)
}

// simulated returns what the simulated hosts have, by their journal.
func simulated(dir string) (map[string]guest, error) {
	records, err := sim.ReadJournal(dir)
	if err != nil {
		return nil, err
	}
	past := map[string][]string{}
	for _, r := range records {
		key := r.Machine.String()
		past[key] = append(past[key], strings.TrimSpace(fmt.Sprintf("%s on %s %s %s", r.Verb,
			r.Host, r.To, r.Snapshots)))
	}
	all := map[string]guest{}
	for at, h := range sim.Replay(records) {
		key := at.Machine.String()
		if _, twice := all[key]; twice {
			return nil, fmt.Errorf("machine %s is on two hosts", key)
		}
		g := guest{condition: h.Condition, starts: h.Starts, host: string(at.Host),
			past: past[key]}
		for word := range strings.FieldsSeq(h.Snapshots) {
			name, _, _ := strings.Cut(word, ":")
			g.snapshots = append(g.snapshots, name)
		}
		all[key] = g
	}
	return all, nil
}
