package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// An activity is a line at the foot of a terminal that shows that something is
// still going on, and for how long. Where nobody looks it does nothing.
type activity struct {
	w     io.Writer // nil: nobody looks
	began time.Time
	limit time.Duration // longest wait
	quit  chan struct{}
	done  chan struct{}

	mu   sync.Mutex
	text string
	bar  string // how far a transfer is; empty: none is under way
}

// spinner are the frames that the line turns through.
var spinner = []string{"|", "/", "-", `\`}

// startActivity shows the line until stop.
func startActivity(w io.Writer, text string, limit time.Duration) *activity {
	l := &activity{
		w: w, text: text, began: time.Now(), limit: limit,
		quit: make(chan struct{}), done: make(chan struct{}),
	}
	if w == nil {
		close(l.done)
		return l
	}
	go l.turn()
	return l
}

// turn redraws the line until stop.
func (l *activity) turn() {
	defer close(l.done)
	tick := time.NewTicker(125 * time.Millisecond)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-l.quit:
			return
		case <-tick.C:
			l.draw(spinner[i%len(spinner)])
		}
	}
}

// draw writes the line over itself.
func (l *activity) draw(frame string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	elapsed := time.Since(l.began)
	if l.bar != "" {
		fmt.Fprintf(l.w, "\r\x1b[K%s %s", frame, l.bar)
		return
	}
	fmt.Fprintf(l.w, "\r\x1b[K%s %s, %s elapsed, %s left", frame, l.text, span(elapsed),
		span(max(0, l.limit-elapsed)))
}

// say replaces the text and makes room for a line to be written.
func (l *activity) say(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = text
	if l.w != nil {
		fmt.Fprint(l.w, "\r\x1b[K")
	}
}

// show shows a bar in place of the text; an empty one brings the text back.
func (l *activity) show(bar string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bar = bar
}

// stop removes the line.
func (l *activity) stop() {
	close(l.quit)
	<-l.done
	l.say("")
}
