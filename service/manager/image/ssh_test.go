package image_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/adapters/access/ssh"
	"github.com/philoxenia/philoxenia/adapters/image/ext4"
	"github.com/philoxenia/philoxenia/adapters/transport/login"
	"github.com/philoxenia/philoxenia/adapters/transport/login/sshdtest"
	"github.com/philoxenia/philoxenia/adapters/transport/sftp"
	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/manager/image"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// overSSH is a lab whose two hosts, and whose repository, are reached by ssh.
func overSSH(t *testing.T) (l *lab, repository, at, spool string) {
	s := sshdtest.Start(t)
	server := login.Server{Address: s.Address, User: s.User, KeyFile: s.KeyFile,
		KnownHostsFile: s.KnownHosts}
	l = &lab{t: t, pool: host.NewPool()}
	for _, id := range []workspace.HostID{"a", "b"} {
		n := &host.Node{Host: workspace.Host{ID: id}, Dir: t.TempDir(), CacheMB: 100,
			Access: ssh.New(ssh.Options{Server: server})}
		n.Customiser = ext4.Customiser{Access: n.Access}
		t.Cleanup(func() { n.Access.Close() })
		l.pool.Add(n)
	}
	repository = t.TempDir()
	server.Root = repository
	transport := sftp.New(sftp.Options{Servers: []sftp.Server{server}})
	t.Cleanup(func() { transport.Close() })
	spool = filepath.Join(t.TempDir(), "spool")
	l.must(image.CleanSpool(spool))
	l.images = image.New(image.Options{Pool: l.pool, Spool: spool,
		Transports: map[string]workspace.Transport{"sftp": transport}})
	return l, repository, "sftp://" + s.Address + "/one", spool
}

// TestOverSSH leads workspaces through two hosts that are other machines as far as
// we can tell: image, files, a move, and the way back.
func TestOverSSH(t *testing.T) {
	l, repository, at, spool := overSSH(t)
	root := t.TempDir()
	l.must(os.WriteFile(filepath.Join(root, "motd"), []byte("old"), 0o600))
	l.tool("truncate", "-s", "16M", filepath.Join(repository, "one"))
	l.tool("mke2fs", "-q", "-t", "ext4", "-d", root, filepath.Join(repository, "one"))
	out, err := exec.Command("sha256sum", filepath.Join(repository, "one")).Output()
	l.must(err)
	l.must(os.WriteFile(filepath.Join(repository, "one.sha256"), out[:64], 0o600))

	for i, host := range []workspace.HostID{"a", "b"} {
		r := on(workspace.ID(i+1), host, "", at)
		r.Workspace.Spec.Files = []workspace.File{{Path: "/motd", Content: "new"}}
		l.must(patiently(t, l.images.Propagate().Do, r))
		l.must(patiently(t, l.images.Customise().Do, r))
	}
	w := on(1, "b", "a", at)
	l.must(os.WriteFile(l.node("a").MemoryPath(w.Workspace), []byte("memory"), 0o600))
	l.must(patiently(t, l.images.Move().Do, w))
	l.must(patiently(t, l.images.Leave().Do, w))
	saved := strings.TrimSuffix(at, "one") + "saved"
	l.must(patiently(t, l.images.Return().Do, on(1, "b", saved, at)))
	whole := filepath.Join(repository, "saved")
	l.tool("e2fsck", "-fn", whole)
	got, err := exec.Command("debugfs", "-R", "cat /motd", whole).Output()
	if err != nil || string(got) != "new" {
		t.Errorf("the saved image has %q, %v", got, err)
	}
	l.must(l.discard(1, "b", at))
	l.must(l.discard(2, "b", at))
	for _, id := range []workspace.HostID{"a", "b"} {
		if left := l.files(l.node(id)); len(left) != 0 {
			t.Errorf("left on host %s: %v", id, left)
		}
	}
	if left, err := os.ReadDir(spool); err != nil || len(left) != 0 {
		t.Errorf("left in the spool: %v, %v", left, err)
	}
}

func (l *lab) tool(name string, args ...string) {
	l.t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		l.t.Fatalf("%s %v: %v: %s", name, args, err, out)
	}
}
