package libvirtdtest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// guestLimit is how long a guest may take to say something: emulated, on a
// busy computer.
const guestLimit = 10 * time.Minute

// Guest is the tiny guest of examples/guest: it boots, says on its serial
// console who it is, and obeys the power button.
type Guest struct {
	Boot  workspace.Boot
	Image string // of its disk, which nobody may change
}

// BuildGuest builds the guest, or takes it from the cache of an earlier build.
func BuildGuest(t testing.TB) Guest {
	t.Helper()
	g, err := FindGuest()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// FindGuest is BuildGuest where there is no test yet. It asks the recipe once: that looks
// into the lists of packages, which takes long where much else is going on.
var FindGuest = sync.OnceValues(findGuest)

func findGuest() (Guest, error) {
	root, err := moduleRoot()
	if err != nil {
		return Guest{}, err
	}
	var out, errs bytes.Buffer
	build := exec.Command(filepath.Join(root, "examples", "guest", "build"))
	build.Stdout, build.Stderr = &out, &errs
	if err := build.Run(); err != nil {
		return Guest{}, fmt.Errorf("cannot build the guest: %w\n%s", err, errs.String())
	}
	values := make(map[string]string)
	for line := range strings.Lines(out.String()) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		values[key] = value
	}
	return Guest{
		Boot:  workspace.Boot{Kernel: values["GUEST_KERNEL"], Initrd: values["GUEST_INITRD"]},
		Image: values["GUEST_IMAGE"],
	}, nil
}

// moduleRoot finds the directory of go.mod above the test's.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("no go.mod above the test's directory")
		}
		dir = filepath.Dir(dir)
	}
}

// Disk copies the pristine disk image to path, unless something is there already.
func (g Guest) Disk(t testing.TB, path string) {
	t.Helper()
	if _, err := os.Stat(path); err == nil {
		return
	}
	out, err := exec.Command("cp", "--sparse=always", g.Image, path).CombinedOutput()
	if err != nil {
		t.Fatalf("cannot copy the guest's disk: %v: %s", err, out)
	}
}

// Network defines and starts a libvirt network with DHCP on 192.168.77.0/24. It
// has no firewall rules, which libvirt would write anew at each change of DHCP.
func (d *Daemon) Network(name string) {
	d.t.Helper()
	path := filepath.Join(d.Dir, name+".xml")
	text := fmt.Sprintf(`<network>
  <name>%s</name>
  <forward mode='open'/>
  <bridge name='virbr7' stp='off' delay='0'/>
  <mac address='52:54:00:77:00:01'/>
  <ip address='192.168.77.1' netmask='255.255.255.0'>
    <dhcp><range start='192.168.77.200' end='192.168.77.250'/></dhcp>
  </ip>
</network>
`, name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		d.t.Fatal(err)
	}
	d.Virsh("net-define", path)
	d.Virsh("net-start", name)
}

// Console follows what a guest says on its serial line.
type Console struct {
	Path string
	read int64
	text string
}

// Await waits until the guest has said something that contains the words,
// since the last Await, and returns the line.
func (c *Console) Await(t testing.TB, words string) string {
	t.Helper()
	deadline := time.Now().Add(guestLimit)
	for {
		if line, ok := c.find(words); ok {
			return line
		}
		if time.Now().After(deadline) {
			t.Fatalf("the guest never said %q; it said:\n%s", words, c.text)
		}
		time.Sleep(lookAgain)
		c.more(t)
	}
}

// Skip forgets what was said so far.
func (c *Console) Skip(t testing.TB) {
	t.Helper()
	c.more(t)
	c.text = ""
}

// find looks for a whole line with the words and forgets what is before its end.
func (c *Console) find(words string) (string, bool) {
	for {
		line, rest, whole := strings.Cut(c.text, "\n")
		if !whole {
			return "", false
		}
		if strings.Contains(line, words) {
			c.text = rest
			return strings.TrimRight(line, "\r"), true
		}
		if !strings.Contains(rest, "\n") {
			return "", false
		}
		c.text = rest
	}
}

// more reads what was written since.
func (c *Console) more(t testing.TB) {
	f, err := os.Open(c.Path)
	if os.IsNotExist(err) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.NewSectionReader(f, c.read, 1<<30))
	if err != nil {
		t.Fatal(err)
	}
	c.read += int64(len(data))
	c.text += string(data)
}
