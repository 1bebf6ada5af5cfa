package book

import (
	"cmp"
	"slices"

	"github.com/philoxenia/philoxenia/service/lease/slot"
)

// Replica is an image on a host: there, on its way, or planned to be.
type Replica struct {
	Host  slot.Host
	Image Image
	// Fetch is the transfer to the host, the image is there from its end on; the
	// empty span, for one that has always been there.
	Fetch slot.Span
	Begun bool      // the transfer; otherwise it is planned
	Used  slot.Time // when a lease counted on it last
}

// Images returns the images of hosts, by host and name.
func (b *Book) Images() []Replica {
	all := make([]Replica, 0, len(b.images))
	for at, r := range b.images {
		all = append(all, Replica{
			Host: at.host, Image: Image{at.image, r.sizeMB}, Fetch: r.fetch, Begun: r.begun,
			Used: r.used,
		})
	}
	slices.SortFunc(all, func(a, b Replica) int {
		return cmp.Or(cmp.Compare(a.Host, b.Host), cmp.Compare(a.Image.Name, b.Image.Name))
	})
	return all
}

// Keep tells that a host has an image, or will. An image that leases count on
// stays; others stay as far as the cache goes. What the Book knows of it already
// it keeps.
func (b *Book) Keep(now slot.Time, k Replica) {
	b.now = max(b.now, now)
	at := place{k.Host, k.Image.Name}
	if _, known := b.images[at]; known || b.link == nil {
		return
	}
	l := &lease{Terms: Terms{Image: k.Image}}
	_, host, link := b.carriage(l, k.Host)
	r := replica{
		sizeMB: k.Image.SizeMB, fetch: k.Fetch, load: host, rate: link[slot.NetOut],
		begun: k.Begun, used: k.Used,
	}
	b.load(r, at.host, true)
	b.images[at] = r
	b.idle = append(b.idle, at.host)
	if !r.begun {
		b.due.push(event{r.fetch.Start, Transfer, ID(at.host), at.image})
	}
}

// Drop tells that a host has lost an image, or deleted it: it has to be brought
// again for whoever needs it next.
func (b *Book) Drop(now slot.Time, h slot.Host, image string) {
	b.now = max(b.now, now)
	at := place{h, image}
	if r, known := b.images[at]; known && r.begun && len(r.users) == 0 {
		delete(b.images, at)
	}
}

// count lets a lease that has begun count on its image, where its hosts have it.
// One that resumed has brought its disk with it.
func (b *Book) count(l *lease) {
	if !b.fetches(l) || len(l.home) > 0 {
		return
	}
	for _, s := range sums(l.hosts, l.needs()) {
		at := place{s.host, l.Image.Name}
		if r, known := b.images[at]; known && r.begun {
			b.images[at] = r.counted(l.ID, b.now)
			l.pinned = true
		}
	}
}

// counted returns the replica with one more lease that counts on it.
func (r replica) counted(id ID, now slot.Time) replica {
	if i, found := slices.BinarySearch(r.users, id); !found {
		r.users = slices.Insert(slices.Clone(r.users), i, id)
	}
	r.used = max(r.used, now)
	return r
}
