package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
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
	line := l.bar
	if line == "" && l.text == "" {
		return
	}
	if line == "" {
		elapsed := time.Since(l.began)
		line = fmt.Sprintf("%s, %s elapsed, %s left", l.text, span(elapsed),
			span(max(0, l.limit-elapsed)))
	}
	fmt.Fprintf(l.w, "\r\x1b[K%s", fit(frame+" "+line, l.columns()))
}

// columns returns how wide the terminal is, 0 when it does not tell.
func (l *activity) columns() int {
	file, ok := l.w.(*os.File)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(file.Fd()))
	if err != nil {
		return 0
	}
	return width
}

// fit cuts a line to the columns of a terminal: one that wraps could not be
// written over. 0 columns leave it as it is.
func fit(line string, columns int) string {
	if runes := []rune(line); columns > 1 && len(runes) >= columns {
		return string(runes[:columns-1])
	}
	return line
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

// above has something written above the line.
func (l *activity) above(write func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.w != nil {
		fmt.Fprint(l.w, "\r\x1b[K")
	}
	write()
}

// show shows a bar in place of the text; an empty one brings the text back.
func (l *activity) show(bar string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if bar == "" && l.bar != "" && l.w != nil {
		fmt.Fprint(l.w, "\r\x1b[K")
	}
	l.bar = bar
}

// stop removes the line.
func (l *activity) stop() {
	close(l.quit)
	<-l.done
	l.say("")
}
