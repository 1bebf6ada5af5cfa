package change

import (
	"container/heap"
	"context"
	"time"
)

// waits are lines that wait, the earliest first: a heap.
type waits []*line

// Len implements heap.Interface.
func (w waits) Len() int { return len(w) }

// Less implements heap.Interface.
func (w waits) Less(i, j int) bool { return w[i].until.Before(w[j].until) }

// Swap implements heap.Interface.
func (w waits) Swap(i, j int) {
	w[i], w[j] = w[j], w[i]
	w[i].wait, w[j].wait = i, j
}

// Push implements heap.Interface.
func (w *waits) Push(x any) {
	l := x.(*line)
	l.wait = len(*w)
	*w = append(*w, l)
}

// Pop implements heap.Interface.
func (w *waits) Pop() any {
	last := len(*w) - 1
	l := (*w)[last]
	(*w)[last] = nil
	*w = (*w)[:last]
	l.wait = -1
	return l
}

// add makes the line wait until the time.
func (w *waits) add(l *line, until time.Time) {
	l.until = until
	heap.Push(w, l)
}

// remove ends the line's wait.
func (w *waits) remove(l *line) { heap.Remove(w, l.wait) }

// due ends the first wait if its time has come; else it returns how long the
// first wait still is, an hour at most.
func (w *waits) due(now time.Time) (*line, time.Duration) {
	if len(*w) == 0 {
		return nil, time.Hour
	}
	if left := (*w)[0].until.Sub(now); left > 0 {
		return nil, min(left, time.Hour)
	}
	return heap.Pop(w).(*line), 0
}

// keepTime resumes waiting lines when their time has come, until ctx ends.
func (e *Engine) keepTime(ctx context.Context) {
	timer := time.NewTimer(e.resumeDue())
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-e.sooner:
		}
		timer.Reset(e.resumeDue())
	}
}

// resumeDue resumes the lines whose time has come and returns how long the
// next has to wait.
func (e *Engine) resumeDue() time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	for {
		l, left := e.waits.due(time.Now())
		if l == nil {
			e.hire()
			return left
		}
		e.resume(l)
	}
}

// wake makes keepTime look again.
func (e *Engine) wake() {
	select {
	case e.sooner <- struct{}{}:
	default: // it will
	}
}
