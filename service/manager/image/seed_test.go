package image_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/adapters/access/local"
	"github.com/philoxenia/philoxenia/adapters/image/ext4"
	"github.com/philoxenia/philoxenia/adapters/transport/file"
	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/manager/image"
	"github.com/philoxenia/philoxenia/service/manager/seed"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// TestImageSaysWhoItIs: a guest that knows of no seed finds its name, its addresses and
// its keys in its root disk, with what the request writes there.
func TestImageSaysWhoItIs(t *testing.T) {
	repository, root := t.TempDir(), t.TempDir()
	n := &host.Node{Host: workspace.Host{ID: "a"}, Dir: t.TempDir(), Access: local.Access{},
		Customiser: ext4.Customiser{Access: local.Access{}}}
	seeds := &seed.Seeds{Way: func(*workspace.Workspace) seed.Way { return seed.Ext4 }}
	l := &lab{t: t, pool: host.NewPool(n)}
	l.must(os.WriteFile(filepath.Join(root, "motd"), []byte("old"), 0o600))
	l.tool("truncate", "-s", "16M", filepath.Join(repository, "one"))
	l.tool("mke2fs", "-q", "-t", "ext4", "-d", root, filepath.Join(repository, "one"))
	transport, err := file.Open(repository)
	l.must(err)
	l.images = image.New(image.Options{Pool: l.pool, Spool: filepath.Join(t.TempDir(), "spool"),
		Transports: map[string]workspace.Transport{"file": transport}, Extra: seeds.Files})
	r := on(1, "a", "", "file://one")
	r.Workspace.NICs = []workspace.NIC{{MTU: 1450, Address: workspace.Address{
		Hostname: "node1", IP: "10.9.0.5", Netmask: "255.255.255.0", IP6: "2001:db8::5",
		Prefix6: 64}}}
	const key = "ssh-ed25519 AAAA ada@example.org\n"
	r.Workspace.Spec.Files = []workspace.File{{Path: "/root/.ssh/authorized_keys", Content: key}}
	l.must(patiently(t, l.images.Propagate().Do, r))
	l.must(patiently(t, l.images.Customise().Do, r))
	found, err := filepath.Glob(n.DiskPath(r.Workspace, 0) + "*")
	if err != nil || len(found) != 1 {
		t.Fatalf("the disk is %q, %v", found, err)
	}
	for path, want := range map[string]string{
		"/etc/hostname": "node1\n", "/root/.ssh/authorized_keys": key, "/motd": "old",
		"/etc/network/interfaces": "\taddress 10.9.0.5\n\tnetmask 255.255.255.0\n\tmtu 1450\n" +
			"iface eth0 inet6 static\n\taddress 2001:db8::5\n\tnetmask 64\n",
	} {
		got, err := exec.Command("debugfs", "-R", "cat "+path, found[0]).Output()
		if err != nil || !strings.HasSuffix(string(got), want) {
			t.Errorf("%s is %q, %v; want %q", path, got, err, want)
		}
	}
}
