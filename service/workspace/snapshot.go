package workspace

import (
	"context"
	"regexp"
	"time"
)

// Snapshot is a state of a machine that its host keeps: of its disks and, where it
// was in memory, of its memory.
type Snapshot struct {
	Name   string
	Made   time.Time
	Memory bool  // of a machine that ran or was paused, or was suspended
	SizeMB int64 // that it takes on the host, rounded up
}

// MostSnapshots is how many there may be of a machine: each takes room on the host
// that no lease is asked for.
const MostSnapshots = 16

// Snapshotter keeps states of machines, under the rules of Hypervisor.
type Snapshotter interface {
	// Snapshot keeps the state of a machine under a name that CheckSnapshotName
	// takes, without a change of its condition: while it runs the guest stands still
	// as long as its memory is written. Where there is one of that name already
	// that is the success. A machine that cannot be kept as it is is a Conflict.
	Snapshot(ctx context.Context, id ID, name string) error
	// Revert puts the machine back, whatever its condition, and throws away what it
	// has become since: it is off then, or saved where the snapshot has memory, and
	// Start goes on from there. Cut off in between it cannot be started until Revert
	// has been called again. The snapshot stays. It is a NotFound where there is none
	// of that name, and a Conflict where its memory is of another shape.
	Revert(ctx context.Context, id ID, name string) error
	// DeleteSnapshot removes a snapshot; one that is not there is a success.
	DeleteSnapshot(ctx context.Context, id ID, name string) error
	// Snapshots returns those that are whole, the oldest first.
	Snapshots(ctx context.Context, id ID) ([]Snapshot, error)
}

var snapshotName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$`)

// CheckSnapshotName refuses (Invalid) what cannot be the name of a snapshot, which
// becomes a part of names of files.
func CheckSnapshotName(name string) error {
	if snapshotName.MatchString(name) {
		return nil
	}
	return Errorf(Invalid, "name the snapshot", name,
		"a name is at most 63 letters, digits, - and _, and begins with a letter or digit")
}
