package main

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/philoxenia/philoxenia/schema/report"
)

// paper is a log that is read in small pieces.
type paper struct{ text []byte }

func (p *paper) read(_ context.Context, at int64) (*report.ConsoleText, error) {
	rest := p.text[min(at, int64(len(p.text))):]
	return &report.ConsoleText{Offset: at, Size: int64(len(p.text)),
		Said: bytes.Clone(rest[:min(len(rest), 300_000)])}, nil
}

// say adds numbered lines until there are so many bytes.
func (p *paper) say(size int) {
	for n := size / 10; len(p.text) < size; n++ {
		p.text = fmt.Appendf(p.text, "line %d of %d\n", n, size)
	}
}

// TestLogThatIsCut reads on without a gap where the service takes steps from a log's
// front, at the end and in the middle; from the beginning of another log.
func TestLogThatIsCut(t *testing.T) {
	for name, unread := range map[string]int{"at the end": 0, "before it": 4 << 20} {
		t.Run(name, func(t *testing.T) {
			var p paper
			p.say(9 << 20)
			s := scroll{read: p.read}
			var got []byte
			more := func() bool {
				said, err := s.next(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, said...)
				return len(said) > 0
			}
			for s.place < int64(len(p.text)-unread) {
				more()
			}
			all := bytes.Clone(p.text)
			p.text = p.text[4<<20:]
			p.say(len(p.text) + 5000)
			all = append(all, p.text[len(all)-4<<20:]...)
			for more() { //nolint:revive // it reads all
			}
			if !bytes.Equal(got, all) {
				t.Fatalf("%d bytes were read of %d", len(got), len(all))
			}
			got, p.text = nil, nil // another log, as virtlogd begins
			p.say(400_000)
			for more() { //nolint:revive // it reads all
			}
			if !bytes.Equal(got, p.text) {
				t.Errorf("%d bytes were read of another log of %d", len(got), len(p.text))
			}
		})
	}
}
