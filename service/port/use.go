package port

import (
	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Use tells a reading; nil stands for none.
func Use(r *workspace.Reading) *report.Use {
	if r == nil {
		return nil
	}
	told := &report.Use{CPUTime: r.CPUTime, Memory: r.Memory, Unused: r.Unused,
		Resident: r.Resident}
	for _, d := range r.Disks {
		told.Disks = append(told.Disks, report.Traffic{InBytes: d.ReadBytes,
			OutBytes: d.WrittenBytes, Ins: d.ReadOperations, Outs: d.WrittenOperations})
	}
	for _, n := range r.NICs {
		told.NICs = append(told.NICs, report.Traffic{InBytes: n.InBytes, OutBytes: n.OutBytes,
			Ins: n.InPackets, Outs: n.OutPackets})
	}
	return told
}
