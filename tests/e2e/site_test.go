package e2e

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/philoxenia/philoxenia/tests/daemon"
)

// A site is a daemon, and how it was started.
type site struct {
	*daemon.Process
	options daemon.Options
}

// serve starts a daemon with a configuration, whose data is in a directory of dir.
// Commands find it and nothing else; what it says is shown when the test fails.
func serve(t *testing.T, dir, configuration string) *site {
	t.Helper()
	o := daemon.Options{Data: filepath.Join(dir, "data"), Config: filepath.Join(dir, "site.toml")}
	if err := os.WriteFile(o.Config, []byte(configuration), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"} {
		t.Setenv(name, filepath.Join(dir, name))
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	o.Log = log
	t.Cleanup(func() {
		if text, err := os.ReadFile(log.Name()); err == nil && t.Failed() {
			t.Logf("%s", text)
		}
	})
	s := &site{start(t, o), o}
	t.Setenv("WORKSPACE_SERVICE", s.URL)
	return s
}

// again lets the daemon die and another one go on with its data.
func (s *site) again(t *testing.T) {
	t.Helper()
	s.Kill()
	s.Process = start(t, s.options)
	t.Setenv("WORKSPACE_SERVICE", s.URL)
}
