package transfer

import (
	"cmp"
	"context"
	"io"
	"sync"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// paceStep is the longest pause in one piece: whoever watches for silence hears
// of each.
const paceStep = time.Second

// Pace keeps what moves to so many bytes a second. A nil *Pace lets all pass.
// It is for one transfer, in however many streams that moves.
type Pace struct {
	rate  workspace.Rate
	touch func()

	mu   sync.Mutex
	free time.Time // when all that passed has had its time
}

// NewPace returns a Pace, nil without a limit. touch hears of each pause; it
// may be nil.
func NewPace(rate workspace.Rate, touch func()) *Pace {
	if rate == nil {
		return nil
	}
	if touch == nil {
		touch = func() {}
	}
	return &Pace{rate: rate, touch: touch}
}

// Wait lets n bytes pass once those before have had their time. What was not
// used of the rate is not saved up.
func (p *Pace) Wait(ctx context.Context, n int) error {
	if p == nil {
		return nil
	}
	turn := p.reserve(n)
	for {
		left := time.Until(turn)
		if left <= 0 {
			return ctx.Err()
		}
		pause := time.NewTimer(min(left, paceStep))
		select {
		case <-ctx.Done():
			pause.Stop()
			return ctx.Err()
		case <-pause.C:
			p.touch()
		}
	}
}

// reserve returns when n bytes more have had their time.
func (p *Pace) reserve(n int) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := time.Now(); p.free.Before(now) {
		p.free = now
	}
	if rate := p.rate(); rate > 0 {
		p.free = p.free.Add(time.Duration(float64(n) / float64(rate) * float64(time.Second)))
	}
	return p.free
}

// Reader returns r at this pace.
func (p *Pace) Reader(ctx context.Context, r io.Reader) io.Reader {
	if p == nil {
		return r
	}
	return readerFunc(func(b []byte) (int, error) {
		if rate := p.rate(); rate > 0 {
			b = b[:min(int64(len(b)), rate)]
		}
		n, err := r.Read(b)
		return n, cmp.Or(p.Wait(ctx, n), err)
	})
}

type readerFunc func(b []byte) (int, error)

// Read calls the function.
func (f readerFunc) Read(b []byte) (int, error) { return f(b) }
