package storetest

import (
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// accounts: what is put is read; who has none has the zero one.
func accounts(b *bench) {
	check := func(want map[workspace.Owner]workspace.Account) {
		b.Helper()
		for range 2 {
			all, err := b.store.Accounts(b.Context())
			b.same("the accounts", value(b, all, err), want)
			b.update(func(tx workspace.Tx) error {
				b.same("ada's", tx.Account("ada"), want["ada"])
				seen := map[workspace.Owner]workspace.Account{}
				tx.Accounts(func(o workspace.Owner, a workspace.Account) { seen[o] = a })
				b.same("a transaction's", seen, want)
				return nil
			})
			b.reopen()
		}
	}
	check(map[workspace.Owner]workspace.Account{})
	one := workspace.Account{CPUTime: time.Hour + 1, At: noon}
	put := func(a workspace.Account) func(workspace.Tx) error {
		return func(tx workspace.Tx) error { return tx.PutAccount("ada", a) }
	}
	b.undone(put(one))
	check(map[workspace.Owner]workspace.Account{})
	b.update(put(workspace.Account{CPUTime: 7, At: noon}))
	b.update(put(one))
	check(map[workspace.Owner]workspace.Account{"ada": one})
	b.update(put(workspace.Account{}))
	check(map[workspace.Owner]workspace.Account{})
}

// holdings follow from the workspaces.
func holdings(b *bench) {
	none := workspace.Holding{}
	one := workspace.Holding{ // of a full workspace
		Workspaces: 1, CPUs: 2, MemoryMB: 256, CPUTime: 2 * (time.Hour + 1)}
	check := func(ada, bob workspace.Holding) {
		b.Helper()
		for range 2 {
			b.update(func(tx workspace.Tx) error {
				b.holds(tx, ada, bob)
				return nil
			})
			b.reopen()
		}
	}
	check(none, none)
	id := b.add("ada")
	b.add("bob")
	check(one, one)
	set := func(f func(*workspace.Workspace)) func(workspace.Tx) error {
		return func(tx workspace.Tx) error { return change(tx, id, f) }
	}
	b.undone(set(func(w *workspace.Workspace) { w.Demand.CPUs = 99 }))
	b.update(set(func(w *workspace.Workspace) { w.Host, w.Parked, w.Fault = "", true, "x" }))
	check(one, one)
	b.update(set(func(w *workspace.Workspace) { w.Demand.CPUs, w.Lease.Duration = 3, time.Minute }))
	check(workspace.Holding{Workspaces: 1, CPUs: 3, MemoryMB: 256, CPUTime: 3 * time.Minute}, one)
	b.update(set(func(w *workspace.Workspace) { w.Released = true }))
	check(workspace.Holding{Workspaces: 1, CPUTime: 3 * time.Minute}, one)
	b.undone(func(tx workspace.Tx) error {
		err := tx.RemoveWorkspace(id)
		b.holds(tx, none, one)
		return err
	})
	b.update(func(tx workspace.Tx) error { return tx.RemoveWorkspace(id) })
	check(none, one)
}

// holds checks what ada and bob, and nobody else, hold.
func (b *bench) holds(tx workspace.Tx, ada, bob workspace.Holding) {
	b.Helper()
	b.same("what ada holds", tx.Held("ada"), ada)
	want, got := map[workspace.Owner]workspace.Holding{}, map[workspace.Owner]workspace.Holding{}
	if ada != (workspace.Holding{}) {
		want["ada"] = ada
	}
	if bob != (workspace.Holding{}) {
		want["bob"] = bob
	}
	tx.Holdings(func(owner workspace.Owner, h workspace.Holding) { got[owner] = h })
	b.same("what all hold", got, want)
}
