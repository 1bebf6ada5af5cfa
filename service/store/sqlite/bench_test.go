package sqlite

import (
	"fmt"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// benchOptions is a pool with room for many workspaces.
func benchOptions(b *testing.B) Options {
	n := workspace.Network{Name: "public", MACPrefix: "A2:AA:BB"}
	for i := range 20000 {
		n.Addresses = append(n.Addresses, workspace.Address{
			Hostname: fmt.Sprintf("pub%05d", i), IP: fmt.Sprintf("10.1.%d.%d", i/250, 1+i%250),
			Netmask: "255.255.0.0", Gateway: "10.1.255.254", Broadcast: "10.1.255.255"})
	}
	o := Options{Path: filepath.Join(b.TempDir(), "record.db"),
		Networks: []workspace.Network{n}}
	for i := range 20 {
		o.Hosts = append(o.Hosts, workspace.Host{
			ID: workspace.HostID(fmt.Sprintf("host%02d", i)), Active: true,
			Capacity: workspace.Capacity{CPUs: 1 << 20, MemoryMB: 1 << 30}})
	}
	return o
}

// open opens the record and closes it after the benchmark.
func open(b *testing.B, o Options) *Store {
	s, err := Open(b.Context(), o)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	return s
}

// sample is a workspace such as a deployment request makes.
func sample(tx workspace.Tx) (*workspace.Workspace, error) {
	a, mac, err := tx.TakeAddress("public")
	now := time.Now().UTC().Truncate(time.Millisecond)
	return &workspace.Workspace{
		ID: tx.NextID(), Owner: "/O=Example/OU=People/CN=Ada", Host: "host00",
		State: workspace.Unpropagated, Initial: workspace.Running, Created: now, Changed: now,
		Spec: workspace.Spec{
			Name: "http://example.org/sample", Architecture: "x86",
			VMM: workspace.VMM{Type: "Xen", Versions: []string{"3"}},
			Disks: []workspace.Disk{{Role: workspace.RootDisk,
				Location: "file://base.img", MountAs: "sda1"}},
			NICs: []workspace.NIC{{Name: "eth0", Association: "public",
				Method: workspace.AllocateAndConfigure}},
		},
		Demand: workspace.Allocation{MemoryMB: 256, CPUs: 1, Architecture: "x86"},
		Lease: workspace.Lease{Start: now, Duration: time.Hour, Grace: time.Minute,
			Mechanism: workspace.MechanismNormal},
		NICs: []workspace.NIC{{Name: "eth0", Association: "public",
			Method: workspace.AllocateAndConfigure, MAC: mac, Address: a}},
	}, err
}

// create does what a create request does to the record.
func create(b *testing.B, s *Store, message string) (c *workspace.Change) {
	err := s.Update(b.Context(), func(tx workspace.Tx) error {
		if _, again := tx.Answered("/O=Example/OU=People/CN=Ada", message); again {
			return fmt.Errorf("message %s was answered before", message)
		}
		w, err := sample(tx)
		if err != nil {
			return err
		}
		if err := tx.PutWorkspace(w); err != nil {
			return err
		}
		c = &workspace.Change{ID: tx.NextChangeID(), Kind: workspace.ChangeDeploy,
			Workspace: w.ID, Status: workspace.ChangeDoing, Created: w.Created}
		if err := tx.PutChange(c); err != nil {
			return err
		}
		return tx.PutAnswered(w.Owner, message,
			workspace.Answer{Workspaces: []workspace.ID{w.ID}, At: w.Created})
	})
	if err != nil {
		b.Fatal(err)
	}
	return c
}

// steps is how many tasks a deployment has.
const steps = 4

// step does what the end of a task does to the record.
func step(b *testing.B, s *Store, c *workspace.Change, n int) {
	err := s.Update(b.Context(), func(tx workspace.Tx) error {
		was, err := tx.Workspace(c.Workspace)
		if err != nil {
			return err
		}
		w := *was
		w.State = workspace.States()[n]
		if err := tx.PutWorkspace(&w); err != nil {
			return err
		}
		if n == steps {
			return tx.RemoveChange(c.ID)
		}
		next := *c
		next.Step = n
		return tx.PutChange(&next)
	})
	if err != nil {
		b.Fatal(err)
	}
}

// cpu is the processor time that this process has used.
func cpu() time.Duration {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// BenchmarkDeploy is a create to Running, five updates with two writes each,
// then its removal, by one caller and by eight.
func BenchmarkDeploy(b *testing.B) {
	for _, callers := range []int{1, 8} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			s := open(b, benchOptions(b))
			jobs := make(chan int)
			done := make(chan struct{})
			used := cpu()
			b.ResetTimer()
			for range callers {
				go func() {
					defer func() { done <- struct{}{} }()
					for n := range jobs {
						c := create(b, s, fmt.Sprintf("uuid:%d", n))
						for i := range steps {
							step(b, s, c, i+1)
						}
					}
				}()
			}
			for n := range b.N {
				jobs <- n
			}
			close(jobs)
			for range callers {
				<-done
			}
			b.ReportMetric(float64((cpu()-used).Microseconds())/float64(b.N), "cpu-µs/op")
			b.ReportMetric(5*float64(b.N)/b.Elapsed().Seconds(), "updates/s")
		})
	}
}

// BenchmarkOpen opens a record of 10,000 workspaces.
func BenchmarkOpen(b *testing.B) {
	o := benchOptions(b)
	s, err := Open(b.Context(), o)
	if err != nil {
		b.Fatal(err)
	}
	for i := range 100 {
		err := s.Update(b.Context(), func(tx workspace.Tx) error {
			for range 100 {
				w, err := sample(tx)
				if err == nil {
					err = tx.PutWorkspace(w)
				}
				if err != nil {
					return fmt.Errorf("round %d: %w", i, err)
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s, err := Open(b.Context(), o)
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
