package sqlite

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"io"
	"slices"
	"time"

	sqlite3 "github.com/mattn/go-sqlite3"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// A query is one of the writer's statements.
type query int

// The writer's statements.
const (
	begin query = iota
	commit
	rollback
	putMeta
	putWorkspace
	deleteWorkspace
	putStanding
	deleteStanding
	putGroup
	deleteGroup
	putMember
	deleteMember
	putChange
	deleteChange
	putSubscription
	deleteSubscription
	putLast
	putPoint
	deletePoint
	putMessage
	deleteMessages
	putAnswer
	findAnswer
	purgeAnswers
	putUsed
	putBooking
	deleteBooking
	putMode
	deleteMode
	putHold
	deleteHold
	putHost
	deleteHost
	putLearned
	putImage
	deleteImage
	putAccount
	deleteAccount
	queries // how many there are
)

// texts are the statements' SQL.
var texts = [queries]string{
	begin:    `BEGIN IMMEDIATE`,
	commit:   `COMMIT`,
	rollback: `ROLLBACK`,
	putMeta: `UPDATE meta SET last_workspace = ?, last_change = ?, last_message = ?
		WHERE id = 1`,
	putWorkspace: `REPLACE INTO workspace (id, owner, group_id, created, initial, spec)
		VALUES (?, ?, ?, ?, ?, ?)`,
	deleteWorkspace: `DELETE FROM workspace WHERE id = ?`,
	putStanding: `REPLACE INTO standing (workspace, host, state, fault, released, version,
		changed, lease_start, lease_duration, lease_grace, lease_warn, mechanism, save_to, expired,
		booking, parked, memory, cpus, cpus_given, cpu_percent, disk, net_in, net_out)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
	deleteStanding: `DELETE FROM standing WHERE workspace = ?`,
	putGroup:       `REPLACE INTO workspace_group (id, owner) VALUES (?, ?)`,
	deleteGroup:    `DELETE FROM workspace_group WHERE id = ?`,
	putMember:      `REPLACE INTO member (group_id, workspace) VALUES (?, ?)`,
	deleteMember:   `DELETE FROM member WHERE group_id = ? AND workspace = ?`,
	putChange: `REPLACE INTO change (id, kind, workspace, status, step, attempt,
		not_before, argument, fault, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
	deleteChange: `DELETE FROM change WHERE id = ?`,
	putSubscription: `REPLACE INTO subscription (id, workspace, owner, topics, format,
		expression, filter, consumer, address, pull_point, use_notify, paused, paused_why,
		failing, last, expires, created)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
	deleteSubscription: `DELETE FROM subscription WHERE id = ?`,
	putLast:            `UPDATE subscription SET last = ? WHERE id = ?`,
	putPoint: `REPLACE INTO pull_point (id, owner, created, expires, dropped)
		VALUES (?, ?, ?, ?, ?)`,
	deletePoint: `DELETE FROM pull_point WHERE id = ?`,
	putMessage: `REPLACE INTO outbox (seq, number, subscription, workspace, topic, state,
		fault, at, lease, lease_end) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
	deleteMessages: `DELETE FROM outbox WHERE seq BETWEEN ? AND ?`,
	putAnswer: `REPLACE INTO answered (request, workspaces, group_id, at, digest)
		VALUES (?, ?, ?, ?, ?)`,
	findAnswer:   `SELECT workspaces, group_id, at, digest FROM answered WHERE request = ?`,
	purgeAnswers: `DELETE FROM answered WHERE at < ?`,
	putUsed:      `REPLACE INTO used (owner, duration) VALUES (?, ?)`,

	putBooking:    `REPLACE INTO booking (id, booking) VALUES (?, ?)`,
	deleteBooking: `DELETE FROM booking WHERE id = ?`,
	putMode:       `REPLACE INTO host_mode (host, mode) VALUES (?, ?)`,
	deleteMode:    `DELETE FROM host_mode WHERE host = ?`,
	putHold:       `REPLACE INTO hold (hold, data) VALUES (?, ?)`,
	deleteHold:    `DELETE FROM hold WHERE hold = ?`,
	putHost:       `REPLACE INTO host (host, record) VALUES (?, ?)`,
	deleteHost:    `DELETE FROM host WHERE host = ?`,
	putAccount:    `REPLACE INTO account (owner, cpu_time, at) VALUES (?, ?, ?)`,
	deleteAccount: `DELETE FROM account WHERE owner = ?`,
	putLearned:    `REPLACE INTO learned (id, data) VALUES (1, ?)`,
	putImage: `REPLACE INTO library_image (owner, name, version, image)
		VALUES (?, ?, ?, ?)`,
	deleteImage: `DELETE FROM library_image WHERE owner = ? AND name = ? AND version = ?`,
}

// A statement is a prepared query with room for its arguments.
type statement struct {
	stmt *sqlite3.SQLiteStmt
	args []driver.NamedValue
}

// rows writes the record's rows through the driver itself: database/sql would
// cost as much again as SQLite does.
type rows struct {
	conn     *sqlite3.SQLiteConn
	prepared [queries]statement
}

// prepare prepares the statements.
func prepare(conn *sqlite3.SQLiteConn) (*rows, error) {
	r := &rows{conn: conn}
	for q, text := range texts {
		stmt, err := conn.Prepare(text)
		if err != nil {
			r.close()
			return nil, err
		}
		s := statement{stmt: stmt.(*sqlite3.SQLiteStmt)}
		for i := range stmt.NumInput() {
			s.args = append(s.args, driver.NamedValue{Ordinal: i + 1})
		}
		r.prepared[q] = s
	}
	return r, nil
}

// close gives the statements back.
func (r *rows) close() {
	for _, s := range r.prepared {
		if s.stmt != nil {
			s.stmt.Close()
		}
	}
}

// bind returns the statement and its arguments filled in.
func (r *rows) bind(q query, values []driver.Value) (*sqlite3.SQLiteStmt, []driver.NamedValue) {
	s := &r.prepared[q]
	for i, v := range values {
		s.args[i].Value = v
	}
	return s.stmt, s.args
}

// run runs a statement that returns no rows.
func (r *rows) run(q query, values ...driver.Value) error {
	stmt, args := r.bind(q, values)
	_, err := stmt.ExecContext(context.Background(), args)
	return err
}

// abort ends the transaction, if SQLite has not done so itself.
func (r *rows) abort() error {
	if r.conn.AutoCommit() {
		return nil
	}
	return r.run(rollback)
}

// answer looks among the committed answers.
func (r *rows) answer(key requestKey) (workspace.Answer, bool, error) {
	stmt, args := r.bind(findAnswer, []driver.Value{key[:]})
	found, err := stmt.QueryContext(context.Background(), args)
	if err != nil {
		return workspace.Answer{}, false, err
	}
	defer found.Close()
	row := make([]driver.Value, 4)
	if err := found.Next(row); err == io.EOF {
		return workspace.Answer{}, false, nil
	} else if err != nil {
		return workspace.Answer{}, false, err
	}
	var a workspace.Answer
	if err := json.Unmarshal([]byte(row[0].(string)), &a.Workspaces); err != nil {
		return workspace.Answer{}, false, err
	}
	a.Group, a.At = workspace.GroupID(row[1].(string)), timeOf(row[2].(int64))
	a.Digest = row[3].(string)
	return a, true, nil
}

// millis returns the time as it is stored.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// timeOf returns the time that was stored.
func timeOf(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// A writer of rows writes what a batch changes of one table.
type rowWriter func(*state) error

// apply writes all that the batch changes, and removes the messages sent.
func (r *rows) apply(s *state, owed debts) error {
	for _, write := range []rowWriter{r.workspaces, r.groups, r.changes, r.points,
		r.subscriptions, r.messages, r.numbers, r.answers, r.usage, r.bookings, r.modes, r.hosts,
		r.holds, r.learned, r.images, r.accounts} {
		if err := write(s); err != nil {
			return err
		}
	}
	if err := r.sent(s, owed); err != nil {
		return err
	}
	return r.run(putMeta, int64(s.last.workspace), int64(s.last.change), s.last.message)
}

// fixed is what never changes of a workspace and has no column, as JSON. What it
// demands can change: standing has it, and this what it was made with.
type fixed struct {
	Spec   workspace.Spec
	Demand demand
	NICs   []workspace.NIC
}

// A demand is a workspace.Allocation as it is stored. What older records do not
// know is left out where it is not used.
type demand struct {
	MemoryMB     int64
	CPUs         int64
	CPUPercent   int64
	DiskMB       int64 `json:",omitzero"`
	NetInKbps    int64 `json:",omitzero"`
	NetOutKbps   int64 `json:",omitzero"`
	Architecture string
	CPUsGiven    bool
}

func (r *rows) workspaces(s *state) error {
	for id, e := range s.workspaces.batch {
		_, known := s.workspaces.base[id]
		var err error
		switch {
		case e.there && known && slices.Equal(e.value.NICs, s.workspaces.base[id].NICs):
			err = r.standing(e.value)
		case e.there:
			err = r.newWorkspace(e.value)
		case known:
			err = r.delete(int64(id), deleteWorkspace, deleteStanding)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *rows) newWorkspace(w *workspace.Workspace) error {
	spec, err := json.Marshal(fixed{w.Spec, demand(w.Demand), w.NICs})
	if err != nil {
		return err
	}
	err = r.run(putWorkspace, int64(w.ID), string(w.Owner), string(w.Group),
		millis(w.Created), w.Initial.String(), string(spec))
	if err != nil {
		return err
	}
	return r.standing(w)
}

func (r *rows) standing(w *workspace.Workspace) error {
	return r.run(putStanding, int64(w.ID), string(w.Host), w.State.String(), w.Fault,
		w.Released, w.Version, millis(w.Changed), millis(w.Lease.Start),
		int64(w.Lease.Duration), int64(w.Lease.Grace), int64(w.Lease.Warn),
		string(w.Lease.Mechanism), w.Lease.SaveTo, w.Expired, int64(w.Booking), w.Parked,
		w.Demand.MemoryMB, w.Demand.CPUs, w.Demand.CPUsGiven, w.Demand.CPUPercent,
		w.Demand.DiskMB, w.Demand.NetInKbps, w.Demand.NetOutKbps)
}

// delete runs statements that each delete the row of one key.
func (r *rows) delete(key driver.Value, queries ...query) error {
	for _, q := range queries {
		if err := r.run(q, key); err != nil {
			return err
		}
	}
	return nil
}

func (r *rows) groups(s *state) error {
	for id, e := range s.groups.batch {
		was := s.groups.base[id]
		var old, now []workspace.ID
		var err error
		if was != nil {
			old = was.Members
		}
		if e.there {
			now = e.value.Members
		}
		switch {
		case e.there && (was == nil || was.Owner != e.value.Owner):
			err = r.run(putGroup, string(id), string(e.value.Owner))
		case !e.there && was != nil:
			err = r.run(deleteGroup, string(id))
		}
		if err == nil {
			err = r.members(id, old, now)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// members writes the difference of two rising lists of members.
func (r *rows) members(id workspace.GroupID, old, now []workspace.ID) error {
	for _, m := range old {
		if _, stays := slices.BinarySearch(now, m); stays {
			continue
		}
		if err := r.run(deleteMember, string(id), int64(m)); err != nil {
			return err
		}
	}
	for _, m := range now {
		if _, known := slices.BinarySearch(old, m); known {
			continue
		}
		if err := r.run(putMember, string(id), int64(m)); err != nil {
			return err
		}
	}
	return nil
}
