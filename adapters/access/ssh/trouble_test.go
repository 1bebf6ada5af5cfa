package ssh_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/philoxenia/philoxenia/adapters/access/ssh"
	"github.com/philoxenia/philoxenia/adapters/image/imagetest"
	"github.com/philoxenia/philoxenia/adapters/transport/login"
	"github.com/philoxenia/philoxenia/adapters/transport/login/sshdtest"
	"github.com/philoxenia/philoxenia/service/workspace"
)

func TestChangedHostKeyIsDenied(t *testing.T) {
	s := sshdtest.Start(t)
	a := open(t, s)
	if _, err := a.Stat(t.Context(), s.Root); err != nil {
		t.Fatal(err)
	}
	s.Stop()
	s.NewHostKey()
	s.Restart()
	_, err := a.Stat(t.Context(), s.Root)
	refusal(t, err, workspace.Denied, "changed", s.KnownHostsLine())
	line := []byte(s.KnownHostsLine() + "\n") // what the message says helps, without a restart
	if err := os.WriteFile(s.KnownHosts, line, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Stat(t.Context(), s.Root); err != nil {
		t.Error(err)
	}
}

func TestWrongCredentialsAreDenied(t *testing.T) {
	s := sshdtest.Start(t)
	other := filepath.Join(t.TempDir(), "other")
	sshdtest.WriteKey(t, other)
	for name, server := range map[string]login.Server{
		"password": {PasswordFile: other}, "key": {KeyFile: other},
	} {
		t.Run(name, func(t *testing.T) {
			server.Address, server.User, server.KnownHostsFile = s.Address, s.User, s.KnownHosts
			a := ssh.New(ssh.Options{Server: server})
			defer a.Close()
			_, err := a.Stat(t.Context(), s.Root)
			refusal(t, err, workspace.Denied, "does not let")
		})
	}
}

// TestHostKilledInTheMiddle kills the host's sshd with all its connections during a
// Put and a Get, which must go on where they stopped when it is back.
func TestHostKilledInTheMiddle(t *testing.T) {
	s := sshdtest.Start(t)
	a := open(t, s)
	data := imagetest.Random(96<<20, 7)
	from, there, back := filepath.Join(t.TempDir(), "image"), filepath.Join(s.Root, "disk"),
		filepath.Join(t.TempDir(), "back")
	if err := os.WriteFile(from, data, 0o600); err != nil {
		t.Fatal(err)
	}
	broken(t, s, from, there, a.Put)
	broken(t, s, there, back, a.Get)
	for _, path := range []string{there, back} {
		got, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("%s holds %d other bytes, %v", path, len(got), err)
		}
	}
}

// move is Put or Get.
type move = func(ctx context.Context, from, to string, p workspace.Progress) error

// broken moves a file, during which the host dies, and then again.
func broken(t *testing.T, s *sshdtest.Server, from, to string, move move) {
	t.Helper()
	killed := false
	err := move(t.Context(), from, to, func(done, _ int64) {
		if !killed && done > 80<<20 {
			killed = true
			s.Stop()
		}
	})
	refusal(t, err, workspace.Unavailable)
	if _, err := os.Stat(to); err == nil {
		t.Errorf("half of it has the name %s", to)
	}
	s.Restart()
	began := int64(-1)
	err = move(t.Context(), from, to, func(done, _ int64) {
		if began < 0 {
			began = done
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if began < 32<<20 {
		t.Errorf("it began anew, at %d", began)
	}
}

// TestHostLostUnderAProgram: what a program failed of is then the loss, and not the program.
func TestHostLostUnderAProgram(t *testing.T) {
	s := sshdtest.Start(t)
	a := open(t, s)
	var once sync.Once
	err := a.Run(t.Context(), workspace.Command{
		Args:   []string{"sh", "-c", "echo begun; exec sleep 30"},
		Stdout: told(func() { once.Do(s.Stop) }),
	})
	// Transient where the program's end is seen before that of the connection.
	k := workspace.KindOf(err)
	if k != workspace.Unavailable && k != workspace.Transient || workspace.Lacking(err) {
		t.Errorf("of a lost host it says %v (%s)", err, k)
	}
}

// told is a writer that tells of what is written.
type told func()

func (f told) Write(p []byte) (int, error) {
	f()
	return len(p), nil
}
