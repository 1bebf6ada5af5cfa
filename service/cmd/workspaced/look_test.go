package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/service/config"
)

// looked is what --check says of a configuration with a data directory.
func looked(t *testing.T, data, text string) (out, aside string, err error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "w.toml")
	text = "data = \"" + data + "\"\n[listen]\ncaller = \"/CN=me\"\n" + text
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(path, config.Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	var said, warned bytes.Buffer
	err = look(&said, &warned, c)
	return said.String(), warned.String(), err
}

func TestCheckLooksAtThisMachine(t *testing.T) {
	dir := t.TempDir()
	open := filepath.Join(dir, "open.key")
	if err := errors.Join(os.WriteFile(open, []byte("secret"), 0o600),
		os.Chmod(open, 0o644)); err != nil { // whatever the umask
		t.Fatal(err)
	}
	out, aside, err := looked(t, filepath.Join(dir, "not", "yet", "there"), `
[[host]]
id = "a"
adapter = "libvirt"
uri = "qemu+ssh://h/system"
dir = "/d"
[host.ssh]
address = "h:22"
user = "u"
key_file = "`+open+`"
known_hosts = "gone"
`)
	if err != nil || out != "the configuration is good\n" {
		t.Errorf("look = %q, %v", out, err)
	}
	for _, want := range []string{
		"warning: host a: ssh.key_file: " + open + " can be read by others (mode 0644): chmod 600",
		"warning: host a: ssh.known_hosts: open ",
	} {
		if !strings.Contains(aside, want) {
			t.Errorf("look warns %q, which lacks %q", aside, want)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "not")); err == nil {
		t.Error("look made a directory")
	}
}

func TestCheckRefusesWhatCannotStart(t *testing.T) {
	plain := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	out, _, err := looked(t, filepath.Join(plain, "data"), "[[image.signer]]\nname = \"s\"\n"+
		"key_file = \"/nowhere/key\"\n")
	for _, want := range []string{"data: ", "not a directory", "image.signer 1", "/nowhere/key"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("look = %v, which lacks %q", err, want)
		}
	}
	if out != "" {
		t.Errorf("look says %q", out)
	}
}
