package login

import "path"

// Pools are the configured servers of one scheme, by HOST:PORT.
type Pools[S Session] struct {
	scheme string
	pools  map[string]*Pool[S]
}

// NewPools makes a pool for each server.
func NewPools[S Session](
	scheme string, servers []Server, l Limits, begin func(*Conn) (S, error),
) *Pools[S] {
	all := &Pools[S]{scheme, map[string]*Pool[S]{}}
	for _, s := range servers {
		s.Address = WithPort(s.Address)
		all.pools[s.Address] = NewPool(s, l.Complete(), begin)
	}
	return all
}

// Close closes the unused connections at once and the others when their
// transfers end. No transfer may begin after it.
func (p *Pools[S]) Close() error {
	for _, pool := range p.pools {
		pool.Close()
	}
	return nil
}

// Spot is where an image lies: on which server, under which name below its root.
type Spot[S Session] struct {
	Pool *Pool[S]
	Name string
}

// Full is the path that the server is asked for.
func (s Spot[S]) Full() string { return path.Join("/", s.Pool.Server.Root, s.Name) }

// Find returns what a location means. The error has kind Invalid, or Denied where the
// server is not configured or who logs in there is another.
func (p *Pools[S]) Find(loc string) (Spot[S], error) {
	at, err := Parse(p.scheme, loc)
	if err != nil {
		return Spot[S]{}, err
	}
	pool, ok := p.pools[at.Address]
	if !ok {
		return Spot[S]{}, Denied("no repository at %q is configured on this site", at.Address)
	}
	if at.User != "" && at.User != pool.Server.User {
		return Spot[S]{}, Denied("the site does not log in as %q there", at.User)
	}
	return Spot[S]{pool, at.Name}, nil
}
