package storetest

import (
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// workspaces: what is put is read, by its transaction, by readers after it,
// and after reopening; what is removed is gone.
func workspaces(b *bench) {
	id := b.add("ada")
	second := b.add("bob")
	third := b.add("ada")
	b.same("the new workspace", b.workspace(id), full(id, "ada"))
	changed := full(id, "ada")
	changed.State, changed.Fault, changed.Released = workspace.Corrupted, "broken", true
	changed.Host, changed.Changed = "h2", noon.Add(time.Hour)
	changed.Lease = workspace.Lease{Start: noon.Add(1), Duration: 1, Grace: 2,
		Mechanism: workspace.MechanismSerialize, SaveTo: "z"}
	changed.Lease.Start = noon.Add(time.Millisecond)
	b.update(func(tx workspace.Tx) error {
		w := *changed
		if err := tx.PutWorkspace(&w); err != nil {
			return err
		}
		seen, err := tx.Workspace(id)
		b.same("the changed workspace in its transaction", *seen, w)
		return err
	})
	changed.Version = 2
	for _, when := range []string{"before", "after"} {
		b.same("the changed workspace "+when+" reopening", b.workspace(id), changed)
		of, err := b.store.Workspaces(b.Context(), "ada")
		b.same("ada's workspaces", ids(value(b, of, err)), []workspace.ID{id, third})
		of, err = b.store.Workspaces(b.Context(), "")
		b.same("all workspaces", ids(value(b, of, err)), []workspace.ID{id, second, third})
		b.reopen()
	}
	b.update(func(tx workspace.Tx) error {
		b.same("all workspaces in a transaction", ids(tx.AllWorkspaces()),
			[]workspace.ID{id, second, third})
		err := tx.RemoveWorkspace(id)
		b.same("those left in it", ids(tx.AllWorkspaces()), []workspace.ID{second, third})
		return err
	})
	for range 2 {
		_, err := b.store.Workspace(b.Context(), id)
		b.kind(err, workspace.NotFound)
		of, err := b.store.Workspaces(b.Context(), "ada")
		b.same("what is left", ids(value(b, of, err)), []workspace.ID{third})
		b.reopen()
	}
}

// ids returns the keys of the workspaces.
func ids(all []*workspace.Workspace) []workspace.ID {
	var keys []workspace.ID
	for _, w := range all {
		keys = append(keys, w.ID)
	}
	return keys
}

// immutable: what does not change after creation is not written again, and the
// version is the store's.
func immutable(b *bench) {
	id := b.add("ada")
	b.update(func(tx workspace.Tx) error {
		for range 2 {
			w := full(id, "eve")
			w.Spec, w.NICs, w.Group, w.Version = workspace.Spec{}, nil, "x", 99
			w.Demand.Architecture = "vax"
			w.State = workspace.Running
			if err := tx.PutWorkspace(w); err != nil {
				return err
			}
		}
		return nil
	})
	want := full(id, "ada")
	want.State, want.Version = workspace.Running, 2
	b.same("the workspace", b.workspace(id), want)
	b.reopen()
	b.same("the workspace after reopening", b.workspace(id), want)
}

// mistakes of callers are errors.
func mistakes(b *bench) {
	id := b.add("ada")
	b.update(func(tx workspace.Tx) error {
		w, _ := tx.Workspace(id)
		b.kind(tx.PutWorkspace(w), workspace.Internal)
		b.kind(tx.PutWorkspace(full(id+100, "ada")), workspace.Internal)
		b.kind(tx.PutChange(&workspace.Change{ID: 77, Workspace: id}), workspace.Internal)
		b.kind(tx.PutGroup(&workspace.Group{}), workspace.Internal)
		b.kind(tx.PutSubscription(&workspace.Subscription{}), workspace.Internal)
		c := &workspace.Change{ID: tx.NextChangeID(), Workspace: id}
		if err := tx.PutChange(c); err != nil {
			return err
		}
		b.kind(tx.PutChange(c), workspace.Internal)
		b.kind(tx.PutChange(&workspace.Change{ID: c.ID, Workspace: 5}), workspace.Internal)
		if err := tx.PutSubscription(&workspace.Subscription{ID: "s", Workspace: id}); err != nil {
			return err
		}
		b.kind(tx.PutSubscription(&workspace.Subscription{ID: "s"}), workspace.Internal)
		return nil
	})
}

// nothing: what is not there is NotFound everywhere.
func nothing(b *bench) {
	ctx := b.Context()
	_, err := b.store.Workspace(ctx, 1)
	b.kind(err, workspace.NotFound)
	_, err = b.store.Group(ctx, "g")
	b.kind(err, workspace.NotFound)
	_, err = b.store.Subscription(ctx, "s")
	b.kind(err, workspace.NotFound)
	b.update(func(tx workspace.Tx) error {
		_, err := tx.Workspace(1)
		b.kind(err, workspace.NotFound)
		_, err = tx.Group("g")
		b.kind(err, workspace.NotFound)
		_, err = tx.Subscription("s")
		b.kind(err, workspace.NotFound)
		b.kind(tx.RemoveWorkspace(1), workspace.NotFound)
		b.kind(tx.RemoveGroup("g"), workspace.NotFound)
		b.kind(tx.RemoveSubscription("s"), workspace.NotFound)
		b.kind(tx.RemoveChange(1), workspace.NotFound)
		b.same("the changes of nothing", len(tx.ChangesOf(1)), 0)
		return nil
	})
	of, err := b.store.Workspaces(ctx, "nobody")
	b.same("nobody's workspaces", len(value(b, of, err)), 0)
	waiting, err := b.store.Waiting(ctx)
	b.same("what waits", len(value(b, waiting, err)), 0)
	if err := b.store.Delivered(ctx, "s", 5); err != nil {
		b.Error(err)
	}
}

// groups: members are kept rising, lose those removed, and survive.
func groups(b *bench) {
	var members []workspace.ID
	for range 3 {
		members = append(members, b.add("ada"))
	}
	lone := b.add("ada") // says that it is of the group, which does not list it
	b.update(func(tx workspace.Tx) error {
		given := []workspace.ID{members[2], members[0], members[1]}
		err := tx.PutGroup(&workspace.Group{ID: "g", Owner: "ada", Members: given})
		given[0] = 99 // the store has its own copy
		return err
	})
	want := &workspace.Group{ID: "g", Owner: "ada", Members: members}
	check := func() {
		b.Helper()
		for range 2 {
			g, err := b.store.Group(b.Context(), "g")
			b.same("the group", value(b, g, err), want)
			b.reopen()
		}
	}
	check()
	b.update(func(tx workspace.Tx) error { return tx.RemoveWorkspace(members[1]) })
	want.Members = []workspace.ID{members[0], members[2]}
	check()
	b.update(func(tx workspace.Tx) error {
		return tx.PutGroup(&workspace.Group{ID: "g", Owner: "ada",
			Members: []workspace.ID{members[2], lone}})
	})
	want.Members = []workspace.ID{members[2], lone}
	check()
	b.update(func(tx workspace.Tx) error { return tx.RemoveGroup("g") })
	b.update(func(tx workspace.Tx) error { return tx.RemoveWorkspace(lone) })
	for range 2 {
		_, err := b.store.Group(b.Context(), "g")
		b.kind(err, workspace.NotFound)
		b.reopen()
	}
}

// changes: they are kept by workspace, rising, until they are removed.
func changes(b *bench) {
	id := b.add("ada")
	var all []*workspace.Change
	b.update(func(tx workspace.Tx) error {
		for i := range 3 {
			c := &workspace.Change{ID: tx.NextChangeID(), Kind: workspace.ChangeSave,
				Workspace: id, Status: workspace.ChangeUndoing, Step: i, Attempt: 2,
				NotBefore: noon, Argument: "sftp://r/x", Fault: "f", Created: noon}
			all = append(all, c)
		}
		for _, i := range []int{2, 0, 1} {
			if err := tx.PutChange(all[i]); err != nil {
				return err
			}
		}
		b.same("the workspace's changes", tx.ChangesOf(id), all)
		return nil
	})
	check := func() {
		b.Helper()
		for range 2 {
			held, err := b.store.Changes(b.Context())
			b.same("the changes", value(b, held, err), all)
			b.reopen()
		}
	}
	check()
	moved := *all[1]
	moved.Step, moved.NotBefore, moved.Status = 7, time.Time{}, workspace.ChangeDoing
	b.update(func(tx workspace.Tx) error {
		if err := tx.RemoveChange(all[0].ID); err != nil {
			return err
		}
		return tx.PutChange(&moved)
	})
	all = []*workspace.Change{&moved, all[2]}
	check()
	b.update(func(tx workspace.Tx) error { b.same("of it", tx.ChangesOf(id), all); return nil })
}

// answered: a request's answer is found again, by its own owner alone.
func answered(b *bench) {
	ask := func(owner workspace.Owner, message string) (a workspace.Answer, ok bool) {
		b.update(func(tx workspace.Tx) error {
			a, ok = tx.Answered(owner, message)
			return nil
		})
		return a, ok
	}
	b.undone(func(tx workspace.Tx) error {
		return tx.PutAnswered("ada", "m1", workspace.Answer{Workspaces: []workspace.ID{1}})
	})
	_, ok := ask("ada", "m1")
	b.same("a rolled back answer is there:", ok, false)
	first := workspace.Answer{
		Workspaces: []workspace.ID{4, 5}, Group: "g", Digest: "d",
		At: time.Now().UTC().Truncate(time.Millisecond),
	}
	b.update(func(tx workspace.Tx) error {
		err := tx.PutAnswered("ada", "m1", first)
		a, ok := tx.Answered("ada", "m1")
		b.same("its own transaction sees it:", ok && len(a.Workspaces) == 2, true)
		return err
	})
	for range 2 {
		a, ok := ask("ada", "m1")
		b.same("the answer is there:", ok, true)
		b.same("the answer", a, first)
		_, ok = ask("bob", "m1")
		b.same("another owner's is there:", ok, false)
		b.reopen()
	}
	b.update(func(tx workspace.Tx) error {
		return tx.PutAnswered("ada", "old", workspace.Answer{
			Workspaces: []workspace.ID{6}, At: time.Now().Add(-25 * time.Hour),
		})
	})
	b.reopen()
	b.update(func(tx workspace.Tx) error { // the purge of the start is done by now
		_, ok := tx.Answered("ada", "old")
		b.same("an answer of yesterday is there:", ok, false)
		return nil
	})
}

// used: running time adds up by owner.
func used(b *bench) {
	b.update(func(tx workspace.Tx) error { return tx.AddUsed("ada", time.Hour) })
	b.undone(func(tx workspace.Tx) error { return tx.AddUsed("ada", time.Hour) })
	b.update(func(tx workspace.Tx) error { return tx.AddUsed("ada", time.Minute) })
	for range 2 {
		d, err := b.store.Used(b.Context(), "ada")
		b.same("ada's account", value(b, d, err), time.Hour+time.Minute)
		d, err = b.store.Used(b.Context(), "bob")
		b.same("bob's account", value(b, d, err), time.Duration(0))
		b.reopen()
	}
}

// numbers rise and are never used again, not even those of what is gone.
func numbers(b *bench) {
	var id workspace.ID
	var change workspace.ChangeID
	for range 5 {
		b.update(func(tx workspace.Tx) error {
			n, c := tx.NextID(), tx.NextChangeID()
			if n <= id || c <= change {
				b.Errorf("after workspace %d and change %d came %d and %d", id, change, n, c)
			}
			id, change = n, c
			if err := tx.PutWorkspace(full(n, "ada")); err != nil {
				return err
			}
			return tx.PutChange(&workspace.Change{ID: c, Workspace: n})
		})
		b.update(func(tx workspace.Tx) error {
			if err := tx.RemoveChange(change); err != nil {
				return err
			}
			return tx.RemoveWorkspace(id)
		})
		b.reopen()
	}
}
