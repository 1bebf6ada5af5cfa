// Package soap_test runs what docs/soap.md tells readers to run, word by word,
// against a live service with simulated hosts.
package soap_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/tests/daemon"
)

const root = "../.."

// fence finds the commands of the page.
var fence = regexp.MustCompile("(?s)```sh\n(.*?)```")

// start builds the service, starts it and returns its URL.
func start(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-tags", "sqlite_omit_load_extension",
		"-o", dir+"/", "github.com/philoxenia/philoxenia/service/cmd/workspaced")
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
	return d.URL
}

// shell runs commands in a directory that has the examples, and returns what
// they say.
func shell(t *testing.T, commands string) string {
	t.Helper()
	dir := t.TempDir()
	examples, err := filepath.Abs(root + "/examples")
	if err == nil {
		err = os.Symlink(examples, dir+"/examples")
	}
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(),
		"timeout", "300", "bash", "-euo", "pipefail", "-c", commands)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

func TestPageForAnyStack(t *testing.T) {
	page, err := os.ReadFile(root + "/docs/soap.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := fence.FindAllStringSubmatch(string(page), -1)
	wanted := []string{
		`(?s)PullPoint\?key=.*<p:Key>1</p:Key>.*<l:ipAddress>10\..*` +
			`<t:state>.*GetResourcePropertyResponse.*DestroyResponse.*ResourceUnknownFault`,
		`^leased 2 10\.[\d.]+\n(told.*\n)*told.* Paused\ndestroyed\n$`,
	}
	if len(blocks) != len(wanted) {
		t.Fatalf("the page has %d blocks of commands, not %d", len(blocks), len(wanted))
	}
	url := start(t)
	for i, want := range wanted {
		said := shell(t, strings.ReplaceAll(blocks[i][1], "http://127.0.0.1:8080", url))
		if !regexp.MustCompile(want).MatchString(said) {
			t.Errorf("block %d says\n%s\nexpected %s", i+1, said, want)
		}
	}
}
