package agenda

import (
	"time"

	"github.com/philoxenia/philoxenia/service/lease/book"
	"github.com/philoxenia/philoxenia/service/lease/slot"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// stamp writes a time as the Book has it; the zero time is Never.
func stamp(t time.Time) slot.Time {
	if t.IsZero() {
		return slot.Never
	}
	return slot.Time(t.UnixMilli())
}

// moment reads a time of the Book.
func moment(t slot.Time) time.Time {
	if t == slot.Never {
		return time.Time{}
	}
	return time.UnixMilli(int64(t)).UTC()
}

// length writes a duration as the Book has it, and span reads one.
func length(d time.Duration) slot.Time { return slot.Time(d.Milliseconds()) }

func span(t slot.Time) time.Duration { return time.Duration(t) * time.Millisecond }

// percent are the hundredths of a CPU in which the Book counts.
const percent = 100

// need is what a node takes of a host.
func need(a workspace.Allocation) slot.Amount {
	var n slot.Amount
	n[slot.CPU] = bounded(a.CPUShare())
	n[slot.Memory] = bounded(a.MemoryMB)
	n[slot.Disk] = bounded(a.DiskMB)
	n[slot.NetIn] = bounded(a.NetInKbps)
	n[slot.NetOut] = bounded(a.NetOutKbps)
	return n
}

// taken is what is used of a host.
func taken(c workspace.Capacity) slot.Amount {
	n := need(workspace.Allocation{MemoryMB: c.MemoryMB, DiskMB: c.DiskMB,
		NetInKbps: c.NetInKbps, NetOutKbps: c.NetOutKbps})
	n[slot.CPU] = bounded(c.CPUShare)
	return n
}

// room is what a host has. What is not counted there is without bound.
func room(c workspace.Capacity) slot.Amount {
	var n slot.Amount
	n[slot.CPU] = bounded(c.CPUs * percent)
	n[slot.Memory] = bounded(c.MemoryMB)
	n[slot.Disk] = counted(c.DiskMB)
	n[slot.NetIn] = counted(c.NetInKbps)
	n[slot.NetOut] = counted(c.NetOutKbps)
	return n
}

// most is the largest amount that the Book knows.
const most = slot.Boundless

func bounded(n int64) int32 { return int32(max(min(n, most), 0)) }

func counted(n int64) int32 {
	if n <= 0 {
		return most
	}
	return bounded(n)
}

// granted is the allocation with the amounts that the Book grants.
func granted(a workspace.Allocation, n slot.Amount) workspace.Allocation {
	a.CPUs = max(int64(n[slot.CPU])/a.PerCPU(), 1)
	a.MemoryMB = int64(n[slot.Memory])
	a.DiskMB = int64(n[slot.Disk])
	a.NetInKbps, a.NetOutKbps = int64(n[slot.NetIn]), int64(n[slot.NetOut])
	return a
}

// least is what will do of a part: as much as it asks for, where nothing is said.
// What of a processor each CPU may take is not bargained over.
func least(p workspace.Part) slot.Amount {
	p.Least.CPUPercent = p.Demand.CPUPercent
	want, will := need(p.Demand), need(p.Least)
	for r := range will {
		if will[r] == 0 {
			will[r] = want[r]
		}
	}
	return will
}

// kinds are the words of the two packages.
var kinds = map[workspace.LeaseKind]book.Kind{
	"":                         book.Immediate,
	workspace.LeaseImmediate:   book.Immediate,
	workspace.LeaseReservation: book.Reservation,
	workspace.LeaseBestEffort:  book.BestEffort,
	workspace.LeaseDeadline:    book.Deadline,
}

// immediate reports whether the lease begins at once, without time to boot.
func immediate(t workspace.LeaseTerms) bool {
	return kinds[t.Kind] == book.Immediate
}

// statuses say how a lease stands for its owner, and phases what its hosts do.
var (
	statuses = map[book.State]workspace.LeaseStatus{
		book.Queued: workspace.LeaseQueued, book.Accepted: workspace.LeaseAccepted,
		book.Booting: workspace.LeaseActive, book.Running: workspace.LeaseActive,
		book.Resuming: workspace.LeaseActive, book.Ending: workspace.LeaseActive,
		book.Suspending: workspace.LeaseSuspending, book.Suspended: workspace.LeaseSuspended,
	}
	phases = map[book.State]workspace.BarPhase{
		book.Booting: workspace.PhaseBoot, book.Running: workspace.PhaseRun,
		book.Suspending: workspace.PhaseSuspend, book.Resuming: workspace.PhaseResume,
		book.Ending: workspace.PhaseShutdown,
	}
)

// state reads the Book's state from a booking.
func state(b *workspace.Booking) book.State {
	for s, phase := range phases {
		if phase == b.Phase {
			return s
		}
	}
	for s, status := range statuses {
		if status == b.Status && status != workspace.LeaseActive {
			return s
		}
	}
	return book.Running
}
