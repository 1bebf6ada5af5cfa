// Package sshdtest starts a private OpenSSH server on loopback for a test and
// stops it again: own host key, own user key, own directory, nothing of the
// machine's configuration. It is for tests alone and knows nothing of images.
package sshdtest

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// Server is a running sshd. Its files lie in a directory that the test removes.
type Server struct {
	Address    string // 127.X.X.X:PORT, kept over restarts
	User       string // who may log in: the user of the test
	KeyFile    string // the private key with which it may
	KnownHosts string // a known_hosts file that holds the server's host key
	Root       string // an empty directory for images

	t   testing.TB
	dir string
	cmd *exec.Cmd
	log *bytes.Buffer
}

// Start starts a server, which is stopped at the end of the test.
func Start(t testing.TB) *Server {
	t.Helper()
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	s := &Server{
		User: me.Username, KeyFile: filepath.Join(dir, "id"), Root: filepath.Join(dir, "root"),
		KnownHosts: filepath.Join(dir, "known_hosts"), t: t, dir: dir,
		Address: freeAddress(t),
	}
	if err := os.Mkdir(s.Root, 0o755); err != nil {
		t.Fatal(err)
	}
	line := ssh.MarshalAuthorizedKey(WriteKey(t, s.KeyFile))
	s.write("authorized_keys", line)
	s.NewHostKey()
	s.write("known_hosts", []byte(s.KnownHostsLine()+"\n"))
	s.configure()
	s.Restart()
	t.Cleanup(s.Stop)
	return s
}

// lastPort is the port that freeAddress has returned last: below those that systems
// give to who asks for any, at all addresses it may be.
var lastPort atomic.Int32

func init() { lastPort.Store(10000) }

// freeAddress returns an address that stays free until its server takes it, and
// while that is stopped: the loopback network is wide enough for each process to
// have an IP address of its own, of which nobody else takes a port.
func freeAddress(t testing.TB) string {
	t.Helper()
	n := os.Getpid() // below 1<<22
	for {
		l, err := net.Listen("tcp", fmt.Sprintf("127.%d.%d.%d:%d", 64+n>>16, n>>8&255, n&255,
			lastPort.Add(1)))
		if errors.Is(err, syscall.EADDRINUSE) {
			continue // of a server that listens at all addresses
		}
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
		return l.Addr().String()
	}
}

// WriteKey makes a new private key at path and returns its public half.
func WriteKey(t testing.TB, path string) ssh.PublicKey {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "test")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (s *Server) write(name string, data []byte) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), data, 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// NewHostKey gives the server another host key, which takes effect at the next
// Restart; KnownHosts keeps the old one.
func (s *Server) NewHostKey() {
	s.t.Helper()
	key := WriteKey(s.t, filepath.Join(s.dir, "host_key"))
	s.write("host_key.pub", ssh.MarshalAuthorizedKey(key))
}

// HostKey returns the host key that the server has now.
func (s *Server) HostKey() ssh.PublicKey {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, "host_key.pub"))
	if err != nil {
		s.t.Fatal(err)
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey(text)
	if err != nil {
		s.t.Fatal(err)
	}
	return key
}

// KnownHostsLine returns the line for known_hosts with the host key of now.
func (s *Server) KnownHostsLine() string {
	s.t.Helper()
	return knownhosts.Line([]string{knownhosts.Normalize(s.Address)}, s.HostKey())
}

func (s *Server) configure() {
	s.write("sshd_config", fmt.Appendf(nil, `ListenAddress %s
HostKey %[2]s/host_key
AuthorizedKeysFile %[2]s/authorized_keys
PidFile %[2]s/pid
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
MaxStartups 100
Subsystem sftp internal-sftp
SetEnv HOME=%[2]s
`, s.Address, s.dir))
}

// WithoutSFTP restarts the server as one that knows nothing newer than scp's old protocol.
func (s *Server) WithoutSFTP() {
	s.t.Helper()
	s.Stop()
	name := filepath.Join(s.dir, "sshd_config")
	text, err := os.ReadFile(name)
	if err != nil {
		s.t.Fatal(err)
	}
	const line = "Subsystem sftp internal-sftp\n"
	if !bytes.Contains(text, []byte(line)) {
		s.t.Fatalf("%s does not say %q", name, line)
	}
	s.write("sshd_config", bytes.Replace(text, []byte(line), nil, 1))
	s.Restart()
}

// Restart starts the server, again after Stop, and waits until it answers.
func (s *Server) Restart() {
	s.t.Helper()
	program, err := exec.LookPath("sshd")
	if err != nil {
		program = "/usr/sbin/sshd" // not in the path of plain users
	}
	// sshd wants its directory for unprivileged children; without root it needs none.
	if err := os.MkdirAll("/run/sshd", 0o755); err != nil && os.Getuid() == 0 {
		s.t.Fatal(err)
	}
	s.log = new(bytes.Buffer)
	s.cmd = exec.Command(program, "-D", "-e", "-f", filepath.Join(s.dir, "sshd_config"))
	s.cmd.Stderr = s.log
	s.cmd.WaitDelay = 10 * time.Second
	if err := s.cmd.Start(); err != nil {
		s.t.Fatalf("cannot start sshd (Debian package openssh-server): %v", err)
	}
	s.await()
}

// await waits for the banner of the server.
func (s *Server) await() {
	s.t.Helper()
	err := Await(s.Address, func() bool { return syscall.Kill(s.cmd.Process.Pid, 0) == nil })
	if err != nil {
		s.Stop()
		s.t.Fatalf("%v: %s", err, s.log)
	}
}

// Await waits until an SSH server at address, HOST:PORT, says its banner, at most a
// minute and only as long as its process lives.
func Await(address string, lives func() bool) error {
	for deadline := time.Now().Add(time.Minute); ; {
		err := banner(address, deadline)
		if err == nil {
			return nil
		}
		if !lives() || time.Now().After(deadline) {
			return fmt.Errorf("sshd does not answer on %s: %w", address, err)
		}
		<-time.After(5 * time.Millisecond) // a condition of another process: only asking helps
	}
}

// banner reads the first words of a server.
func banner(address string, deadline time.Time) error {
	c, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return err
	}
	defer c.Close()
	c.SetDeadline(deadline)
	_, err = io.ReadFull(c, make([]byte, len("SSH-")))
	return err
}

// Stop kills the server with all its connections, at once, as a crash would.
// A server that is stopped already stays so.
func (s *Server) Stop() {
	if s.cmd == nil {
		return
	}
	for _, pid := range halted(s.cmd.Process.Pid) {
		syscall.Kill(pid, syscall.SIGKILL)
	}
	s.cmd.Wait()
	s.cmd = nil
}

// Signal sends a signal to the server and to the processes of its connections:
// SIGSTOP makes it stall, which it does when Signal returns, SIGCONT ends that.
func (s *Server) Signal(signal syscall.Signal) {
	if signal == syscall.SIGSTOP {
		halted(s.cmd.Process.Pid)
		return
	}
	for _, pid := range family(s.cmd.Process.Pid) {
		syscall.Kill(pid, signal)
	}
}

// halted stops a process and all that descend from it, and returns them. Each has
// stopped before its children are looked for: one that is being forked is not missed.
func halted(pid int) []int {
	syscall.Kill(pid, syscall.SIGSTOP)
	for deadline := time.Now().Add(time.Minute); runs(pid) && time.Now().Before(deadline); {
		<-time.After(time.Millisecond) // a condition of another process: only asking helps
	}
	all := []int{pid}
	for _, child := range children(pid) {
		all = append(all, halted(child)...)
	}
	return all
}

// runs tells whether a process is neither stopped nor dead.
func runs(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, state, _ := strings.Cut(string(text), ") ")
	return err == nil && state != "" && !strings.Contains("TtZX", state[:1])
}

// family returns a process and all that descend from it: those of connections
// have left the server's process group.
func family(pid int) []int {
	all := []int{pid}
	for _, child := range children(pid) {
		all = append(all, family(child)...)
	}
	return all
}

// children returns those of a process that has one thread.
func children(pid int) (all []int) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return nil
	}
	for _, field := range strings.Fields(string(text)) {
		if child, err := strconv.Atoi(field); err == nil {
			all = append(all, child)
		}
	}
	return all
}

// Sessions returns the processes that serve who is logged in.
func (s *Server) Sessions() []int { return family(s.cmd.Process.Pid)[1:] }

// Commands returns the command lines of the processes of the server's connections.
func (s *Server) Commands() (lines []string) {
	for _, pid := range s.Sessions() {
		line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if err == nil { // it may have just ended
			lines = append(lines, strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return lines
}

// Log returns what the stopped server has logged.
func (s *Server) Log() string { return s.log.String() }

// Spent returns the processor time that the server and the processes of its
// connections have used so far, those that have ended included.
func (s *Server) Spent() time.Duration {
	const ticks = 100 // in a second: USER_HZ, which Linux keeps at 100
	sum := 0
	for _, pid := range family(s.cmd.Process.Pid) {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue // it has just ended; its parent has its time
		}
		_, rest, _ := strings.Cut(string(text), ") ")
		fields := strings.Fields(rest)
		for _, field := range fields[11:15] { // utime, stime, cutime, cstime: proc(5)
			n, _ := strconv.Atoi(field)
			sum += n
		}
	}
	return time.Duration(sum) * time.Second / ticks
}
