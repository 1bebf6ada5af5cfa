package interop

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/tests/daemon"
)

var update = flag.Bool("update", false, "write the table of docs/interop.md anew")

// runLimit ends a client that hangs, and what builds one: many times what a slow machine
// with other work needs.
const runLimit = 10 * time.Minute

// TestStacks runs every stack against one daemon and holds the table of
// docs/interop.md against what came of it.
func TestStacks(t *testing.T) {
	bin := t.TempDir()
	if err := daemon.Build(bin); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	p, err := daemon.Start(t.Context(), daemon.Options{Bin: bin, Data: t.TempDir(), Log: &log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	modules := sync.OnceValues(func() (string, error) { return installModules(bin) })
	table := &table{rows: map[string]string{}}
	t.Run("liar", func(t *testing.T) { lies(t, p.Addr()) })
	t.Run("stack", func(t *testing.T) {
		for _, s := range stacks {
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				try(t, s, &site{dir: t.TempDir(), url: p.URL, modules: modules}, table)
			})
		}
	})
	if t.Failed() {
		t.Logf("the daemon's last words:\n%s", tail(log.String(), 20))
		return
	}
	table.compare(t)
}

// try builds a stack's clients and runs them.
func try(t *testing.T, s stack, at *site, table *table) {
	version, err := at.output(s.version...)
	if err != nil {
		t.Fatal(err)
	}
	clients := map[string]*command{}
	for _, f := range s.faces {
		began := time.Now()
		if clients[f.name] == nil {
			own := *at
			own.dir = t.TempDir()
			if clients[f.name], err = s.build(&own, f.name); err != nil {
				t.Errorf("cannot build the client of face %s: %v", f.name, err)
				continue
			}
		}
		built := time.Now()
		gave, err := script(t.Context(), clients[f.name], at, f)
		if err == nil {
			err = complete(s, gave)
		}
		if err != nil {
			t.Errorf("face %s, SOAP %s: after %v: %v", f.name, f.soap, gave, err)
			continue
		}
		t.Logf("%s: face %s, SOAP %s: built in %.1f s, ran in %.1f s", s.title, f.name, f.soap,
			built.Sub(began).Seconds(), time.Since(built).Seconds())
		table.add(s, f, firstNumber(version), gave)
	}
}

// complete says which steps of the stack's script a run left out.
func complete(s stack, gave []outcome) error {
	var names []string
	for _, o := range gave {
		names = append(names, o.step)
	}
	if !slices.Equal(names, s.steps) {
		return fmt.Errorf("the client did %v, want %v", names, s.steps)
	}
	return nil
}

// An outcome is what a step gave, as the table shows it.
type outcome struct{ step, gave string }

// script runs a client through the common script. After each step the client
// waits for the judge, who looks whether what it told is true.
func script(ctx context.Context, c *command, at *site, f face) ([]outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, runLimit)
	defer cancel()
	examples := at.source("../../examples")
	args := slices.Concat(c.args, []string{at.url, f.name, f.soap, examples}, c.tail)
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir, cmd.Env = at.dir, append(os.Environ(), c.env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var words bytes.Buffer
	cmd.Stderr = &words
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("cannot run the client: %w", err)
	}
	j := newJudge(strings.TrimPrefix(at.url, "http://"), f)
	defer j.caller.Close()
	gave, wrong := follow(j, bufio.NewScanner(out), in)
	_ = in.Close() // which ends a client that waits for the judge
	err = cmd.Wait()
	switch {
	case wrong != nil:
		return gave, wrong
	case err != nil:
		return gave, fmt.Errorf("the client ended with %w:\n%s", err, tail(words.String(), 30))
	}
	return gave, nil
}

// follow judges one step after the other until a client's output ends, or one
// is not as the client tells it.
func follow(j *judge, lines *bufio.Scanner, in io.Writer) ([]outcome, error) {
	var gave []outcome
	for lines.Scan() {
		s, err := parseStep(lines.Text())
		if err != nil {
			return gave, err
		}
		cell, err := j.check(s)
		if err != nil {
			return gave, fmt.Errorf("%s: %w", s.name, err)
		}
		gave = append(gave, outcome{s.name, cell})
		if _, err := fmt.Fprintln(in, strings.TrimSpace("go "+j.word)); err != nil {
			return gave, err
		}
	}
	return gave, lines.Err()
}

// run runs a program in the site's directory.
func (s *site) run(args ...string) error {
	_, err := s.output(args...)
	return err
}

// output runs a program in the site's directory and returns what it wrote.
func (s *site) output(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), runLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir = s.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("cannot run %s (make setup installs what is missing): %w\n%s",
			filepath.Base(args[0]), err, tail(string(out), 30))
	}
	return string(out), nil
}

// tail returns the last lines of a text.
func tail(text string, count int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-count):], "\n")
}
