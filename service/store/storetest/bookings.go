package storetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// booking returns one with every field set.
func booking(id workspace.LeaseID) *workspace.Booking {
	hosts := []workspace.HostID{"h1", "h2"}
	return &workspace.Booking{
		ID: id, Owner: "ada", Members: []workspace.ID{workspace.ID(id), 99},
		Terms: workspace.LeaseTerms{Kind: workspace.LeaseDeadline, Start: noon,
			Deadline: noon.Add(time.Hour), Preemptible: true,
			Affinity: []workspace.AffinityRule{
				{Relation: workspace.Apart, Soft: true, Workspaces: []workspace.ID{7}},
				{Relation: workspace.Near, Hosts: hosts}}},
		Parts: []workspace.Part{{Nodes: 2,
			Demand: workspace.Allocation{MemoryMB: 1, CPUs: 2, CPUPercent: 3, DiskMB: 4,
				NetInKbps: 5, NetOutKbps: 6, Architecture: "x86_64", CPUsGiven: true},
			Least: workspace.Allocation{MemoryMB: 1}}},
		Duration: time.Hour + time.Nanosecond, Submitted: noon.Add(-time.Hour),
		Status: workspace.LeaseSuspended, Hosts: hosts,
		From: noon.Add(1 * time.Minute), Runs: noon.Add(2 * time.Minute),
		Until: noon.Add(3 * time.Minute), Cut: noon.Add(4 * time.Minute), Ran: time.Second,
		Since: noon.Add(5 * time.Minute), Saved: true, Home: slices.Clone(hosts),
		Leaving: slices.Clone(hosts), Arrived: noon.Add(6 * time.Minute),
	}
}

// bookings: what is put is read, and what is removed is gone.
func bookings(b *bench) {
	bare := &workspace.Booking{ID: 1, Owner: "bob", Status: workspace.LeaseQueued,
		Submitted: noon}
	check := func(want ...*workspace.Booking) {
		b.Helper()
		for range 2 {
			all, err := b.store.Bookings(b.Context())
			b.same("the bookings", value(b, all, err), append([]*workspace.Booking{}, want...))
			b.update(func(tx workspace.Tx) error {
				b.same("a transaction's", tx.AllBookings(), all)
				return nil
			})
			for _, w := range want {
				one, err := b.store.Booking(b.Context(), w.ID)
				b.same("one booking", value(b, one, err), w)
			}
			b.reopen()
		}
	}
	check()
	b.update(func(tx workspace.Tx) error {
		for range 9 {
			tx.NextID()
		}
		return errors.Join(tx.PutBooking(booking(8)), tx.PutBooking(bare))
	})
	check(bare, booking(8))
	changed := *bare
	changed.Status, changed.Ran = workspace.LeaseActive, time.Hour
	b.undone(func(tx workspace.Tx) error {
		b.same("one booking too many", len(tx.AllBookings()), 2)
		return errors.Join(tx.PutBooking(&changed), tx.RemoveBooking(8))
	})
	check(bare, booking(8))
	b.update(func(tx workspace.Tx) error {
		c := changed
		seen := errors.Join(tx.PutBooking(&c), tx.RemoveBooking(8))
		b.same("a transaction's own", tx.AllBookings(), []*workspace.Booking{&changed})
		return seen
	})
	check(&changed)
	bookingMistakes(b)
}

// bookingMistakes are errors, and leave nothing.
func bookingMistakes(b *bench) {
	_, err := b.store.Booking(b.Context(), 8)
	b.kind(err, workspace.NotFound)
	b.update(func(tx workspace.Tx) error {
		_, err := tx.Booking(8)
		b.kind(err, workspace.NotFound)
		b.kind(tx.RemoveBooking(8), workspace.NotFound)
		b.kind(tx.PutBooking(booking(0)), workspace.Internal)
		b.kind(tx.PutBooking(booking(999)), workspace.Internal)
		one, err := tx.Booking(1)
		b.kind(tx.PutBooking(one), workspace.Internal)
		b.kind(tx.PutHostMode(workspace.HostMode{Drained: true}), workspace.Internal)
		return err
	})
}

// hostModes: the last one that was put of each host is read.
func hostModes(b *bench) {
	drained := workspace.HostMode{Host: "h2", Drained: true, Comment: "new fans"}
	windows := workspace.HostMode{Host: "h1", Windows: []workspace.Window{{Start: noon,
		End: noon.Add(time.Hour), Rule: "FREQ=DAILY", Left: workspace.Capacity{CPUs: 1, MemoryMB: 2,
			DiskMB: 3, NetInKbps: 4, NetOutKbps: 5}, Comment: "mine"}}}
	put := func(m workspace.HostMode) {
		b.Helper()
		b.update(func(tx workspace.Tx) error { return tx.PutHostMode(m) })
	}
	check := func(want ...workspace.HostMode) {
		b.Helper()
		for range 2 {
			all, err := b.store.HostModes(b.Context())
			b.same("the modes", value(b, all, err), append([]workspace.HostMode{}, want...))
			b.reopen()
		}
	}
	check()
	put(drained)
	put(windows)
	check(windows, drained)
	b.undone(func(tx workspace.Tx) error { return tx.PutHostMode(workspace.HostMode{Host: "h1"}) })
	check(windows, drained)
	put(workspace.HostMode{Host: "h1"})
	put(workspace.HostMode{Host: "h2", Comment: "nearly ready"})
	check(workspace.HostMode{Host: "h2", Comment: "nearly ready"})
	put(workspace.HostMode{Host: "unknown"})
	put(workspace.HostMode{Host: "h2"})
	check()
}

// learned times are read as they were put.
func learned(b *bench) {
	check := func(want []byte) {
		b.Helper()
		for range 2 {
			data, err := b.store.Learned(b.Context())
			b.same("what was learned", value(b, data, err), want)
			b.reopen()
		}
	}
	check(nil)
	text := []byte("\x00 boot")
	b.update(func(tx workspace.Tx) error { return tx.PutLearned(text) })
	text[0] = 'x' // it is the caller's
	b.undone(func(tx workspace.Tx) error { return tx.PutLearned([]byte("other")) })
	check([]byte("\x00 boot"))
	b.update(func(tx workspace.Tx) error { return tx.PutLearned([]byte("shutdown")) })
	check([]byte("shutdown"))
}

// shapes: what a workspace demands can change, and what is used with it.
func shapes(b *bench) {
	id := b.add("ada")
	want := full(id, "ada")
	want.Version = 2
	want.Demand = workspace.Allocation{MemoryMB: 512, CPUs: 3, CPUPercent: 70, DiskMB: 10,
		NetInKbps: 20, NetOutKbps: 30, Architecture: "x86_64"}
	b.update(func(tx workspace.Tx) error {
		return change(tx, id, func(w *workspace.Workspace) { w.Demand = want.Demand })
	})
	for range 2 {
		b.same("the workspace of another shape", b.workspace(id), want)
		b.same("what is used", b.usage()["h1"], workspace.Capacity{CPUs: 3, CPUShare: 210,
			MemoryMB: 512, DiskMB: 10, NetInKbps: 20, NetOutKbps: 30})
		b.reopen()
	}
	b.update(func(tx workspace.Tx) error { return tx.RemoveWorkspace(id) })
	b.same("what is used in the end", b.usage()["h1"], workspace.Capacity{})
}

// parked workspaces hold their addresses, but nothing of a host.
func parked(b *bench) {
	w := b.take()
	park := func(yes bool, used workspace.Capacity) {
		b.Helper()
		b.update(func(tx workspace.Tx) error {
			return change(tx, w.ID, func(w *workspace.Workspace) { w.Parked = yes })
		})
		for range 2 {
			b.same("parked", b.workspace(w.ID).Parked, yes)
			b.same("what is used", b.usage()["h1"], used)
			b.conserved()
			b.exhaust()
			b.reopen()
		}
	}
	park(true, workspace.Capacity{})
	park(false, workspace.Capacity{CPUs: 1, CPUShare: 100, MemoryMB: w.Demand.MemoryMB})
	b.update(func(tx workspace.Tx) error {
		return change(tx, w.ID, func(w *workspace.Workspace) {
			w.Host, w.Lease.Start = "", time.Time{}
		})
	})
	for range 2 {
		b.same("used by one that waits", b.usage()["h1"], workspace.Capacity{})
		b.same("its start", b.workspace(w.ID).Lease.Start, time.Time{})
		b.exhaust()
		b.reopen()
	}
}

// leaseEvents: what events say of leases waits with them.
func leaseEvents(b *bench) {
	id := b.add("ada")
	b.update(func(tx workspace.Tx) error {
		s := subscription("s", id)
		s.Topics = []workspace.Topic{workspace.TopicWarning, workspace.TopicLease,
			workspace.TopicTransfer}
		return tx.PutSubscription(s)
	})
	events := []workspace.Event{
		{Workspace: id, Topic: workspace.TopicWarning, State: workspace.Running, At: noon,
			End: noon.Add(time.Minute)},
		{Workspace: id, Topic: workspace.TopicLease, State: workspace.Paused, At: noon,
			Lease: workspace.LeaseSuspended},
		{Workspace: id, Topic: workspace.TopicTransfer, State: workspace.Propagating, At: noon,
			Transfer: workspace.TransferProgress{Task: "stage in", Done: 7, Total: 1 << 40}},
	}
	b.update(func(tx workspace.Tx) error {
		return errors.Join(tx.Emit(events[0]), tx.Emit(event(id, workspace.Running)),
			tx.Emit(events[1]), tx.Emit(events[2]))
	})
	for range 2 {
		all, err := b.store.Pending(b.Context(), "s", 9)
		var got []workspace.Event
		for _, m := range value(b, all, err) {
			got = append(got, m.Event)
		}
		b.same("what waits", got, events)
		b.reopen()
	}
}

// undone: who asked is told when an update is taken back, before another runs,
// the last to ask first; and never of one that stays.
func undone(b *bench) {
	var told []string
	ask := func(tx workspace.Tx, names ...string) {
		for _, name := range names {
			tx.OnUndone(func() { told = append(told, name) })
		}
	}
	b.update(func(tx workspace.Tx) error { ask(tx, "kept"); return nil })
	b.undone(func(tx workspace.Tx) error { ask(tx, "a", "b"); return nil })
	b.same("told", told, []string{"b", "a"})
	b.kind(b.store.Update(b.Context(), func(tx workspace.Tx) error {
		ask(tx, "c")
		panic("oops")
	}), workspace.Internal)
	b.same("told", told, []string{"b", "a", "c"})
	b.undone(func(workspace.Tx) error { return nil })
	b.same("told again", told, []string{"b", "a", "c"})
	undoneInTime(b)
}

// undoneInTime keeps a picture of the record, which each update finds as the
// record is, whatever became of those before it.
func undoneInTime(b *bench) {
	id := b.add("ada")
	picture := b.workspace(id).Lease.Grace
	var all sync.WaitGroup
	for i := range 100 {
		all.Go(func() {
			_ = b.store.Update(b.Context(), func(tx workspace.Tx) error {
				w, err := tx.Workspace(id)
				if err != nil {
					return err
				}
				b.same("the picture", picture, w.Lease.Grace)
				was := picture
				tx.OnUndone(func() { picture = was })
				picture++
				err = change(tx, id, func(w *workspace.Workspace) { w.Lease.Grace++ })
				if i%3 == 0 {
					return fmt.Errorf("update %d: %w", i, errUndo)
				}
				return err
			})
		})
	}
	all.Wait()
	b.same("the picture in the end", picture, b.workspace(id).Lease.Grace)
}
