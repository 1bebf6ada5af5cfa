package manager_test

import (
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// TestNobodyTakesWhatIsNotCounted: disks and bandwidth of hosts whose
// configuration does not count them are not used up by one who asks for all.
func TestNobodyTakesWhatIsNotCounted(t *testing.T) {
	scene(t, func(r *rig) {
		greedy := request(1)
		greedy.Demand.DiskMB, greedy.Demand.NetInKbps = 1<<31-1, 1<<31-1
		for range 2 {
			r.reach(r.create(greedy).ID, workspace.Running)
		}
		modest := request(1)
		modest.Demand.DiskMB, modest.Demand.NetInKbps = 10, 10
		for range 2 {
			r.reach(r.create(modest).ID, workspace.Running)
		}
	})
}

// TestGangsOfBoundlessNeeds: nodes that want nearly all of what has no bound wait
// like others, and nobody has to wait for the service because of them.
func TestGangsOfBoundlessNeeds(t *testing.T) {
	scene(t, func(r *rig) {
		r.create(large("", time.Hour))
		gang := request(2)
		gang.Terms.Kind, gang.Demand.MemoryMB = workspace.LeaseBestEffort, 600
		gang.Demand.DiskMB = 1<<31 - 1
		first := r.create(gang)
		r.create(request(1))
		pass(75 * time.Minute)
		r.stands(first.ID, workspace.Running, workspace.LeaseActive)
	})
}
