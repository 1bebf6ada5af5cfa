package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCredentialsStayWhereTheyAre names files as an attacker would.
func TestCredentialsStayWhereTheyAre(t *testing.T) {
	dir := t.TempDir()
	c := &Config{Data: dir}
	c.complete()
	inside := c.Site.Credentials
	for path, link := range map[string]string{
		filepath.Join(dir, "secret"): "", filepath.Join(inside, "key"): "",
		filepath.Join(inside, "deep/key"): "", filepath.Join(inside, "way-out"): "../secret",
		filepath.Join(inside, "up"): "..", filepath.Join(inside, "alias"): "key",
	} {
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		if link != "" && err == nil {
			err = os.Symlink(link, path)
		} else if err == nil {
			err = os.WriteFile(path, []byte("x"), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"key", "deep/key", "alias", ""} {
		if path, err := c.Credential(name); err != nil || (name != "") == (path == "") {
			t.Errorf("%q is %q, %v", name, path, err)
		}
	}
	var refused []string
	for _, name := range []string{
		"../secret", "way-out", "up/secret", filepath.Join(dir, "secret"), "nothing",
		"deep/../../secret", "/etc/passwd",
	} {
		path, err := c.Credential(name)
		if err == nil || path != "" {
			t.Errorf("%q is %q", name, path)
			continue
		}
		refused = append(refused, strings.ReplaceAll(err.Error(), name, "NAME"))
	}
	for _, text := range refused {
		if text != refused[0] {
			t.Errorf("what is there and what is not differ: %q, %q", text, refused[0])
		}
	}
}

// TestAddedHosts checks hosts that are described over the network.
func TestAddedHosts(t *testing.T) {
	dir := t.TempDir()
	c := &Config{Data: dir, Networks: []Network{{Name: "public"}}}
	c.complete()
	if err := os.MkdirAll(c.Site.HostDir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc", filepath.Join(c.Site.HostDir, "elsewhere")); err != nil {
		t.Fatal(err)
	}
	good := Host{ID: "h", Adapter: "libvirt", URI: "qemu+tcp://h/system", Acceleration: "tcg",
		Networks: map[string]string{"public": "bridge:br0"}}
	h, err := c.Added(good, false)
	if err != nil || h.Dir != filepath.Join(dir, "disks", "h") || h.VMM != "KVM" {
		t.Fatalf("it is %+v, %v", h, err)
	}
	for says, change := range map[string]func(*Host){
		"does not lie below":         func(h *Host) { h.Dir = "/etc" },
		`elsewhere/h" does not lie`:  func(h *Host) { h.Dir = c.Site.HostDir + "/elsewhere/h" },
		`parameter "keyfile" is not`: func(h *Host) { h.URI += "?keyfile=/etc/shadow" },
		"parameters cannot be read":  func(h *Host) { h.URI += "?mode=auto;command=/bin/evil" },
		"without ? and control":      func(h *Host) { h.Dir = c.Site.HostDir + "/x?offset=0" },
		"of at most 300 bytes": func(h *Host) {
			h.Dir = c.Site.HostDir + strings.Repeat("/abcdefghi", 30)
		},
		"a password in it":          func(h *Host) { h.URI = "qemu+ssh://u:p@h/system" },
		"networks.public is needed": func(h *Host) { h.Networks = nil },
	} {
		bad := good
		change(&bad)
		if _, err := c.Added(bad, false); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error is %v, want %q", err, says)
		}
	}
}
