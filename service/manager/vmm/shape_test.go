package vmm_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/philoxenia/philoxenia/service/manager/vmm"
	"github.com/philoxenia/philoxenia/service/workspace"
)

func TestShapesAreReadAsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amount := rapid.Int64Range(0, 1<<40)
		s := workspace.Shape{MemoryMB: amount.Draw(t, "memory"), CPUs: amount.Draw(t, "cpus"),
			CPUPercent: amount.Draw(t, "percent"), NetInKbps: amount.Draw(t, "in"),
			NetOutKbps: amount.Draw(t, "out")}
		if got, err := vmm.ShapeOf(vmm.ShapeText(s)); err != nil || got != s {
			t.Fatalf("got %+v, %v, want %+v", got, err, s)
		}
	})
	if _, err := vmm.ShapeOf("large"); workspace.KindOf(err) != workspace.Internal {
		t.Errorf("got %v", err)
	}
	if s, err := vmm.ShapeOf(""); err != nil || s != (workspace.Shape{}) {
		t.Errorf("got %+v, %v", s, err)
	}
}
