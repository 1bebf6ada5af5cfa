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
	slices.Sort(values)
	return values[len(values)/2]
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

// BenchmarkLifeCycle defines, starts, destroys and undefines a real machine by the
// adapter, and the same domain by bare calls, taking turns.
func BenchmarkLifeCycle(b *testing.B) {
	d := libvirtdtest.Start(b)
	tiny := libvirtdtest.BuildGuest(b)
	disk := d.Dir + "/disk.img"
	tiny.Disk(b, disk)
	h := attach(b, libvirt.Options{URI: d.URI("qemu"), Accel: libvirt.AccelTCG,
		ConsoleDir: d.Dir + "/console"})
	m := workspace.Machine{ID: 1, Name: "tiny", Architecture: "x86_64", MemoryMB: 112, CPUs: 1,
		Boot: tiny.Boot, Memory: d.Dir + "/memory",
		Disks: []workspace.MachineDisk{{Path: disk, Format: "raw", MountAs: "sda1"}}}
	rpc := bare(b, d, golibvirt.QEMUSystem)
	text := same(b, d, h, m)
	var ours, theirs []float64
	for b.Loop() {
		for range 15 {
			ours = append(ours, milliseconds(b, func() error { return byAdapter(b, h, m) }))
			theirs = append(theirs, milliseconds(b, func() error { return byCalls(rpc, text) }))
		}
	}
	b.ReportMetric(median(ours), "ours-ms")
	b.ReportMetric(median(theirs), "bare-ms")
	b.ReportMetric(median(ours)/median(theirs), "ratio")
}

// same returns the domain of the machine under another name.
func same(
	b *testing.B, d *libvirtdtest.Daemon, h *libvirt.Host, m workspace.Machine,
) string {
	b.Helper()
	mustDo(b, h.Define(b.Context(), m))
	var domain libvirtxml.Domain
	mustDo(b, domain.Unmarshal(d.Virsh("dumpxml", "--inactive", "workspace-1")))
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
