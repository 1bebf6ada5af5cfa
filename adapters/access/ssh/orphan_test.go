package ssh

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// TestOrphansEnd takes from a shell what it reads, as the end of a connection does:
// it and all that it started are killed.
func TestOrphansEnd(t *testing.T) {
	dir := t.TempDir()
	part := filepath.Join(dir, "a.part")
	if err := os.WriteFile(part, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string][]string{
		"giver": {"-c", passing, "sh", "10", "0", part},
		"taker": {"-c", taking, "sh", part, "0", "sleep", "1000"},
	} {
		t.Run(name, func(t *testing.T) {
			c := exec.Command("sh", args...)
			c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
			in, err := c.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			out, err := c.StdoutPipe() // which all of them hold
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			in.Close()
			if _, err := out.Read(make([]byte, 1)); err == nil {
				t.Error("it says something")
			}
			state, _ := c.Process.Wait()
			if s, ok := state.Sys().(syscall.WaitStatus); !ok || s.Signal() != syscall.SIGKILL {
				t.Errorf("it ended by %v", state)
			}
		})
	}
}
