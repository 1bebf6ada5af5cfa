package main

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "write the golden parts of the scripts and files")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"workspace": main})
}

// TestScripts runs the scripts of testdata/script, each command of workspace
// at least once, against a real daemon with simulated hosts.
func TestScripts(t *testing.T) { runScripts(t, filepath.Join("testdata", "script")) }

// runScripts runs the scripts of a directory.
func runScripts(t *testing.T, dir string) {
	t.Helper()
	path := buildDaemon(t)
	testscript.Run(t, testscript.Params{
		Dir: dir, UpdateScripts: *update,
		RequireExplicitExec: true, RequireUniqueNames: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"daemon": daemonOf, "exits": exitsWith, "norm": normalise, "interrupt": interrupt,
			"await": await, "until": until, "hangup": hangUp, "old": oldServer, "images": images,
		},
		Setup: func(e *testscript.Env) error {
			e.Values[testDaemon{}] = &testDaemon{path: path, address: ownAddress()}
			e.Setenv("EXAMPLES", examples)
			e.Setenv("XDG_CONFIG_HOME", filepath.Join(e.WorkDir, "config"))
			e.Setenv("TZ", "UTC")
			// A day ahead, which stays the same when midnight comes while the script runs.
			e.Setenv("DAY", time.Now().UTC().AddDate(0, 0, 1).Format(time.DateOnly))
			e.Setenv("WORKSPACE_POLL", "0.1s")
			return nil
		},
	})
}

// examples is where the example documents lie.
var examples = func() string {
	path, err := filepath.Abs("../../../examples")
	if err != nil {
		panic(err)
	}
	return path
}()

// buildDaemon builds workspaced for all scripts and returns its path.
func buildDaemon(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "workspaced")
	build := exec.CommandContext(t.Context(), "go", "build", "-tags", "sqlite_omit_load_extension",
		"-o", path, "github.com/philoxenia/philoxenia/service/cmd/workspaced")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("cannot build the daemon: %v\n%s", err, out)
	}
	return path
}

// addresses counts those that ownAddress has given out.
var addresses atomic.Int32

// ownAddress returns an address with any port of which nobody else takes one, no
// other script either: a daemon that is away for a moment finds its port free again.
func ownAddress() string {
	n := os.Getpid() // of the two lower bytes: few processes do this at a time
	return fmt.Sprintf("127.%d.%d.%d:0", 64+addresses.Add(1)%128, n>>8&255, n&255)
}

// A testDaemon is the daemon of one script.
type testDaemon struct {
	path    string // of the program
	address string // taken at the first start, kept for the next
	process *exec.Cmd
}

// command carries out "daemon", which starts workspaced on a data directory of
// the script and sets WORKSPACE_SERVICE, "daemon FILE", which starts it with that
// configuration, and "daemon kill", which gives it no time to say goodbye. It may
// be started again.
func (d *testDaemon) command(ts *testscript.TestScript, _ bool, args []string) {
	site := []string{"--demo"}
	switch {
	case len(args) > 0 && args[0] == "kill":
		ts.Check(d.process.Process.Kill())
		_ = d.process.Wait()
		return
	case len(args) > 0:
		site = []string{"--config", ts.MkAbs(args[0])}
	}
	d.process = exec.Command(d.path,
		append(site, "--listen", d.address, "--data", ts.MkAbs("data"))...)
	log, err := os.OpenFile(ts.MkAbs("daemon.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	ts.Check(err)
	defer log.Close()
	d.process.Stderr = log
	out, err := d.process.StdoutPipe()
	ts.Check(err)
	ts.Check(d.process.Start())
	process := d.process
	ts.Defer(func() {
		_ = process.Process.Signal(syscall.SIGTERM)
		_ = process.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if err != nil || !ok {
		ts.Fatalf("the daemon said %q, %v\n%s", line, err, ts.ReadFile("daemon.log"))
	}
	d.address = strings.TrimPrefix(url, "http://")
	ts.Setenv("WORKSPACE_SERVICE", url+"/wsrf/services/")
}

// daemonOf carries out "daemon" for the script that asks.
func daemonOf(ts *testscript.TestScript, neg bool, args []string) {
	ts.Value(testDaemon{}).(*testDaemon).command(ts, neg, args)
}

// hangUp carries out "hangup": it sets WORKSPACE_SERVICE to a service that takes
// every request and never answers, which no healthy daemon does.
func hangUp(ts *testscript.TestScript, _ bool, _ []string) {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) {
		_, _ = io.Copy(io.Discard, q.Body)
		panic(http.ErrAbortHandler)
	}))
	ts.Defer(server.Close)
	ts.Setenv("WORKSPACE_SERVICE", server.URL)
}

// oldServer carries out "old": it puts a server before the daemon that has face
// one alone, as those that were built before face two.
func oldServer(ts *testscript.TestScript, _ bool, _ []string) {
	daemon, err := url.Parse(ts.Getenv("WORKSPACE_SERVICE"))
	ts.Check(err)
	through := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: daemon.Host})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if strings.HasPrefix(q.URL.Path, "/ws/") {
			http.NotFound(w, q)
			return
		}
		through.ServeHTTP(w, q)
	}))
	ts.Defer(server.Close)
	ts.Setenv("WORKSPACE_SERVICE", server.URL)
}

// images is "images SIZE": it serves an image of so many bytes, none of which is a
// hole, at the address in WEBSITE.
func images(ts *testscript.TestScript, _ bool, args []string) {
	size, err := strconv.Atoi(args[0])
	ts.Check(err)
	image := bytes.Repeat([]byte("not a hole"), size/10+1)[:size]
	made := time.Now()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Path != "/image" { // there is no checksum beside it
			http.NotFound(w, q)
			return
		}
		http.ServeContent(w, q, "image", made, bytes.NewReader(image))
	}))
	ts.Defer(server.Close)
	ts.Setenv("WEBSITE", strings.TrimPrefix(server.URL, "http://"))
}

// exitsWith is "exits CODE COMMAND...": it runs the command, whose output the
// script can look at, and checks the exit code.
func exitsWith(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	err = ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d (%s), expected %d (%s)", got, exitName(got), want, exitName(want))
	}
}

// changing are the parts of output that differ from run to run.
var changing = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`), "UUID"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( ?[A-Z]+)`), "TIME"},
	{regexp.MustCompile(`(?m)^\d\d:\d\d:\d\d\.\d{3}`), "CLOCK"},
	{regexp.MustCompile(`127[0-9.]+:\d+`), "HOST:PORT"},
	{regexp.MustCompile(`\((now|in [0-9dhms ]+|[0-9dhms ]+ ago)\)`), "(RELATIVE)"},
	{regexp.MustCompile(`\bin [0-9]+[dhms]( [0-9]+[dhms])? *`), "RELATIVE  "},
	{regexp.MustCompile(`\(\d+\.\ds\)`), "(SECONDS)"},
	{regexp.MustCompile(`interrupted after \d+s`), "interrupted after SECONDS"},
	{regexp.MustCompile(`\b\d+(\.\d+)?(µs|ms)\b`), "TOOK"},
}

// normalise is "norm FILE OUT": it writes a copy of a file, or of stdout or
// stderr, in which what changes from run to run is replaced.
func normalise(ts *testscript.TestScript, _ bool, args []string) {
	text := strings.ReplaceAll(ts.ReadFile(args[0]), ts.Getenv("WORK"), "WORK")
	text = strings.ReplaceAll(text, examples, "EXAMPLES")
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(changeless(text)), 0o600))
}

// changeless replaces what changes from run to run.
func changeless(text string) string {
	for _, c := range changing {
		text = c.pattern.ReplaceAllString(text, c.with)
	}
	return text
}

// patience is how long a script waits for something that must come.
const patience = time.Minute

// await is "await FILE PATTERN": it waits until a line of the file matches.
func await(ts *testscript.TestScript, _ bool, args []string) {
	pattern := regexp.MustCompile(args[1])
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for began := time.Now(); time.Since(began) < patience; <-tick.C {
		data, err := os.ReadFile(ts.MkAbs(args[0]))
		if err == nil && pattern.Match(data) {
			return
		}
	}
	ts.Fatalf("nothing in %s matches %q:\n%s", args[0], args[1], ts.ReadFile(args[0]))
}

// until is "until PATTERN COMMAND...": it runs the command again and again until
// what it prints matches.
func until(ts *testscript.TestScript, _ bool, args []string) {
	pattern := regexp.MustCompile("(?m)" + args[0])
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for began := time.Now(); time.Since(began) < patience; <-tick.C {
		ts.Check(ts.Exec(args[1], args[2:]...))
		if pattern.MatchString(ts.ReadFile("stdout")) {
			return
		}
	}
	ts.Fatalf("%q never says what matches %q", args[1:], args[0])
}

// interrupt is "interrupt CODE PATTERN ARGUMENT...": it runs workspace with its
// output in the files out and err, interrupts it once a line of err matches,
// and checks the exit code.
func interrupt(ts *testscript.TestScript, _ bool, args []string) {
	command := exec.Command("workspace", args[2:]...)
	command.Path = lookPath(ts, "workspace")
	command.Dir = ts.MkAbs(".")
	for _, key := range []string{
		"WORKSPACE_SERVICE", "WORKSPACE_POLL", "XDG_CONFIG_HOME", "HOME", "TZ", "PATH",
	} {
		command.Env = append(command.Env, key+"="+ts.Getenv(key))
	}
	out, err := os.Create(ts.MkAbs("out"))
	ts.Check(err)
	defer out.Close()
	errs, err := os.Create(ts.MkAbs("err"))
	ts.Check(err)
	defer errs.Close()
	command.Stdout, command.Stderr = out, errs
	ts.Check(command.Start())
	ts.Defer(func() { _ = command.Process.Kill() })
	await(ts, false, []string{"err", args[1]})
	ts.Check(command.Process.Signal(os.Interrupt))
	_ = command.Wait()
	if got := strconv.Itoa(command.ProcessState.ExitCode()); got != args[0] {
		ts.Fatalf("exit code %s, expected %s", got, args[0])
	}
}

// lookPath finds a command on the script's path.
func lookPath(ts *testscript.TestScript, name string) string {
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && !info.IsDir() {
			return path
		}
	}
	ts.Fatalf("there is no %s on the path", name)
	return ""
}
