//go:build xen

package xen

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/tests/daemon"
)

// settings are a site with this one host, which the daemon reaches over the network
// alone, by SSH: libvirt and files. The example's image is in its repository.
var settings = template.Must(template.New("").Parse(`
[listen]
caller = "/O=Example/CN=Ada"

[site]
kernel_parameters = true
shutdown_patience = "10m"
host_grace = "30m"

[scheduler]
boot = "5m"
shutdown = "5m"

[[host]]
id = "xen"
adapter = "libvirt"
vmm = "Xen"
uri = "xen+ssh://root@{{.SSH}}/system"
dir = "/srv/disks"
networks = { public = "network:lease0" }

[host.ssh]
address = "{{.SSH}}"
user = "root"
key_file = "{{.KeyFile}}"
known_hosts = "{{.KnownHosts}}"

[[network]]
name = "public"
first = "192.168.77.20"
last = "192.168.77.40"
netmask = "255.255.255.0"
gateway = "192.168.77.1"
broadcast = "192.168.77.255"

[[kernel]]
name = "tiny"
image = "/srv/guest/vmlinux"
initrd = "/srv/guest/initrd.gz"
cmdline = "quiet mitigations=off clocksource=xen init_on_alloc=0"

[repository.file]
dir = "{{.Images}}"
`))

// site is a running daemon with its user.
type site struct {
	t    *testing.T
	home string
	url  string
}

// newSite starts the daemon.
func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, home: t.TempDir()}
	images := filepath.Join(s.home, "images")
	must(t, os.Mkdir(images, 0o755))
	image := filepath.Join(images, "ttylinux-xen")
	must(t, exec.Command("cp", "--sparse=always", guest.Image, image).Run())
	var text bytes.Buffer
	must(t, settings.Execute(&text, map[string]string{"SSH": host.SSH,
		"KeyFile": host.KeyFile, "KnownHosts": host.KnownHosts, "Images": images}))
	config := filepath.Join(s.home, "workspaced.toml")
	must(t, os.WriteFile(config, text.Bytes(), 0o644))
	log, err := os.Create(filepath.Join(s.home, "daemon.log"))
	must(t, err)
	p, err := daemon.Start(t.Context(), daemon.Options{Bin: bin, Config: config, Log: log,
		Data: filepath.Join(s.home, "data")})
	must(t, err)
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			said, _ := os.ReadFile(log.Name())
			t.Logf("the daemon said:\n%s", said)
		}
	})
	s.url = p.URL + "/wsrf/services/"
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// do runs the command as a user does.
func (s *site) do(args ...string) string {
	s.t.Helper()
	return s.keys("", args...)
}

// keys runs it with somebody at the keyboard.
func (s *site) keys(typed string, args ...string) string {
	s.t.Helper()
	begun := time.Now()
	out, errs, err := s.run(typed, args...)
	if err != nil {
		s.t.Fatalf("workspace %s: %v\n%s%s", strings.Join(args, " "), err, out, errs)
	}
	s.t.Logf("workspace %-10s %6.1f s", args[0], time.Since(begun).Seconds())
	return out
}

// refuses runs one that must fail with the words.
func (s *site) refuses(words string, args ...string) {
	s.t.Helper()
	out, errs, err := s.run("", args...)
	if err == nil || !strings.Contains(errs, words) {
		s.t.Errorf("workspace %s: %v\n%s%s\nwant %q", strings.Join(args, " "), err, out, errs,
			words)
	}
}

func (s *site) run(typed string, args ...string) (out, errs string, err error) {
	cmd := s.command(args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(typed), &stdout, &stderr
	err = cmd.Run()
	return stdout.String(), stderr.String(), err
}

// command is one of the user's.
func (s *site) command(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(s.t.Context(), filepath.Join(bin, "workspace"), args...)
	cmd.Dir = s.home
	cmd.Env = append(os.Environ(), "WORKSPACE_SERVICE="+s.url, "XDG_CONFIG_HOME="+s.home,
		"XDG_STATE_HOME="+s.home, "XDG_CACHE_HOME="+s.home)
	return cmd
}

// wait are the words by which a command waits for its effect.
func wait(args ...string) []string {
	return append(args, "-e", "x.epr", "--wait", "--timeout", patience.String())
}

// keep are the words for a snapshot.
func keep(what, name string, args ...string) []string {
	return append([]string{"snapshot", what, "x.epr", name, "--timeout", patience.String()},
		args...)
}

// TestMainJobOnXen leases a machine by the documents of the examples, which ask for
// Xen, a disk from the repository and a NIC, and leads it through all that a user
// can ask for.
func TestMainJobOnXen(t *testing.T) {
	s := newSite(t)
	examples, err := filepath.Abs("../../examples")
	must(t, err)
	must(t, os.WriteFile(filepath.Join(s.home, "greeting"), []byte("Welcome, stranger."), 0o644))
	s.do("deploy", filepath.Join(examples, "metadata.xml"), filepath.Join(examples, "request.xml"),
		"--memory", "96M", "--file", "greeting=/etc/philoxenia-greeting",
		"-e", "x.epr", "--wait=Running", "--timeout", patience.String())
	number, err := strconv.Atoi(strings.TrimSpace(s.do("list", "-o", "name")))
	must(t, err)
	id := workspace.ID(number)
	address := strings.Fields(s.do("list", "--no-headers"))[2]
	says(t, id, "boot 1 of this disk", 1)
	says(t, id, "Welcome, stranger.", 1)
	says(t, id, "address "+address+" on eth0", 1)
	says(t, id, "alive", 1)
	talks(s, id)
	guarded(s, id, address)
	s.refuses("guests of Xen have no screen", "vnc", "-e", "x.epr")
	s.refuses("shut it down first", keep("create", "awake")...)

	s.do(wait("pause")...)
	s.do(wait("start")...)
	s.do("resize", "-e", "x.epr", "--memory", "128M")
	says(t, id, "memory ", 2)
	s.do(wait("shutdown", "--serialize")...)
	s.do(wait("start")...)
	s.do(wait("reboot")...)
	says(t, id, "boot 2 of this disk", 1)
	says(t, id, "address "+address+" on eth0", 2)
	s.do(wait("shutdown")...)
	says(t, id, "disk is clean", 2)
	s.do(keep("create", "clean")...)
	s.do(wait("start")...)
	says(t, id, "boot 3 of this disk", 1)
	s.do(wait("shutdown")...)
	s.do(keep("revert", "clean", "--yes")...)
	s.do(wait("start")...)
	says(t, id, "boot 3 of this disk", 2)
	s.do(wait("destroy", "--yes")...)
	eventually(t, "the host is empty", func(ctx context.Context) bool {
		left, err := host.Shell(ctx, "virsh -q list --all --name | grep -v Domain-0; "+
			"find /srv/disks -type f")
		return err == nil && strings.TrimSpace(left) == ""
	})
	nothingRemains(t)
}

// eventually waits until something is so.
func eventually(t *testing.T, what string, so func(context.Context) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	look := time.NewTicker(time.Second)
	defer look.Stop()
	for !so(ctx) {
		select {
		case <-look.C:
		case <-ctx.Done():
			t.Fatalf("it is never so that %s", what)
		}
	}
}
