package libvirt_test

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/adapters/deployment/libvirt"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// crossings is how often each way of a live migration is measured.
const crossings = 4

// BenchmarkLiveMigration moves guests to and fro that write to their memory all the
// time, one by the adapter and one by virsh, turn by turn: how long that takes, and for
// how long the guest stands still. While one moves, the other is paused.
func BenchmarkLiveMigration(b *testing.B) {
	f := newFerry(b, false)
	hosts := []*libvirt.Host{f.open(b, 0), f.open(b, 1)}
	ours, virsh := &crossing{id: 1, move: f.byUs}, &crossing{id: 2, move: f.byVirsh}
	for _, c := range []*crossing{ours, virsh} {
		f.load(b, hosts[0], c.id)
	}
	for b.Loop() {
		for i := range crossings {
			both := []*crossing{ours, virsh}
			if i/2%2 == 1 { // each is the first in both directions
				slices.Reverse(both)
			}
			for _, c := range both {
				f.cross(b, hosts, i%2, c)
			}
		}
	}
	spread(b, "ours-ms", ours.totals)
	spread(b, "ours-still-ms", ours.stills)
	spread(b, "virsh-ms", virsh.totals)
	spread(b, "virsh-still-ms", virsh.stills)
	spread(b, "ratio", ratios(ours.totals, virsh.totals))
	b.ReportMetric(float64(len(ours.totals)), "pairs")
	for _, h := range hosts {
		for _, c := range []*crossing{ours, virsh} {
			mustDo(b, h.Undefine(b.Context(), c.id))
		}
		mustDo(b, h.Close())
	}
}

// A way moves a machine from a host to the other, and returns for how many
// milliseconds it stood still.
type way func(b *testing.B, hosts []*libvirt.Host, from int, id workspace.ID) float64

// crossing is a guest, the way that it takes, and how long it took each time.
type crossing struct {
	id             workspace.ID
	move           way
	totals, stills []float64
}

// load starts a guest that writes to its memory all the time, and pauses it.
func (f *ferry) load(b *testing.B, host *libvirt.Host, id workspace.ID) {
	b.Helper()
	m := f.machine(0, id)
	f.guest.Disk(b, m.Disks[0].Path)
	mustDo(b, host.Define(b.Context(), m))
	mustDo(b, host.Start(b.Context(), id, false))
	says := f.console(0, id)
	says.Await(b, "alive")
	line, err := host.Console(b.Context(), id, false)
	mustDo(b, err)
	fmt.Fprintln(line, "do (while :; do cat /bin/busybox /bin/busybox >/tmp/busy; done) &")
	says.Await(b, "did (while")
	mustDo(b, line.Close())
	f.lab.Hosts[0].Virsh("suspend", "workspace-"+id.String())
}

// cross moves a paused guest while it works, and pauses it again.
func (f *ferry) cross(b *testing.B, hosts []*libvirt.Host, from int, c *crossing) {
	b.Helper()
	name := "workspace-" + c.id.String()
	f.lab.Hosts[from].Virsh("resume", name)
	c.totals = append(c.totals, milliseconds(b, func() error {
		c.stills = append(c.stills, c.move(b, hosts, from, c.id))
		return nil
	}))
	f.lab.Hosts[1-from].Virsh("suspend", name)
}

// byUs migrates by the adapter.
func (f *ferry) byUs(b *testing.B, hosts []*libvirt.Host, from int, id workspace.ID) float64 {
	b.Helper()
	passage, err := hosts[from].Migrate(b.Context(), id, workspace.Migration{
		Target: hosts[1-from], As: f.machine(1-from, id), Live: true})
	mustDo(b, err)
	return float64(passage.Downtime) / float64(time.Millisecond)
}

var stoodStill = regexp.MustCompile(`Total downtime: +(\d+) +ms`)

// byVirsh migrates by virsh.
func (f *ferry) byVirsh(b *testing.B, _ []*libvirt.Host, from int, id workspace.ID) float64 {
	b.Helper()
	one, two := f.lab.Hosts[from], f.lab.Hosts[1-from]
	name := "workspace-" + id.String()
	one.Virsh("migrate", name, "qemu+tcp://"+two.Name+"/system", "--live", "--p2p",
		"--persistent", "--undefinesource", "--unsafe")
	said := two.Virsh("domjobinfo", name, "--completed")
	found := stoodStill.FindStringSubmatch(said)
	if found == nil {
		b.Fatalf("virsh tells no downtime: %s", said)
	}
	still, err := strconv.ParseFloat(found[1], 64)
	mustDo(b, err)
	return still
}
