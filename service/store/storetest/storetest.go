// Package storetest is the conformance suite of workspace.Store: what every
// implementation must do, whichever database is beneath.
//
// It must not know any implementation: it sees the port alone.
package storetest

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// Store is what the suite tests: the port, and an end.
type Store interface {
	workspace.Store
	Close() error
}

// Setup is what a store is to be opened with.
type Setup struct {
	Dir        string // where the record is; the same Dir is the same record
	Hosts      []workspace.Host
	Networks   []workspace.Network
	OnChanges  func([]*workspace.Change)
	OnMessages func([]workspace.SubscriptionID)
	Wants      func(*workspace.Subscription, workspace.Event, *workspace.Workspace) bool
	// PullCapacity is how many messages a pull point holds.
	PullCapacity int
}

// Open opens a store.
type Open func(s Setup) (Store, error)

// Exercise runs the suite on the stores that open opens.
func Exercise(t *testing.T, open Open) {
	for _, test := range suite {
		t.Run(test.name, func(t *testing.T) { test.run(newBench(t, open)) })
	}
}

// suite are the tests, each of which has a fresh record.
var suite = []struct {
	name string
	run  func(*bench)
}{
	{"workspace", workspaces},
	{"what does not change", immutable},
	{"booking", bookings},
	{"host mode", hostModes},
	{"host record", hostRecords},
	{"image library", images},
	{"learned", learned},
	{"shape", shapes},
	{"parked", parked},
	{"lease events", leaseEvents},
	{"undone", undone},
	{"account", accounts},
	{"holdings", holdings},
	{"mistakes", mistakes},
	{"missing", nothing},
	{"group", groups},
	{"capacity", capacity},
	{"addresses", addresses},
	{"address pool changes", poolChanges},
	{"address holds", addressHolds},
	{"asked addresses", askedAddresses},
	{"other addresses", otherAddresses},
	{"freed addresses", freedAddresses},
	{"change", changes},
	{"subscription", subscriptions},
	{"orphaned subscription", orphans},
	{"lapsed subscription", lapsed},
	{"outbox order", outbox},
	{"paused", paused},
	{"resumed subscription", resumed},
	{"all of an owner's workspaces", ownerWide},
	{"several topics", severalTopics},
	{"filter", filters},
	{"message numbers", messageNumbers},
	{"pull point", pullPoints},
	{"pull point hands out", handsOut},
	{"pull point wakes", wakes},
	{"pull point overflows", overflows},
	{"pull point rollback", pullRollback},
	{"lapsed pull point", lapsedPullPoints},
	{"listening", listening},
	{"kept of an owner", keptOfOwner},
	{"answered", answered},
	{"used", used},
	{"rollback", rollback},
	{"panic", panics},
	{"hooks", hooks},
	{"numbers", numbers},
	{"context", contexts},
	{"closed", closed},
	{"concurrent", concurrent},
	{"conservation", conservation},
}

// A bench is one record under test.
type bench struct {
	*testing.T
	open  Open
	setup Setup
	store Store
}

// newBench opens a fresh record with two hosts and two networks.
func newBench(t *testing.T, open Open) *bench {
	b := &bench{T: t, open: open, setup: Setup{
		Dir: t.TempDir(),
		Hosts: []workspace.Host{
			{ID: "h1", VMM: "KVM", Active: true,
				Capacity: workspace.Capacity{CPUs: 8, MemoryMB: 4096}},
			{ID: "h2", VMM: "KVM", Active: true, Associations: []string{"public"},
				Capacity: workspace.Capacity{CPUs: 4, MemoryMB: 2048}},
		},
		Networks: []workspace.Network{network("public", "A2:AA:BB", 1, 5),
			network("private", "a2:aa:cc", 2, 3)},
	}}
	b.start()
	t.Cleanup(func() {
		if err := b.store.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// network returns a network 10.N.0.0 of so many addresses.
func network(name, prefix string, n, size int) workspace.Network {
	w := workspace.Network{Name: name, MACPrefix: prefix}
	for i := 1; i <= size; i++ {
		w.Addresses = append(w.Addresses, workspace.Address{
			Hostname: fmt.Sprintf("%s%d.example.org", name, i),
			IP:       fmt.Sprintf("10.%d.0.%d", n, i), Netmask: "255.255.255.0",
			Gateway: fmt.Sprintf("10.%d.0.254", n), Broadcast: fmt.Sprintf("10.%d.0.255", n),
			Network: fmt.Sprintf("10.%d.0.0", n)})
	}
	return w
}

// start opens the record.
func (b *bench) start() {
	b.Helper()
	s, err := b.open(b.setup)
	if err != nil {
		b.Fatal(err)
	}
	b.store = s
}

// reopen closes the record and opens it again.
func (b *bench) reopen() {
	b.Helper()
	if err := b.store.Close(); err != nil {
		b.Fatal(err)
	}
	b.start()
}

// update runs f in a transaction that must succeed.
func (b *bench) update(f func(workspace.Tx) error) {
	b.Helper()
	if err := b.store.Update(b.Context(), f); err != nil {
		b.Fatal(err)
	}
}

// errUndo makes an update fail on purpose.
var errUndo = errors.New("no, rather not")

// undone runs f in a transaction that fails after it.
func (b *bench) undone(f func(workspace.Tx) error) {
	b.Helper()
	err := b.store.Update(b.Context(), func(tx workspace.Tx) error {
		if err := f(tx); err != nil {
			b.Errorf("before it was to fail: %v", err)
		}
		return errUndo
	})
	if !errors.Is(err, errUndo) {
		b.Errorf("update returned %v, want %v", err, errUndo)
	}
}

// kind checks the kind of an error.
func (b *bench) kind(err error, want workspace.Kind) {
	b.Helper()
	var e *workspace.Error
	if !errors.As(err, &e) || e.Kind != want {
		b.Errorf("error is %v, want one of kind %q", err, want)
	}
}

// same compares two values.
func (b *bench) same(what string, got, want any) {
	b.Helper()
	if !reflect.DeepEqual(got, want) {
		b.Errorf("%s is %+v, want %+v", what, got, want)
	}
}

// value fails the test when err is set and returns v.
func value[V any](b *bench, v V, err error) V {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
	return v
}

// workspace returns the committed workspace.
func (b *bench) workspace(id workspace.ID) *workspace.Workspace {
	b.Helper()
	w, err := b.store.Workspace(b.Context(), id)
	return value(b, w, err)
}

// noon is a time.
var noon = time.Date(2026, 6, 1, 12, 0, 0, 123e6, time.UTC)

// full returns a workspace with every field set, on host h1.
func full(id workspace.ID, owner workspace.Owner) *workspace.Workspace {
	return &workspace.Workspace{
		ID: id, Group: "g", Owner: owner,
		Spec: workspace.Spec{
			Name: "http://example.org/a?b=<&>", Architecture: "x86_64",
			VMM:    workspace.VMM{Type: "Xen", Versions: []string{"3", "4"}},
			Kernel: workspace.Kernel{Image: "file://vmlinuz", Parameters: "ro"},
			Disks: []workspace.Disk{{Role: workspace.RootDisk, Location: "sftp://r/x",
				MountAs: "sda1"}, {Role: workspace.BlankDisk, Name: "n", MountAs: "sdb",
				ReadOnly: true, SizeMB: 7}},
			NICs:     []workspace.NIC{{Name: "eth0", Association: "public"}},
			Files:    []workspace.File{{Path: "/etc/motd", Content: "größe\n\t\"x\""}},
			UserData: "data", StageIn: &workspace.Transfer{Endpoint: "e", Source: "s",
				Destination: "d", Checksum: "c", ChecksumType: "t"},
			StageOut: &workspace.Transfer{Source: "o"},
		},
		Booking: workspace.LeaseID(id),
		Demand: workspace.Allocation{MemoryMB: 256, CPUs: 2, CPUPercent: 50,
			Architecture: "x86_64", CPUsGiven: true},
		Lease: workspace.Lease{Start: noon, Duration: time.Hour + time.Nanosecond,
			Grace: time.Minute, Mechanism: workspace.MechanismTrash, SaveTo: "sftp://r/y",
			Warn: time.Minute},
		Initial: workspace.Running, Host: "h1", State: workspace.Unpropagated,
		Fault: "none yet", Expired: true, Version: 1, Created: noon, Changed: noon.Add(time.Second),
	}
}

// add puts a full workspace of the owner.
func (b *bench) add(owner workspace.Owner) (id workspace.ID) {
	b.Helper()
	b.update(func(tx workspace.Tx) error {
		id = tx.NextID()
		return tx.PutWorkspace(full(id, owner))
	})
	return id
}

// change puts a changed copy of the workspace.
func change(tx workspace.Tx, id workspace.ID, f func(w *workspace.Workspace)) error {
	was, err := tx.Workspace(id)
	if err != nil {
		return err
	}
	w := *was
	f(&w)
	return tx.PutWorkspace(&w)
}
