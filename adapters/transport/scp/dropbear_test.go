package scp_test

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
	"golang.org/x/sys/unix"

	"github.com/philoxenia/philoxenia/adapters/transport/login"
	"github.com/philoxenia/philoxenia/adapters/transport/login/sshdtest"
	"github.com/philoxenia/philoxenia/adapters/transport/scp"
	"github.com/philoxenia/philoxenia/adapters/transport/transporttest"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// dropbear starts a server of SSH that is not OpenSSH and knows no SFTP, as small
// machines have it. It looks for keys in its user's home, which is therefore another
// directory for it alone: that takes root.
func dropbear(t *testing.T) login.Server {
	t.Helper()
	shared(t)
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	home := filepath.Join(dir, "home")
	if err := os.MkdirAll(filepath.Join(home, ".ssh"), 0o700); err != nil {
		t.Fatal(err)
	}
	s := login.Server{User: me.Username, KeyFile: filepath.Join(dir, "id"),
		KnownHostsFile: filepath.Join(dir, "known_hosts")}
	line := ssh.MarshalAuthorizedKey(sshdtest.WriteKey(t, s.KeyFile))
	written(t, filepath.Join(home, ".ssh", "authorized_keys"), line)
	key := filepath.Join(dir, "host_key")
	said, err := exec.Command("dropbearkey", "-t", "ed25519", "-f", key).Output()
	if err != nil {
		t.Fatalf("dropbearkey (Debian package dropbear-bin): %v", err)
	}
	_, rest, _ := bytes.Cut(said, []byte("ssh-ed25519 "))
	public, _, _, _, err := ssh.ParseAuthorizedKey(append([]byte("ssh-ed25519 "), rest...))
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Address = l.Addr().String()
	l.Close()
	written(t, s.KnownHostsFile, fmt.Appendln(nil, knownhosts.Line(
		[]string{knownhosts.Normalize(s.Address)}, public)))
	var log bytes.Buffer
	c := exec.Command("unshare", "--mount", "--propagation", "slave",
		"sh", "-c", `mount --bind "$1" "$2" && shift 2 &&
		exec dropbear "$@"`, "sh", home, me.HomeDir, "-F", "-E", "-s", "-r", key, "-p", s.Address)
	c.Stderr = &log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Process.Kill()
		c.Wait()
		if t.Failed() {
			t.Logf("dropbear: %s", &log)
		}
	})
	answers(t, s.Address)
	return s
}

// shared makes the directory for what is temporary a place where the server, which has
// a view of its own, sees what is mounted later.
func shared(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	if err := errors.Join(unix.Mount(dir, dir, "", unix.MS_BIND, ""),
		unix.Mount("", dir, "", unix.MS_SHARED, "")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	t.Setenv("TMPDIR", dir)
}

// answers waits until a server takes connections.
func answers(t *testing.T, address string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("dropbear does not answer: %v", err)
		}
		<-time.After(10 * time.Millisecond)
	}
}

func written(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestDropbear has a server that is not OpenSSH, and now and then closes a session that
// it has just opened.
func TestDropbear(t *testing.T) {
	s := dropbear(t)
	transporttest.Exercise(t, transporttest.Fixture{
		Open: func(t *testing.T, repository string) workspace.Transport {
			there := s
			there.Root = repository
			return open(t, scp.Options{Servers: []login.Server{there}})
		},
		Location: func(name string) string { return "scp://" + s.Address + "/" + name },
		Thick:    true, Trusting: true,
	})
}
