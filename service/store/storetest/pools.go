package storetest

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// usage returns what is used of each host, as readers see it.
func (b *bench) usage() map[workspace.HostID]workspace.Capacity {
	b.Helper()
	hosts, err := b.store.Hosts(b.Context())
	return usage(value(b, hosts, err))
}

// usage returns what is used of each host.
func usage(hosts []workspace.HostUse) map[workspace.HostID]workspace.Capacity {
	u := make(map[workspace.HostID]workspace.Capacity)
	for _, h := range hosts {
		u[h.ID] = h.Used
	}
	return u
}

// capacity follows from the workspaces that hold it.
func capacity(b *bench) {
	none := workspace.Capacity{}
	one := workspace.Capacity{CPUs: 1, CPUShare: 100, MemoryMB: 256} // of a full workspace
	check := func(h1, h2 workspace.Capacity) {
		b.Helper()
		want := map[workspace.HostID]workspace.Capacity{"h1": h1, "h2": h2}
		for range 2 {
			b.same("what is used", b.usage(), want)
			b.update(func(tx workspace.Tx) error {
				b.same("what a transaction sees used", usage(tx.Hosts()), want)
				return nil
			})
			b.reopen()
		}
	}
	check(none, none)
	id := b.add("ada")
	check(one, none)
	b.undone(func(tx workspace.Tx) error {
		defer func() { b.same("used within", usage(tx.Hosts())["h2"], one) }()
		return change(tx, id, func(w *workspace.Workspace) { w.Host = "h2" })
	})
	check(one, none)
	b.update(func(tx workspace.Tx) error {
		return change(tx, id, func(w *workspace.Workspace) { w.Host = "h2" })
	})
	check(none, one)
	b.update(func(tx workspace.Tx) error {
		return change(tx, id, func(w *workspace.Workspace) { w.Released = true })
	})
	check(none, none)
	b.update(func(tx workspace.Tx) error {
		return change(tx, id, func(w *workspace.Workspace) { w.Released = false; w.Host = "h1" })
	})
	b.update(func(tx workspace.Tx) error {
		return change(tx, id, func(w *workspace.Workspace) { w.State = workspace.Cancelled })
	})
	check(none, none)
	b.update(func(tx workspace.Tx) error { return tx.RemoveWorkspace(id) })
	check(none, none)
}

// taken puts a workspace with addresses of the associations.
func taken(tx workspace.Tx, associations ...string) (*workspace.Workspace, error) {
	w := full(tx.NextID(), "ada")
	for _, name := range associations {
		a, mac, err := tx.TakeAddress(name)
		if err != nil {
			return nil, err
		}
		w.NICs = append(w.NICs, workspace.NIC{Name: name, Association: name, MAC: mac, Address: a})
	}
	return w, tx.PutWorkspace(w)
}

// take puts a workspace with a public address and returns it.
func (b *bench) take() (w *workspace.Workspace) {
	b.Helper()
	b.update(func(tx workspace.Tx) (err error) {
		w, err = taken(tx, "public")
		return err
	})
	return w
}

// addresses are handed out in order, each once, and come back with their
// workspace; those taken in vain come back at once.
func addresses(b *bench) {
	first := b.take()
	b.same("the first address", first.NICs[0].Address, b.setup.Networks[0].Addresses[0])
	mac := first.NICs[0].MAC
	if !strings.HasPrefix(mac, "A2:AA:BB:") || len(mac) != 17 || mac != strings.ToUpper(mac) {
		b.Errorf("MAC is %q, want six upper-case octets that begin with A2:AA:BB", mac)
	}
	b.update(func(tx workspace.Tx) error { // taken, but put with no workspace
		_, _, err := tx.TakeAddress("public")
		return err
	})
	b.undone(func(tx workspace.Tx) error { _, err := taken(tx, "public"); return err })
	b.same("the second", b.take().NICs[0].IP, "10.1.0.2")
	b.update(func(tx workspace.Tx) error { return tx.RemoveWorkspace(first.ID) })
	for _, ip := range []string{"10.1.0.3", "10.1.0.4", "10.1.0.5", "10.1.0.1"} {
		b.same("the next, those freed last", b.take().NICs[0].IP, ip)
	}
	b.reopen()
	err := b.store.Update(b.Context(), func(tx workspace.Tx) error {
		_, _, err := tx.TakeAddress("public")
		return err
	})
	b.kind(err, workspace.NoResource)
	var r *workspace.Refusal
	if !errors.As(err, &r) || r.Shortages[0].Where != "public" ||
		!r.Earliest.Equal(full(1, "").Lease.Termination()) {
		b.Errorf("refused with %v, want when and where an address is free again", err)
	}
	b.update(func(tx workspace.Tx) error {
		_, _, err := tx.TakeAddress("nowhere")
		b.kind(err, workspace.Invalid)
		return nil
	})
	last := b.workspace(first.ID + 6) // took 10.1.0.1 again; a failed update used a number
	b.same("the address", last.NICs[0].IP, "10.1.0.1")
	b.same("its MAC, as before", last.NICs[0].MAC, mac)
}

// poolChanges: an address that is no longer configured stays with its
// workspace, and is not handed out twice when it comes back.
func poolChanges(b *bench) {
	w := b.take()
	all := b.setup.Networks[0].Addresses
	b.setup.Networks[0].Addresses = all[1:]
	b.setup.Hosts = b.setup.Hosts[1:]
	b.reopen()
	b.same("the address kept", b.workspace(w.ID).NICs[0].IP, "10.1.0.1")
	b.same("the next one", b.take().NICs[0].IP, "10.1.0.2")
	b.setup.Networks[0].Addresses = all
	b.reopen()
	b.same("the next one when it is back", b.take().NICs[0].IP, "10.1.0.3")
	b.update(func(tx workspace.Tx) error { return tx.RemoveWorkspace(w.ID) })
	b.take()
	b.take()
	b.same("the one that came back", b.take().NICs[0].IP, "10.1.0.1")
}

// conservation: whatever is done, in updates that succeed or fail, what is
// used is what the workspaces hold, and no address is held twice or lost.
func conservation(b *bench) {
	rapid.Check(b.T, func(t *rapid.T) {
		b.update(func(tx workspace.Tx) error {
			for _, w := range tx.AllWorkspaces() {
				if err := tx.RemoveWorkspace(w.ID); err != nil {
					return err
				}
			}
			return nil
		})
		for range rapid.IntRange(1, 25).Draw(t, "updates") {
			fails := rapid.IntRange(0, 3).Draw(t, "fails") == 0
			n := rapid.IntRange(1, 4).Draw(t, "operations")
			_ = b.store.Update(b.Context(), func(tx workspace.Tx) error {
				for range n {
					if err := operate(t, tx); err != nil {
						return err
					}
				}
				b.sums(tx.AllWorkspaces(), usage(tx.Hosts()))
				b.heldInAll(tx)
				if fails {
					return errUndo
				}
				return nil
			})
			b.conserved()
			if rapid.IntRange(0, 19).Draw(t, "reopens") == 0 {
				b.reopen()
			}
		}
		b.exhaust()
		if b.Failed() {
			t.Fatal("not conserved")
		}
	})
}

// operate does something to the record.
func operate(t *rapid.T, tx workspace.Tx) error {
	all := tx.AllWorkspaces()
	what := rapid.IntRange(0, 8).Draw(t, "what")
	if len(all) == 0 || what <= 2 {
		names := rapid.SliceOfN(rapid.SampledFrom([]string{"public", "private"}), 0, 2).
			Draw(t, "associations")
		_, err := taken(tx, names...)
		return err
	}
	id := rapid.SampledFrom(ids(all)).Draw(t, "workspace")
	if what == 3 {
		return tx.RemoveWorkspace(id)
	}
	if what == 4 {
		_, _, err := tx.TakeAddress("private")
		return err
	}
	return change(tx, id, func(w *workspace.Workspace) {
		w.Host = rapid.SampledFrom([]workspace.HostID{"h1", "h2", "h3"}).Draw(t, "host")
		w.Released = w.Released || what == 5
		w.Parked = w.Parked != (what == 6)
		if what == 7 {
			w.Demand.NetInKbps, w.Demand.MemoryMB = w.Demand.NetInKbps+5, w.Demand.MemoryMB*2
		}
		w.Changed = w.Changed.Add(time.Second)
	})
}

// sums compares what is used with what the workspaces hold.
func (b *bench) sums(all []*workspace.Workspace, used map[workspace.HostID]workspace.Capacity) {
	b.Helper()
	want := map[workspace.HostID]workspace.Capacity{"h1": {}, "h2": {}}
	held := make(map[string]workspace.ID)
	for _, w := range all {
		if !w.Holds() {
			continue
		}
		if c, ok := want[w.Host]; ok && !w.Parked {
			c.CPUShare += w.Demand.CPUShare()
			c.CPUs = (c.CPUShare + 99) / 100
			c.MemoryMB += w.Demand.MemoryMB
			c.NetInKbps += w.Demand.NetInKbps
			want[w.Host] = c
		}
		for _, n := range w.NICs {
			if other, twice := held[n.IP]; twice {
				b.Errorf("address %s is held by %s and %s", n.IP, other, w.ID)
			}
			held[n.IP] = w.ID
		}
	}
	if !maps.Equal(used, want) {
		b.Errorf("used is %v, want %v", used, want)
	}
}

// heldInAll compares what owners hold with their workspaces.
func (b *bench) heldInAll(tx workspace.Tx) {
	b.Helper()
	var want workspace.Holding
	for _, w := range tx.AllWorkspaces() {
		want.Workspaces++
		want.CPUTime += time.Duration(w.Demand.CPUs) * w.Lease.Duration
		if w.Holds() {
			want.CPUs += w.Demand.CPUs
			want.MemoryMB += w.Demand.MemoryMB
		}
	}
	b.same("what ada holds, who owns all", tx.Held("ada"), want)
}

// conserved checks the sums of what readers see.
func (b *bench) conserved() {
	b.Helper()
	all, err := b.store.Workspaces(b.Context(), "")
	b.sums(value(b, all, err), b.usage())
}

// exhaust takes all addresses that are left, and checks that none is missing.
func (b *bench) exhaust() {
	b.Helper()
	all, err := b.store.Workspaces(b.Context(), "")
	got := make(map[string]bool)
	for _, w := range value(b, all, err) {
		for _, n := range w.NICs {
			got[n.IP] = got[n.IP] || w.Holds()
		}
	}
	b.undone(func(tx workspace.Tx) error {
		for _, name := range []string{"public", "private"} {
			for {
				a, _, err := tx.TakeAddress(name)
				if err != nil {
					break
				}
				if got[a.IP] {
					b.Errorf("address %s was handed out twice", a.IP)
				}
				got[a.IP] = true
			}
		}
		return nil
	})
	missing := slices.DeleteFunc(slices.Collect(maps.Keys(got)),
		func(ip string) bool { return got[ip] })
	if len(got) != 8 || len(missing) > 0 {
		b.Errorf("of 8 addresses %d are known, lost are %v", len(got), missing)
	}
}
