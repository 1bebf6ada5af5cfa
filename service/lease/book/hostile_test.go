package book

import (
	"math/rand/v2"
	"testing"

	"github.com/philoxenia/philoxenia/service/lease/slot"
)

// TestManyShapesTakeLittleTime asks for a gang of as many shapes as a request may
// have, on hosts whose time is in pieces: one caller's question may not hold up
// the others. It is held against the work of all that is in the Book, which is
// less than a third of the worst.
func TestManyShapesTakeLittleTime(t *testing.T) {
	const hour = slot.Time(3600e3)
	room := make([]slot.Amount, 100)
	for i := range room {
		room[i] = slot.Amount{51200, 53248, 1 << 30, 1 << 30, 1 << 30}
	}
	begun := cpuTime()
	b := New(Pool{Hosts: room}, Policy{Preemption: []Means{BySuspension, ByKilling}, Boot: 1000})
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := range 1500 {
		x := Terms{ID: ID(i + 1), Kind: Reservation, Duration: hour + slot.Time(i)*37000}
		x.Start = hour + slot.Time(rnd.Int64N(480*3600e3))
		x.Parts = []Part{{[]int{1, 20, 90}[rnd.IntN(3)],
			slot.Amount{100, []int32{20000, 30000}[rnd.IntN(2)]}}}
		_, err := b.Submit(0, x)
		if err != nil {
			t.Fatal(err)
		}
	}
	all := cpuTime() - begun
	for _, kind := range []Kind{Immediate, BestEffort, Reservation, Deadline} {
		x := Terms{ID: 9999, Kind: kind, Duration: 600000e3}
		switch kind {
		case Reservation:
			x.Start = 72 * hour
		case Deadline:
			x.Deadline = 300 * hour
		}
		for i := range int32(64) {
			x.Parts = append(x.Parts, Part{30, slot.Amount{2000, 20000 + i}})
			x.Least = append(x.Least, slot.Amount{100, 1000})
			x.Grain = append(x.Grain, slot.Amount{100, 1})
		}
		begun := cpuTime()
		a, err := b.Snapshot().Submit(0, x)
		if err != nil {
			t.Fatal(err)
		}
		took := cpuTime() - begun
		if took > 10*all {
			t.Errorf("%s is %s after %s of work, all before it were %s", kind, a.State, took, all)
		}
	}
}
