package scp_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/adapters/transport/login"
	"github.com/philoxenia/philoxenia/adapters/transport/login/sshdtest"
	"github.com/philoxenia/philoxenia/adapters/transport/scp"
	"github.com/philoxenia/philoxenia/adapters/transport/transporttest"
	"github.com/philoxenia/philoxenia/service/workspace"
)

func configured(s *sshdtest.Server, root string) login.Server {
	return login.Server{Address: s.Address, User: s.User, KeyFile: s.KeyFile,
		KnownHostsFile: s.KnownHosts, Root: root}
}

func port(s *sshdtest.Server) string {
	_, port, _ := strings.Cut(s.Address, ":")
	return port
}

// open returns a transport that is closed at the end of the test.
func open(t *testing.T, o scp.Options) *scp.Transport {
	transport := scp.New(o)
	t.Cleanup(func() { transport.Close() })
	return transport
}

// TestConformance has a server that knows nothing newer.
func TestConformance(t *testing.T) {
	s := sshdtest.Start(t)
	s.WithoutSFTP()
	if err := exec.Command("sftp", "-b", "/dev/null", "-P", port(s), "-i", s.KeyFile, "-o",
		"UserKnownHostsFile="+s.KnownHosts, "-F", "/dev/null", "127.0.0.1").Run(); err == nil {
		t.Fatal("the server speaks SFTP")
	}
	transporttest.Exercise(t, transporttest.Fixture{
		Open: func(t *testing.T, repository string) workspace.Transport {
			return open(t, scp.Options{Servers: []login.Server{configured(s, repository)}})
		},
		Location: func(name string) string { return "scp://" + s.Address + "/" + name },
		Thick:    true, Trusting: true,
	})
}

// TestNamesAreNoCommands makes sure that the server's shell sees a name in what
// looks like a command.
func TestNamesAreNoCommands(t *testing.T) {
	s := sshdtest.Start(t)
	transport := open(t, scp.Options{Servers: []login.Server{configured(s, s.Root)}})
	host := t.TempDir()
	proof := filepath.Join(host, "proof")
	data := make([]byte, 5000)
	for i, name := range []string{
		"a'; touch $PROOF; '", "$(touch $PROOF)", "`touch $PROOF`",
		"-r", "a b", "*", "a;b&c|d", "\\",
	} {
		t.Setenv("PROOF", proof)
		if err := os.WriteFile(filepath.Join(s.Root, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
		target := filepath.Join(host, "disk")
		f := workspace.Fetch{Location: "scp://" + s.Address + "/" + name, Path: target}
		if _, err := transport.Fetch(t.Context(), f); err != nil {
			t.Errorf("%d: %q: %v", i, name, err)
			continue
		}
		back := workspace.Deliver{Path: target, Location: f.Location + ".saved"}
		if _, err := transport.Deliver(t.Context(), back); err != nil {
			t.Errorf("%d: %q: %v", i, name, err)
		}
		os.Remove(target)
	}
	if _, err := os.Stat(proof); err == nil {
		t.Error("a name was taken for a command")
	}
}

// TestSilentServer makes sure that a server that stalls is given up.
func TestSilentServer(t *testing.T) {
	s := sshdtest.Start(t)
	transport := open(t, scp.Options{StallTimeout: time.Second,
		Servers: []login.Server{configured(s, s.Root)}})
	if err := os.WriteFile(filepath.Join(s.Root, "image"), make([]byte, 8<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	host := t.TempDir()
	f := workspace.Fetch{Location: "scp://" + s.Address + "/image",
		Path: filepath.Join(host, "disk"),
		Progress: func(done, _ int64) {
			if done > 0 {
				s.Signal(syscall.SIGSTOP)
			}
		}}
	_, err := transport.Fetch(t.Context(), f)
	s.Signal(syscall.SIGCONT)
	if err != nil && workspace.KindOf(err) != workspace.Unavailable {
		t.Errorf("a silent server: %v", err)
	}
	if entries, _ := os.ReadDir(host); err != nil && len(entries) > 0 {
		t.Errorf("%d files are left", len(entries))
	}
}

// TestStrangers makes sure that nobody is logged in to who is not configured,
// or whose key is another.
func TestStrangers(t *testing.T) {
	s := sshdtest.Start(t)
	transport := open(t, scp.Options{Servers: []login.Server{configured(s, s.Root)}})
	for _, loc := range []string{
		"scp://other.example/image", "scp://nobody@" + s.Address + "/image",
	} {
		if err := transport.CheckLocation(loc); workspace.KindOf(err) != workspace.Denied {
			t.Errorf("%s: %v", loc, err)
		}
	}
	s.NewHostKey()
	s.Stop()
	s.Restart()
	_, err := transport.Check(t.Context(), "scp://"+s.Address+"/image")
	if workspace.KindOf(err) != workspace.Denied {
		t.Errorf("another host key: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = transport.Check(ctx, "scp://"+s.Address+"/image")
	if !errors.Is(err, context.Canceled) {
		t.Errorf("a call that was called off: %v", err)
	}
}
