package main

import (
	"bytes"
	"context"
	"time"

	"github.com/philoxenia/philoxenia/schema/report"
)

// followEvery is how often a log that is followed is looked at.
const followEvery = time.Second

// A scroll is the log of a console as it is read, piece by piece, while the service
// may cut it.
type scroll struct {
	read  func(ctx context.Context, at int64) (*report.ConsoleText, error)
	place int64  // the next byte's
	size  int64  // of the log, when it was last read
	last  []byte // what was read before place
}

const (
	// cutStep is what the service takes from a log's front a multiple of.
	cutStep = 1 << 20
	// enough is how much of what was read tells a place in the log from others.
	enough = 1 << 10
)

// next returns what comes next; nothing at the end, which may be for now.
func (s *scroll) next(ctx context.Context) ([]byte, error) {
	piece, err := s.read(ctx, s.place)
	if err == nil && piece.Size < s.size {
		piece, err = s.find(ctx, piece.Size)
	}
	if err != nil {
		return nil, err
	}
	s.place, s.size = piece.Offset+int64(len(piece.Said)), piece.Size
	s.last = append(s.last, piece.Said...)
	s.last = bytes.Clone(s.last[max(len(s.last)-enough, 0):])
	return piece.Said, nil
}

// find finds the place again in a log that was cut: it has moved by some steps to the
// front. Where it has not, the log is another one, and begins.
func (s *scroll) find(ctx context.Context, size int64) (*report.ConsoleText, error) {
	steps := max((s.size-size+cutStep-1)/cutStep, 1)
	for at := s.place - steps*cutStep; at >= int64(len(s.last)); at -= cutStep {
		piece, err := s.read(ctx, at-int64(len(s.last)))
		if err != nil {
			return nil, err
		}
		if rest, same := bytes.CutPrefix(piece.Said, s.last); same {
			return &report.ConsoleText{Offset: at, Size: piece.Size, Said: rest}, nil
		}
	}
	s.last = nil
	return s.read(ctx, 0)
}

// history prints the console's log.
func (c *consoleCmd) history(ctx context.Context, a *app, t target) error {
	at, err := c.begin(ctx, a, t)
	s := scroll{place: at, read: func(ctx context.Context, at int64) (*report.ConsoleText, error) {
		return a.client.ConsoleText(ctx, t.epr, at)
	}}
	for err == nil {
		var said []byte
		if said, err = s.next(ctx); err != nil {
			break
		}
		if _, err = a.out.Write(said); err != nil {
			break
		}
		if s.place < s.size && len(said) > 0 {
			continue
		}
		if !c.Follow {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(followEvery):
		}
	}
	if c.Follow && ctx.Err() != nil {
		return nil
	}
	return err
}

// begin returns where the last so many lines begin, as far as one piece reaches.
func (c *consoleCmd) begin(ctx context.Context, a *app, t target) (int64, error) {
	const tail = 256 << 10
	if c.Lines <= 0 {
		return 0, nil
	}
	piece, err := a.client.ConsoleText(ctx, t.epr, -tail)
	if err != nil {
		return 0, err
	}
	return piece.Offset + int64(lastLines(piece.Said, c.Lines)), nil
}

// lastLines returns where the last n lines begin. A line that has not ended yet
// is one.
func lastLines(text []byte, n int) int {
	for i := len(text) - 1; i > 0; i-- {
		if text[i-1] != '\n' {
			continue
		}
		if n--; n == 0 {
			return i
		}
	}
	return 0
}
