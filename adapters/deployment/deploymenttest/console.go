package deploymenttest

import (
	"io"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// consoles connects to the serial line of a machine in each of its conditions.
func consoles(t *testing.T, b *bench) {
	const id = 14
	_, err := b.Host.Console(b.ctx(), id, false)
	b.isKind("console of nobody", err, workspace.NotFound)
	if !b.Talks {
		return
	}
	b.must("define", b.Host.Define(b.ctx(), b.Machine(id)))
	_, err = b.Host.Console(b.ctx(), id, false)
	b.isKind("console of a machine that is off", err, workspace.Conflict)
	b.must("start", b.Host.Start(b.ctx(), id, false))
	first := b.line(id, false)
	first.hears()
	_, err = b.Host.Console(b.ctx(), id, false)
	b.isKind("console that is taken", err, workspace.Conflict)
	second := b.line(id, true)
	first.ends()
	b.logs(id)
	b.must("stop", b.Host.Stop(b.ctx(), id, workspace.StopForced))
	second.ends()
	b.logs(id)
	b.must("undefine", b.Host.Undefine(b.ctx(), id))
}

// heard is what comes on a line.
type heard struct {
	*bench
	line  io.ReadWriteCloser
	first chan struct{} // closed when something has come
	over  chan error
}

// line connects and listens.
func (b *bench) line(id workspace.ID, force bool) *heard {
	b.t.Helper()
	line, err := b.Host.Console(b.ctx(), id, force)
	b.must("connect to the console", err)
	h := &heard{b, line, make(chan struct{}), make(chan error, 1)}
	go func() {
		buf, told := make([]byte, 4096), false
		for {
			n, err := line.Read(buf)
			if n > 0 && !told {
				told = true
				close(h.first)
			}
			if err != nil {
				h.over <- err
				return
			}
		}
	}()
	b.t.Cleanup(func() { line.Close() })
	return h
}

// hears waits for the guest to say something.
func (h *heard) hears() {
	h.t.Helper()
	select {
	case <-h.first:
	case <-time.After(h.Limit):
		h.t.Fatal("nothing came from the console")
	}
}

// ends waits for the end of the connection.
func (h *heard) ends() {
	h.t.Helper()
	select {
	case <-h.over:
	case <-time.After(h.Limit):
		h.t.Fatal("the connection to the console did not end")
	}
}

// said reads the begin of the log once that many bytes were said: what was heard on the
// line may have been the first of them.
func (b *bench) said(id workspace.ID, most int64) (piece []byte, size int64) {
	b.t.Helper()
	for limit := time.Now().Add(b.Limit); size < most && time.Now().Before(limit); {
		var err error
		piece, size, err = b.Host.ConsoleLog(b.ctx(), id, 0, most)
		b.must("read the console's log", err)
	}
	return piece, size
}

// logs reads what was said, in pieces, and as a whole.
func (b *bench) logs(id workspace.ID) {
	b.t.Helper()
	piece, size := b.said(id, 10)
	if len(piece) != 10 || size < 10 {
		b.t.Errorf("the log is %d bytes, of which came %q", size, piece)
	}
	rest, _, err := b.Host.ConsoleLog(b.ctx(), id, 5, 5)
	b.must("read on", err)
	if len(piece) == 10 && string(rest) != string(piece[5:]) {
		b.t.Errorf("from 5 on it says %q, and before %q", rest, piece)
	}
	none, _, err := b.Host.ConsoleLog(b.ctx(), id, size+1<<20, 5)
	b.must("read beyond the end", err)
	if len(none) != 0 {
		b.t.Errorf("beyond the end it says %q", none)
	}
}
