//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"crypto/des" //nolint:gosec // what VNC authentication asks for
	"fmt"
	"io"
	"math/bits"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/adapters/deployment/libvirt/libvirtdtest"
)

// far is what the configuration of one host that is reached by ssh goes on with: uri,
// dir, address, user, key, known hosts.
const far = `
forward_ports = [80]
[[network]]
name = "private"
first = "192.168.77.10"
last = "192.168.77.20"
netmask = "255.255.255.0"
gateway = "192.168.77.1"
guard = false
[[host]]
id = "far"
adapter = "libvirt"
uri = %q
acceleration = "tcg"
dir = %q
cpus = 2
memory_mb = 1024
networks = { private = "network:lease0" }
[host.ssh]
address = %q
user = %q
key_file = %q
known_hosts = %q
`

// faraway starts a daemon over one host that it reaches by ssh alone.
func faraway(t *testing.T, h *libvirtdtest.LabHost) {
	t.Helper()
	dir, opening := open(t)
	serve(t, dir, opening+fmt.Sprintf(far, h.URIOver("ssh", "qemu"), filepath.Join(h.Dir, "disks"),
		h.SSH.Address, h.SSH.User, h.SSH.KeyFile, h.SSH.KnownHosts))
}

// A command that goes on, and what it has printed.
type going struct {
	*heard
	in io.WriteCloser
}

// goes starts a command of the user's that goes on until the test ends.
func goes(t *testing.T, args ...string) going {
	t.Helper()
	g := going{heard: new(heard)}
	cmd := exec.Command(filepath.Join(bin, "workspace"), args...)
	cmd.Stdout, cmd.Stderr = g.heard, g.heard
	var err error
	if g.in, err = cmd.StdinPipe(); err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return g
}

// says waits for a match and returns its first group.
func (g going) says(t *testing.T, pattern string) string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	defer func() {
		if t.Failed() {
			t.Logf("it said:\n%s", g.text.String())
		}
	}()
	var found []string
	eventually(t, pattern, func() bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		found = re.FindStringSubmatch(g.text.String())
		return found != nil
	})
	return found[len(found)-1]
}

// TestConsoles brings a user to a guest on a host that is reached by ssh alone: by
// its serial line, through a reboot of the guest, by its log, by its screen and by
// a port of its own.
func TestConsoles(t *testing.T) {
	h := libvirtdtest.StartLab(t, 1).Hosts[0]
	h.Network("lease0")
	faraway(t, h)
	workspace(t, "deploy", written(t, addressed("private")), "--memory", "128M", "--cpus",
		"1", "--for", "1h", "--wait", "--timeout", "5m")

	line := goes(t, "console", "1")
	line.says(t, `alive, up`)
	fmt.Fprintln(line.in, "anybody there")
	line.says(t, `heard anybody there`)
	out := command(t, filepath.Join(bin, "workspace"), "console", "1", "--once")
	if out.code == 0 || !strings.Contains(out.err, "taken") {
		t.Errorf("a console that is taken: %+v", out)
	}
	if last := workspace(t, "console", "1", "--log", "-n", "2"); strings.Count(last, "\n") > 2 ||
		!strings.Contains(last, "philoxenia-guest") {
		t.Errorf("the log ends with %q", last)
	}
	if log := workspace(t, "console", "1", "--log"); !strings.Contains(log, "boot 1 of this disk") {
		t.Errorf("the log has %q", log)
	}
	port(t)
	screen(t)
	workspace(t, "shutdown", "1", "--wait", "--timeout", "5m")
	line.says(t, `not connected`)
	workspace(t, "start", "1", "--wait", "--timeout", "5m")
	line.says(t, `boot 2 of this disk`)
	workspace(t, "destroy", "1", "--wait", "--yes")
	line.says(t, `no such workspace`)
}

// port reads a page of the guest's own.
func port(t *testing.T) {
	t.Helper()
	forward := goes(t, "forward", "1", "80", "--listen", "127.0.0.1:0")
	address := forward.says(t, `forwarding (\S+) to`)
	eventually(t, "the guest's page", func() bool {
		page, err := http.Get("http://" + address + "/")
		if err != nil {
			return false
		}
		defer page.Body.Close()
		text, _ := io.ReadAll(page.Body)
		return strings.Contains(string(text), "hello from a guest")
	})
}

// screen logs in to the guest's screen by its password, and by no other.
func screen(t *testing.T) {
	t.Helper()
	vnc := goes(t, "vnc", "1")
	address := vnc.says(t, `VNC on (\S+), password`)
	password := vnc.says(t, `password (\S+)`)
	if err := shakeHands(address, password); err != nil {
		t.Errorf("with the password: %v", err)
	}
	vnc.says(t, `(?s)VNC on.*VNC on`)
	if err := shakeHands(address, password); err == nil {
		t.Error("a password is good twice")
	}
}

// shakeHands logs in to a screen (RFC 6143, sections 7.1 and 7.2.2).
func shakeHands(address, password string) error {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	r := bufio.NewReader(conn)
	hello, err := r.ReadString('\n')
	if err != nil || hello != "RFB 003.008\n" {
		return fmt.Errorf("it says %q, %w", hello, err)
	}
	if _, err := io.WriteString(conn, hello); err != nil {
		return err
	}
	kinds := make([]byte, 2)
	if _, err := io.ReadFull(r, kinds); err != nil || !bytes.Equal(kinds, []byte{1, 2}) {
		return fmt.Errorf("the kinds of security are %v, %w", kinds, err)
	}
	challenge := make([]byte, 16)
	if _, err := conn.Write([]byte{2}); err != nil {
		return err
	}
	if _, err := io.ReadFull(r, challenge); err != nil {
		return err
	}
	if _, err := conn.Write(response(challenge, password)); err != nil {
		return err
	}
	result := make([]byte, 4)
	if _, err := io.ReadFull(r, result); err != nil || !bytes.Equal(result, make([]byte, 4)) {
		return fmt.Errorf("the result is %v, %w", result, err)
	}
	return nil
}

// response encrypts the challenge: the key is the password, each octet mirrored.
func response(challenge []byte, password string) []byte {
	key := make([]byte, 8)
	copy(key, password)
	for i := range key {
		key[i] = bits.Reverse8(key[i])
	}
	cipher, err := des.NewCipher(key)
	if err != nil {
		panic(err)
	}
	out := make([]byte, len(challenge))
	cipher.Encrypt(out[:8], challenge[:8])
	cipher.Encrypt(out[8:], challenge[8:])
	return out
}
