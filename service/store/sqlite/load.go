package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// A loader reads the file into the record's committed rows.
type loader struct {
	conn  *sql.Conn
	state *state
}

// load reads everything.
func (l *loader) load(ctx context.Context) error {
	for _, read := range []func(context.Context) error{l.meta, l.workspaces, l.groups, l.members,
		l.changes, l.points, l.subscriptions, l.outbox, l.used, l.bookings, l.modes, l.hosts,
		l.holds, l.learned, l.images, l.accounts} {
		if err := read(ctx); err != nil {
			return err
		}
	}
	return nil
}

// A scan reads the columns of one row.
type scan func(columns ...any) error

// each calls row for each row that the query returns.
func (l *loader) each(ctx context.Context, query string, row func(scan) error) error {
	found, err := l.conn.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer found.Close()
	for found.Next() {
		if err := row(found.Scan); err != nil {
			return err
		}
	}
	return found.Err()
}

// bad is the error for a row that makes no sense.
func bad(what string, key any, err error) error {
	return workspace.Errorf(workspace.Internal, "read the row of "+what, fmt.Sprint(key), "%w", err)
}

func (l *loader) meta(ctx context.Context) error {
	c := &l.state.last
	return l.each(ctx, `SELECT last_workspace, last_change, last_message FROM meta`,
		func(s scan) error { return s(&c.workspace, &c.change, &c.message) })
}

func (l *loader) workspaces(ctx context.Context) error {
	return l.each(ctx, `SELECT w.id, w.owner, w.group_id, w.created, w.initial, w.spec,
		s.host, s.state, s.fault, s.released, s.version, s.changed, s.lease_start,
		s.lease_duration, s.lease_grace, s.lease_warn, s.mechanism, s.save_to, s.expired,
		s.booking, s.parked, s.memory, s.cpus, s.cpus_given, s.cpu_percent, s.disk, s.net_in,
		s.net_out
		FROM workspace w LEFT JOIN standing s ON s.workspace = w.id ORDER BY w.id`,
		func(s scan) error {
			w, err := scanWorkspace(s)
			if err != nil {
				return bad("workspace", w.ID, err)
			}
			st := l.state
			st.workspaces.base[w.ID] = w
			st.current.add(w, 1)
			st.holdings.base[w.Owner] = st.holdings.base[w.Owner].with(w, 1)
			st.committed.add(w, 1)
			st.pools.add(w, 1)
			st.owners.shift(nil, w)
			return nil
		})
}

// scanWorkspace reads a workspace; with an error, as far as it could be read.
func scanWorkspace(s scan) (*workspace.Workspace, error) {
	w := new(workspace.Workspace)
	var spec []byte
	var d workspace.Allocation
	var initial, state string
	var created, changed, start int64
	err := s(&w.ID, &w.Owner, &w.Group, &created, &initial, &spec,
		&w.Host, &state, &w.Fault, &w.Released, &w.Version, &changed, &start,
		&w.Lease.Duration, &w.Lease.Grace, &w.Lease.Warn, &w.Lease.Mechanism, &w.Lease.SaveTo,
		&w.Expired, &w.Booking, &w.Parked, &d.MemoryMB, &d.CPUs, &d.CPUsGiven, &d.CPUPercent,
		&d.DiskMB, &d.NetInKbps, &d.NetOutKbps)
	if err != nil {
		return w, err
	}
	w.Created, w.Changed, w.Lease.Start = timeOf(created), timeOf(changed), timeOf(start)
	if w.Initial, err = parseState(initial); err != nil {
		return w, err
	}
	if w.State, err = parseState(state); err != nil {
		return w, err
	}
	var f fixed
	if err := json.Unmarshal(spec, &f); err != nil {
		return w, fmt.Errorf("its spec: %w", err)
	}
	d.Architecture = f.Demand.Architecture
	w.Spec, w.Demand, w.NICs = f.Spec, d, f.NICs
	return w, nil
}

// parseState reads a state as it is stored: an unset one, too.
func parseState(name string) (workspace.State, error) {
	if name == workspace.State(0).String() {
		return 0, nil
	}
	return workspace.ParseState(name)
}

func (l *loader) groups(ctx context.Context) error {
	return l.each(ctx, `SELECT id, owner FROM workspace_group`, func(s scan) error {
		g := new(workspace.Group)
		if err := s(&g.ID, &g.Owner); err != nil {
			return bad("group", g.ID, err)
		}
		l.state.groups.base[g.ID] = g
		return nil
	})
}

func (l *loader) members(ctx context.Context) error {
	return l.each(ctx, `SELECT group_id, workspace FROM member ORDER BY group_id, workspace`,
		func(s scan) error {
			var id workspace.GroupID
			var member workspace.ID
			if err := s(&id, &member); err != nil {
				return bad("a member of group", id, err)
			}
			g := l.state.groups.base[id]
			if g == nil {
				return bad("a member of group", id, errors.New("there is no such group"))
			}
			g.Members = append(g.Members, member)
			return nil
		})
}

func (l *loader) changes(ctx context.Context) error {
	return l.each(ctx, `SELECT id, kind, workspace, status, step, attempt, not_before,
		argument, fault, created FROM change ORDER BY id`, func(s scan) error {
		c := new(workspace.Change)
		var notBefore, created int64
		err := s(&c.ID, &c.Kind, &c.Workspace, &c.Status, &c.Step, &c.Attempt,
			&notBefore, &c.Argument, &c.Fault, &created)
		if err != nil {
			return bad("change", c.ID, err)
		}
		c.NotBefore, c.Created = timeOf(notBefore), timeOf(created)
		of := l.state.changesOf.base
		l.state.changes.base[c.ID] = c
		of[c.Workspace] = append(of[c.Workspace], c.ID)
		return nil
	})
}

func (l *loader) used(ctx context.Context) error {
	return l.each(ctx, `SELECT owner, duration FROM used`, func(s scan) error {
		var owner workspace.Owner
		var d time.Duration
		if err := s(&owner, &d); err != nil {
			return bad("the account of", owner, err)
		}
		l.state.used.base[owner] = d
		return nil
	})
}

// orphans returns the subscriptions of workspaces that are gone with nothing
// left to deliver.
func (s *state) orphans() []workspace.SubscriptionID {
	var ids []workspace.SubscriptionID
	for id, sub := range s.subscriptions.base {
		if sub.Workspace != 0 && s.workspaces.base[sub.Workspace] == nil && len(s.outbox[id]) == 0 {
			ids = append(ids, id)
		}
	}
	return ids
}
