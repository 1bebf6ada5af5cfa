package ssh

import (
	"context"
	"errors"
	"testing"
	"time"

	cryptossh "golang.org/x/crypto/ssh"

	"github.com/philoxenia/philoxenia/adapters/transport/login"
	"github.com/philoxenia/philoxenia/adapters/transport/login/sshdtest"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// TestCalledOffBeforeItBegins calls a program off when nothing is known of it yet: it is
// killed as soon as it tells its number.
func TestCalledOffBeforeItBegins(t *testing.T) {
	s := sshdtest.Start(t)
	line, err := login.Dial(t.Context(), login.Server{Address: s.Address, User: s.User,
		KeyFile: s.KeyFile, KnownHostsFile: s.KnownHosts}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	defer line.Close()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, line, program{
			Command: workspace.Command{Args: []string{"sleep", "600"}},
			prepare: func(*cryptossh.Session) error { cancel(); return nil },
		})
	}()
	select {
	case err := <-ended:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("it ended with %v", err)
		}
	case <-time.After(time.Minute):
		t.Error("it goes on")
	}
}
