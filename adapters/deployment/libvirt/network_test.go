package libvirt_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/service/manager/seed"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// TestGuestLearnsWhoItIs has a real guest read its seed and its kernel's line,
// and get its address while nothing of ours and no libvirtd is there.
func TestGuestLearnsWhoItIs(t *testing.T) {
	f := newFarm(t)
	h := open(t, f.options)
	m := f.machine(t, 3)
	w := &workspace.Workspace{ID: 3, NICs: m.NICs,
		Spec: workspace.Spec{UserData: "#cloud-config\n{}\n"}}
	told := func(way seed.Way) *seed.Seeds {
		return &seed.Seeds{Way: func(*workspace.Workspace) seed.Way { return way }}
	}
	disk := filepath.Join(f.images, "3-999-seed")
	must(t, os.WriteFile(disk, told(seed.NoCloud).Disk(w), 0o644))
	m.Disks = append(m.Disks, workspace.MachineDisk{Path: disk, Format: "raw", ReadOnly: true,
		Seed: true})
	m.Boot.Cmdline += " " + told(seed.Kernel).Parameters(w)
	m.NICs[0].Device = "wtest3-0"
	says := f.console(3)
	must(t, h.Define(t.Context(), m))
	must(t, h.Start(t.Context(), 3, false))
	says.Await(t, `seed meta-data: "local-hostname": "node3.example.org"`)
	says.Await(t, "seed network-config: \"macaddress\": \"52:54:00:00:00:03\"")
	says.Await(t, "told philoxenia.hostname=node3.example.org")
	says.Await(t, "address "+m.NICs[0].IP)
	if links := f.Shell("ip -o link show dev wtest3-0"); !strings.Contains(links, "virbr") {
		t.Errorf("its link is %s", links)
	}
	must(t, h.Close())
	f.Virsh("reset", "workspace-3")
	f.Kill() // the host's DHCP goes on without it
	says.Await(t, "address "+m.NICs[0].IP)
	f.Restart()
	h = open(t, f.options)
	defer func() { must(t, h.Close()) }()
	must(t, h.Undefine(t.Context(), 3))
	f.nothingRemains(t)
}
