package sshdtest_test

import (
	"os"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/philoxenia/philoxenia/adapters/transport/login/sshdtest"
)

func dial(t *testing.T, s *sshdtest.Server) (*ssh.Client, error) {
	t.Helper()
	known, err := knownhosts.New(s.KnownHosts)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(s.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.ParsePrivateKey(text)
	if err != nil {
		t.Fatal(err)
	}
	return ssh.Dial("tcp", s.Address, &ssh.ClientConfig{
		User: s.User, Auth: []ssh.AuthMethod{ssh.PublicKeys(key)}, HostKeyCallback: known,
	})
}

func TestServerLetsItsUserInAndStops(t *testing.T) {
	s := sshdtest.Start(t)
	for range 2 {
		c, err := dial(t, s)
		if err != nil {
			t.Fatal(err)
		}
		s.Stop()
		if err := c.Wait(); err == nil {
			t.Error("the connection outlived the server")
		}
		if _, err := dial(t, s); err == nil {
			t.Error("the stopped server still answers")
		}
		s.Restart()
	}
	s.Stop()
	s.NewHostKey()
	s.Restart()
	if _, err := dial(t, s); err == nil {
		t.Error("the new host key is known already")
	}
}
