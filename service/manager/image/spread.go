package image

import (
	"context"
	"errors"
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
}

// giver is a cache that gives an image on.
type giver struct {
	c    *cache
	name string
}

// spread brings the image to the host's cache, and returns its format. errSpreading:
// not yet. The host's other wants of it are held back meanwhile.
func (im *Images) spread(
	ctx context.Context, w want, c *cache, name string,
) (format string, err error) {
	var failed []error
	tried := map[*cache]bool{c: true}
	for {
		from, n, wait := im.giver(name, tried)
		if from != nil {
			g := gift{giver{from, name}, n, c, c.file(name, "") + newSuffix}
			if format, err = im.give(ctx, w, g); err == nil {
				return format, nil
			}
			var later *change.Retry
			if ctx.Err() != nil || errors.As(err, &later) {
				return "", err
			}
			im.log.Info("image does not come from another host", "from", n.ID, "host", w.n.ID,
				"image", w.location, "error", err)
			tried[from], failed = true, append(failed, err)
			continue
		}
		if wait {
			return "", errSpreading
		}
		break
	}
	if !im.spreading.begin(name, len(failed) > 0) {
		return "", errSpreading
	}
	defer im.spreading.end(name)
	info, err := im.bring(ctx, w, c.file(name, "")+newSuffix)
	if err == nil {
		err = c.settle(ctx, w.n.Access, cached{name, info.Format})
	}
	if err != nil {
		return "", errors.Join(append([]error{err}, failed...)...)
	}
	return info.Format, nil
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

func (s *spreading) end(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fetching[name]--; s.fetching[name] <= 0 {
		delete(s.fetching, name)
	}
}

// giver chooses among the hosts that have the image the one that gives it to the
// fewest, and counts the caller in, until done. wait: all give it to as many as they
// may.
func (im *Images) giver(name string, but map[*cache]bool) (c *cache, n *host.Node, wait bool) {
	im.mu.Lock()
	var all []*cache
	for _, c := range im.caches {
		if !but[c] && c.has(name) {
			all = append(all, c)
		}
	}
	im.mu.Unlock()
	im.spreading.mu.Lock()
	defer im.spreading.mu.Unlock()
	for _, one := range all {
		at := im.nodeOf(one)
		if at == nil {
			continue
		}
		if im.spreading.serving[giver{one, name}] >= serves {
			wait = true
			continue
		}
		if c == nil || im.spreading.serving[giver{one, name}] <
			im.spreading.serving[giver{c, name}] {
			c, n = one, at
		}
	}
	if c == nil {
		return nil, nil, wait
	}
	im.spreading.serving[giver{c, name}]++
	return c, n, false
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
	n  *host.Node
	at *cache // where it comes
	to string // its name there at first
}

// give brings the image from another host's cache, which keeps it meanwhile.
func (im *Images) give(
	ctx context.Context, w want, g gift,
) (string, error) {
	defer im.spreading.given(g.giver)
	g.c.hold(g.name)
	defer g.c.leave(g.name, false)
	n := g.n
	format, there, err := g.c.find(ctx, n.Access, g.name)
	if err != nil {
		return "", err
	}
	if !there {
		return "", workspace.Refuse(workspace.NotFound, "host %s has it no more", n.ID)
	}
	sum := w.sha256
	if w.packed {
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
