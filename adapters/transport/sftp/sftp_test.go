package sftp_test

import (
	"testing"

	"github.com/philoxenia/philoxenia/adapters/transport/login/sshdtest"
	"github.com/philoxenia/philoxenia/adapters/transport/sftp"
	"github.com/philoxenia/philoxenia/adapters/transport/transporttest"
	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/tests/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

func configured(s *sshdtest.Server, root string) sftp.Server {
	return sftp.Server{Address: s.Address, User: s.User, KeyFile: s.KeyFile,
		KnownHostsFile: s.KnownHosts, Root: root}
}

func TestTransport(t *testing.T) {
	server := sshdtest.Start(t)
	transporttest.Exercise(t, transporttest.Fixture{
		Open: func(t *testing.T, repository string) workspace.Transport {
			transport := sftp.New(sftp.Options{
				Servers: []sftp.Server{configured(server, repository)}})
			t.Cleanup(func() { transport.Close() })
			return transport
		},
		Location: func(name string) string { return "sftp://" + server.Address + "/" + name },
		Resumes:  true,
	})
}
