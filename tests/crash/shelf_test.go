package crash

import (
	"encoding/xml"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/philoxenia/philoxenia/tests/daemon"
)

// An entry is what the clients know of an image of the library.
type entry struct {
	busy  bool // a client is at it, or died at it in this life of the daemon
	there bool // it was added and not removed
}

// shelfName is the name of all images of the library, which differ in their versions.
const shelfName = "crash"

// addImage puts one more version on the shelf.
func (c *client) addImage(a *act) *act {
	version := strconv.Itoa(len(c.ledger.shelf) + 1)
	e := &entry{busy: true}
	c.ledger.shelf[shelfName+":"+version] = e
	a.message = daemon.AddImage
	a.values.Name, a.values.Version = shelfName, version
	a.values.Image = "file://" + imageName
	a.free = func() { e.busy = false }
	a.answer = func([]byte) error { e.there = true; return nil }
	a.once("there is one already")
	return a
}

// aboutImage does something about an image of the shelf; nil when none is to be had.
func (c *client) aboutImage(a *act) *act {
	reference := c.pickImage(func(e *entry) bool { return e.there && !e.busy })
	if reference == "" {
		return nil
	}
	e := c.ledger.shelf[reference]
	e.busy, a.free, a.values.Name = true, func() { e.busy = false }, reference
	a.refused = refusal
	switch a.name {
	case "verify image":
		a.message = daemon.VerifyImage
	case "tag image":
		a.message = daemon.TagImage
	default:
		a.message = daemon.RemoveImage
		a.answer = func([]byte) error { e.there = false; return nil }
		a.once("no such image")
	}
	return a
}

// anyImage names an image of the shelf as requests do, whoever is at it; empty when there is
// none.
func (c *client) anyImage() string {
	reference := c.pickImage(func(e *entry) bool { return e.there })
	if reference == "" {
		return ""
	}
	return "image:" + reference
}

// pickImage returns the reference of an image that fits; empty when none does.
func (c *client) pickImage(fits func(*entry) bool) string {
	all := slices.Sorted(maps.Keys(c.ledger.shelf))
	all = slices.DeleteFunc(all, func(r string) bool { return !fits(c.ledger.shelf[r]) })
	if len(all) == 0 {
		return ""
	}
	return all[c.rand.IntN(len(all))]
}

// A listing is the service's answer to what is on the shelf.
type listing struct {
	Entries []struct {
		Version string    `xml:"Image>Version"`
		SHA256  string    `xml:"Image>SHA256"`
		Tags    []string  `xml:"Image>Tag"`
		Fault   string    `xml:"Check>Fault"`
		Reading *struct{} `xml:"Reading"`
	} `xml:"Body>QueryImagesResponse>Entry"`
	Total int `xml:"Body>QueryImagesResponse>Total"`
}

// shelved holds the library against what clients know, once nothing is read any more: each
// image is there that ought to be and no other, is what it was, and one alone is the stable
// one.
func (b *books) shelved(addr string, l *ledger) (wrong []string, err error) {
	list, err := b.awaitRead(addr)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	found, stable := map[string]bool{}, 0
	for _, e := range list.Entries {
		reference := shelfName + ":" + e.Version
		found[reference], stable = true, stable+len(e.Tags)
		if known := l.shelf[reference]; known == nil || !known.there {
			wrong = append(wrong, fmt.Sprintf("image %s is in the library, against what clients "+
				"know", reference))
		}
		if e.Fault != "" || e.SHA256 != "" && e.SHA256 != b.sums[imageName] {
			wrong = append(wrong, fmt.Sprintf("image %s has the checksum %q and the fault %q",
				reference, e.SHA256, e.Fault))
		}
	}
	for reference, e := range l.shelf {
		if e.there && !found[reference] {
			wrong = append(wrong, fmt.Sprintf("image %s was added and is not in the library",
				reference))
		}
	}
	if stable > 1 {
		wrong = append(wrong, fmt.Sprintf("%d images have one tag", stable))
	}
	return wrong, nil
}

// awaitRead asks what is on the shelf until no image of it is being read: that is no change,
// and ends when it ends.
func (b *books) awaitRead(addr string) (*listing, error) {
	c := daemon.NewCaller(addr)
	defer c.Close()
	for end := time.Now().Add(b.limit); ; time.Sleep(20 * time.Millisecond) {
		_, reply, err := c.Send(daemon.Images, daemon.Values{Name: shelfName})
		if err != nil {
			return nil, err
		}
		list := &listing{}
		if err := xml.Unmarshal(reply, list); err != nil || list.Total != len(list.Entries) {
			return nil, fmt.Errorf("%d of %d images are listed (%w): %.600s", len(list.Entries),
				list.Total, err, reply)
		}
		reading := 0
		for _, e := range list.Entries {
			if e.Reading != nil {
				reading++
			}
		}
		if reading == 0 {
			return list, nil
		}
		if time.Now().After(end) {
			return nil, fmt.Errorf("%d images are still being read: %.2000s", reading, reply)
		}
	}
}
