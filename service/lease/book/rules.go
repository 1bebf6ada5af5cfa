package book

import (
	"slices"

	"github.com/philoxenia/philoxenia/service/lease/slot"
)

// rules are what affinity makes of a search.
type rules struct {
	may    []func(slot.Host) bool // conditions on hosts
	wish   func(slot.Host) int64  // how many wishes a host is against, less those that it is for
	bars   []bar                  // where others keep the lease away
	barred bool                   // the bars are in the table
	alone  bool                   // each node on a host of its own
	one    bool                   // all nodes on one host
	spread bool                   // as few nodes on one host as there can be
	gather bool                   // as many
	used   []slot.Host            // by nodes of other parts, where those are to be spread
	zone   func(slot.Host) int    // all nodes on one host, or on hosts of one zone; nil: anywhere
}

// wishWeight makes a wish count more than any choice of policy, which is about
// amounts, and less than an image or memory that is there.
const wishWeight = 1 << 53

// obey lets the search keep to the rules of its lease that are about its own
// nodes and about hosts.
func (s *search) obey() {
	for i := range s.lease.Affinity {
		rule := &s.lease.Affinity[i]
		switch {
		case rule.own():
			s.alone = s.alone || (rule.Apart && !rule.Soft)
			s.spread = s.spread || (rule.Apart && rule.Soft)
			s.one = s.one || !(rule.Apart || rule.Soft || rule.Zone != nil)
			if rule.Zone != nil && !rule.Apart && !rule.Soft {
				s.zone = rule.Zone
			}
			s.gather = s.gather || (!rule.Apart && rule.Soft)
		case !rule.Soft && len(rule.Hosts) > 0 && (rule.Apart || len(rule.Others) == 0):
			s.may = append(s.may, func(h slot.Host) bool {
				return slices.Contains(rule.Hosts, h) != rule.Apart
			})
		}
	}
	if s.one && s.alone && s.lease.nodes() > 1 {
		s.may = append(s.may, func(slot.Host) bool { return false })
	}
}

// relate lets the search keep to the rules that are about other leases.
func (b *Book) relate(s *search) {
	s.bars = b.bars(s.lease)
	type wish struct {
		apart bool
		hosts []slot.Host
	}
	var wishes []wish
	for i := range s.lease.Affinity {
		rule := &s.lease.Affinity[i]
		if rule.own() || (rule.Apart && !rule.Soft) {
			continue
		}
		hosts, known := b.company(s.lease, rule)
		switch {
		case rule.Soft || s.lease.saved:
			wishes = append(wishes, wish{rule.Apart, hosts})
		case known && len(rule.Others) > 0:
			s.may = append(s.may, func(h slot.Host) bool { return slices.Contains(hosts, h) })
		}
	}
	if len(wishes) == 0 {
		return
	}
	s.look = 0
	s.wish = func(h slot.Host) int64 {
		var against int64
		for i := range wishes {
			if slices.Contains(wishes[i].hosts, h) == wishes[i].apart {
				against++
			}
		}
		return against
	}
}

// company returns the hosts that the rule is about, and whether it says anything:
// not when all leases that it names are gone, nor of one that waits for the
// lease itself to begin.
func (b *Book) company(l *lease, rule *Affinity) (hosts []slot.Host, known bool) {
	hosts, known = slices.Clone(rule.Hosts), len(rule.Hosts) > 0
	for _, n := range rule.Others {
		other := b.leases.get(n.Lease)
		if other == nil || (other.waiting() && !other.before(l)) {
			continue
		}
		known = true
		for i, h := range other.hosts {
			if n.Node < 0 || n.Node == i {
				hosts = append(hosts, h)
			}
		}
	}
	return hosts, known
}

// bare returns the search of the empty pool, in which no other lease is.
func (b *Book) bare(l *lease) *search {
	s := &search{table: b.empty, lease: l.lowest(), last: slot.Never}
	s.obey()
	return s
}

// allows reports whether the host will do.
func (s *search) allows(h slot.Host) bool {
	if slices.Contains(s.avoid, h) || (s.lease.Hosts != nil && !s.lease.Hosts(h)) {
		return false
	}
	for _, may := range s.may {
		if !may(h) {
			return false
		}
	}
	return true
}

// against counts the wishes against the host: those of the rules, or, for nodes
// that are to lie together, how few find room there.
func (s *search) against(h slot.Host, free, need *slot.Amount) int64 {
	const most = 31
	var against int64
	if s.wish != nil {
		against = min(s.wish(h), most)
	}
	if slices.Contains(s.used, h) {
		against++
	}
	if s.gather {
		room := int64(most)
		for r := range need {
			if need[r] > 0 {
				room = min(room, int64(free[r]/need[r]))
			}
		}
		against += most - room
	}
	return against
}

// mind takes note of the hosts of a part when those of others are looked for.
func (s *search) mind(hosts []slot.Host) {
	if s.alone {
		s.avoid = slices.Concat(s.avoid, hosts)
	}
	if s.spread {
		s.used = slices.Concat(s.used, hosts)
	}
}

// guard bars hosts in the table while others keep the lease off them, until it
// is called what it returns.
func (s *search) guard() (done func()) {
	if len(s.bars) == 0 || s.barred {
		return func() {}
	}
	s.barred = true
	for _, x := range s.bars {
		s.table.Add(x.host, x.span, s.whole(x.host))
	}
	return func() {
		for _, x := range s.bars {
			s.table.Remove(x.host, x.span, s.whole(x.host))
		}
		s.barred = false
	}
}

// whole returns an amount of the host that leaves no room for a node.
func (s *search) whole(h slot.Host) slot.Amount {
	room := s.table.Capacity(h)
	return slot.Amount{slot.CPU: room[slot.CPU], slot.Memory: room[slot.Memory]}
}

// shapes returns the parts of the gang as hosts are looked for: all nodes as
// one, where they are to be together.
func (s *search) shapes() []Part {
	if !s.one {
		return s.lease.Parts
	}
	whole := Part{Nodes: 1}
	s.lease.each(func(_ int, need *slot.Amount) { whole.Need = whole.Need.Plus(*need) })
	return []Part{whole}
}

// hosts returns hosts for each node from those for each shape.
func (s *search) hosts(found []slot.Host) []slot.Host {
	if !s.one || found == nil {
		return found
	}
	return slices.Repeat(found, s.lease.nodes())
}

// place returns hosts for the whole gang during the span, or nil; as the wishes
// of affinity have it, where they can be had.
func (s *search) place(span slot.Span) []slot.Host {
	defer s.guard()()
	for _, way := range s.ways() {
		if hosts := way.settle(span); hosts != nil {
			return hosts
		}
	}
	return nil
}

// ways returns the search as those of which one has to succeed, the preferred
// first: for nodes that have to reach each other on one host, and then in each
// zone; where they are to be spread, the other way round.
func (s *search) ways() []*search {
	if s.zone == nil || s.one || s.lease.nodes() < 2 {
		return []*search{s}
	}
	var all []*search
	seen := map[int]bool{0: true}
	for h := range s.table.Len() {
		zone := s.zone(slot.Host(h))
		if seen[zone] {
			continue
		}
		seen[zone] = true
		within := *s
		within.zone = nil
		within.may = append(slices.Clip(s.may), func(h slot.Host) bool {
			return s.zone(h) == zone
		})
		all = append(all, &within)
	}
	if s.alone {
		return all
	}
	together := *s
	together.zone, together.one = nil, true
	if s.spread {
		return append(all, &together)
	}
	return slices.Insert(all, 0, &together)
}

// join keeps the search to hosts from which nodes reach those that stay on others.
func (s *search) join(others []slot.Host) {
	if s.zone == nil || len(others) == 0 {
		return
	}
	s.may = append(slices.Clip(s.may), func(h slot.Host) bool {
		return !slices.ContainsFunc(others, func(other slot.Host) bool {
			return h != other && (s.zone(h) == 0 || s.zone(h) != s.zone(other))
		})
	})
}

// settle is place in one of the ways.
func (s *search) settle(span slot.Span) []slot.Host {
	nodes := s.lease.nodes()
	if s.gather && !s.one && !s.alone && nodes > 1 {
		together := *s
		together.one = true
		if hosts := together.hosts(together.pack(span)); hosts != nil {
			return hosts
		}
	}
	if s.spread && !s.one && len(s.lease.Parts) == 1 {
		for each := 1; each < nodes && (s.each == 0 || each < s.each); each *= 2 {
			thin := *s
			thin.each = each
			if hosts := thin.pack(span); hosts != nil {
				return hosts
			}
		}
	}
	return s.hosts(s.pack(span))
}
