package daemon

import (
	"context"
	"errors"
	"os"
	"sync"
)

// Demo is a service with simulated hosts that the examples of a package share:
// it is built and started when the first of them asks.
type Demo struct {
	once sync.Once
	dir  string
	d    *Process
	err  error
}

// URL returns where the service is. It panics when there is none, for an
// example has nobody to tell.
func (s *Demo) URL() string {
	s.once.Do(s.start)
	if s.err != nil {
		panic(s.err)
	}
	return s.d.URL
}

func (s *Demo) start() {
	if s.dir, s.err = os.MkdirTemp("", "demo"); s.err != nil {
		return
	}
	if s.err = Build(s.dir); s.err == nil {
		s.d, s.err = Start(context.Background(), Options{Bin: s.dir, Data: s.dir + "/data"})
	}
}

// Stop ends the service, if anybody asked for one, and removes what it kept.
func (s *Demo) Stop() error {
	s.once.Do(func() {}) // nobody has asked, and nobody may any more
	var err error
	if s.d != nil {
		err = s.d.Stop()
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}
