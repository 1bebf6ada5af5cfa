package libvirt

import (
	"encoding/xml"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"libvirt.org/go/libvirtxml"

	"github.com/philoxenia/philoxenia/adapters/access/local"
	"github.com/philoxenia/philoxenia/adapters/deployment/deploymenttest"
	"github.com/philoxenia/philoxenia/adapters/transport/login"
	"github.com/philoxenia/philoxenia/service/workspace"
)

var update = flag.Bool("update", false, "write the golden files anew")

// hostOfDriver is an adapter that is connected to nothing.
func hostOfDriver(driver string) *Host {
	return &Host{at: endpoint{driver: driver}, o: Options{
		Host: "host1", Pool: "pool", ConsoleDir: "/var/log/workspaces",
		Networks: map[string]Network{
			"public": {NetworkBridge, "br0"}, "private": {NetworkLibvirt, "lease0"}}}}
}

// full is a machine with one of everything.
func full() workspace.Machine {
	return workspace.Machine{
		ID: 42, Owner: "/O=Example/CN=Ada", Name: "http://example.org/web",
		Architecture: "x86_64", MemoryMB: 512, CPUs: 2, CPUPercent: 50,
		NetInKbps: 80_000, Memory: "/disks/42-memory.host1",
		Boot: workspace.Boot{Kernel: "/boot/vmlinuz", Initrd: "/boot/initrd", Cmdline: "quiet"},
		Disks: []workspace.MachineDisk{
			{Path: "/disks/42/0-root", Format: "raw", MountAs: "sda1"},
			{Path: "/disks/42/1-data.qcow2", Format: "qcow2", MountAs: "sda2", ReadOnly: true}},
		NICs: []workspace.NIC{
			{Name: "eth0", Association: "public", MAC: "A2:AA:BB:00:00:01"},
			{Name: "eth1", Association: "private", MAC: "A2:AA:BB:00:00:02",
				Address: workspace.Address{IP: "192.0.2.7"}}},
	}
}

func TestGoldenDomains(t *testing.T) {
	spans := full()
	spans.NICs = spans.NICs[:1]
	spans.NICs[0].Bridge, spans.NICs[0].Device, spans.NICs[0].MTU = "bown", "wown-0", 1450
	plain := workspace.Machine{ID: 7, MemoryMB: 64, Disks: full().Disks[:1]}
	for name, c := range map[string]struct {
		driver  string
		accel   Accel
		machine workspace.Machine
	}{
		"kvm":             {"qemu", AccelKVM, full()},
		"tcg":             {"qemu", AccelTCG, full()},
		"disk-boots":      {"qemu", AccelKVM, plain},
		"xen":             {"xen", AccelAuto, full()},
		"xen-pvh":         {"xen", AccelPVH, full()},
		"xen-disk-boots":  {"xen", AccelPVH, plain},
		"spans-hosts":     {"qemu", AccelTCG, spans},
		"the-test-driver": {"test", AccelAuto, full()},
	} {
		t.Run(name, func(t *testing.T) {
			h := hostOfDriver(c.driver)
			d, err := h.domainOf(c.machine, h.identify(c.machine), c.accel)
			if err != nil {
				t.Fatal(err)
			}
			s := c.machine.Shape()
			fit(d, s, room{2 * s.MemoryMB, 2 * max(s.CPUs, 1)})
			golden(t, name+".xml", marshal(t, d))
		})
	}
}

func marshal(t *testing.T, d *libvirtxml.Domain) string {
	t.Helper()
	text, err := d.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return text + "\n"
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}

// TestTextStaysText puts hostile words into each free text field and reads the
// domain back: the words must be where they were put, and nowhere else.
func TestTextStaysText(t *testing.T) {
	fields := map[string]struct {
		put func(m *workspace.Machine, word string)
		get func(d *libvirtxml.Domain) string
	}{
		"name": {func(m *workspace.Machine, w string) { m.Name = w },
			func(d *libvirtxml.Domain) string { return who(d).Name }},
		"owner": {func(m *workspace.Machine, w string) { m.Owner = workspace.Owner(w) },
			func(d *libvirtxml.Domain) string { return who(d).Owner }},
		"kernel parameters": {func(m *workspace.Machine, w string) { m.Boot.Cmdline = w },
			func(d *libvirtxml.Domain) string {
				for _, own := range []string{" console=ttyS0", " root=/dev/vda"} {
					d.OS.Cmdline = strings.TrimSuffix(d.OS.Cmdline, own)
				}
				return d.OS.Cmdline
			}},
		"kernel": {func(m *workspace.Machine, w string) { m.Boot.Kernel = "/" + w },
			func(d *libvirtxml.Domain) string { return d.OS.Kernel[1:] }},
		"initrd": {func(m *workspace.Machine, w string) { m.Boot.Initrd = "/" + w },
			func(d *libvirtxml.Domain) string { return d.OS.Initrd[1:] }},
		"disk": {func(m *workspace.Machine, w string) { m.Disks[0].Path = "/" + w },
			func(d *libvirtxml.Domain) string { return d.Devices.Disks[0].Source.File.File[1:] }},
		"mac": {func(m *workspace.Machine, w string) { m.NICs[0].MAC = strings.ToLower(w) },
			func(d *libvirtxml.Domain) string { return d.Devices.Interfaces[0].MAC.Address }},
	}
	for name, f := range fields {
		for i, word := range deploymenttest.Hostile {
			t.Run(fmt.Sprintf("%s %d", name, i), func(t *testing.T) {
				staysText(t, word, name == "mac", f.put, f.get)
			})
		}
	}
}

func staysText(
	t *testing.T, word string, lower bool,
	put func(*workspace.Machine, string), get func(*libvirtxml.Domain) string,
) {
	h := hostOfDriver("qemu")
	tame, wild := full(), full()
	put(&tame, "tame")
	put(&wild, word)
	want := word
	if lower {
		want = strings.ToLower(word)
	}
	d := reread(t, h, wild)
	if got := get(d); strings.TrimLeft(got, " ") != strings.TrimLeft(want, " ") {
		t.Errorf("%q came back as %q", want, got)
	}
	if got, want := shape(t, d), shape(t, reread(t, h, tame)); !reflect.DeepEqual(got, want) {
		t.Errorf("%q changed the domain's elements:\n%v\nwant\n%v", word, got, want)
	}
}

// who reads our element.
func who(d *libvirtxml.Domain) identity {
	var i identity
	if err := xml.Unmarshal([]byte(d.Metadata.XML), &i); err != nil {
		panic(err)
	}
	return i
}

// reread writes the machine's domain and reads it again.
func reread(t *testing.T, h *Host, m workspace.Machine) *libvirtxml.Domain {
	t.Helper()
	d, err := h.domainOf(m, h.identify(m), AccelTCG)
	if err != nil {
		t.Fatal(err)
	}
	again := new(libvirtxml.Domain)
	if err := again.Unmarshal(marshal(t, d)); err != nil {
		t.Fatal(err)
	}
	return again
}

// shape lists the domain's elements and the names of their attributes.
func shape(t *testing.T, d *libvirtxml.Domain) []string {
	t.Helper()
	var all []string
	read := xml.NewDecoder(strings.NewReader(marshal(t, d)))
	for {
		token, err := read.Token()
		if err != nil {
			return all
		}
		if e, ok := token.(xml.StartElement); ok {
			all = append(all, e.Name.Local)
			for _, a := range e.Attr {
				all = append(all, "@"+a.Name.Local)
			}
		}
	}
}

func TestMachinesThatCannotBe(t *testing.T) {
	for name, spoil := range map[string]func(*workspace.Machine){
		"architecture":  func(m *workspace.Machine) { m.Architecture = "sparc" },
		"association":   func(m *workspace.Machine) { m.NICs[0].Association = "elsewhere" },
		"format":        func(m *workspace.Machine) { m.Disks[0].Format = "vmdk" },
		"no format":     func(m *workspace.Machine) { m.Disks[0].Format = "" },
		"relative path": func(m *workspace.Machine) { m.Disks[0].Path = "disk" },
		"27 disks": func(m *workspace.Machine) {
			for len(m.Disks) < 27 {
				m.Disks = append(m.Disks, m.Disks[0])
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			h, m := hostOfDriver("qemu"), full()
			spoil(&m)
			_, err := h.domainOf(m, h.identify(m), AccelTCG)
			if kindOf(err) != workspace.Internal || err == nil {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestCmdline(t *testing.T) {
	for name, c := range map[string]struct{ given, want string }{
		"empty":        {"", "root=/dev/vda console=ttyS0"},
		"some":         {"quiet", "quiet root=/dev/vda console=ttyS0"},
		"own root":     {"root=LABEL=x", "root=LABEL=x console=ttyS0"},
		"own console":  {"console=tty0 ro", "console=tty0 ro root=/dev/vda"},
		"not the same": {"nfsroot=x", "nfsroot=x root=/dev/vda console=ttyS0"},
	} {
		t.Run(name, func(t *testing.T) {
			m := full()
			m.Boot.Cmdline = c.given
			if got := cmdlineOf(m, qemuFlavour); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestURIs(t *testing.T) {
	const standard = "/run/libvirt/libvirt-sock"
	for text, want := range map[string]endpoint{
		"qemu:///system":                 {"qemu", "unix", standard, "", "", "qemu:///system"},
		"xen+unix:///system?socket=/x/y": {"xen", "unix", "/x/y", "", "", "xen:///system"},
		"test+unix:///default?socket=/x": {"test", "unix", "/x", "", "", "test:///default"},
		"qemu+tcp://node7/system":        {"qemu", "tcp", "node7:16509", "", "", "qemu:///system"},
		"qemu+tcp://node7:99/system":     {"qemu", "tcp", "node7:99", "", "", "qemu:///system"},
		"qemu+tls://node7/system":        {"qemu", "tls", "node7:16514", "", "", "qemu:///system"},
		"qemu+ssh://node7/system":        {"qemu", "ssh", "node7:22", "", "", "qemu:///system"},
		"xen+ssh://ada@node7:2222/system?socket=/x": {"xen", "ssh", "node7:2222", "ada", "/x",
			"xen:///system"},
	} {
		if got, err := parseURI(text); err != nil || got != want {
			t.Errorf("%s: got %+v, %v, want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "vbox:///session", "qemu+ssh:///system",
		"qemu+tls:///system", "qemu+libssh://x/system", "qemu+tcp:///system", "qemu+unix://%zz"} {
		if got, err := parseURI(text); err == nil {
			t.Errorf("%q is taken as %+v", text, got)
		}
	}
}

func TestBadOptions(t *testing.T) {
	for says, o := range map[string]Options{
		"the driver is":     {URI: "nonsense"},
		"accel is \"warp\"": {URI: "qemu:///system", Accel: "warp", Access: local.Access{}},
		"a key_file or":     {URI: "qemu+ssh://x/system", Access: local.Access{}},
		"access is missing": {URI: "qemu:///system"},
		"headroom is -1":    {URI: "qemu:///system", Headroom: -1, Access: local.Access{}},
		"known_hosts is needed": {URI: "qemu+ssh://x/system", Access: local.Access{},
			SSH: login.Server{KeyFile: "/x"}},
		"is not a network": {URI: "qemu:///system", Access: local.Access{},
			Networks: map[string]Network{"public": {"tunnel", "x"}}},
	} {
		t.Run(says, func(t *testing.T) {
			_, err := Open(t.Context(), o)
			if err == nil || workspace.KindOf(err) != workspace.Invalid ||
				!strings.Contains(err.Error(), says) {
				t.Errorf("got %v", err)
			}
		})
	}
}
