package storetest

import (
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// hold is a hold of public addresses.
func hold(first, last string) workspace.Hold {
	return workspace.Hold{Association: "public", First: first, Last: last, Comment: "printers",
		By: "op", Since: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}
}

// use returns what is taken of the public addresses.
func (b *bench) use() (u workspace.NetworkUse) {
	b.Helper()
	b.update(func(tx workspace.Tx) error {
		u = tx.Networks()[1]
		return nil
	})
	return u
}

// counts compares what the association has leased and held.
func (b *bench) counts(what string, leased, held int) {
	b.Helper()
	u := b.use()
	b.same(what, [2]int{u.Leased, u.Held}, [2]int{leased, held})
}

// addressHolds: what is on hold is leased to nobody, what is leased already
// stays so and is held afterwards; a hold outlives the service.
func addressHolds(b *bench) {
	first := b.take()
	b.undone(func(tx workspace.Tx) error { return tx.PutHold(hold("10.1.0.1", "10.1.0.5")) })
	b.update(func(tx workspace.Tx) error { return tx.PutHold(hold("10.1.0.1", "10.1.0.3")) })
	b.same("the holds", b.use().Holds, []workspace.Hold{hold("10.1.0.1", "10.1.0.3")})
	b.counts("leased and held", 1, 2)
	b.same("its address", b.workspace(first.ID).NICs[0].IP, "10.1.0.1")
	b.same("the next", b.take().NICs[0].IP, "10.1.0.4")
	b.update(func(tx workspace.Tx) error { return tx.RemoveWorkspace(first.ID) })
	b.reopen()
	b.counts("one was given back", 1, 3)
	b.same("the last", b.take().NICs[0].IP, "10.1.0.5")
	b.update(func(tx workspace.Tx) error {
		_, _, err := tx.TakeAddress("public")
		b.kind(err, workspace.NoResource)
		b.kind(tx.PutHold(hold("10.1.0.3", "10.1.0.4")), workspace.Conflict)
		b.kind(tx.PutHold(hold("10.1.0.9", "10.1.0.9")), workspace.NotFound)
		b.kind(tx.PutHold(workspace.Hold{Association: "nowhere"}), workspace.NotFound)
		_, err = tx.RemoveHold("public", "10.1.0.4")
		b.kind(err, workspace.NotFound)
		return nil
	})
	b.undone(func(tx workspace.Tx) error {
		_, err := tx.RemoveHold("public", "10.1.0.2")
		if err == nil {
			_, err = taken(tx, "public")
		}
		return err
	})
	b.counts("still", 2, 3)
	b.update(func(tx workspace.Tx) error {
		was, err := tx.RemoveHold("public", "10.1.0.2")
		b.same("what was held", was, hold("10.1.0.1", "10.1.0.3"))
		return err
	})
	b.reopen()
	b.counts("released", 2, 0)
	seen := map[string]bool{}
	for range 3 {
		seen[b.take().NICs[0].IP] = true
	}
	b.same("all are leased again", len(seen), 3)
	b.counts("in the end", 5, 0)
}

// asked puts a workspace with the public address that it asks for.
func asked(tx workspace.Tx, ip string) error {
	w := full(tx.NextID(), "ada")
	a, mac, err := tx.AskAddress("public", ip)
	if err != nil {
		return err
	}
	w.NICs = []workspace.NIC{{Name: "n", Association: "public", MAC: mac, Address: a}}
	return tx.PutWorkspace(w)
}

// askedAddresses: some may be asked for, of the pool or beside it, and nobody
// has one twice.
func askedAddresses(b *bench) {
	pool := b.setup.Networks[0].Addresses
	extra := pool[0]
	extra.IP = "10.1.0.77"
	b.setup.Networks[0].Asked = []workspace.Address{pool[1], extra}
	b.reopen()
	b.update(func(tx workspace.Tx) error {
		b.kind(asked(tx, "10.1.0.1"), workspace.Denied)
		b.kind(asked(tx, "10.1.0.99"), workspace.Denied)
		_, _, err := tx.AskAddress("nowhere", "10.1.0.2")
		b.kind(err, workspace.Invalid)
		return nil
	})
	b.undone(func(tx workspace.Tx) error { return asked(tx, "10.1.0.2") })
	b.update(func(tx workspace.Tx) error {
		if _, _, err := tx.AskAddress("public", "10.1.0.77"); err != nil {
			return err
		}
		b.kind(asked(tx, "10.1.0.77"), workspace.NoResource) // within one update
		return asked(tx, "10.1.0.2")
	})
	b.update(func(tx workspace.Tx) error { return asked(tx, "10.1.0.77") })
	b.reopen()
	b.update(func(tx workspace.Tx) error {
		b.kind(asked(tx, "10.1.0.77"), workspace.NoResource)
		b.kind(asked(tx, "10.1.0.2"), workspace.NoResource)
		return nil
	})
	for _, ip := range []string{"10.1.0.1", "10.1.0.3", "10.1.0.4", "10.1.0.5"} {
		b.same("the next that nobody asked for", b.take().NICs[0].IP, ip)
	}
	b.update(func(tx workspace.Tx) error {
		_, _, err := tx.TakeAddress("public")
		b.kind(err, workspace.NoResource) // the one beside the pool is not handed out
		for _, w := range tx.AllWorkspaces() {
			if err := tx.RemoveWorkspace(w.ID); err != nil {
				return err
			}
		}
		return asked(tx, "10.1.0.2")
	})
	b.counts("in the end", 1, 0)
	b.update(func(tx workspace.Tx) error { return tx.PutHold(hold("10.1.0.77", "10.1.0.77")) })
	b.update(func(tx workspace.Tx) error {
		b.kind(asked(tx, "10.1.0.77"), workspace.NoResource)
		return nil
	})
}

// freedAddresses: an address whose machine is gone is another's, and stays that one's when
// the first workspace leaves the record.
func freedAddresses(b *bench) {
	w := b.take()
	free := func(tx workspace.Tx) error {
		nics := []workspace.NIC{b.workspace(w.ID).NICs[0]}
		nics[0].Freed = true
		return tx.PutNICs(w.ID, nics)
	}
	b.undone(free)
	b.counts("still leased", 1, 0)
	b.update(free)
	b.update(free)
	b.counts("freed", 0, 0)
	b.same("who has which", len(b.use().Leases), 0)
	b.reopen()
	b.counts("freed for ever", 0, 0)
	for _, ip := range []string{"10.1.0.1", "10.1.0.2", "10.1.0.3", "10.1.0.4", "10.1.0.5"} {
		b.same("the next", b.take().NICs[0].IP, ip)
	}
	b.update(func(tx workspace.Tx) error { return tx.RemoveWorkspace(w.ID) })
	b.counts("the first has left", 5, 0)
	b.reopen()
	b.counts("and after that", 5, 0)
}

// otherAddresses: a workspace may get others, and its old ones are free then.
func otherAddresses(b *bench) {
	w := b.take()
	move := func(tx workspace.Tx) error {
		a, mac, err := tx.TakeAddress("public")
		if err != nil {
			return err
		}
		nics := []workspace.NIC{{Name: "public", Association: "public", MAC: mac, Address: a}}
		return tx.PutNICs(w.ID, nics)
	}
	b.undone(move)
	b.same("its address", b.workspace(w.ID).NICs[0].IP, "10.1.0.1")
	b.update(move)
	b.reopen()
	b.same("its other address", b.workspace(w.ID).NICs[0].IP, "10.1.0.2")
	b.counts("leased", 1, 0)
	b.same("the old one", b.take().NICs[0].IP, "10.1.0.1")
}
