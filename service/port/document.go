package port

import (
	"time"

	"github.com/philoxenia/philoxenia/schema/deployment"
	"github.com/philoxenia/philoxenia/schema/metadata"
	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// State returns the state of a workspace as the schema has it, with the reason
// when it is Corrupted.
func State(w *workspace.Workspace) report.CurrentState {
	s := report.CurrentState{State: w.State.Wire()}
	if w.Fault != "" {
		s.Fault = &wsrf.BaseFault{Timestamp: w.Changed, Description: []string{w.Fault}}
	}
	return s
}

// Schedule returns when a workspace runs and ends, as far as it is known: a lease
// that waits for room has no start yet.
func Schedule(w *workspace.Workspace) report.Schedule {
	return report.Schedule{
		Start: w.Lease.Start, Duration: w.Lease.Duration, Termination: Termination(w),
	}
}

// Termination returns when the workspace will be destroyed; zero while nobody
// knows when it starts.
func Termination(w *workspace.Workspace) time.Time {
	if w.Lease.Start.IsZero() {
		return time.Time{}
	}
	return w.Lease.Termination()
}

// NICs returns a workspace's interfaces with what was allocated for them.
func NICs(w *workspace.Workspace) []metadata.NIC {
	all := make([]metadata.NIC, len(w.NICs))
	for i, n := range w.NICs {
		all[i] = metadata.NIC{
			Name: n.Name, MAC: n.MAC, Method: string(n.Method), Hostname: n.Hostname,
			IPAddress: n.IP, Netmask: n.Netmask, Gateway: n.Gateway,
			Broadcast: n.Broadcast, Network: n.Network, Association: n.Association,
		}
	}
	return all
}

// DiskImages returns which images of the library a workspace is made of.
func DiskImages(w *workspace.Workspace) []report.DiskImage {
	var all []report.DiskImage
	for _, d := range w.Spec.Disks {
		if d.Image != "" {
			all = append(all, report.DiskImage{
				MountAs: d.MountAs, Entry: d.Image, Asked: d.Asked, Location: d.Location,
				SHA256: d.SHA256,
			})
		}
	}
	return all
}

// Allocation returns what a workspace takes of its host. A CPU count is told
// only to those who asked for one, as the original does.
func Allocation(w *workspace.Workspace) deployment.ResourceAllocation {
	a := deployment.ResourceAllocation{
		Architecture: w.Demand.Architecture,
		Memory:       deployment.Exactly(float64(w.Demand.MemoryMB)),
	}
	if w.Demand.CPUsGiven {
		a.CPUCount = deployment.Exactly(float64(w.Demand.CPUs))
	}
	if w.Demand.CPUPercent > 0 {
		a.CPUPercentage = deployment.Exactly(float64(w.Demand.CPUPercent))
	}
	return a
}

// ShutdownTo returns what a shutdown message asks for.
func ShutdownTo(r *deployment.ShutdownRequest) (kind workspace.ShutdownKind, saveTo string) {
	if r.PostShutdown != nil {
		saveTo = r.PostShutdown.Target
	}
	return workspace.ShutdownKind(r.Type), saveTo
}
