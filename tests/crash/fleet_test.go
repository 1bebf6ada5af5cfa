package crash

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/tests/daemon"
)

// A fleet is the hosts between which clients move workspaces.
type fleet struct {
	hosts  []string          // those of the configuration
	guests map[string]string // those that come and go: what they are added as, by name
	free   int               // of hosts, so many from the first on are never drained
}

// A guest is one machine as its host has it.
type guest struct {
	condition workspace.Condition
	starts    int      // how often it was started from off, as the host counted
	host      string   // empty: not known
	snapshots []string // names
	past      []string // what befell it, for people; empty: not known
}

// names are those of all hosts, there or not.
func (f *fleet) names() []string {
	all := slices.Clone(f.hosts)
	for name := range f.guests {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// guest is the name of one that comes and goes.
func (f *fleet) guest(r *rand.Rand) string {
	all := f.names()
	all = slices.DeleteFunc(all, func(name string) bool { return f.guests[name] == "" })
	return all[r.IntN(len(all))]
}

// aboutHosts fills in an act that concerns hosts, and reports whether it is one. The
// ledger is locked.
func (c *client) aboutHosts(a *act) bool {
	f := c.style.fleet
	if f == nil {
		return false
	}
	all := f.names()
	a.values.Host = all[c.rand.IntN(len(all))]
	switch a.name {
	case "drain":
		a.message = daemon.Drain
		if slices.Contains(f.hosts[:f.free], a.values.Host) {
			a.message = daemon.Open
		}
	case "open":
		a.message = daemon.Open
	case "evacuate":
		a.message = daemon.Evacuate
		for _, t := range c.ledger.living {
			t.moves++
			t.story = append(t.story, fmt.Sprintf("%s evacuate %s: sent",
				time.Now().Format("05.000"), a.values.Host))
		}
	case "add host":
		a.message, a.values.Host = daemon.AddHost, f.guest(c.rand)
		a.values.Spec = f.guests[a.values.Host]
	case "remove host":
		a.message, a.values.Host = daemon.RemoveHost, f.guest(c.rand)
	default:
		a.values.Host = ""
		return false
	}
	return true
}

// migrate moves a workspace to a host, or to where the scheduler likes.
func (c *client) migrate(a *act, t *tenancy) {
	a.message, a.values.Cold = daemon.Migrate, a.name == "migrate still"
	if c.rand.IntN(4) > 0 {
		all := c.style.fleet.names()
		a.values.Host = all[c.rand.IntN(len(all))]
	}
	t.moves++
}

// snapshot does something about one of two snapshots, mostly to one that is there.
func (c *client) snapshot(a *act, t *tenancy) {
	name := []string{"one", "two"}[c.rand.IntN(2)]
	if all := keeping(t); len(all) > 0 && a.name != "snapshot" {
		name = all[c.rand.IntN(len(all))]
	}
	a.message, a.values.Name = daemon.Snapshot, name
	switch a.name {
	case "snapshot":
		a.values.Action = "create"
		t.snapshots[name] = t.snapshots[name] // known from now on
		a.answer = func([]byte) error { t.snapshots[name] = true; return nil }
	case "unsnap":
		a.values.Action = "delete"
		if _, known := t.snapshots[name]; known {
			t.snapshots[name] = false
		}
	default:
		a.values.Action = "revert"
		t.begins++
		t.halts++
	}
}

// keeping lists the snapshots that a workspace has for certain.
func keeping(t *tenancy) []string {
	all := slices.Sorted(maps.Keys(t.snapshots))
	return slices.DeleteFunc(all, func(name string) bool { return !t.snapshots[name] })
}

// kept holds the snapshots that a host has against what clients asked for.
func (b *books) kept(ctx context.Context, t *tenancy, g guest) (wrong []string) {
	for _, name := range g.snapshots {
		if _, known := t.snapshots[name]; !known {
			wrong = append(wrong, fmt.Sprintf("machine %s has a snapshot %q that nobody asked for",
				t.key, name))
		}
	}
	for name, must := range t.snapshots {
		if must && !slices.Contains(g.snapshots, name) {
			wrong = append(wrong, fmt.Sprintf("machine %s has lost its snapshot %q", t.key, name))
		}
	}
	if len(wrong) > 0 {
		wrong = append(wrong, b.life(ctx, t, g))
	}
	return wrong
}

// life tells all that is known of a workspace: what was asked of it, what its host did, and how
// its lease stands.
func (b *books) life(ctx context.Context, t *tenancy, g guest) string {
	var booking string
	err := b.db.QueryRowContext(ctx, `SELECT k.booking FROM booking k JOIN standing s
		ON s.booking = k.id WHERE s.workspace = ?`, t.key).Scan(&booking)
	return fmt.Sprintf("machine %s was asked %q; it is %s on %s after %q; its lease is %s (%v)",
		t.key, t.story, g.condition, g.host, g.past, booking, err)
}

// dissolve opens all hosts and removes those that come and go: when nothing is on them
// they can go.
func (f *fleet) dissolve(t *testing.T, c *daemon.Caller) {
	t.Helper()
	if f == nil {
		return
	}
	send := func(m daemon.Message, host string) {
		status, reply, err := c.Send(m, daemon.Values{Host: host})
		if err != nil || status != http.StatusOK &&
			!strings.Contains(string(reply), "Unknown") {
			t.Errorf("host %s: status %d, %v: %.600s", host, status, err, reply)
		}
	}
	for _, host := range f.hosts {
		send(daemon.Open, host)
	}
	for host := range f.guests {
		send(daemon.RemoveHost, host)
	}
}

// moves says which leases are on their way from host to host with nothing under way.
func (b *books) moves(ctx context.Context) (wrong []string, err error) {
	rs, err := b.db.QueryContext(ctx, `SELECT k.id, k.booking, (SELECT group_concat(
		s.workspace || ' ' || s.state || ' on ' || s.host || ', parked ' || s.parked, '; ')
		FROM standing s WHERE s.booking = k.id) FROM booking k
		WHERE k.booking ->> 'Leaving' IS NOT NULL`)
	if err != nil {
		return nil, err
	}
	defer rs.Close()
	for rs.Next() {
		var id int64
		var booking, members string
		if err := rs.Scan(&id, &booking, &members); err != nil {
			return nil, err
		}
		wrong = append(wrong, fmt.Sprintf("lease %d moves, and nothing moves it: %s (%s)", id,
			booking, members))
	}
	return wrong, rs.Err()
}
