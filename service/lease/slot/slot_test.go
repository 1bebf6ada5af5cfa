package slot

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// unit is a moment of the oracle in the table's time: long enough that a
// few of them fill a cell of the rows.
const unit = 1 << 19

// horizon is how far the naive table looks; nothing is added beyond its half.
const horizon = 64

// naive is the oracle: what is taken of each host at each moment.
type naive struct {
	room []Amount
	use  [][horizon]Amount
}

func newNaive(room []Amount) *naive {
	return &naive{room, make([][horizon]Amount, len(room))}
}

func (n *naive) add(h Host, s Span, a Amount) {
	for t := s.Start / unit; t < s.End/unit && t < horizon; t++ {
		n.use[h][t] = n.use[h][t].Plus(a)
	}
}

func (n *naive) fits(h Host, s Span, a Amount) bool {
	if !a.Fits(&n.room[h]) {
		return false
	}
	for t := s.Start / unit; t < s.End/unit && t < horizon; t++ {
		sum := n.use[h][t].Plus(a)
		if !sum.Fits(&n.room[h]) {
			return false
		}
	}
	return true
}

// nodes counts the nodes that fit on the host.
func (n *naive) nodes(h Host, s Span, g Gang) int {
	need, count := Amount{}, 0
	for count < g.Nodes && (g.Each == 0 || count < g.Each) {
		if need = need.Plus(g.Need); !n.fits(h, s, need) {
			break
		}
		count++
	}
	return count
}

func (n *naive) gang(s Span, g Gang) bool {
	room := 0
	for h := range n.room {
		room += n.nodes(Host(h), s, g)
	}
	return room >= g.Nodes
}

func drawAmount(t *rapid.T, most int32) Amount {
	var a Amount
	a[CPU] = rapid.Int32Range(0, most).Draw(t, "cpu")
	a[Memory] = rapid.Int32Range(1, most).Draw(t, "memory")
	return a
}

func drawSpan(t *rapid.T) Span {
	start := rapid.Int64Range(0, horizon/2-1).Draw(t, "start")
	end := rapid.Int64Range(start+1, horizon/2).Draw(t, "end")
	return Span{Time(start * unit), Time(end * unit)}
}

type taken struct {
	host Host
	span Span
	a    Amount
}

// TestTableAgainstOracle takes and gives back at random and asks every
// question of the table and of the oracle.
func TestTableAgainstOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		room := make([]Amount, rapid.IntRange(1, 4).Draw(t, "hosts"))
		for i := range room {
			room[i] = drawAmount(t, 6)
		}
		table, oracle := New(room), newNaive(room)
		var all []taken
		for range rapid.IntRange(0, 40).Draw(t, "operations") {
			if len(all) > 0 && rapid.IntRange(0, 3).Draw(t, "give back") == 0 {
				i := rapid.IntRange(0, len(all)-1).Draw(t, "which")
				table.Remove(all[i].host, all[i].span, all[i].a)
				oracle.add(all[i].host, all[i].span, Amount{}.Minus(all[i].a))
				all = slices.Delete(all, i, i+1)
				continue
			}
			if rapid.Bool().Draw(t, "look") {
				askGang(t, table, oracle) // bounds are learned between changes
			}
			x := taken{Host(rapid.IntRange(0, len(room)-1).Draw(t, "host")),
				drawSpan(t), drawAmount(t, 3)}
			table.Add(x.host, x.span, x.a)
			oracle.add(x.host, x.span, x.a)
			all = append(all, x)
		}
		for range 3 {
			askHost(t, table, oracle)
			askGang(t, table, oracle)
		}
	})
}

func askHost(t *rapid.T, table *Table, oracle *naive) {
	h := Host(rapid.IntRange(0, table.Len()-1).Draw(t, "host"))
	s, a := drawSpan(t), drawAmount(t, 4)
	if got, want := table.Fits(h, s, a), oracle.fits(h, s, a); got != want {
		t.Fatalf("Fits(%d, %v, %v) = %v, want %v", h, s, a, got, want)
	}
	length := Time(rapid.Int64Range(1, 8).Draw(t, "length") * unit)
	want := Never
	for at := s.Start; at < horizon*unit && want == Never; at += unit {
		if oracle.fits(h, Span{at, at + length}, a) {
			want = at
		}
	}
	if got := table.Earliest(h, s.Start, length, a); got != want {
		t.Fatalf("Earliest(%d, %d, %d, %v) = %d, want %d", h, s.Start, length, a, got, want)
	}
	want = Never
	for at := s.End - length; at >= s.Start && want == Never; at -= unit {
		if oracle.fits(h, Span{at, at + length}, a) {
			want = at
		}
	}
	if got := table.Latest(h, s, length, a); got != want {
		t.Fatalf("Latest(%d, %v, %d, %v) = %d, want %d", h, s, length, a, got, want)
	}
}

func askGang(t *rapid.T, table *Table, oracle *naive) {
	g := Gang{
		Need: drawAmount(t, 3), Nodes: rapid.IntRange(1, 6).Draw(t, "nodes"),
		Each: rapid.IntRange(0, 2).Draw(t, "each"),
	}
	s := drawSpan(t)
	hosts := table.Place(s, g)
	if got, want := hosts != nil, oracle.gang(s, g); got != want {
		t.Fatalf("Place(%v, %+v) = %v, the oracle says %v", s, g, hosts, want)
	}
	length := Time(rapid.Int64Range(1, 8).Draw(t, "length") * unit)
	want := Never
	for at := s.Start; at < horizon*unit && want == Never; at += unit {
		if oracle.gang(Span{at, at + length}, g) {
			want = at
		}
	}
	when, hosts := table.EarliestGang(s.Start, length, g)
	if when != want || (hosts == nil) != (want == Never) {
		t.Fatalf("EarliestGang(%d, %d, %+v) = %d %v, want %d", s.Start, length, g, when, hosts,
			want)
	}
	for _, h := range hosts {
		span := Span{when, when + length}
		if !table.Fits(h, span, g.Need) {
			t.Fatalf("host %d of %v has no room", h, hosts)
		}
		table.Add(h, span, g.Need)
	}
	for _, h := range hosts {
		table.Remove(h, Span{when, when + length}, g.Need)
	}
}
