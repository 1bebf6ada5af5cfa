package libvirt_test

import (
	"fmt"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/adapters/deployment/libvirt"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// crossings is how often each way of a live migration is measured.
const crossings = 4

// BenchmarkLiveMigration moves a guest to and fro that writes to its memory all the
// time, by the adapter and by virsh: how long that takes, and for how long the guest
// stands still.
func BenchmarkLiveMigration(b *testing.B) {
	f := newFerry(b, false)
	hosts := []*libvirt.Host{f.open(b, 0), f.open(b, 1)}
	for b.Loop() {
		ours, oursStill := f.cross(b, hosts, 1, f.byUs)
		virsh, virshStill := f.cross(b, hosts, 2, f.byVirsh)
		b.ReportMetric(ours, "ours-ms")
		b.ReportMetric(oursStill, "ours-still-ms")
		b.ReportMetric(virsh, "virsh-ms")
		b.ReportMetric(virshStill, "virsh-still-ms")
		b.ReportMetric(ours/virsh, "ratio")
	}
	for _, h := range hosts {
		mustDo(b, h.Close())
	}
}

// A way moves a machine from a host to the other, and returns for how many
// milliseconds it stood still.
type way func(b *testing.B, hosts []*libvirt.Host, from int, id workspace.ID) float64

// cross starts a guest under load, moves it to and fro, and returns the medians.
func (f *ferry) cross(
	b *testing.B, hosts []*libvirt.Host, id workspace.ID, move way,
) (total, still float64) {
	b.Helper()
	m := f.machine(0, id)
	f.guest.Disk(b, m.Disks[0].Path)
	mustDo(b, hosts[0].Define(b.Context(), m))
	mustDo(b, hosts[0].Start(b.Context(), id, false))
	says := f.console(0, id)
	says.Await(b, "alive")
	line, err := hosts[0].Console(b.Context(), id, false)
	mustDo(b, err)
	fmt.Fprintln(line, "do (while :; do cat /bin/busybox /bin/busybox >/tmp/busy; done) &")
	says.Await(b, "did (while")
	mustDo(b, line.Close())
	var totals, stills []float64
	for i := range crossings {
		totals = append(totals, milliseconds(b, func() error {
			stills = append(stills, move(b, hosts, i%2, id))
			return nil
		}))
	}
	for _, h := range hosts {
		mustDo(b, h.Undefine(b.Context(), id))
	}
	return median(totals), median(stills)
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
