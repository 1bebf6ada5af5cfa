package libvirtdtest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/philoxenia/philoxenia/adapters/deployment/libvirt/libvirtdtest"
)

// TestHostsSeeEachOther asks one host's libvirtd from another, and logs in.
func TestHostsSeeEachOther(t *testing.T) {
	lab := libvirtdtest.StartLab(t, 2)
	one, two := lab.Hosts[0], lab.Hosts[1]
	here := filepath.Join(two.Dir, "lib", "images", "here")
	if err := os.WriteFile(here, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, uri := range []string{"test+tcp://host2/default", "test+tls://host2/default"} {
		if said := one.Shell("virsh -c " + uri + " hostname"); strings.TrimSpace(said) != "host2" {
			t.Errorf("%s says %q", uri, said)
		}
	}
	if said := logIn(t, two.SSH, "hostname; virsh -c test:///default list --all --name; "+
		"ls /var/lib/libvirt/images"); said != "host2\ntest\n\nhere\n" {
		t.Errorf("host2 says %q over ssh", said)
	}
	if a, b := identity(one), identity(two); a == "" || a == b {
		t.Errorf("both hosts are %s", a)
	}
}

// TestPlaceOfAHostThatIsGone starts a lab where the network of an earlier one's host is
// still there: the kernel takes such networks apart when it comes to it.
func TestPlaceOfAHostThatIsGone(t *testing.T) {
	var kept *os.File
	t.Run("earlier", func(t *testing.T) {
		kept = networkOf(t, libvirtdtest.StartLab(t, 1).Hosts[0])
	})
	defer kept.Close()
	libvirtdtest.StartLab(t, 1)
}

// networkOf opens a host's network, which stays for as long as that is open.
func networkOf(t *testing.T, h *libvirtdtest.LabHost) *os.File {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range lines {
		line, err := os.ReadFile(path)
		if err != nil || !strings.HasSuffix(string(line), "\x00"+h.Dir+"\x00inside\x00") {
			continue
		}
		network, err := os.Open(filepath.Join(filepath.Dir(path), "ns", "net"))
		if err != nil {
			t.Fatal(err)
		}
		return network
	}
	t.Fatal("nothing runs the host")
	return nil
}

// identity is what tells a host from others.
func identity(h *libvirtdtest.LabHost) string {
	_, rest, _ := strings.Cut(h.Virsh("capabilities"), "<uuid>")
	id, _, _ := strings.Cut(rest, "</uuid>")
	return id
}

// logIn runs a command on a host.
func logIn(t *testing.T, at libvirtdtest.SSH, command string) string {
	t.Helper()
	known, err := knownhosts.New(at.KnownHosts)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(at.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.ParsePrivateKey(text)
	if err != nil {
		t.Fatal(err)
	}
	c, err := ssh.Dial("tcp", at.Address, &ssh.ClientConfig{User: at.User,
		Auth: []ssh.AuthMethod{ssh.PublicKeys(key)}, HostKeyCallback: known})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	out, err := s.CombinedOutput(command)
	if err != nil {
		t.Errorf("%s: %v: %s", command, err, out)
	}
	return string(out)
}
