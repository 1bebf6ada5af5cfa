// Package lanes moves files over SFTP sessions as fast as SSH lets them: large
// packets, many on their way at once, holes left out, on several connections
// where there are. It is for the sftp transport and for the way onto hosts; it must
// not know what is moved, nor why.
package lanes

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"

	pkgsftp "github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"github.com/philoxenia/philoxenia/adapters/transport/login"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// packetBytes is the payload of one packet. OpenSSH takes packets of 256 KiB with
// their heads; a file written at multiples of a power of two costs file systems less.
const packetBytes = 128 << 10

// packetsAtOnce hides the latency of a link: 4 MiB on their way. SSH itself
// lets no more than 2 MiB go unacknowledged, and more would only leave the caches.
const packetsAtOnce = 32

// Session is one SSH connection with an SFTP session on it.
type Session struct {
	*pkgsftp.Client
	line *login.Conn
	wire *wire
}

// File is a file on the server, opened.
type File = pkgsftp.File

var _ login.Session = (*Session)(nil)

// Begin opens a session.
func Begin(line *login.Conn) (*Session, error) {
	s, err := begin(line.Client)
	if err != nil {
		return nil, login.Unavailable(line.Server.Address, fmt.Errorf("no SFTP there: %w", err))
	}
	s.line = line
	return s, nil
}

// begin asks the server for SFTP, as the library would.
func begin(client *ssh.Client) (*Session, error) {
	channel, err := client.NewSession()
	if err != nil {
		return nil, err
	}
	in, err := channel.StdoutPipe()
	if err != nil {
		return nil, err
	}
	out, err := channel.StdinPipe()
	if err != nil {
		return nil, err
	}
	complaints, err := channel.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := channel.RequestSubsystem("sftp"); err != nil {
		return nil, err
	}
	go func() { _, _ = io.Copy(io.Discard, complaints) }() // until the channel is closed
	// The library closes as soon as nothing more comes, while lanes still write: to a
	// channel one may then say that it is over, but not that no more is written.
	return over(in, struct {
		io.Writer
		io.Closer
	}{out, channel})
}

// over speaks SFTP over a channel.
func over(in io.Reader, out io.WriteCloser) (*Session, error) {
	w := newWire(in, out)
	client, err := pkgsftp.NewClientPipe(w, w, pkgsftp.MaxPacketUnchecked(packetBytes),
		pkgsftp.MaxConcurrentRequestsPerFile(packetsAtOnce), pkgsftp.UseFstat(true))
	if err != nil {
		return nil, err
	}
	return &Session{Client: client, wire: w}, nil
}

// Line returns the connection below.
func (s *Session) Line() *login.Conn { return s.line }

// End ends the connection and waits until it is gone.
func (s *Session) End() {
	s.Client.Close()
	s.line.Close()
}

// Explain returns the reason behind an error of a call on the connection.
func (s *Session) Explain(err error) error {
	if why := s.wire.wrong(); why != nil {
		err = fmt.Errorf("%w: %w", why, err)
	}
	if errors.Is(err, pkgsftp.ErrSSHFxConnectionLost) {
		err = fmt.Errorf("%w: %w", err, io.EOF)
	}
	return s.line.Explain(err)
}

// Replace renames at one stroke where the server can, else with a moment in
// which nothing has the name.
func (s *Session) Replace(from, to string) error {
	if _, offered := s.HasExtension("posix-rename@openssh.com"); offered {
		return s.PosixRename(from, to)
	}
	if err := s.Remove(to); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return s.Rename(from, to)
}

// Flush has the server write what it has of the file to its disk, where it
// offers that.
func (s *Session) Flush(f *File) error {
	if _, offered := s.HasExtension("fsync@openssh.com"); !offered {
		return nil
	}
	defer s.line.Attend()()
	return f.Sync()
}

// FlushDir is Flush for the names in a directory: OpenSSH opens one like a file.
func (s *Session) FlushDir(dir string) error {
	if _, offered := s.HasExtension("fsync@openssh.com"); !offered {
		return nil
	}
	d, err := s.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return s.Flush(d)
}

// WhyFailed finds out whether an error that says no more than "failure" is a
// full disk in the directory of the file: SFTP has no word for that.
func (s *Session) WhyFailed(file string, cause error) error {
	if !Vague(cause) {
		return cause
	}
	fs, err := s.StatVFS(path.Dir(file))
	if err != nil || fs == nil || fs.Bavail*fs.Frsize >= packetsAtOnce*packetBytes {
		return cause
	}
	return workspace.Errorf(workspace.NoResource, "write the image", "",
		"the server's disk is full, %d bytes are left: %w", fs.Bavail*fs.Frsize, cause)
}

// Vague reports whether the server said of an error no more than that there is one.
func Vague(err error) bool {
	var status *pkgsftp.StatusError
	return errors.As(err, &status) && status.FxCode() == pkgsftp.ErrSSHFxFailure
}

// FileMode turns a mode as POSIX has it into one as Go has it.
func FileMode(posix uint32) fs.FileMode {
	stat := pkgsftp.FileStat{Mode: posix}
	return stat.FileMode()
}
