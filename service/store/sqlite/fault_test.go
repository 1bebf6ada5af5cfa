package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	sqlite3 "github.com/mattn/go-sqlite3"

	"github.com/philoxenia/philoxenia/service/workspace"
)

var update = flag.Bool("update", false, "write the golden files anew")

// small is a pool of one host and two addresses.
func small(t *testing.T) Options {
	return Options{
		Path:   filepath.Join(t.TempDir(), "record.db"),
		Logger: slog.New(slog.DiscardHandler),
		Hosts:  []workspace.Host{{ID: "host00", Capacity: workspace.Capacity{CPUs: 9}}},
		Networks: []workspace.Network{{Name: "public", MACPrefix: "A2:AA:BB",
			Addresses: []workspace.Address{{IP: "10.0.0.1"}, {IP: "10.0.0.2"}}}},
	}
}

// fill writes one of everything into a fresh record and closes it.
func fill(t *testing.T, o Options) {
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	err = s.Update(t.Context(), func(tx workspace.Tx) error {
		w, err := sample(tx)
		if err != nil {
			return err
		}
		w.Spec.Kernel = workspace.Kernel{Image: "file://vmlinuz", Parameters: "ro"}
		w.Spec.Files = []workspace.File{{Path: "/etc/motd", Content: "<hello>"}}
		w.Spec.StageIn = &workspace.Transfer{Endpoint: "e", Source: "s", Destination: "d",
			Checksum: "c", ChecksumType: "t"}
		sub := &workspace.Subscription{ID: "s", Workspace: w.ID,
			Topics: []workspace.Topic{workspace.TopicState}}
		return errors.Join(tx.PutWorkspace(w), tx.PutSubscription(sub),
			tx.PutGroup(&workspace.Group{ID: "g", Members: []workspace.ID{w.ID}}),
			tx.Emit(workspace.Event{Workspace: w.ID, Topic: workspace.TopicState,
				State: workspace.Running}),
			tx.AddUsed("ada", time.Hour), tx.PutBooking(oneBooking()),
			tx.PutHostMode(workspace.HostMode{Host: "host00", Drained: true}),
			tx.PutHostRecord(oneHost()),
			tx.PutChange(&workspace.Change{ID: tx.NextChangeID(), Workspace: w.ID}))
	})
	if err = errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestCommitFailure lets the disk refuse: every update of the batch fails, and
// nothing of it is left in memory or in the file.
func TestCommitFailure(t *testing.T) {
	for _, test := range []struct {
		name       string
		spoil      func(*sqlite3.SQLiteConn) error
		mend       func(*sqlite3.SQLiteConn) error
		kind       workspace.Kind
		mentioning string
	}{
		{"disk full", pragma(`PRAGMA max_page_count = 1`), pragma(`PRAGMA max_page_count = 99999`),
			workspace.Unavailable, "full"},
		{"commit refused", hook(1), hook(0), workspace.Internal, "constraint"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var conn *sqlite3.SQLiteConn
			var log bytes.Buffer
			o := small(t)
			o.Logger = slog.New(slog.NewTextHandler(&log, nil))
			o.connected = func(c *sqlite3.SQLiteConn) { conn = c }
			o.OnChanges = func([]*workspace.Change) { t.Error("told of a change") }
			s, err := Open(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if err := test.spoil(conn); err != nil {
				t.Fatal(err)
			}
			failing(t, s, test.kind, test.mentioning)
			if err := test.mend(conn); err != nil {
				t.Fatal(err)
			}
			usable(t, s)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			for _, line := range []string{"cannot be written", "can be written again"} {
				if n := strings.Count(log.String(), line); n != 1 {
					t.Errorf("%q was logged %d times", line, n)
				}
			}
			if s, err = Open(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if all, _ := s.Workspaces(t.Context(), ""); len(all) != 2 {
				t.Errorf("%d workspaces after reopening, want 2", len(all))
			}
		})
	}
}

// pragma returns a function that sets a pragma.
func pragma(text string) func(*sqlite3.SQLiteConn) error {
	return func(c *sqlite3.SQLiteConn) error {
		_, err := c.Exec(text, nil)
		return err
	}
}

// hook returns a function that makes commits return the value.
func hook(value int) func(*sqlite3.SQLiteConn) error {
	return func(c *sqlite3.SQLiteConn) error {
		c.RegisterCommitHook(func() int { return value })
		return nil
	}
}

// failing runs several updates at a time that cannot be committed.
func failing(t *testing.T, s *Store, kind workspace.Kind, mentioning string) {
	var all sync.WaitGroup
	var undone, failed atomic.Int64
	for range 10 {
		all.Go(func() {
			err := s.Update(context.Background(), func(tx workspace.Tx) error {
				tx.OnUndone(func() { undone.Add(1) })
				w, err := sample(tx)
				if err != nil {
					return nil // both addresses are taken, by others of the batch
				}
				w.Spec.UserData = strings.Repeat("x", 1<<20)
				return errors.Join(tx.PutWorkspace(w), tx.AddUsed("ada", time.Hour),
					tx.PutChange(&workspace.Change{ID: tx.NextChangeID(), Workspace: w.ID}))
			})
			if err == nil {
				return
			}
			failed.Add(1)
			if workspace.KindOf(err) != kind || !strings.Contains(err.Error(), mentioning) {
				t.Errorf("error is %v, want kind %q and %q", err, kind, mentioning)
			}
		})
	}
	all.Wait()
	if undone.Load() != failed.Load() || failed.Load() == 0 {
		t.Errorf("%d updates failed, %d were told", failed.Load(), undone.Load())
	}
	if all, _ := s.Workspaces(t.Context(), ""); len(all) != 0 {
		t.Errorf("readers see %d workspaces that were not committed", len(all))
	}
	hosts, _ := s.Hosts(t.Context())
	if hosts[0].Used != (workspace.Capacity{}) {
		t.Errorf("used is %+v, want nothing", hosts[0].Used)
	}
}

// usable takes both addresses.
func usable(t *testing.T, s *Store) {
	err := s.Update(t.Context(), func(tx workspace.Tx) error {
		for range 2 {
			w, err := sample(tx)
			if err = errors.Join(err, tx.PutWorkspace(w)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if d, _ := s.Used(t.Context(), "ada"); d != 0 {
		t.Errorf("an account of %s is left", d)
	}
}

func TestSecondOpenerIsRefused(t *testing.T) {
	o := small(t)
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), o)
	if workspace.KindOf(err) != workspace.Unavailable ||
		!strings.Contains(err.Error(), "another process has it open") {
		t.Errorf("error is %v, want one that names the other process", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(t.Context(), o); err != nil {
		t.Fatalf("after closing: %v", err)
	}
	s.Close()
}

// TestRefusedFiles opens what is no record, or not one of ours to read.
func TestRefusedFiles(t *testing.T) {
	for _, test := range []struct {
		name string
		sql  string // done to a good record
		kind workspace.Kind
		text string
	}{
		{"later version", `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)`,
			workspace.Invalid, "written by a later program: it has version 99"},
		{"another application", `PRAGMA application_id = 77`,
			workspace.Invalid, "not a record of this service"},
		{"unknown application", `PRAGMA application_id = 0`,
			workspace.Invalid, "not a record of this service"},
		{"state", `UPDATE standing SET state = 'Dancing'`,
			workspace.Internal, `cannot read the row of workspace "1": cannot read the state`},
		{"first state", `UPDATE workspace SET initial = ''`,
			workspace.Internal, `cannot read the row of workspace "1": cannot read the state`},
		{"spec", `UPDATE workspace SET spec = '{"Spec":'`,
			workspace.Internal, `cannot read the row of workspace "1": its spec: unexpected end`},
		{"half a workspace", `DELETE FROM standing`,
			workspace.Internal, `cannot read the row of workspace "1"`},
		{"member of nothing", `DELETE FROM workspace_group`,
			workspace.Internal, `row of a member of group "g": there is no such group`},
		{"message", `UPDATE outbox SET state = '?'`,
			workspace.Internal, `row of message "1": cannot read the state`},
		{"message for nobody", `DELETE FROM subscription`,
			workspace.Internal, `row of message "1": it is for no subscription`},
		{"booking", `UPDATE booking SET booking = '[]'`,
			workspace.Internal, `cannot read the row of booking "1": json`},
		{"mode of a host", `UPDATE host_mode SET mode = ''`,
			workspace.Internal, `row of the mode of host "host00": unexpected end`},
		{"missing table", `DROP TABLE change`, workspace.Internal, "no such table: change"},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := small(t)
			fill(t, o)
			tamper(t, o.Path, test.sql)
			refused(t, o, test.kind, test.text)
		})
	}
}

// tamper changes the file behind the store's back.
func tamper(t *testing.T, path, text string) {
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Exec(text)
	if err = errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

// refused opens the record and expects an error.
func refused(t *testing.T, o Options, kind workspace.Kind, text string) {
	t.Helper()
	s, err := Open(t.Context(), o)
	if err == nil {
		s.Close()
		t.Fatal("it was opened")
	}
	if workspace.KindOf(err) != kind || !strings.Contains(err.Error(), text) ||
		!strings.HasPrefix(err.Error(), "cannot open the record") {
		t.Errorf("error is %q of kind %q, want %q of kind %q",
			err, workspace.KindOf(err), text, kind)
	}
}

func TestRefusedPaths(t *testing.T) {
	o := small(t)
	if err := os.WriteFile(o.Path, []byte(strings.Repeat("not SQLite ", 999)), 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, o, workspace.Invalid, "not a record of this service")
	o.Path = filepath.Dir(o.Path)
	refused(t, o, workspace.Unavailable, "")
	o.Path = filepath.Join(o.Path, "missing", "record.db")
	refused(t, o, workspace.Unavailable, "no such file")
}

func TestRefusedPools(t *testing.T) {
	a := func(ips ...string) (all []workspace.Address) {
		for _, ip := range ips {
			all = append(all, workspace.Address{IP: ip})
		}
		return all
	}
	for _, test := range []struct {
		name     string
		networks []workspace.Network
		text     string
	}{
		{"prefix", []workspace.Network{{Name: "n", MACPrefix: "A2:AA"}},
			`MAC prefix "A2:AA" is not three octets`},
		{"address", []workspace.Network{{Name: "n", MACPrefix: "A2:AA:BB",
			Addresses: a("10.0.0.256")}}, `"10.0.0.256" is not an IPv4 address`},
		{"twice", []workspace.Network{{Name: "n", MACPrefix: "A2:AA:BB",
			Addresses: a("10.0.0.1", "10.0.0.1")}}, "10.0.0.1 is listed twice"},
		{"same name", []workspace.Network{{Name: "n", MACPrefix: "A2:AA:BB"},
			{Name: "n", MACPrefix: "A2:AA:CC"}}, "network n is listed twice"},
		{"same MAC", []workspace.Network{
			{Name: "n", MACPrefix: "A2:AA:BB", Addresses: a("10.0.0.1")},
			{Name: "m", MACPrefix: "a2:aa:bb", Addresses: a("11.0.0.1")}},
			"get the same MAC A2:AA:BB:00:00:01; give their networks different MAC prefixes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := small(t)
			o.Networks = test.networks
			refused(t, o, workspace.Invalid, test.text)
		})
	}
}

// oneBooking returns a booking with every field set.
func oneBooking() *workspace.Booking {
	at := time.Date(2026, 6, 1, 12, 0, 0, 123e6, time.UTC)
	rule := workspace.AffinityRule{Relation: workspace.Apart, Soft: true,
		Workspaces: []workspace.ID{7}, Hosts: []workspace.HostID{"host00"}}
	return &workspace.Booking{ID: 1, Owner: "ada", Members: []workspace.ID{1, 2},
		Terms: workspace.LeaseTerms{Kind: workspace.LeaseDeadline, Start: at, Deadline: at,
			Preemptible: true, Affinity: []workspace.AffinityRule{rule}},
		Parts:    []workspace.Part{{Nodes: 2, Demand: workspace.Allocation{MemoryMB: 1}}},
		Duration: time.Hour, Submitted: at, Status: workspace.LeaseSuspended,
		Hosts: rule.Hosts, From: at, Runs: at, Until: at, Cut: at, Ran: time.Second, Since: at,
		Saved: true, Home: rule.Hosts}
}

// oneHost returns the record of a host with every field set.
func oneHost() workspace.HostRecord {
	at := time.Date(2026, 6, 1, 12, 0, 0, 123e6, time.UTC)
	return workspace.HostRecord{Host: "added", By: "ada", Added: at,
		Has: workspace.Capacity{CPUs: 4, MemoryMB: 512}, Lost: at, LostWhy: "no answer",
		Left: []workspace.ID{1}, Spec: &workspace.HostSpec{ID: "added", URI: "sim:",
			Networks: map[string]string{"lan": "network:default"},
			SSH:      &workspace.HostSSH{Address: "h:22", User: "u", KeyFile: "k"},
			TLS:      &workspace.HostTLS{CAFile: "a"}}}
}

// TestStoredDocuments pins the JSON of workspaces and bookings: renaming a field
// of the domain would lose what older records say.
func TestStoredDocuments(t *testing.T) {
	o := small(t)
	fill(t, o)
	for name, query := range map[string]string{
		"spec":    `SELECT spec FROM workspace`,
		"booking": `SELECT booking FROM booking`,
		"mode":    `SELECT mode FROM host_mode`,
		"host":    `SELECT record FROM host`,
	} {
		pinned(t, o, name, query)
	}
}

// pinned compares what the query finds with the golden file of the name.
func pinned(t *testing.T, o Options, name, query string) {
	t.Helper()
	db, err := sql.Open("sqlite3", o.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var spec string
	if err := db.QueryRow(query).Scan(&spec); err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(golden, []byte(spec+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil || spec+"\n" != string(want) {
		t.Errorf("stored %s is\n%s\nwant\n%s(%v)", name, spec, want, err)
	}
}

// TestDebtsAreNotPutOff delivers all the time: each removal is in the file
// within a second, although no update carries it there.
func TestDebtsAreNotPutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := Open(t.Context(), small(t))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		const messages = 30
		err = s.Update(t.Context(), func(tx workspace.Tx) error {
			err := tx.PutSubscription(&workspace.Subscription{ID: "s", Workspace: 1})
			for range messages {
				err = errors.Join(err, tx.Emit(workspace.Event{Workspace: 1}))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for seq := range int64(messages) {
			if err := s.Delivered(t.Context(), "s", seq+1); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second / 10) // virtual
			s.mu.RLock()
			if owed := len(s.owed.sent); owed > 10 {
				t.Errorf("%d removals are owed after %d", owed, seq)
			}
			s.mu.RUnlock()
		}
	})
}

// TestDebtsOutliveFailure lets the commit fail that was to carry a removal.
func TestDebtsOutliveFailure(t *testing.T) {
	var conn *sqlite3.SQLiteConn
	o := small(t)
	fill(t, o)
	o.connected = func(c *sqlite3.SQLiteConn) { conn = c }
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	used := func(tx workspace.Tx) error { return tx.AddUsed("ada", 1) }
	err = errors.Join(s.Delivered(t.Context(), "s", 1), hook(1)(conn))
	if s.Update(t.Context(), used) == nil {
		t.Error("a commit succeeded that could not")
	}
	if err := errors.Join(err, hook(0)(conn), s.Close()); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if waiting, _ := s.Waiting(t.Context()); len(waiting) > 0 {
		t.Error("a delivered message is back")
	}
}

// TestSettings reads back what durability and privacy rest on, and what no
// test could see the absence of without a power cut.
func TestSettings(t *testing.T) {
	var conn *sqlite3.SQLiteConn
	o := small(t)
	o.connected = func(c *sqlite3.SQLiteConn) { conn = c }
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for text, want := range map[string]driver.Value{
		"PRAGMA synchronous": int64(2), "PRAGMA journal_mode": "wal",
		"PRAGMA locking_mode": "exclusive"} {
		found, err := conn.Query(text, nil)
		if err != nil {
			t.Fatal(err)
		}
		row := make([]driver.Value, 1)
		if err := found.Next(row); err != nil || row[0] != want {
			t.Errorf("%s is %v (%v), want %v", text, row[0], err, want)
		}
		found.Close()
	}
	for _, path := range []string{o.Path, o.Path + "-wal"} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has %v (%v), want it for its owner alone", path, info, err)
		}
	}
}
