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

	"github.com/philoxenia/philoxenia/tests/daemon"
)

// A fleet is the hosts between which clients move workspaces.
type fleet struct {
	hosts  []string          // those of the configuration
	guests map[string]string // those that come and go: what they are added as, by name
	free   int               // of hosts, so many from the first on are never drained
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
		}
	case "add host":
		a.message, a.values.Host = daemon.AddHost, f.guest(c.rand)
		a.values.Spec = f.guests[a.values.Host]
	case "remove host":
		a.message, a.values.Host = daemon.RemoveHost, f.guest(c.rand)
	default:
		return false
	}
	return true
}

// migrate moves a workspace to a host, or to where the scheduler likes.
func (c *client) migrate(a *act, t *tenancy) {
	a.message, a.values.Cold = daemon.Migrate, a.name == "migrate still"
	if c.rand.IntN(4) == 0 {
		a.values.Host = ""
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
func (t *tenancy) kept(g guest) (wrong []string) {
	for _, name := range g.snapshots {
		if _, known := t.snapshots[name]; !known {
			wrong = append(wrong, fmt.Sprintf("machine %s has a snapshot %q that nobody asked "+
				"for: %q", t.key, name, t.story))
		}
	}
	for name, must := range t.snapshots {
		if must && !slices.Contains(g.snapshots, name) {
			wrong = append(wrong, fmt.Sprintf("machine %s has lost its snapshot %q: %q", t.key,
				name, t.story))
		}
	}
	return wrong
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
