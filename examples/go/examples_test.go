// Package examples_test compiles the programs of this directory and runs each
// against a live service with simulated hosts.
package examples_test

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/client"
	"github.com/philoxenia/philoxenia/client/notify"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/tests/daemon"
)

// programs are what was built for the test, in one directory.
type programs struct {
	t   *testing.T
	dir string
	url string // of the service
}

// start builds the programs and starts the service.
func start(t *testing.T) *programs {
	t.Helper()
	dir := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-tags", "sqlite_omit_load_extension",
		"-o", dir+"/", "./...", "github.com/philoxenia/philoxenia/service/cmd/workspaced")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("cannot build: %v\n%s", err, out)
	}
	var log bytes.Buffer
	d, err := daemon.Start(t.Context(), daemon.Options{Bin: dir, Data: t.TempDir(), Log: &log})
	if err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	t.Cleanup(func() {
		if err := d.Stop(); err != nil {
			t.Errorf("the service ends with %v\n%s", err, log.String())
		}
	})
	return &programs{t, dir, d.URL}
}

// run runs a program to its end and compares what it says with a pattern.
func (p *programs) run(want, name string, args ...string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	args = append([]string{p.url}, args...)
	out, err := exec.CommandContext(ctx, filepath.Join(p.dir, name), args...).CombinedOutput()
	if err != nil || !regexp.MustCompile("^(?s:"+want+")$").Match(out) {
		p.t.Errorf("%s: %v\n%sexpected %q", name, err, out, want)
	}
}

// begin starts a program, and returns its lines, and what ends it.
func (p *programs) begin(name string, args ...string) (lines <-chan string, end func() error) {
	p.t.Helper()
	c := exec.Command(filepath.Join(p.dir, name), append([]string{p.url}, args...)...)
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		p.t.Fatal(err)
	}
	all := make(chan string, 100)
	go func() {
		defer close(all)
		for s := bufio.NewScanner(out); s.Scan(); {
			all <- s.Text()
		}
	}()
	return all, func() error {
		_ = c.Process.Signal(syscall.SIGINT)
		for range all { // what it says in the end nobody waits for
			continue
		}
		return c.Wait()
	}
}

// patience is what only a program that hangs takes.
const patience = 5 * time.Minute

// await reads lines until one has the text.
func await(t *testing.T, lines <-chan string, text string) {
	t.Helper()
	limit := time.After(patience)
	for {
		select {
		case line, open := <-lines:
			if strings.Contains(line, text) {
				return
			}
			if !open {
				t.Fatalf("it ended without saying %q", text)
			}
		case <-limit:
			t.Fatalf("it does not say %q", text)
		}
	}
}

// lease leases a machine and waits until it runs.
func (p *programs) lease() (*client.Client, wsa.EPR) {
	p.t.Helper()
	var documents [2][]byte
	for i, name := range []string{metadata, request} {
		data, err := os.ReadFile(name)
		if err != nil {
			p.t.Fatal(err)
		}
		documents[i] = data
	}
	c, err := client.New(p.url, client.Options{})
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(c.Close)
	r, err := client.ParseRequest(documents[0], documents[1])
	if err != nil {
		p.t.Fatal(err)
	}
	created, err := c.Create(p.t.Context(), r)
	if err != nil {
		p.t.Fatal(err)
	}
	machine := created.Workspaces[0].EPR
	w := notify.New(c, notify.Options{Poll: 10 * time.Millisecond})
	if err := w.Add(p.t.Context(), "", machine); err != nil {
		p.t.Fatal(err)
	}
	err = w.Run(p.t.Context(), func(e notify.Event) bool { return e.State != client.Running })
	if err != nil {
		p.t.Fatal(err)
	}
	return c, machine
}

const (
	metadata = "../metadata.xml"
	request  = "../request.xml"
)

func TestPrograms(t *testing.T) {
	p := start(t)
	p.run(`workspace 1 is Running at 10\.9\.1\.\d+\n`, "create", metadata, request)
	p.run("3 machines run\n3 machines are paused\n", "group", metadata, "../group.xml")

	c, machine := p.lease()
	number := client.Key(machine)
	p.run("the lease ends 1h0m0s later, the guest runs 1h0m0s longer\n", "extend", number)
	p.run(`its address is 10\.9\.1\.\d+\n1 of my workspaces run\n(idle: sim-\d+\n)+`, "query",
		number)
	listen, endListen := p.begin("listen", number)
	await(t, listen, "workspace "+number+": Running, known by a read")
	if err := c.Destroy(t.Context(), machine); err != nil {
		t.Fatal(err)
	}
	await(t, listen, "workspace "+number+": Gone, known by a notification")
	if err := endListen(); err != nil {
		t.Errorf("listen: %v", err)
	}
}

// TestReserve reserves a machine for some seconds from now, and sees it grow.
func TestReserve(t *testing.T) {
	p := start(t)
	p.run(`it would run from its start on, until 30m0s later, on hosts: 1\n`+
		`(the lease is (accepted|active)\n)*`+
		`workspace \d+ runs on sim-\d+\n(the lease is active\n)?it has 512 MB now\n`,
		"reserve", metadata, request, "15s")
}

// TestPull watches what another program does.
func TestPull(t *testing.T) {
	p := start(t)
	p.lease() // of which the program tells when it has read for the first time
	pull, endPull := p.begin("pull")
	await(t, pull, "watching")
	await(t, pull, "workspace 1: Running, known by a read")
	created := make(chan bool)
	go func() {
		p.run(`workspace 2 is Running at .*\n`, "create", metadata, request)
		close(created)
	}()
	await(t, pull, "workspace 2: Running, known by a notification")
	await(t, pull, "workspace 2: Gone, known by a notification")
	<-created
	if err := endPull(); err != nil {
		t.Errorf("pull, interrupted: %v", err)
	}
}
