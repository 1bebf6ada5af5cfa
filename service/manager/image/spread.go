package image

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/philoxenia/philoxenia/service/change"
	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// serves is how many hosts one host gives an image to at a time.
const serves = 2

// errSpreading says that the image comes from another host as soon as it can.
var errSpreading = &change.Retry{After: shareAgain,
	Reason: "the same image is on its way to another host, from which it will come"}

// spreading knows who fetches images from their repositories, and who gives them
// on. So each image passes a repository's link about once, however many hosts want
// it: the first host fetches it, and those that have it give it on.
type spreading struct {
	mu       sync.Mutex
	fetching map[string]int // by the image's name in caches: from the repository
	serving  map[giver]int
	flows    map[giver]*flow // to these caches it comes just now
	deaf     map[giver]bool  // these cannot take it as it comes to another
	bad      map[string]verdict
}

// giver is a cache that gives an image on.
type giver struct {
	c    *cache
	name string
}

// spread brings the image to the host's cache, and returns its format. errSpreading:
// not yet. The host's other wants of it are held back meanwhile.
func (im *Images) spread(ctx context.Context, w want) (format string, err error) {
	c, name := w.in.c, w.in.name
	defer func() {
		if err == nil {
			im.spreading.deafTo(w.in, false)
		}
	}()
	var failed []error
	tried := map[*cache]bool{c: true}
	for {
		g, wait := im.giver(w, tried)
		if wait {
			return "", errSpreading
		}
		if g == nil {
			break
		}
		if format, err = im.give(ctx, w, *g); err == nil || final(ctx, err) {
			return format, err
		}
		im.log.Info("image does not come from another host", "from", g.n.ID, "host", w.n.ID,
			"image", w.location, "error", err)
		if g.takes { // it may still come by another way
			im.spreading.deafTo(w.in, true)
			continue
		}
		tried[g.c], failed = true, append(failed, err)
	}
	if !im.spreading.begin(name, len(failed) > 0) {
		return "", errSpreading
	}
	defer im.spreading.done(name)
	if err := im.spreading.judged(w); err != nil {
		return "", err
	}
	info, err := im.bring(ctx, w, c.file(name, "")+newSuffix)
	if err == nil {
		err = c.settle(ctx, w.n.Access, cached{name, info.Format})
	}
	if err != nil && workspace.KindOf(err) == workspace.Invalid {
		err = im.spreading.condemn(w, err)
	}
	if err != nil {
		return "", errors.Join(append([]error{err}, failed...)...)
	}
	return info.Format, nil
}

// final reports whether no other way will do better: it is to be asked again, the
// image is not what it should be, or there is no room for it.
func final(ctx context.Context, err error) bool {
	var later *change.Retry
	var bad *rotten
	return ctx.Err() != nil || errors.As(err, &later) || errors.As(err, &bad) ||
		workspace.KindOf(err) == workspace.NoResource
}

// begin makes the caller the one who fetches the image from its repository. One
// who could not get it from any host does not wait for another.
func (s *spreading) begin(name string, regardless bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fetching[name] > 0 && !regardless {
		return false
	}
	s.fetching[name]++
	return true
}

func (s *spreading) done(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fetching[name]--; s.fetching[name] <= 0 {
		delete(s.fetching, name)
	}
}

// giver chooses among the hosts that have the image, or to which it comes just now,
// the one that gives it to the fewest, and counts the caller in, until given. wait: all
// give it to as many as they may.
func (im *Images) giver(w want, but map[*cache]bool) (g *gift, wait bool) {
	im.mu.Lock()
	all := slices.DeleteFunc(slices.Collect(maps.Values(im.caches)),
		func(c *cache) bool { return but[c] })
	im.mu.Unlock()
	s := &im.spreading
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range all {
		from := giver{c, w.in.name}
		there, flow := c.has(w.in.name), s.flows[from]
		if !there && flow == nil {
			continue
		}
		n := im.nodeOf(c)
		if n == nil {
			continue
		}
		takes := s.canTake(w, n)
		if !there && !takes {
			continue
		}
		if s.serving[from] >= serves {
			wait = true
			continue
		}
		if g == nil || s.serving[from] < s.serving[g.giver] {
			g = &gift{giver: from, n: n, at: w.in.c, takes: takes, flow: flow,
				to: w.in.c.file(w.in.name, "") + newSuffix}
		}
	}
	if g == nil {
		return nil, wait
	}
	s.serving[g.giver]++
	return g, false
}

// given ends what giver counted in.
func (s *spreading) given(g giver) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.serving[g]--; s.serving[g] <= 0 {
		delete(s.serving, g)
	}
}

// nodeOf returns a host of the cache that is in the pool and answers.
func (im *Images) nodeOf(c *cache) *host.Node {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id := range c.hosts {
		if n, err := im.pool.Node(id); err == nil && n.Reachable() {
			return n
		}
	}
	return nil
}

// A gift is an image that comes from the cache of the node.
type gift struct {
	giver
	n     *host.Node
	at    *cache // where it comes
	to    string // its name there at first
	takes bool   // the host takes it, as it comes to the node
	flow  *flow  // nil: it is all there
	path  string // of the image on the node
}

// give brings the image from another host's cache, which keeps it meanwhile.
func (im *Images) give(
	ctx context.Context, w want, g gift,
) (string, error) {
	defer im.spreading.given(g.giver)
	g.c.hold(g.name)
	defer g.c.leave(g.name, false)
	if g.flow != nil {
		g.path = g.c.file(g.name, "") + newSuffix
		return im.take(ctx, w, g)
	}
	n := g.n
	format, there, err := g.c.find(ctx, n.Access, g.name)
	if err != nil {
		return "", err
	}
	if !there {
		return "", workspace.Refuse(workspace.NotFound, "host %s has it no more", n.ID)
	}
	if g.takes {
		g.path = g.c.file(g.name, format)
		return im.take(ctx, w, g)
	}
	sum := w.sha256
	if w.packed || sum == "" {
		info, err := n.Access.Examine(ctx, g.c.file(g.name, format), true)
		if err != nil {
			return "", err
		}
		sum = info.SHA256
	}
	// Whatever is left there is of another try, maybe from somewhere else.
	if err := w.n.Access.Remove(ctx, g.to); err != nil {
		return "", err
	}
	err = im.carry(ctx, cargo{
		from: n, to: w.n, path: g.c.file(g.name, format), as: g.to,
		sha256: sum, fixed: true, progress: w.progress,
	})
	if err != nil {
		return "", err
	}
	return format, g.at.settle(ctx, w.n.Access, cached{g.name, format})
}
