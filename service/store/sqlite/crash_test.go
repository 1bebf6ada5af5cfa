package sqlite_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/service/store/sqlite"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// childEnv makes the test binary a daemon that writes into the record there
// until it is killed.
const childEnv = "STORE_CRASH_CHILD"

func TestMain(m *testing.M) {
	if path := os.Getenv(childEnv); path != "" {
		fmt.Fprintln(os.Stderr, child(path))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// crashOptions is the pool of the crash test.
func crashOptions(path string) sqlite.Options {
	n := workspace.Network{Name: "public", MACPrefix: "A2:AA:BB"}
	for i := 1; i <= 200; i++ {
		n.Addresses = append(n.Addresses, workspace.Address{IP: fmt.Sprintf("10.0.0.%d", i)})
	}
	return sqlite.Options{Path: path, Networks: []workspace.Network{n},
		Hosts:  []workspace.Host{{ID: "h", Capacity: workspace.Capacity{CPUs: 999}}},
		Logger: quiet}
}

// child lets eight writers each live through workspaces, and says on standard
// output what was acknowledged.
func child(path string) error {
	s, err := sqlite.Open(context.Background(), crashOptions(path))
	if err != nil {
		return err
	}
	if err := s.Update(context.Background(), func(tx workspace.Tx) error {
		return forget(tx, func(workspace.ID) bool { return true })
	}); err != nil {
		return err
	}
	var said acknowledged
	failed := make(chan error, 8)
	for range cap(failed) {
		go func() {
			for {
				if err := live(s, &said); err != nil {
					failed <- err
				}
			}
		}()
	}
	return <-failed
}

// lastVersion is the one in which a workspace has lived.
const lastVersion = 10

// acknowledged is what a child has said.
type acknowledged struct {
	mu    sync.Mutex
	lived map[workspace.ID]bool // it was said that they have, and they are left
}

// say says that the workspace has the version; 0: it is removed.
func (a *acknowledged) say(id workspace.ID, version int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	fmt.Println(id, version)
	if a.lived == nil {
		a.lived = make(map[workspace.ID]bool)
	}
	a.lived[id] = version == lastVersion && left(id)
}

// left reports whether the workspace is left for others to remove once it has lived.
func left(id workspace.ID) bool { return id%3 > 0 }

// over reports whether it was said that the workspace has lived, and it is left.
func (a *acknowledged) over(id workspace.ID) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.lived[id]
}

// live makes a workspace, changes it nine times, each with an event, and
// removes it or not.
func live(s *sqlite.Store, said *acknowledged) error {
	ctx := context.Background()
	var id workspace.ID
	err := s.Update(ctx, func(tx workspace.Tx) error {
		a, mac, err := tx.TakeAddress("public")
		if err != nil {
			return forget(tx, said.over) // the pool is full of those that have lived
		}
		id = tx.NextID()
		w := &workspace.Workspace{ID: id, Host: "h", State: workspace.Running,
			Demand: workspace.Allocation{CPUs: 1},
			NICs:   []workspace.NIC{{Association: "public", MAC: mac, Address: a}}}
		sub := &workspace.Subscription{ID: subscriptionOf(id), Workspace: id,
			Topics: []workspace.Topic{workspace.TopicState}}
		return errors.Join(tx.PutWorkspace(w), tx.PutSubscription(sub))
	})
	if err != nil || id == 0 {
		return err
	}
	said.say(id, 1)
	for version := 2; version <= lastVersion; version++ {
		if err := s.Update(ctx, func(tx workspace.Tx) error { return touch(tx, id) }); err != nil {
			return err
		}
		said.say(id, version)
	}
	if left(id) {
		return nil
	}
	if err := s.Update(ctx, func(tx workspace.Tx) error { return remove(tx, id) }); err != nil {
		return err
	}
	said.say(id, 0)
	return nil
}

// touch changes the workspace and emits that.
func touch(tx workspace.Tx, id workspace.ID) error {
	was, err := tx.Workspace(id)
	if err != nil {
		return err
	}
	w := *was
	w.Lease.Grace++
	return errors.Join(tx.PutWorkspace(&w), tx.Emit(workspace.Event{
		Workspace: id, Topic: workspace.TopicState, State: workspace.Running}))
}

// remove removes the workspace and what waits for its subscription.
func remove(tx workspace.Tx, id workspace.ID) error {
	return errors.Join(tx.RemoveSubscription(subscriptionOf(id)), tx.RemoveWorkspace(id))
}

// forget removes the workspaces that are over. Others may still be at the rest.
func forget(tx workspace.Tx, over func(workspace.ID) bool) error {
	for _, w := range tx.AllWorkspaces() {
		if !over(w.ID) {
			continue
		}
		if err := remove(tx, w.ID); err != nil {
			return err
		}
	}
	return nil
}

func subscriptionOf(id workspace.ID) workspace.SubscriptionID {
	return workspace.SubscriptionID("s" + id.String())
}

// TestKill kills a daemon at random moments: whatever it acknowledged is in
// the record, whatever it had not finished is whole or absent.
func TestKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "record.db")
	var highest workspace.ID
	acknowledged := 0
	for range 30 {
		acks := kill(t, path)
		acknowledged += len(acks)
		highest = check(t, path, acks, highest)
	}
	if acknowledged < 30 {
		t.Errorf("only %d updates were acknowledged in all", acknowledged)
	}
	t.Logf("%d acknowledged updates survived 30 kills", acknowledged)
}

// An ack is one line of the child: version 0 means removed.
type ack struct {
	id      workspace.ID
	version int64
}

// kill runs a child, kills it a moment after its first words, and returns what
// it acknowledged.
func kill(t *testing.T, path string) []ack {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute) // if it says nothing
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var acks []ack
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var a ack
		if _, err := fmt.Sscan(lines.Text(), &a.id, &a.version); err != nil {
			break // cut off by the kill
		}
		if len(acks) == 0 {
			time.AfterFunc(rand.N(30*time.Millisecond), func() { cmd.Process.Kill() })
		}
		acks = append(acks, a)
	}
	_ = cmd.Wait() // it was killed
	return acks
}

// check opens the record, compares it with what was acknowledged, and returns
// the highest key ever seen.
func check(t *testing.T, path string, acks []ack, highest workspace.ID) workspace.ID {
	s, err := sqlite.Open(t.Context(), crashOptions(path))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	want := make(map[workspace.ID]int64)
	gone := make(map[workspace.ID]bool)
	for _, a := range acks {
		if a.version == 1 && a.id <= highest {
			t.Errorf("key %d was given out again after %d", a.id, highest)
		}
		want[a.id] = max(want[a.id], a.version)
		gone[a.id] = gone[a.id] || a.version == 0
	}
	for id, version := range want {
		w, err := s.Workspace(t.Context(), id)
		switch {
		case err != nil && version == lastVersion: // it may have been removed, unacknowledged
		case err != nil || w.Version < version || gone[id]:
			t.Errorf("workspace %d has %+v (%v), want version %d at least, gone %v",
				id, w, err, version, gone[id])
		}
	}
	for id := range want {
		highest = max(highest, id)
	}
	whole(t, s)
	return highest
}

// whole checks that each workspace has an event for each change, and that
// what is used is what they hold.
func whole(t *testing.T, s *sqlite.Store) {
	all, _ := s.Workspaces(t.Context(), "")
	held := make(map[string]bool)
	for _, w := range all {
		events, _ := s.Pending(t.Context(), subscriptionOf(w.ID), 99)
		if int64(len(events)) != w.Version-1 {
			t.Errorf("workspace %s: %d events of %d changes", w.ID, len(events), w.Version-1)
		}
		if held[w.NICs[0].IP] {
			t.Errorf("address %s is held twice", w.NICs[0].IP)
		}
		held[w.NICs[0].IP] = true
	}
	hosts, _ := s.Hosts(t.Context())
	if hosts[0].Used.CPUs != int64(len(all)) {
		t.Errorf("%d CPUs are used by %d workspaces", hosts[0].Used.CPUs, len(all))
	}
}

// TestTornLog cuts the log of a running store at random places, as a power cut
// may: what opens is exactly what was committed before the cut.
func TestTornLog(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "record.db")
	s, err := sqlite.Open(t.Context(), crashOptions(path))
	if err != nil {
		t.Fatal(err)
	}
	const updates = 12
	var ends []int // of the log after each commit
	for range updates {
		err := s.Update(t.Context(), func(tx workspace.Tx) error {
			return errors.Join(tx.AddUsed("ada", 1), tx.PutWorkspace(&workspace.Workspace{
				ID: tx.NextID(), Host: "h", Demand: workspace.Allocation{CPUs: 1}}))
		})
		info, statErr := os.Stat(path + "-wal")
		if err = errors.Join(err, statErr); err != nil {
			t.Fatal(err)
		}
		ends = append(ends, int(info.Size()))
	}
	file, log, err := sqlite.AsKilled(path)
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	for n := range 60 {
		cut := ends[0] + rand.IntN(len(log)-ends[0]+1)
		want := 0
		for want < updates && ends[want] <= cut {
			want++
		}
		torn := append([]byte(nil), log[:cut]...)
		if n%2 == 1 { // the rest was allocated, but never written
			torn = append(torn, make([]byte, len(log)-cut)...)
		}
		prefix(t, filepath.Join(dir, fmt.Sprint("torn", n)), file, torn, want)
	}
}

// prefix opens a record of the file and the log, and expects the first updates.
func prefix(t *testing.T, path string, file, log []byte, want int) {
	t.Helper()
	err := errors.Join(os.WriteFile(path, file, 0o600), os.WriteFile(path+"-wal", log, 0o600))
	if err != nil {
		t.Fatal(err)
	}
	s, err := sqlite.Open(t.Context(), crashOptions(path))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	used, _ := s.Used(t.Context(), "ada")
	all, _ := s.Workspaces(t.Context(), "")
	hosts, _ := s.Hosts(t.Context())
	if int(used) != want || len(all) != want || int(hosts[0].Used.CPUs) != want {
		t.Errorf("of a log of %d bytes came %d, %d, %d, want %d of each",
			len(log), used, len(all), hosts[0].Used.CPUs, want)
	}
}

// TestDeliveredWhileRemoved removes subscriptions while their messages are being
// delivered, and "kills" the daemon before it has written what it owes: the record
// opens, and nothing is in it for nobody.
func TestDeliveredWhileRemoved(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "record.db")
	s, err := sqlite.Open(t.Context(), crashOptions(path))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for round := range 8 {
		for began := time.Now(); time.Since(began) < 100*time.Millisecond; {
			deliverAndRemove(t, s)
		}
		file, log, err := sqlite.AsKilled(path)
		if err != nil {
			t.Fatal(err)
		}
		prefix(t, filepath.Join(dir, fmt.Sprint("killed", round)), file, log, 0)
	}
}

// deliverAndRemove delivers the messages of many subscriptions, one by one, at about
// the moment in which the subscriptions are removed.
func deliverAndRemove(t *testing.T, s *sqlite.Store) {
	t.Helper()
	const many = 64
	each := func(do func(workspace.SubscriptionID) error) (err error) {
		for id := range workspace.ID(many) {
			err = errors.Join(err, do(subscriptionOf(id)))
		}
		return err
	}
	err := s.Update(t.Context(), func(tx workspace.Tx) error {
		return errors.Join(each(func(id workspace.SubscriptionID) error {
			return tx.PutSubscription(&workspace.Subscription{ID: id, Workspace: 1,
				Topics: []workspace.Topic{workspace.TopicState}})
		}), tx.Emit(workspace.Event{
			Workspace: 1, Topic: workspace.TopicState, State: workspace.Running}))
	})
	if err != nil {
		t.Fatal(err)
	}
	var both sync.WaitGroup
	both.Go(func() {
		for id := range workspace.ID(many) {
			if err := s.Delivered(t.Context(), subscriptionOf(id), math.MaxInt64); err != nil {
				t.Error(err)
			}
		}
	})
	both.Go(func() {
		if err := s.Update(t.Context(), func(tx workspace.Tx) error {
			return each(tx.RemoveSubscription)
		}); err != nil {
			t.Error(err)
		}
	})
	both.Wait()
}
