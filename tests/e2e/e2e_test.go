package e2e

import (
	"bytes"
	"errors"
	"flag"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/tests/daemon"
)

var binFlag = flag.String("bin", "", "directory with the built programs; empty: build them")

// bin is the directory of the programs under test.
var bin string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	bin = *binFlag
	if bin == "" {
		dir, err := os.MkdirTemp("", "philoxenia-e2e-")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		if err := daemon.Build(dir); err != nil {
			panic(err)
		}
		bin = dir
	}
	return m.Run()
}

// result is what a command did.
type result struct {
	out, err string
	code     int
}

// command runs a program in a process group of its own and proves that
// nothing of the group is left when it has ended.
func command(t *testing.T, name string, args ...string) result {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var out, notes bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &notes
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("cannot run %s: %v", name, err)
	}
	if left := awaitGroupEnd(cmd.Process.Pid); len(left) > 0 {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		t.Errorf("%s left processes behind: %v", name, left)
	}
	return result{out.String(), notes.String(), cmd.ProcessState.ExitCode()}
}

// awaitGroupEnd gives the members of a process group a moment to end and
// returns those that have not.
func awaitGroupEnd(group int) []string {
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		left := members(group)
		if len(left) == 0 || time.Now().After(deadline) {
			return left
		}
	}
}

// members returns the processes of a group that still run. One that has ended
// and that nobody has waited for does not count: on some machines the first
// process takes its time.
func members(group int) []string {
	var left []string
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // it ended meanwhile
		}
		// proc(5): PID (NAME) STATE PARENT GROUP
		front, rest, _ := strings.Cut(string(text), ") ")
		fields := strings.Fields(rest)
		if len(fields) > 2 && fields[0] != "Z" && fields[2] == strconv.Itoa(group) {
			left = append(left, front+")")
		}
	}
	return left
}

func TestDemonstration(t *testing.T) {
	r := command(t, "../../examples/demo/run", bin)
	if r.code != 0 {
		t.Fatalf("exit status %d\n%s\n%s", r.code, r.out, r.err)
	}
	text := r.out + r.err
	for _, want := range []string{
		"Running", "Paused", "Propagated", "10.9.1.", "group", "nothing is left",
		"its lease is suspended", "What would be accepted instead", "v is suspended",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the demonstration does not show %q:\n%s", want, text)
		}
	}
}

func TestDemonstrationWithRealParts(t *testing.T) {
	r := command(t, "../../examples/kvm/run", bin)
	if r.code != 0 {
		t.Fatalf("exit status %d\n%s\n%s", r.code, r.out, r.err)
	}
	for _, want := range []string{"address 192.168.77.", "Welcome, stranger", "boot 4",
		"memory is saved", "was not started again", "nothing is left"} {
		if !strings.Contains(r.out, want) {
			t.Errorf("the demonstration does not show %q:\n%s", want, r.out)
		}
	}
}

func start(t *testing.T, o daemon.Options) *daemon.Process {
	t.Helper()
	o.Bin = bin
	p, err := daemon.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	return p
}

func create(t *testing.T, p *daemon.Process) string {
	t.Helper()
	c := daemon.NewCaller(p.Addr())
	defer c.Close()
	status, reply, err := c.Send(daemon.Create, daemon.Values{})
	keys := daemon.Keys(reply)
	if err != nil || status != http.StatusOK || len(keys) != 1 {
		t.Fatalf("create: status %d, %v\n%s", status, err, reply)
	}
	return keys[0]
}

func TestTermEndsCleanlyAndLosesNothing(t *testing.T) {
	o := daemon.Options{Data: t.TempDir()}
	p := start(t, o)
	key := create(t, p)
	if err := p.Stop(); err != nil {
		t.Fatalf("SIGTERM: %v", err)
	}
	p = start(t, o)
	c := daemon.NewCaller(p.Addr())
	defer c.Close()
	status, reply, err := c.Send(daemon.State, daemon.Values{Key: key})
	if err != nil || status != http.StatusOK {
		t.Fatalf("the workspace is lost: status %d, %v\n%s", status, err, reply)
	}
}

func TestSecondDaemonOnTheSameDataIsRefused(t *testing.T) {
	data := t.TempDir()
	start(t, daemon.Options{Data: data})
	r := command(t, filepath.Join(bin, "workspaced"),
		"--demo", "--listen", "127.0.0.1:0", "--data", data)
	if r.code == 0 || !strings.Contains(r.err, "open") || strings.Contains(r.err, "goroutine") {
		t.Errorf("exit status %d, words %q; want a refusal that says it is open", r.code, r.err)
	}
}

func TestBadCommandLinesAreExplained(t *testing.T) {
	dir := t.TempDir()
	unknown := filepath.Join(dir, "unknown.toml")
	text := "[listen]\nadress = \"127.0.0.1:8080\"\n"
	if err := os.WriteFile(unknown, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"nothing to serve", nil, "--demo"},
		{"unknown key", []string{"--config", unknown, "--check"}, "did you mean \"address\""},
		{"no such file", []string{"--config", filepath.Join(dir, "none.toml")}, "no such file"},
		{"open to the world", []string{"--demo", "--listen", "0.0.0.0:0", "--data", dir},
			"not a loopback address"},
		{"both", []string{"--demo", "--config", unknown}, "exclude each other"},
		{"unknown flag", []string{"--dmeo"}, "--dmeo"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := command(t, filepath.Join(bin, "workspaced"), c.args...)
			if r.code == 0 || !strings.Contains(r.err, c.want) {
				t.Errorf("exit status %d, words %q; want %q in them", r.code, r.err, c.want)
			}
			if strings.Contains(r.out, "listening") {
				t.Errorf("it listened: %q", r.out)
			}
		})
	}
}

func TestProgramsSayTheirVersion(t *testing.T) {
	for _, args := range [][]string{{"workspaced", "--version"}, {"workspace", "version"}} {
		r := command(t, filepath.Join(bin, args[0]), args[1:]...)
		if r.code != 0 || strings.TrimSpace(r.out) == "" {
			t.Errorf("%v: exit status %d, %q %q", args, r.code, r.out, r.err)
		}
	}
}
