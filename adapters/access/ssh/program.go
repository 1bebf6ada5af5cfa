package ssh

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync/atomic"

	cryptossh "golang.org/x/crypto/ssh"

	"github.com/philoxenia/philoxenia/adapters/transport/login"
	"github.com/philoxenia/philoxenia/adapters/transport/transfer"
	"github.com/philoxenia/philoxenia/service/workspace"
)

const (
	saidBytes = 4 << 10 // of a program's complaint: its end
	notFound  = 127     // the status by which a shell tells that there is no such program
)

// program is one run of a program on the host.
type program struct {
	workspace.Command
	// prepare is told of the session before it begins.
	prepare func(*cryptossh.Session) error
}

// birth has a program's shell tell its number, which stays when the program takes
// its place, behind a word that nothing else says.
const birth = `echo "$0 $$" >&2; exec "$@"`

// words takes in what a program says, of which the first is its number.
type words struct {
	mark string
	head []byte // before the mark: the shell's own words, which tell nothing of the program
	pid  atomic.Int64
	born chan struct{} // closed when the number is known
	tail *transfer.Tail
}

func newWords(mark string) *words {
	return &words{mark: mark, born: make(chan struct{}), tail: transfer.NewTail(saidBytes)}
}

// Write never fails.
func (w *words) Write(b []byte) (int, error) {
	select {
	case <-w.born:
		return w.tail.Write(b)
	default:
	}
	w.head = append(w.head, b...)
	_, after, found := bytes.Cut(w.head, []byte(w.mark+" "))
	number, rest, whole := bytes.Cut(after, []byte("\n"))
	if !found || !whole {
		return len(b), nil
	}
	pid, _ := strconv.ParseInt(string(number), 10, 64)
	w.pid.Store(pid)
	close(w.born)
	w.tail.Write(rest)
	w.head = nil
	return len(b), nil
}

// String returns the last words.
func (w *words) String() string {
	return strings.TrimSpace(string(append(w.tail.Bytes(), w.head...)))
}

// kill ends the program and all that it started, by another program: OpenSSH
// sends no signals for root. See kill(1), setsid(2).
func kill(line *login.Conn, pid int64) {
	if pid <= 1 {
		return
	}
	s, err := line.NewSession()
	if err != nil {
		return
	}
	defer s.Close()
	s.Run(fmt.Sprintf("kill -9 -%d", pid))
}

// exitError is the failure of a program, with its last words.
type exitError struct {
	status int // -1: killed
	said   string
	cause  error
}

func (e *exitError) Error() string { return e.cause.Error() + ": " + e.said }

func (e *exitError) Unwrap() error { return e.cause }

// Run runs a program, and kills it with all that it started when ctx ends.
func (a *Access) Run(ctx context.Context, c workspace.Command) error {
	if len(c.Args) == 0 || c.Args[0] == "" {
		return failed("run a program", "", transfer.Invalid("no program is named"))
	}
	for _, arg := range c.Args {
		if strings.ContainsRune(arg, 0) {
			return failed("run", c.Args[0], transfer.Invalid("an argument holds a NUL"))
		}
	}
	var exit *exitError
	err := a.calls.Hold(ctx, func(s *session) error {
		err := run(ctx, s.Line(), program{Command: c})
		if errors.As(err, &exit) {
			return nil
		}
		return err
	})
	switch {
	case exit == nil:
	case exit.status == notFound:
		err = workspace.Refuse(workspace.NotFound, "the program is not there: %w", exit)
	default:
		err = workspace.Refuse(workspace.Internal, "%w", exit)
	}
	return failed("run", c.Args[0], err)
}

// toldBy gives the failure of a standard program the kind that its words tell.
func toldBy(name string, err error) error {
	var exit *exitError
	if !errors.As(err, &exit) {
		return err
	}
	if exit.status == notFound {
		return workspace.Refuse(workspace.Unavailable, "the host has no %s: %w", name, exit)
	}
	kind := transfer.Said(exit.said)
	if strings.Contains(exit.said, "Invalid cross-device link") {
		kind = workspace.Conflict
	}
	return workspace.Refuse(kind, "%w", exit)
}

// run runs the program. Its failure is an *exitError.
func run(ctx context.Context, line *login.Conn, p program) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s, err := line.NewSession()
	if err != nil {
		return err
	}
	defer s.Close()
	said := newWords(rand.Text())
	s.Stdout, s.Stderr = p.Stdout, said
	if s.Stdout == nil {
		s.Stdout = io.Discard
	}
	if p.prepare != nil {
		if err := p.prepare(s); err != nil {
			return err
		}
	}
	in, err := s.StdinPipe()
	if err != nil {
		return err
	}
	command := "exec " + Quote(append([]string{"sh", "-c", birth, said.mark}, p.Args...)...)
	if err := s.Start(command); err != nil {
		return err
	}
	go func() { // it ends with its reader, or when the session is closed
		if p.Stdin != nil {
			io.Copy(in, p.Stdin)
		}
		in.Close()
	}()
	return await(ctx, line, s, said)
}

// await waits for the end of a program, which is killed when ctx ends, as soon as its
// number is known. As long as it goes on, the host is asked for signs of life, which the
// watch hears.
func await(
	ctx context.Context, line *login.Conn, s *cryptossh.Session, said *words,
) error {
	defer line.Attend()()
	ended := make(chan error, 1)
	go func() { ended <- s.Wait() }()
	var born <-chan struct{}
	stop := ctx.Done()
	for {
		select {
		case err := <-ended:
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return exited(err, said)
		case <-stop:
			stop, born = nil, said.born
		case <-born:
			born = nil
			kill(line, said.pid.Load())
		}
	}
}

// exited tells how a program ended.
func exited(err error, said *words) error {
	var exit *cryptossh.ExitError
	if !errors.As(err, &exit) {
		return err
	}
	status := exit.ExitStatus()
	if exit.Signal() != "" {
		status = -1
	}
	return &exitError{status, said.String(), err}
}
