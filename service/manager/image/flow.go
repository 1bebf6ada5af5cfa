package image

import (
	"context"
	"errors"
	"time"

	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// A flow is an image on its way to a host's cache, from which other hosts take what
// has come of it, as it comes.
type flow struct {
	ended chan struct{} // closed; then
	err   error         // tells whether it came
}

// over reports whether the flow has ended. nil has.
func (f *flow) over() bool {
	if f == nil {
		return true
	}
	select {
	case <-f.ended:
		return true
	default:
		return false
	}
}

// rotten says that the image in the repository is not what it should be: nobody
// else need fetch it to find the same.
type rotten struct {
	error
	limit int64 // of images on the host that found it, in MB; 0: none
}

// of reports whether the host would find the same: of one that takes images of other
// sizes that is not known.
func (r *rotten) of(n *host.Node) bool { return r.limit == 0 || r.limit == n.MaxImageMB }

// Unwrap returns what is wrong with it.
func (r *rotten) Unwrap() error { return r.error }

// condemned is how long it is remembered that an image is rotten: those who want it at
// the same time ask again within.
const condemned = 5 * time.Second

// condemn notes that what came from the repository is not what it should be.
func (s *spreading) condemn(w want, err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var bad *rotten
	if !errors.As(err, &bad) {
		bad = &rotten{err, w.n.MaxImageMB}
	}
	s.bad[w.in.name] = verdict{bad, time.Now()}
	return bad
}

// verdict is what was found of an image, and when.
type verdict struct {
	bad *rotten
	at  time.Time
}

// judged returns what was found of the image a moment ago; nil: nothing bad.
func (s *spreading) judged(w want) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, v := range s.bad {
		if time.Since(v.at) > condemned {
			delete(s.bad, name)
		}
	}
	if v, ok := s.bad[w.in.name]; ok && v.bad.of(w.n) {
		return v.bad
	}
	return nil
}

// flows says whether others can take part while the image comes: it must be known how
// long it is to grow, and what it is to be in the end.
func (w want) flows() bool {
	return w.in.c != nil && w.size > 0 && w.sha256 != "" && !w.packed && !w.n.Access.Local()
}

// pull has the host fetch the image from its repository, while others take part.
func (im *Images) pull(
	ctx context.Context, w want, p workspace.Pull,
) (workspace.ImageInfo, error) {
	if !w.flows() {
		return w.n.Access.Pull(ctx, p)
	}
	f := im.spreading.flow(w.in)
	info, err := w.n.Access.Pull(ctx, p)
	if err != nil && workspace.KindOf(err) == workspace.Invalid {
		err = im.spreading.condemn(w, err)
	}
	im.spreading.end(w.in, f, err)
	return info, err
}

// flow begins one.
func (s *spreading) flow(g giver) *flow {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := &flow{ended: make(chan struct{})}
	s.flows[g] = f
	return f
}

// end ends one.
func (s *spreading) end(g giver, f *flow, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.err = err
	close(f.ended)
	delete(s.flows, g)
}

// deafTo notes whether the host cannot take the image as it comes to another.
func (s *spreading) deafTo(g giver, deaf bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !deaf {
		delete(s.deaf, g)
		return
	}
	s.deaf[g] = true
}

// take brings the image from another host's cache, or from what comes there, and
// returns its format. errSpreading: it is to be asked again. Others may take part in turn.
func (im *Images) take(ctx context.Context, w want, g gift) (format string, err error) {
	f := im.spreading.flow(w.in)
	defer func() { im.spreading.end(w.in, f, err) }()
	source, ok := g.n.Access.Offer(g.path)
	if !ok {
		return "", workspace.Refuse(workspace.Unavailable, "host %s offers no files to others",
			g.n.ID)
	}
	mine, cancel := context.WithCancel(ctx)
	stopped := g.flow.whenFails(mine, cancel)
	info, err := w.n.Access.Pull(mine, workspace.Pull{Source: source, Path: g.to, Size: w.size,
		SHA256: w.sha256, MaxBytes: w.n.MaxImageMB << 20, Growing: true, Progress: w.progress,
		Becomes: []string{g.c.file(g.name, "raw"), g.c.file(g.name, "qcow2")}})
	cancel()
	<-stopped
	switch {
	case err == nil:
		return info.Format, g.at.settle(ctx, w.n.Access, cached{g.name, info.Format})
	case ctx.Err() != nil:
		return "", err
	}
	return "", g.flow.verdict(ctx, w.n, err)
}

// whenFails calls cancel should the flow fail before ctx ends. What it returns is
// closed when it looks no more.
func (f *flow) whenFails(ctx context.Context, cancel func()) (stopped chan struct{}) {
	stopped = make(chan struct{})
	if f == nil {
		close(stopped)
		return stopped
	}
	go func() {
		defer close(stopped)
		select {
		case <-f.ended:
			if f.err != nil {
				cancel()
			}
		case <-ctx.Done():
		}
	}()
	return stopped
}

// verdict says what the failure of one who took part comes to. One whose image is not
// what it should be waits for the flow to say the same.
func (f *flow) verdict(ctx context.Context, n *host.Node, err error) error {
	if f == nil {
		return err
	}
	if workspace.KindOf(err) == workspace.Invalid {
		select {
		case <-f.ended:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if !f.over() {
		if workspace.KindOf(err) == workspace.Transient {
			return errSpreading // and goes on from where it stopped
		}
		return err
	}
	var bad *rotten
	switch {
	case errors.As(f.err, &bad) && bad.of(n):
		return bad
	case f.err != nil:
		return errSpreading
	}
	return err
}

// canTake reports whether the host can take the image from another, as it comes there.
// The lock is held.
func (s *spreading) canTake(w want, from *host.Node) bool {
	return w.flows() && !from.Access.Local() && !s.deaf[w.in]
}
