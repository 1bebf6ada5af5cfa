package sqlite

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	sqlite3 "github.com/mattn/go-sqlite3"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// A crowd is many who use a store at once, in every way there is.
type crowd struct {
	s      *Store
	failed atomic.Int64 // commits that the disk refused
}

// agreeing is a pool with room for a crowd.
func agreeing(path string) Options {
	n := workspace.Network{Name: "public", MACPrefix: "A2:AA:BB"}
	for i := range 40 {
		n.Addresses = append(n.Addresses, workspace.Address{IP: fmt.Sprintf("10.0.0.%d", i+1)})
	}
	return Options{Path: path, Networks: []workspace.Network{n}, PullCapacity: 5,
		Logger: slog.New(slog.DiscardHandler), Hosts: []workspace.Host{
			{ID: "h", Capacity: workspace.Capacity{CPUs: 99, MemoryMB: 9999}}},
		Wants: func(_ *workspace.Subscription, e workspace.Event, w *workspace.Workspace) bool {
			return w.ID%2 == 0
		}}
}

// TestMemoryIsTheFile has a crowd change everything at once, while some of their
// updates fail, panic, or are refused by the disk. Records that a kill leaves at random
// moments can be opened, and hold nothing that belongs to nothing; and at the end what
// was counted in memory is what is counted anew from the file.
func TestMemoryIsTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "record.db")
	var c crowd
	var open atomic.Bool
	o := agreeing(path)
	o.connected = func(conn *sqlite3.SQLiteConn) {
		conn.RegisterCommitHook(func() int {
			if !open.Load() || rand.IntN(20) > 0 {
				return 0
			}
			c.failed.Add(1)
			return 1
		})
	}
	var err error
	if c.s, err = Open(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	for round := range 6 {
		open.Store(true)
		var working sync.WaitGroup
		working.Go(func() { c.work(t) })
		for n := range 4 {
			<-time.After(rand.N(40 * time.Millisecond))
			killed(t, path, filepath.Join(filepath.Dir(path), fmt.Sprint("killed", round, n)))
		}
		working.Wait()
		open.Store(false)
	}
	if err := c.s.Close(); err != nil {
		t.Fatal(err)
	}
	agrees(t, c.s, path)
}

// work has everybody do something for a while, and until the disk has refused.
func (c *crowd) work(t *testing.T) {
	var all sync.WaitGroup
	before, end := c.failed.Load(), time.Now().Add(150*time.Millisecond)
	for n := range 8 {
		r := rand.New(rand.NewPCG(rand.Uint64(), uint64(n)))
		all.Go(func() {
			for time.Now().Before(end) || c.failed.Load() == before {
				c.act(t, r)
			}
		})
	}
	all.Wait()
}

// act is one update of one or several things, or a delivery.
func (c *crowd) act(t *testing.T, r *rand.Rand) {
	ctx := t.Context()
	if r.IntN(3) == 0 {
		c.deliver(t, r)
		return
	}
	err := c.s.Update(ctx, func(tx workspace.Tx) error {
		for range 1 + r.IntN(3) {
			if err := acts[r.IntN(len(acts))](tx, r); err != nil {
				return err
			}
		}
		switch r.IntN(20) {
		case 0:
			return errors.New("thought better of it")
		case 1:
			panic("on purpose")
		}
		return nil
	})
	kind := workspace.KindOf(err)
	if err != nil && !slices.Contains([]workspace.Kind{workspace.NoResource, workspace.Internal,
		workspace.Conflict, workspace.Unavailable}, kind) {
		t.Errorf("an update: %v", err)
	}
}

// deliver takes messages away, as those do who post them and those who fetch them.
func (c *crowd) deliver(t *testing.T, r *rand.Rand) {
	ctx := t.Context()
	if r.IntN(2) == 0 {
		_, err := c.s.Take(ctx, pointOf(r), workspace.Ask{
			Request: fmt.Sprint(r.IntN(9)), Most: r.IntN(4)})
		if err != nil && workspace.KindOf(err) != workspace.NotFound {
			t.Error(err)
		}
		return
	}
	waiting, err := c.s.Waiting(ctx)
	if err != nil || len(waiting) == 0 {
		return
	}
	id := waiting[r.IntN(len(waiting))]
	some, err := c.s.Pending(ctx, id, 1+r.IntN(3))
	seq := int64(math.MaxInt64)
	if n := len(some); n > 0 && r.IntN(2) == 0 {
		seq = some[n-1].Seq
	}
	if err := errors.Join(err, c.s.Delivered(ctx, id, seq)); err != nil {
		t.Error(err)
	}
}

func pointOf(r *rand.Rand) workspace.PullPointID {
	return workspace.PullPointID(fmt.Sprint("p", r.IntN(3)))
}

var crowdOwners = []workspace.Owner{"ada", "bob"}

// any returns one of the workspaces; nil: there is none.
func anyOf(tx workspace.Tx, r *rand.Rand) *workspace.Workspace {
	if all := tx.AllWorkspaces(); len(all) > 0 {
		return all[r.IntN(len(all))]
	}
	return nil
}

var crowdSerial atomic.Int64

// acts are what updates are made of.
var acts = []func(workspace.Tx, *rand.Rand) error{
	crowdCreate, crowdCreate, crowdChange, crowdChange, crowdRemove, crowdSubscribe,
	crowdSubscribe, crowdSubscription, crowdEmit, crowdEmit, crowdEmit, crowdPoint,
	crowdChanges, crowdHosts, crowdAccounts, crowdHolds, crowdImages,
}

func crowdCreate(tx workspace.Tx, r *rand.Rand) error {
	owner := crowdOwners[r.IntN(2)]
	var g workspace.Group
	nodes := 1 + r.IntN(2)
	if nodes > 1 {
		g = workspace.Group{ID: workspace.GroupID(fmt.Sprint("g", crowdSerial.Add(1))),
			Owner: owner}
	}
	for range nodes {
		a, mac, err := tx.TakeAddress("public")
		if err != nil {
			return crowdRemove(tx, r)
		}
		w := &workspace.Workspace{ID: tx.NextID(), Owner: owner, Group: g.ID, Host: "h",
			State: workspace.Running, Created: time.UnixMilli(1).UTC(),
			Demand: workspace.Allocation{CPUs: 1, MemoryMB: int64(r.IntN(9))},
			Lease:  workspace.Lease{Duration: time.Hour},
			NICs:   []workspace.NIC{{Association: "public", MAC: mac, Address: a}}}
		w.Booking = workspace.LeaseID(w.ID)
		if err := tx.PutWorkspace(w); err != nil {
			return err
		}
		b := &workspace.Booking{ID: w.Booking, Owner: owner, Members: []workspace.ID{w.ID}}
		if err := tx.PutBooking(b); err != nil {
			return err
		}
		g.Members = append(g.Members, w.ID)
	}
	if g.ID != "" {
		return tx.PutGroup(&g)
	}
	return nil
}

func crowdChange(tx workspace.Tx, r *rand.Rand) error {
	old := anyOf(tx, r)
	if old == nil {
		return nil
	}
	w := *old
	switch r.IntN(5) {
	case 0:
		w.Released = !w.Released
	case 1:
		w.Parked = !w.Parked
	case 2:
		w.Demand.MemoryMB = int64(r.IntN(9))
	case 3:
		w.Lease.Duration += time.Minute
	default:
		a, mac, err := tx.TakeAddress("public")
		if err != nil {
			return nil //nolint:nilerr // all are taken
		}
		return tx.PutNICs(w.ID, []workspace.NIC{{Association: "public", MAC: mac, Address: a}})
	}
	return tx.PutWorkspace(&w)
}

func crowdRemove(tx workspace.Tx, r *rand.Rand) error {
	w := anyOf(tx, r)
	if w == nil {
		return nil
	}
	if err := tx.RemoveWorkspace(w.ID); err != nil {
		return err
	}
	for _, c := range tx.ChangesOf(w.ID) {
		if err := tx.RemoveChange(c.ID); err != nil {
			return err
		}
	}
	if g, err := tx.Group(w.Group); err == nil && len(g.Members) == 0 {
		if err := tx.RemoveGroup(g.ID); err != nil {
			return err
		}
	}
	if r.IntN(2) == 0 { // as a destroyed workspace says that it is
		err := tx.Emit(workspace.Event{Workspace: w.ID, Topic: workspace.TopicTermination})
		if err != nil {
			return err
		}
	}
	return tx.RemoveBooking(w.Booking)
}

func crowdSubscribe(tx workspace.Tx, r *rand.Rand) error {
	s := &workspace.Subscription{
		ID:     workspace.SubscriptionID(fmt.Sprint("s", crowdSerial.Add(1))),
		Owner:  crowdOwners[r.IntN(2)],
		Topics: []workspace.Topic{workspace.TopicState, workspace.TopicTermination}[:1+r.IntN(2)],
		Paused: r.IntN(4) == 0,
	}
	if r.IntN(4) == 0 {
		s.Filter = []byte("x")
	}
	if w := anyOf(tx, r); w != nil && r.IntN(4) > 0 {
		s.Workspace, s.Owner = w.ID, w.Owner
	}
	if r.IntN(3) == 0 {
		id := pointOf(r)
		if _, err := tx.PullPoint(id); err == nil {
			s.PullPoint = id
		}
	}
	return tx.PutSubscription(s)
}

// crowdSubscription changes one of those that there may be, or removes it.
func crowdSubscription(tx workspace.Tx, r *rand.Rand) error {
	last := crowdSerial.Load()
	for range 20 {
		id := workspace.SubscriptionID(fmt.Sprint("s", last-r.Int64N(min(last, 60)+1)))
		old, err := tx.Subscription(id)
		if err != nil {
			continue
		}
		if r.IntN(3) == 0 {
			return tx.RemoveSubscription(id)
		}
		s := *old
		s.Paused = !s.Paused
		return tx.PutSubscription(&s)
	}
	return nil
}

func crowdEmit(tx workspace.Tx, r *rand.Rand) error {
	if w := anyOf(tx, r); w != nil {
		return tx.Emit(workspace.Event{Workspace: w.ID, Topic: workspace.TopicState,
			State: w.State, At: time.UnixMilli(1 + r.Int64N(9)).UTC()})
	}
	return nil
}

func crowdPoint(tx workspace.Tx, r *rand.Rand) error {
	id := pointOf(r)
	if p, err := tx.PullPoint(id); err == nil {
		if r.IntN(2) == 0 {
			return tx.RemovePullPoint(id)
		}
		fresh := *p
		fresh.Expires = fresh.Expires.Add(time.Second)
		return tx.PutPullPoint(&fresh)
	}
	return tx.PutPullPoint(&workspace.PullPoint{ID: id, Owner: "ada",
		Expires: time.UnixMilli(1).UTC()})
}

func crowdChanges(tx workspace.Tx, r *rand.Rand) error {
	w := anyOf(tx, r)
	if w == nil {
		return nil
	}
	all := tx.ChangesOf(w.ID)
	if len(all) == 0 {
		_, err := workspace.Queue(tx, workspace.Change{Kind: "deploy", Workspace: w.ID})
		return err
	}
	if r.IntN(2) == 0 {
		return tx.RemoveChange(all[0].ID)
	}
	next := *all[0]
	next.Step++
	return tx.PutChange(&next)
}

func crowdHosts(tx workspace.Tx, r *rand.Rand) error {
	id := workspace.HostID(fmt.Sprint("guest", r.IntN(3)))
	rec := workspace.HostRecord{Host: id}
	if r.IntN(2) == 0 {
		rec.Spec = &workspace.HostSpec{ID: id, Capacity: workspace.Capacity{CPUs: 1, MemoryMB: 1}}
	}
	return errors.Join(tx.PutHostRecord(rec),
		tx.PutHostMode(workspace.HostMode{Host: id, Drained: r.IntN(2) == 0}))
}

func crowdAccounts(tx workspace.Tx, r *rand.Rand) error {
	owner := crowdOwners[r.IntN(2)]
	account := workspace.Account{CPUTime: time.Duration(r.IntN(2)),
		At: time.UnixMilli(1 + r.Int64N(2)).UTC()}
	return errors.Join(tx.AddUsed(owner, time.Second), tx.PutAccount(owner, account),
		tx.PutAnswered(owner, fmt.Sprint(r.IntN(9)), workspace.Answer{At: time.Now()}))
}

func crowdHolds(tx workspace.Tx, r *rand.Rand) error {
	ip := fmt.Sprintf("10.0.0.%d", 1+r.IntN(4))
	if _, err := tx.RemoveHold("public", ip); err == nil {
		return nil
	}
	return tx.PutHold(workspace.Hold{Association: "public", First: ip, Last: ip})
}

func crowdImages(tx workspace.Tx, r *rand.Rand) error {
	key := workspace.ImageKey{Owner: "ada", Name: "i", Version: fmt.Sprint(r.IntN(3))}
	if tx.RemoveImage(key) == nil {
		return nil
	}
	return tx.PutImage(&workspace.Image{ImageKey: key})
}

// killed opens what a kill would leave of the record just now, twice: in between the
// first writes what is left to do.
func killed(t *testing.T, from, to string) {
	t.Helper()
	file, log, err := AsKilled(from)
	err = errors.Join(err, os.WriteFile(to, file, 0o600), os.WriteFile(to+"-wal", log, 0o600))
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), agreeing(to))
	if err != nil {
		t.Fatalf("what a kill leaves cannot be opened: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	agrees(t, s, to)
}

// agrees holds what a closed store had in memory against its file.
func agrees(t *testing.T, s *Store, path string) {
	t.Helper()
	anew, err := Open(t.Context(), agreeing(path))
	if err != nil {
		t.Fatal(err)
	}
	if orphans := anew.state.orphans(); len(orphans) > 0 {
		t.Errorf("subscriptions to nothing are left: %v", orphans)
	}
	if diff := cmp.Diff(told(s.state), told(anew.state)); diff != "" {
		t.Errorf("memory (-) is not the file (+):\n%s", diff)
	}
	if err := anew.Close(); err != nil {
		t.Fatal(err)
	}
}

// told is everything that the committed record tells, counted or stored.
func told(s *state) map[string]any {
	numbers, queued := map[workspace.SubscriptionID]int64{}, map[workspace.PullPointID]int{}
	for id, n := range s.numbers.base {
		numbers[id] = n.last
	}
	for id, p := range s.pulls {
		queued[id] = p.queued
	}
	held := map[string]int{}
	for _, slot := range s.pools["public"].slots {
		held[slot.address.IP] = slot.holders
	}
	kept := maps.Clone(s.kept.base)
	maps.DeleteFunc(kept, func(_ workspace.Owner, k workspace.Kept) bool {
		return k == workspace.Kept{}
	})
	holdings := map[workspace.Owner]workspace.Holding{}
	for owner, h := range s.holdings.base {
		holdings[owner] = workspace.Holding(h)
	}
	return map[string]any{
		"workspaces": s.workspaces.base, "groups": s.groups.base, "changes": s.changes.base,
		"changesOf": s.changesOf.base, "subscriptions": subscriptionsOf(s),
		"subscriptionsOf": fmt.Sprint(s.subscriptionsOf.base),
		"subscriptionsAt": s.subscriptionsAt.base, "numbers": numbers, "points": s.points.base,
		"kept": kept, "used": s.used.base, "bookings": s.bookings.base, "modes": s.modes.base,
		"records": s.records.base, "holds": slices.Sorted(maps.Keys(s.holds.base)),
		"images":   s.images.base,
		"accounts": s.accounts.base, "holdings": holdings, "current": anyUse(s.current),
		"committed": anyUse(s.committed), "held": held,
		"hosts": s.site.committed, "outbox": s.outbox, "queued": queued,
		"owners": map[workspace.Owner][]workspace.ID(s.owners),
		"last":   fmt.Sprint(s.last),
	}
}

func anyUse(u use) map[workspace.HostID]any {
	all := map[workspace.HostID]any{}
	for id, c := range u {
		all[id] = c
	}
	return all
}

// subscriptionsOf are those of the record as they are stored.
func subscriptionsOf(s *state) map[workspace.SubscriptionID]workspace.Subscription {
	all := map[workspace.SubscriptionID]workspace.Subscription{}
	for id, sub := range s.subscriptions.base {
		plain := *sub
		plain.Last, plain.Expression, plain.Consumer = 0, nil, nil
		all[id] = plain
	}
	return all
}
