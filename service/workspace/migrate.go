package workspace

import (
	"context"
	"time"
)

// Migration says how a machine goes to another host while it is in memory.
type Migration struct {
	Target Deployment // the other host, by an adapter of the same kind
	As     Machine    // the machine as it is to be there: its paths, its networks
	// Live lets the guest run while its memory is copied; else it stands still meanwhile.
	Live bool
	// Copied says that each host has disks of its own: those that the guest may write
	// to are copied along, over what is there. Else both hosts see the same files.
	Copied   bool
	MaxMBps  int64         // megabytes a second that it may take; 0: no limit
	Downtime time.Duration // for which a live guest may stand still; 0: as the hypervisor likes
	Progress Progress      // may be nil
}

// Passage is how a migration went; zero where it was found done.
type Passage struct {
	Total    time.Duration
	Downtime time.Duration // for which the guest stood still
	Bytes    int64         // sent
}

// Migrator moves machines between hosts, under the rules of Hypervisor.
type Migrator interface {
	// Migrate moves a machine that is in memory from this host to the target, where
	// it goes on as it was, running or paused; nothing of it remains here but copied
	// disks, which nobody uses any more. One that is there already is a success. At
	// each moment one copy of the machine can run, and whatever dies meanwhile, calling
	// it again finds out from both hosts which, and completes the move or finds it
	// done. Where it fails the machine is here as it was, and nothing is left there;
	// but when a host is out of reach (Unavailable), that is so only after the next
	// call. A machine that is not in memory, and a target that cannot take it, is a
	// Conflict. The end of ctx calls it off.
	Migrate(ctx context.Context, id ID, g Migration) (Passage, error)
}
