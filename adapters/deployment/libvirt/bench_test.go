package libvirt_test

import (
	"slices"
	"testing"
	"time"

	golibvirt "github.com/digitalocean/go-libvirt"
	"github.com/digitalocean/go-libvirt/socket/dialers"
	"github.com/google/uuid"
	"libvirt.org/go/libvirtxml"

	"github.com/philoxenia/philoxenia/adapters/access/local"
	"github.com/philoxenia/philoxenia/adapters/deployment/libvirt"
	"github.com/philoxenia/philoxenia/adapters/deployment/libvirt/libvirtdtest"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// bare connects to a driver with nothing of ours between.
func bare(b *testing.B, d *libvirtdtest.Daemon, driver golibvirt.ConnectURI) *golibvirt.Libvirt {
	b.Helper()
	rpc := golibvirt.NewWithDialer(dialers.NewLocal(dialers.WithSocket(d.Socket())))
	if err := rpc.ConnectToURI(driver); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := rpc.Disconnect(); err != nil {
			b.Error(err)
		}
	})
	return rpc
}

// mustDo ends a benchmark that cannot go on.
func mustDo(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// milliseconds returns how long f takes, in milliseconds.
func milliseconds(b *testing.B, f func() error) float64 {
	b.Helper()
	begin := time.Now()
	mustDo(b, f())
	return time.Since(begin).Seconds() * 1000
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// ratios are those of pairs, each of which ran one after the other.
func ratios(all, to []float64) (values []float64) {
	for i := range all {
		values = append(values, all[i]/to[i])
	}
	return values
}

// spread reports the median, and between which values it lies.
func spread(b *testing.B, unit string, values []float64) {
	b.ReportMetric(median(values), unit)
	b.ReportMetric(slices.Min(values), unit+"-min")
	b.ReportMetric(slices.Max(values), unit+"-max")
}

// inTurns runs both so many times and returns the milliseconds that each took: ours,
// theirs, theirs, ours and so on, so that nobody is always the first.
func inTurns(b *testing.B, pairs int, ours, theirs func() error) (our, their []float64) {
	for i := range pairs {
		if i%2 == 0 {
			our = append(our, milliseconds(b, ours))
		}
		their = append(their, milliseconds(b, theirs))
		if i%2 == 1 {
			our = append(our, milliseconds(b, ours))
		}
	}
	return our, their
}

// attach opens an adapter for the length of a benchmark.
func attach(b *testing.B, o libvirt.Options) *libvirt.Host {
	b.Helper()
	o.Host, o.Pool, o.Access = "host1", "test pool", local.Access{}
	h, err := libvirt.Open(b.Context(), o)
	mustDo(b, err)
	b.Cleanup(func() { mustDo(b, h.Close()) })
	return h
}

// BenchmarkMeasure polls 500 machines of the test driver in one call, and one after
// the other by bare calls.
func BenchmarkMeasure(b *testing.B) {
	const machines = 500
	d := libvirtdtest.Start(b)
	d.Hold()
	h := attach(b, libvirt.Options{URI: d.URI("test"), Networks: map[string]libvirt.Network{
		"public": {Kind: libvirt.NetworkBridge, Name: "br0"}}, Headroom: 1})
	for id := range workspace.ID(machines) {
		m := paper(id + 1)
		m.MemoryMB = 1
		mustDo(b, h.Define(b.Context(), m))
		mustDo(b, h.Start(b.Context(), m.ID, false))
	}
	rpc := bare(b, d, golibvirt.TestDefault)
	domains, _, err := rpc.ConnectListAllDomains(1, golibvirt.ConnectListDomainsActive)
	mustDo(b, err)
	readings, err := h.Measure(b.Context())
	if err != nil || len(readings) != machines {
		b.Fatalf("%d readings, %v", len(readings), err)
	}
	var ours, each []float64
	for b.Loop() {
		for range 7 {
			ours = append(ours, milliseconds(b, func() error {
				_, err := h.Measure(b.Context())
				return err
			}))
			each = append(each, milliseconds(b, func() error {
				for _, one := range domains {
					if _, _, _, _, _, err := rpc.DomainGetInfo(one); err != nil {
						return err
					}
				}
				return nil
			}))
		}
	}
	b.ReportMetric(median(ours), "ours-ms")
	b.ReportMetric(median(each), "each-ms")
	b.ReportMetric(median(each)/median(ours), "ratio")
}

// BenchmarkLifeCycle defines, starts, destroys and undefines a machine by the adapter, and
// the same domain by bare calls, taking turns: on libvirt's test driver, where nothing
// but the calls takes time, and a real guest.
func BenchmarkLifeCycle(b *testing.B) {
	b.Run("test", func(b *testing.B) {
		d := libvirtdtest.Start(b)
		d.Hold()
		h := attach(b, libvirt.Options{URI: d.URI("test"), Headroom: 1,
			Networks: map[string]libvirt.Network{
				"public": {Kind: libvirt.NetworkBridge, Name: "br0"}}})
		m := paper(1)
		m.Name = "tiny"
		lifeCycle(b, h, bare(b, d, golibvirt.TestDefault), m, cycles{100, d.VirshTest})
	})
	b.Run("qemu", func(b *testing.B) {
		d := libvirtdtest.Start(b)
		tiny := libvirtdtest.BuildGuest(b)
		disk := d.Dir + "/disk.img"
		tiny.Disk(b, disk)
		h := attach(b, libvirt.Options{URI: d.URI("qemu"), Accel: libvirt.AccelTCG,
			ConsoleDir: d.Dir + "/console"})
		m := workspace.Machine{ID: 1, Name: "tiny", Architecture: "x86_64", MemoryMB: 112,
			CPUs: 1, Boot: tiny.Boot, Memory: d.Dir + "/memory",
			Disks: []workspace.MachineDisk{{Path: disk, Format: "raw", MountAs: "sda1"}}}
		lifeCycle(b, h, bare(b, d, golibvirt.QEMUSystem), m, cycles{20, d.Virsh})
	})
}

// cycles is how many pairs are measured, and the virsh that shows the domain.
type cycles struct {
	pairs int
	virsh func(args ...string) string
}

func lifeCycle(
	b *testing.B, h *libvirt.Host, rpc *golibvirt.Libvirt, m workspace.Machine, c cycles,
) {
	b.Helper()
	text := same(b, c.virsh, h, m)
	ours := func() error { return byAdapter(b, h, m) }
	theirs := func() error { return byCalls(rpc, text) }
	inTurns(b, 2, ours, theirs) // what is first read is read
	var our, their []float64
	for b.Loop() {
		our, their = inTurns(b, c.pairs, ours, theirs)
	}
	spread(b, "ours-ms", our)
	spread(b, "bare-ms", their)
	spread(b, "ratio", ratios(our, their))
	b.ReportMetric(float64(c.pairs), "pairs")
}

// same returns the domain of the machine under another name.
func same(
	b *testing.B, virsh func(args ...string) string, h *libvirt.Host, m workspace.Machine,
) string {
	b.Helper()
	mustDo(b, h.Define(b.Context(), m))
	var domain libvirtxml.Domain
	mustDo(b, domain.Unmarshal(virsh("dumpxml", "--inactive", "workspace-1")))
	mustDo(b, h.Undefine(b.Context(), m.ID))
	domain.Name, domain.UUID = "bare", uuid.NewString()
	text, err := domain.Marshal()
	mustDo(b, err)
	return text
}

func byAdapter(b *testing.B, h *libvirt.Host, m workspace.Machine) error {
	if err := h.Define(b.Context(), m); err != nil {
		return err
	}
	if err := h.Start(b.Context(), m.ID, false); err != nil {
		return err
	}
	if err := h.Stop(b.Context(), m.ID, workspace.StopForced); err != nil {
		return err
	}
	return h.Undefine(b.Context(), m.ID)
}

func byCalls(rpc *golibvirt.Libvirt, text string) error {
	domain, err := rpc.DomainDefineXMLFlags(text, golibvirt.DomainDefineValidate)
	if err != nil {
		return err
	}
	if err := rpc.DomainCreate(domain); err != nil {
		return err
	}
	if err := rpc.DomainDestroy(domain); err != nil {
		return err
	}
	return rpc.DomainUndefine(domain)
}
