package ssh_test

import (
	"testing"

	"github.com/philoxenia/philoxenia/adapters/access/accesstest"
	"github.com/philoxenia/philoxenia/adapters/access/ssh"
	"github.com/philoxenia/philoxenia/adapters/transport/login"
	"github.com/philoxenia/philoxenia/adapters/transport/login/sshdtest"
	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/tests/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

func open(t *testing.T, s *sshdtest.Server) *ssh.Access {
	t.Helper()
	a := ssh.New(ssh.Options{Server: login.Server{Address: s.Address, User: s.User,
		KeyFile: s.KeyFile, KnownHostsFile: s.KnownHosts}})
	t.Cleanup(func() { a.Close() })
	return a
}

func TestAccess(t *testing.T) {
	s := sshdtest.Start(t)
	accesstest.Exercise(t, accesstest.Fixture{
		Open:    func(t *testing.T) workspace.Access { return open(t, s) },
		Resumes: true,
	})
}
