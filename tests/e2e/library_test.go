package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/tests/daemon"
)

// TestLibrary plays the image library through the built programs on simulated hosts:
// a site that wants attestations; an image is described, signed, found, deployed by
// what is needed of it, verified after it was damaged, and removed.
func TestLibrary(t *testing.T) {
	dir := t.TempDir()
	workspace := filepath.Join(bin, "workspace")
	key := filepath.Join(dir, "key")
	made := command(t, workspace, "image", "keygen", key)
	if made.code != 0 {
		t.Fatalf("there is no key: %s", made.err)
	}
	images := filepath.Join(dir, "images")
	if err := os.MkdirAll(images, 0o750); err != nil {
		t.Fatal(err)
	}
	disk := filepath.Join(images, "worker")
	if err := os.WriteFile(disk, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	site := filepath.Join(dir, "site.toml")
	text := fmt.Sprintf("[listen]\ncaller = \"/CN=Ada\"\n[site]\nrequire_attestation = true\n"+
		"accepts = { Xen = [\"KVM\"], KVM = [\"KVM\"] }\n[repository.file]\ndir = %q\n"+
		"[[host]]\nid = \"one\"\nadapter = \"sim\"\ncpus = 4\nmemory_mb = 4096\n"+
		"[[network]]\nname = \"public\"\nfirst = \"10.0.0.1\"\nlast = \"10.0.0.9\"\n"+
		"[[image.signer]]\nname = \"alice\"\nkey_file = %q\n", images, key+".pub")
	if err := os.WriteFile(site, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	attesting(t, dir, site)
	step := func(code int, says string, args ...string) {
		t.Helper()
		r := command(t, workspace, args...)
		if r.code != code || !strings.Contains(r.out+r.err, says) {
			t.Fatalf("workspace %v: %d, want %d and %q\n%s%s", args, r.code, code, says, r.out,
				r.err)
		}
	}
	const request = "../../examples/request.xml"
	step(0, "as described", "image", "add", "worker:2", "file://worker", "--arch", "x86",
		"--vmm", "Xen,KVM", "--software", "python=3.9.2", "--tag", "stable", "--verify")
	step(4, "attested images only", "deploy", "../../examples/metadata-library.xml", request)
	step(0, "verified: alice", "image", "sign", "worker", "--key", key, "--builder", "ci")
	step(0, "worker:2", "image", "find", "signed-by=alice software.python>=3.9 size<2GB")
	step(0, "Workspace created", "deploy", "../../examples/metadata-library.xml", request,
		"--wait")
	step(0, "Image sda1: worker:2 from file://worker", "status", "1")
	if err := os.WriteFile(disk, make([]byte, 2<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	step(8, "its checksum is", "image", "verify", "worker")
	step(4, "attested images only", "deploy", "../../examples/metadata.xml", request)
	step(2, "found as described when it was last verified excludes 1", "deploy",
		"../../examples/metadata-library.xml", request)
	step(0, "", "image", "remove", "worker")
	step(3, "no such image", "image", "show", "worker")
	step(0, "Running", "status", "1")
}

// attesting starts the service for a site.
func attesting(t *testing.T, dir, site string) {
	t.Helper()
	d, err := daemon.Start(t.Context(), daemon.Options{
		Bin: bin, Data: filepath.Join(dir, "data"), Config: site,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Stop(); err != nil {
			t.Error(err)
		}
	})
	t.Setenv("WORKSPACE_SERVICE", d.URL)
}
