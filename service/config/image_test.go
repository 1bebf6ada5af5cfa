package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// public is a key of somebody.
const public = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop me"

// signers returns the tables of signers.
func signers(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString("[[image.signer]]\n" + p)
	}
	return b.String()
}

// TestSigners reads keys from the document, and from files beside it.
func TestSigners(t *testing.T) {
	inside := fmt.Sprintf("name = \"alice\"\nkey = %q\n", public)
	c, dir, err := load(t, good+signers(inside, "name = \"bob\"\nkey_file = \"bob.pub\"\n"),
		Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Images.Trusted(); err == nil ||
		!strings.Contains(err.Error(), `image.signer 2 ("bob"): cannot read key_file`) {
		t.Errorf("without the file: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "bob.pub"), []byte(public), 0o600); err != nil {
		t.Fatal(err)
	}
	keys, err := c.Images.Trusted()
	if err != nil || len(keys) != 2 || keys[0].Name != "alice" || keys[1].Name != "bob" ||
		!keys[0].Public.Equal(keys[1].Public) {
		t.Errorf("the keys are %v, %v", keys, err)
	}
	if c.Images.PerOwner != 1000 {
		t.Errorf("an owner may have %d", c.Images.PerOwner)
	}
}

// TestWrongSigners tells what is wrong, and where.
func TestWrongSigners(t *testing.T) {
	key := fmt.Sprintf("key = %q\n", public)
	private := "key = \"-----BEGIN OPENSSH PRIVATE KEY\"\n"
	named := func(rest string) string { return signers("name = \"a\"\n" + rest) }
	for text, want := range map[string]string{
		signers("name = \"a b\"\n" + key): `image.signer 1 ("a b"): name "a b"`,
		named(key) + named(key):           `name "a" is used twice`,
		named(""):                         "key or key_file is needed",
		named("key_file = \"f\"\n" + key): "exclude each other",
		named("key = \"ssh-rsa AAAA\"\n"): "cannot read the public key",
		"[image]\nper_owner = -1\n":       "image.per_owner is negative",
		named(private):                    "keep it to yourself",
	} {
		_, _, err := load(t, good+text, Overrides{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("of %q the error is %v, want %q", text, err, want)
		}
	}
}
