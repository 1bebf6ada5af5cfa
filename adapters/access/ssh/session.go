package ssh

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	cryptossh "golang.org/x/crypto/ssh"

	"github.com/philoxenia/philoxenia/adapters/transport/login"
	"github.com/philoxenia/philoxenia/adapters/transport/sftp/lanes"
	"github.com/philoxenia/philoxenia/adapters/transport/transfer"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// session is what is done over one connection: SFTP, and one shell of the host,
// which stays, because to start one may cost more than what it is to do.
type session struct {
	*lanes.Session
	shell *shell // nil until needed
}

var _ login.Session = (*session)(nil)

func (a *Access) begin(line *login.Conn) (*session, error) {
	s, err := lanes.Begin(line)
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.Dir != "" && !a.made {
		a.made = s.MkdirAll(a.Dir) == nil // what fails, fails again where it matters
	}
	return &session{Session: s}, nil
}

// shell is a running sh of the host that reads its commands from us.
type shell struct {
	session   *cryptossh.Session
	in        io.WriteCloser
	out, errs *bufio.Reader
	pid       int64
}

// outBytes is the most that a command may print.
const outBytes = 64 << 20

// tool runs one of the host's standard programs and returns what it prints. A
// failure has the kind that its words tell.
func (s *session) tool(ctx context.Context, args ...string) (string, error) {
	out, err := s.script(ctx, Quote(args...))
	return out, toldBy(args[0], err)
}

// script runs a command in the session's shell and returns what it prints. Its
// failure is an *exitError.
func (s *session) script(ctx context.Context, command string) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if s.shell == nil {
		sh, err := start(s.Line())
		if err != nil {
			return "", err
		}
		s.shell = sh
		// What the user's own start files print ends here.
		said, err := s.ask(ctx, `LC_ALL=C; export LC_ALL; printf '\n%d' $$`)
		if err != nil {
			return "", err
		}
		sh.pid, _ = strconv.ParseInt(said[strings.LastIndex(said, "\n")+1:], 10, 64)
	}
	return s.ask(ctx, command)
}

func start(line *login.Conn) (*shell, error) {
	session, err := line.NewSession()
	if err != nil {
		return nil, err
	}
	sh := &shell{session: session}
	sh.in, err = session.StdinPipe()
	var out, errs io.Reader
	if err == nil {
		out, err = session.StdoutPipe()
	}
	if err == nil {
		errs, err = session.StderrPipe()
	}
	if err == nil {
		err = session.Start("exec sh")
	}
	if err != nil {
		session.Close()
		return nil, err
	}
	sh.out, sh.errs = bufio.NewReader(out), bufio.NewReader(errs)
	return sh, nil
}

// answer is what came of a command.
type answer struct {
	out, said string
	status    int
	err       error // the shell is gone
}

// ask has the shell run a command. As long as it goes on, the host is asked for
// signs of life, which the watch of the connection hears; it is killed with the
// shell when ctx ends.
func (s *session) ask(ctx context.Context, command string) (string, error) {
	sh := s.shell
	defer s.Line().Attend()()
	answered := make(chan answer, 1)
	go func() { answered <- sh.run(command) }()
	stop := ctx.Done()
	for {
		select {
		case got := <-answered:
			if got.err != nil {
				s.shell = nil
				sh.session.Close()
			}
			return got.result(ctx)
		case <-stop:
			stop = nil
			kill(s.Line(), sh.pid)
		}
	}
}

func (a answer) result(ctx context.Context) (string, error) {
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case a.err != nil:
		return "", workspace.Refuse(workspace.Transient, "the host's shell is gone: %w", a.err)
	case a.status != 0:
		return a.out, &exitError{a.status, a.said, fmt.Errorf("exit status %d", a.status)}
	}
	return a.out, nil
}

// run sends a command and reads up to the marks behind its output.
func (sh *shell) run(command string) answer {
	mark := rand.Text()
	_, err := fmt.Fprintf(sh.in, "{ %s\n} </dev/null; e=$?\nprintf '\\n%%s %%d\\n' %s $e; "+
		"printf '\\n%%s\\n' %[2]s >&2\n", command, mark)
	if err != nil {
		return answer{err: err}
	}
	said := make(chan string, 1)
	go func() {
		text, _, _ := upTo(sh.errs, mark)
		said <- text
	}()
	var a answer
	var rest string
	a.out, rest, a.err = upTo(sh.out, mark)
	if a.err == nil {
		a.status, a.err = strconv.Atoi(rest)
	}
	if a.err != nil {
		sh.session.Close() // so that the other reader ends, too
	}
	a.said = tail(<-said)
	return a
}

// tail returns the last words of a complaint.
func tail(said string) string {
	t := transfer.NewTail(saidBytes)
	io.WriteString(t, said)
	return strings.TrimSpace(string(t.Bytes()))
}

// upTo reads up to the line that begins with mark, and returns what was before
// it, and what stands behind it in its line.
func upTo(r *bufio.Reader, mark string) (before, rest string, err error) {
	var b strings.Builder
	for b.Len() < outBytes {
		line, err := r.ReadString('\n')
		if err != nil {
			return b.String(), "", err
		}
		if after, found := strings.CutPrefix(line, mark); found {
			return strings.TrimSuffix(b.String(), "\n"), strings.TrimSpace(after), nil
		}
		b.WriteString(line)
	}
	return "", "", errors.New("the host's program prints without end")
}
