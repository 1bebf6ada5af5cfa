package libvirt_test

import (
	"strings"
	"testing"
)

// TestDiskLimits asks libvirt what a machine is held to, now and at its next start.
func TestDiskLimits(t *testing.T) {
	f := newFarm(t)
	h := open(t, f.options)
	defer func() { must(t, h.Close()) }()
	m := f.machine(t, 1)
	m.DiskMBps = 20
	must(t, h.Define(t.Context(), m))
	must(t, h.Start(t.Context(), 1, true))
	f.held(t, "--live", "20971520", "0")
	m.DiskMBps, m.DiskIOPS = 0, 300
	for range 2 {
		must(t, h.Define(t.Context(), m))
		f.held(t, "--live", "0", "300")
		f.held(t, "--config", "0", "300")
	}
	m.DiskIOPS = 0
	must(t, h.Define(t.Context(), m))
	f.held(t, "--live", "0", "0")
	must(t, h.Undefine(t.Context(), 1))
	f.nothingRemains(t)
}

func (f *farm) held(t *testing.T, where, bytes, operations string) {
	t.Helper()
	said := strings.Fields(f.Virsh("blkdeviotune", "workspace-1", "vda", where))
	limits := map[string]string{}
	for i := 0; i+2 < len(said); i++ {
		if said[i+1] == ":" {
			limits[said[i]] = said[i+2]
		}
		if name, colon := strings.CutSuffix(said[i], ":"); colon {
			limits[name] = said[i+1]
		}
	}
	if limits["total_bytes_sec"] != bytes || limits["total_iops_sec"] != operations {
		t.Errorf("it is held to %v, want %s bytes and %s operations", limits, bytes, operations)
	}
}
