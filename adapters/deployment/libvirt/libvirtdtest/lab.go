package libvirtdtest

import (
	"bufio"
	_ "embed"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/philoxenia/philoxenia/adapters/transport/login/sshdtest"
)

//go:embed lan.sh
var lanScript string

// Lab is several private hosts that see each other, and that the test sees,
// over one network.
type Lab struct {
	Hosts []*LabHost
	// Gateway is the test's own address on the network: what listens there is
	// within the hosts' reach, what listens on 127.0.0.1 is not.
	Gateway string
	// Shared is a directory that all hosts and the test have under the same path.
	Shared string

	t      testing.TB
	dir    string
	bridge string
	net    string // 10.99.N
	ca     *CA
}

// LabHost is one host of a Lab. Its files are the machine's own, but for
// libvirt's directories: /var/lib/libvirt/images is a path that each host has for
// itself, seen from outside as Dir/lib/images.
type LabHost struct {
	*Daemon
	Name    string // as the other hosts know it
	Address string // its IP address
	SSH     SSH
	TLS     TLS
}

// BarePort is where a host's sshd lets nobody reach for its sockets.
const BarePort = "2222"

// SSH is how to log in to a host.
type SSH struct {
	Address    string // HOST:PORT
	User       string
	KeyFile    string
	KnownHosts string // file with the keys of all hosts
	HostKey    string // public key of this one, as in known_hosts without the name
}

// TLS are the files of a client that all hosts let in.
type TLS struct{ CAFile, CertFile, KeyFile string }

// StartLab starts so many hosts named host1, host2, ..., each with libvirtd over
// unix, TCP, TLS and with sshd, and stops them when the test ends.
func StartLab(t testing.TB, hosts int) *Lab {
	t.Helper()
	needs(t)
	l := &Lab{t: t, dir: tempDir(t)}
	l.Shared = filepath.Join(l.dir, "shared")
	l.startLAN()
	l.makePKI()
	key := sshdtest.WriteKey(t, filepath.Join(l.dir, "id"))
	l.write("authorized_keys", string(ssh.MarshalAuthorizedKey(key)))
	var names, known strings.Builder
	fmt.Fprintln(&names, "127.0.0.1 localhost")
	for i := range hosts {
		h := l.plan(i)
		fmt.Fprintln(&names, h.Address, h.Name)
		fmt.Fprintln(&known, strings.Join([]string{h.Name, h.Address}, ","), h.SSH.HostKey)
		l.Hosts = append(l.Hosts, h)
	}
	l.write("known_hosts", known.String())
	l.write("hosts", names.String())
	if err := os.Mkdir(l.Shared, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, h := range l.Hosts {
		h.run()
		t.Cleanup(h.end)
	}
	for _, h := range l.Hosts {
		h.await()
		for _, port := range []string{"22", BarePort} {
			at := net.JoinHostPort(h.Address, port)
			if err := sshdtest.Await(at, func() bool { return !h.over() }); err != nil {
				t.Fatal(err)
			}
		}
	}
	return l
}

// tempDir is not t.TempDir: a socket's path must be short.
func tempDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "lv")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func (l *Lab) write(name, text string) {
	l.t.Helper()
	if err := os.WriteFile(filepath.Join(l.dir, name), []byte(text), 0o644); err != nil {
		l.t.Fatal(err)
	}
}

// startLAN makes the network, which ends with the test process: the guard is in
// a session of its own, where no signal meant for the test reaches it.
func (l *Lab) startLAN() {
	guard := exec.Command("bash", "-c", lanScript)
	guard.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	guard.Stderr = os.Stderr
	hold, err := guard.StdinPipe()
	if err != nil {
		l.t.Fatal(err)
	}
	out, err := guard.StdoutPipe()
	if err != nil {
		l.t.Fatal(err)
	}
	if err := guard.Start(); err != nil {
		l.t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		l.t.Fatalf("cannot make a network: %v", err)
	}
	l.t.Cleanup(func() {
		hold.Close()
		if err := guard.Wait(); err != nil {
			l.t.Errorf("the network ended badly: %v", err)
		}
	})
	var n int
	if _, err := fmt.Sscan(line, &l.bridge, &n); err != nil {
		l.t.Fatalf("cannot make a network: %q: %v", line, err)
	}
	l.net = fmt.Sprintf("10.99.%d", n)
	l.Gateway = l.net + ".1"
}

// plan writes everything that a host is to find when it starts.
func (l *Lab) plan(i int) *LabHost {
	l.t.Helper()
	h := &LabHost{Name: fmt.Sprintf("host%d", i+1),
		Address: fmt.Sprintf("%s.%d", l.net, 11+i),
		TLS: TLS{filepath.Join(l.dir, "ca.pem"), filepath.Join(l.dir, "client.pem"),
			filepath.Join(l.dir, "client.key")}}
	dir := filepath.Join(l.dir, h.Name)
	l.t.Logf("%s is %s, its files %s", h.Name, h.Address, dir)
	if err := os.MkdirAll(filepath.Join(dir, "lib", "images"), 0o755); err != nil {
		l.t.Fatal(err)
	}
	hostKey := sshdtest.WriteKey(l.t, filepath.Join(dir, "host_key"))
	h.SSH = SSH{Address: net.JoinHostPort(h.Address, "22"), User: "root",
		KeyFile: filepath.Join(l.dir, "id"), KnownHosts: filepath.Join(l.dir, "known_hosts"),
		HostKey: strings.TrimPrefix(knownhosts.Line([]string{h.Name}, hostKey), h.Name+" ")}
	l.write(filepath.Join(h.Name, "sshd_config"), l.sshdConfig(h, dir))
	l.write(filepath.Join(h.Name, "lan"), fmt.Sprintf("name=%s address=%s bridge=%s port=%sh%d\n",
		h.Name, h.Address, l.bridge, l.bridge, i+1))
	if err := os.Symlink("../hosts", filepath.Join(dir, "hosts")); err != nil {
		l.t.Fatal(err)
	}
	l.hostPKI(h, filepath.Join(dir, "pki"))
	h.Daemon = prepare(l.t, dir)
	return h
}

func (l *Lab) sshdConfig(h *LabHost, dir string) string {
	return fmt.Sprintf(`ListenAddress %[1]s
Port 22
Port %[2]s
HostKey %[3]s/host_key
AuthorizedKeysFile %[4]s/authorized_keys
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
AllowTcpForwarding yes
AllowStreamLocalForwarding yes
MaxStartups 200
MaxSessions 200
SetEnv HOME=%[3]s
Subsystem sftp internal-sftp
Match LocalPort %[2]s
	AllowStreamLocalForwarding no
`, h.Address, BarePort, dir, l.dir) // what the tester's own shell does at its start is none of ours
}

// Transports are the ways to a host's libvirtd that URIOver knows.
var Transports = []string{"unix", "tcp", "tls", "ssh"}

// URIOver is the URI of one of the host's drivers, "qemu" or "test", over one of
// Transports. For tls the client's files are in TLS, for ssh in SSH.
func (h *LabHost) URIOver(transport, driver string) string {
	if transport == "unix" {
		return h.URI(driver)
	}
	at := h.Address
	if transport == "ssh" {
		at = h.SSH.User + "@" + at
	}
	return fmt.Sprintf("%s+%s://%s%s", driver, transport, at, paths[driver])
}
