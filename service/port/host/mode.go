package host

import (
	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// told translates what operators want of a host.
func told(m workspace.HostMode) *report.Mode {
	out := &report.Mode{Drained: m.Drained, Comment: m.Comment}
	for _, w := range m.Windows {
		out.Windows = append(out.Windows, report.Window{
			Begin: w.Start, End: w.End, Rule: w.Rule, Comment: w.Comment,
			Left: report.Capacity{
				CPUs: int(w.Left.CPUs), MemoryMB: int(w.Left.MemoryMB), DiskMB: int(w.Left.DiskMB),
				NetInKbps: int(w.Left.NetInKbps), NetOutKbps: int(w.Left.NetOutKbps),
			},
		})
	}
	return out
}

// mode translates it back.
func mode(id workspace.HostID, m *report.Mode) workspace.HostMode {
	out := workspace.HostMode{Host: id, Drained: m.Drained, Comment: m.Comment}
	for _, w := range m.Windows {
		out.Windows = append(out.Windows, workspace.Window{
			Start: w.Begin, End: w.End, Rule: w.Rule, Comment: w.Comment,
			Left: workspace.Capacity{
				CPUs: int64(w.Left.CPUs), MemoryMB: int64(w.Left.MemoryMB),
				DiskMB:    int64(w.Left.DiskMB),
				NetInKbps: int64(w.Left.NetInKbps), NetOutKbps: int64(w.Left.NetOutKbps),
			},
		})
	}
	return out
}
