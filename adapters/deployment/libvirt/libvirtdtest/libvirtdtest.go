// Package libvirtdtest starts a private libvirtd for the length of a test: a
// hypervisor host of its own that neither needs nor disturbs one of the system.
//
// It needs root and Debian's libvirt-daemon (for real machines also
// libvirt-daemon-driver-qemu, qemu-system-x86 and dnsmasq-base). Whatever
// becomes of the test process, nothing of the host remains: its processes live
// in a namespace whose first process ends with the test's end of a pipe.
//
// It must not know the adapter that is tested with it.
package libvirtdtest

import (
	"bufio"
	_ "embed"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/digitalocean/go-libvirt"
	"github.com/digitalocean/go-libvirt/socket/dialers"
)

// script is the recipe, shared with the demonstration.
//
//go:embed daemon.sh
var script []byte

// startLimit is how long a libvirtd may take to answer: a cold one asks QEMU
// for its abilities first, and others may do so at the same time.
const startLimit = 10 * time.Minute

// lookAgain is the time between two looks at something that is awaited.
const lookAgain = 50 * time.Millisecond

// Daemon is a running private libvirtd.
type Daemon struct {
	// Dir is its directory; the socket is Dir/run/libvirt-sock.
	Dir string

	t       testing.TB
	command *exec.Cmd
	ended   chan struct{} // closed after the command; failed is then set
	failed  error

	mu      sync.Mutex // one command at a time
	orders  io.WriteCloser
	answers *bufio.Reader
}

// Start starts a libvirtd, waits until it answers, and stops it when the test
// ends. A test that lacks the rights or the programs fails and says what it
// lacks.
func Start(t testing.TB) *Daemon {
	t.Helper()
	needs(t)
	d := prepare(t, tempDir(t))
	d.run()
	t.Cleanup(d.end)
	d.await()
	return d
}

// prepare lays out the directory of a host that is not yet started.
func prepare(t testing.TB, dir string) *Daemon {
	t.Helper()
	path := filepath.Join(dir, "daemon.sh")
	if err := os.WriteFile(path, script, 0o755); err != nil {
		t.Fatal(err)
	}
	copyNew(abilityCache(t), filepath.Join(dir, abilities))
	return &Daemon{Dir: dir, t: t, command: exec.Command(path, dir), ended: make(chan struct{})}
}

// needs fails the test when it cannot work here.
func needs(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("a private libvirtd needs root: its directories and its network are mounted " +
			"and made for it alone")
	}
	for program, source := range map[string]string{
		"libvirtd": "libvirt-daemon", "unshare": "util-linux", "ip": "iproute2",
		"virsh": "libvirt-clients",
	} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("%s is missing: install Debian's %s", program, source)
		}
	}
}

// run starts the script.
func (d *Daemon) run() {
	orders, err := d.command.StdinPipe()
	if err != nil {
		d.t.Fatal(err)
	}
	answers, err := d.command.StdoutPipe()
	if err != nil {
		d.t.Fatal(err)
	}
	d.command.Stderr = os.Stderr
	if err := d.command.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.orders, d.answers = orders, bufio.NewReader(answers)
	go func() {
		d.failed = d.command.Wait()
		close(d.ended)
	}()
}

// end ends everything inside, and waits for it.
func (d *Daemon) end() {
	copyNew(filepath.Join(d.Dir, abilities), abilityCache(d.t))
	if err := d.orders.Close(); err != nil {
		d.t.Errorf("cannot stop the private libvirtd: %v", err)
	}
	if <-d.ended; d.failed != nil {
		d.t.Errorf("the private libvirtd ended badly: %v", d.failed)
	}
}

// await waits until the daemon answers.
func (d *Daemon) await() {
	d.t.Helper()
	deadline := time.Now().Add(startLimit)
	for {
		out, err := d.virsh("version")
		if err == nil {
			return
		}
		if time.Now().After(deadline) || d.over() {
			log, _ := os.ReadFile(filepath.Join(d.Dir, "log", "libvirtd.log"))
			d.t.Fatalf("libvirtd does not answer: %v: %s\n%s", err, out, log)
		}
		time.Sleep(lookAgain) // who asks all the time takes it the time to start
	}
}

// over reports whether the host is no more.
func (d *Daemon) over() bool {
	select {
	case <-d.ended:
		return true
	default:
		return false
	}
}

// Socket is the path of the daemon's socket.
func (d *Daemon) Socket() string { return filepath.Join(d.Dir, "run", "libvirt-sock") }

// paths are those of the drivers' URIs.
var paths = map[string]string{"qemu": "/system", "test": "/default"}

// URI is that of one of its drivers: "qemu" or "test".
func (d *Daemon) URI(driver string) string {
	return fmt.Sprintf("%s+unix://%s?socket=%s", driver, paths[driver], d.Socket())
}

// Kill kills the daemon as a crash would. Machines go on.
func (d *Daemon) Kill() { d.order("kill") }

// Freeze stops the daemon where it stands: connections hold, calls hang.
func (d *Daemon) Freeze() { d.order("stop") }

// Thaw lets a frozen daemon go on.
func (d *Daemon) Thaw() { d.order("cont") }

// Restart starts the daemon again after Kill, and waits until it answers.
func (d *Daemon) Restart() {
	d.t.Helper()
	d.order("start")
	d.await()
}

// Shell runs a command line inside: on the host's network, among its processes.
// It returns what that prints.
func (d *Daemon) Shell(command string) string { return d.order("sh " + command) }

// order sends one command and returns what comes before its answer.
func (d *Daemon) order(command string) string {
	d.t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, err := fmt.Fprintln(d.orders, command); err != nil {
		d.t.Fatalf("cannot order %q: %v", command, err)
	}
	var out strings.Builder
	for {
		line, err := d.answers.ReadString('\n')
		if err != nil {
			d.t.Fatalf("no answer to %q: %v", command, err)
		}
		if line == "done\n" {
			return out.String()
		}
		out.WriteString(line)
	}
}

// Virsh runs one virsh command against the qemu driver and returns its output.
func (d *Daemon) Virsh(args ...string) string {
	d.t.Helper()
	out, err := d.virsh(args...)
	if err != nil {
		d.t.Fatalf("virsh %q: %v: %s", args, err, out)
	}
	return out
}

// VirshTest is Virsh for the test driver.
func (d *Daemon) VirshTest(args ...string) string {
	d.t.Helper()
	out, err := d.virshTo("test", args...)
	if err != nil {
		d.t.Fatalf("virsh %q: %v: %s", args, err, out)
	}
	return out
}

func (d *Daemon) virsh(args ...string) (string, error) { return d.virshTo("qemu", args...) }

func (d *Daemon) virshTo(driver string, args ...string) (string, error) {
	out, err := exec.Command("virsh", append([]string{"-c", d.URI(driver)}, args...)...).
		CombinedOutput()
	return string(out), err
}

// Hold keeps a connection of the test driver open until the test ends: its
// machines live as long as any connection does.
func (d *Daemon) Hold() {
	d.t.Helper()
	hold := libvirt.NewWithDialer(dialers.NewLocal(dialers.WithSocket(d.Socket())))
	if err := hold.ConnectToURI(libvirt.TestDefault); err != nil {
		d.t.Fatalf("cannot hold the test driver open: %v", err)
	}
	d.t.Cleanup(func() {
		if err := hold.Disconnect(); err != nil {
			d.t.Logf("cannot let the test driver go: %v", err)
		}
	})
}
