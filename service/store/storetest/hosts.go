package storetest

import (
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// hostRecord returns a host's record with every field set.
func hostRecord(id workspace.HostID) workspace.HostRecord {
	return workspace.HostRecord{
		Host: id, By: "ada", Added: noon, Has: workspace.Capacity{CPUs: 4, MemoryMB: 512},
		Lost: noon.Add(time.Hour), LostWhy: "no answer", Left: []workspace.ID{1, 2},
		Spec: &workspace.HostSpec{
			ID: id, URI: "qemu+tcp://h/system", VMM: "Xen", Acceleration: "tcg", Dir: "/disks",
			Capacity: workspace.Capacity{CPUs: 2}, MaxImageMB: 9, Associations: []string{"lan"},
			Overlay:  "10.0.0.3",
			Networks: map[string]string{"lan": "network:default"},
			SSH: &workspace.HostSSH{Address: "h:22", User: "u", KeyFile: "k", PasswordFile: "p",
				KnownHosts: "o"},
			TLS: &workspace.HostTLS{CAFile: "a", CertFile: "c", KeyFile: "k"},
		},
	}
}

// hostRecords: the last one that was put of each host is read, and the hosts that
// there are follow from them.
func hostRecords(b *bench) {
	put := func(r workspace.HostRecord) {
		b.Helper()
		b.update(func(tx workspace.Tx) error {
			if err := tx.PutHostRecord(r); err != nil {
				return err
			}
			b.same("the record within", tx.HostRecord(r.Host), r)
			return nil
		})
	}
	check := func(hosts int, want ...workspace.HostRecord) {
		b.Helper()
		for range 2 {
			all, err := b.store.HostRecords(b.Context())
			b.same("the records", value(b, all, err), append([]workspace.HostRecord{}, want...))
			for _, r := range want {
				one, err := b.store.HostRecord(b.Context(), r.Host)
				b.same("a record", value(b, one, err), r)
			}
			there, err := b.store.Hosts(b.Context())
			b.same("how many hosts", len(value(b, there, err)), hosts)
			b.update(func(tx workspace.Tx) error {
				b.same("how many within", len(tx.Hosts()), hosts)
				b.same("how many records within", len(tx.HostRecords()), len(want))
				return nil
			})
			b.reopen()
		}
	}
	check(2)
	h3, h1 := hostRecord("h3"), workspace.HostRecord{Host: "h1", Left: []workspace.ID{7}}
	put(h3)
	put(h1)
	check(3, h1, h3)
	b.undone(func(tx workspace.Tx) error {
		return tx.PutHostRecord(workspace.HostRecord{Host: "h3"})
	})
	b.undone(func(tx workspace.Tx) error { return tx.PutHostRecord(hostRecord("h4")) })
	check(3, h1, h3)
	there, err := b.store.Hosts(b.Context())
	b.same("the host", value(b, there, err)[2].Host, workspace.Host{
		ID: "h3", VMM: "Xen", Capacity: workspace.Capacity{CPUs: 2, MemoryMB: 512}, Active: true,
		Associations: []string{"lan"}, Overlay: "10.0.0.3"})
	h3.Has, h3.Left = workspace.Capacity{}, nil
	put(h3)
	there, err = b.store.Hosts(b.Context())
	b.same("it is active with no memory", value(b, there, err)[2].Active, false)
	put(workspace.HostRecord{Host: "h3"})
	check(2, h1)
	b.update(func(tx workspace.Tx) error {
		b.kind(tx.PutHostRecord(workspace.HostRecord{Left: []workspace.ID{1}}), workspace.Internal)
		wrong := hostRecord("h3")
		wrong.Host = "h4"
		b.kind(tx.PutHostRecord(wrong), workspace.Internal)
		return nil
	})
}
