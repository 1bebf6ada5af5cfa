package scp

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/philoxenia/philoxenia/adapters/transport/transfer"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// The answers of the protocol: one byte, behind the last two a line of text.
const (
	answerOK      = 0
	answerWarning = 1
	answerFatal   = 2
)

// longest is the length of a line that a server may send.
const longest = 8 << 10

// wire is one run of scp on the server.
type wire struct {
	session *ssh.Session
	in      io.WriteCloser
	out     *bufio.Reader
	errors  strings.Builder // what the server's shell says
}

// open starts scp on the server.
func open(c line, options, path string) (*wire, error) {
	w := new(wire)
	var out io.Reader
	var err error
	command := "exec scp " + options + " -- " + quote(path)
	w.session, err = c.Start(command, func(session *ssh.Session) (err error) {
		if out, err = session.StdoutPipe(); err == nil {
			w.in, err = session.StdinPipe()
		}
		session.Stderr = &limited{&w.errors, longest}
		return err
	})
	if err != nil {
		return nil, err
	}
	w.out = bufio.NewReaderSize(out, 256<<10)
	return w, nil
}

// limited takes so many bytes and drops the rest.
type limited struct {
	w    io.Writer
	left int
}

// Write takes what there is room for.
func (l *limited) Write(b []byte) (int, error) {
	n := min(len(b), l.left)
	l.left -= n
	l.w.Write(b[:n])
	return len(b), nil
}

func (w *wire) close() {
	w.in.Close()
	w.session.Close()
}

// done ends the run and tells of what scp found wrong at its end.
func (w *wire) done() error {
	w.in.Close()
	err := w.session.Wait()
	var exit *ssh.ExitError
	if errors.As(err, &exit) {
		return w.failure(strings.TrimSpace(w.errors.String()))
	}
	return err
}

// agree tells the server to go on.
func (w *wire) agree() error {
	_, err := w.in.Write([]byte{answerOK})
	return err
}

// answer reads whether the server is content.
func (w *wire) answer() error {
	b, err := w.out.ReadByte()
	if err != nil {
		return w.ended(err)
	}
	switch b {
	case answerOK:
		return nil
	case answerWarning, answerFatal:
		return w.failure(w.line())
	}
	w.out.UnreadByte()
	return fmt.Errorf("the server answers with something else than scp: %q", w.line())
}

// line reads up to the end of the line.
func (w *wire) line() string {
	var b strings.Builder
	for b.Len() < longest {
		c, err := w.out.ReadByte()
		if err != nil || c == '\n' {
			break
		}
		b.WriteByte(c)
	}
	return b.String()
}

// ended says why the server hung up: what its scp complained of, if that has come to
// an end. Of a connection that was lost, what was said until then tells nothing: it
// may be the shell's complaint about its own settings.
func (w *wire) ended(err error) error {
	if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	var exit *ssh.ExitError
	ended := errors.As(w.session.Wait(), &exit)
	if said := strings.TrimSpace(w.errors.String()); ended && said != "" {
		return w.failure(said)
	}
	return err
}

// words tell what those of scp's messages mean that are its own.
var words = map[string]workspace.Kind{
	"not a regular file":        workspace.Invalid,
	"No such device or address": workspace.Invalid, // a socket
	"command not found":         workspace.Denied,
}

// failure gives what the server says its kind, by the last line of it: what a shell
// complains of when it starts stands before.
func (w *wire) failure(said string) error {
	said = strings.ToValidUTF8(strings.TrimPrefix(said, "scp: "), "?")
	last := said[strings.LastIndex(said, "\n")+1:]
	kind := transfer.Said(last)
	for words, means := range words {
		if kind == workspace.Internal && strings.Contains(last, words) {
			kind = means
		}
	}
	if kind == workspace.Internal {
		kind = workspace.Transient
	}
	return workspace.Refuse(kind, "the server says: %s", said)
}

// source is a file that the server is about to send.
type source struct {
	*wire
	size     int64
	modified time.Time
	begin    []byte // of the image, read to look at its header
}

// ask makes the server ready to send a file: it tells the times and the size.
func ask(c line, path string) (*source, error) {
	w, err := open(c, "-f -p", path)
	if err != nil {
		return nil, err
	}
	s := &source{wire: w}
	if err := s.head(); err != nil {
		w.close()
		return nil, err
	}
	return s, nil
}

func (s *source) head() error {
	if err := s.agree(); err != nil {
		return s.ended(err)
	}
	for {
		b, err := s.out.ReadByte()
		if err != nil {
			return s.ended(err)
		}
		said := s.line()
		switch b {
		case 'T':
			seconds, err := strconv.ParseInt(field(said, 0), 10, 64)
			if err != nil {
				return fmt.Errorf("the server tells a time as %q", said)
			}
			s.modified = time.Unix(seconds, 0)
		case 'C':
			s.size, err = strconv.ParseInt(field(said, 1), 10, 64)
			if err != nil || s.size < 0 {
				return fmt.Errorf("the server tells a size as %q", said)
			}
			return nil
		case 'D':
			return transfer.Invalid("it is a directory, not a regular file")
		case answerWarning, answerFatal:
			return s.failure(said)
		default:
			return fmt.Errorf("the server answers with something else than scp: %q",
				string(b)+said)
		}
		if err := s.agree(); err != nil {
			return s.ended(err)
		}
	}
}

// field returns the n-th word of the line, "" when there is none.
func field(line string, n int) string {
	if all := strings.Fields(line); n < len(all) {
		return all[n]
	}
	return ""
}

// same reports whether two looks are at the same bytes, as far as scp can tell.
func (s *source) same(t *source) bool { return s.size == t.size && s.modified.Equal(t.modified) }

// put makes the server ready to take a file, with the times of stat.
func put(c line, path string, stat os.FileInfo) (*wire, error) {
	w, err := open(c, "-t -p", path)
	if err != nil {
		return nil, err
	}
	at := stat.ModTime().Unix()
	lines := []string{fmt.Sprintf("T%d 0 %d 0\n", at, at),
		fmt.Sprintf("C0600 %d image\n", stat.Size())}
	err = w.answer()
	for _, line := range lines {
		if err == nil {
			_, err = io.WriteString(w.in, line)
		}
		if err == nil {
			err = w.answer()
		}
	}
	if err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}
