// Package host keeps the pool's hosts and the record together: it knows the
// nodes that the handlers work on, listens to what they report, and after a
// restart or an interruption attaches what runs to what is recorded.
//
// It must not start anything: it observes, and writes what it saw into the
// record. It removes nothing but what operators gave up while a host was lost.
package host

import (
	"net/url"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/philoxenia/philoxenia/service/lease/learn"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Node is one host with the means to work on it.
type Node struct {
	workspace.Host
	workspace.Deployment
	// Access is the way to the host's files and programs.
	Access workspace.Access
	// Spec is how the host is described, all told.
	Spec workspace.HostSpec
	// Dir is where disks live on the host, an absolute path.
	Dir string
	// Inert says that machines here are simulated: nothing ever writes to their
	// disks, and a power cut loses them anyway. Images are then shared instead
	// of copied, and nothing is forced to the disk.
	Inert bool
	// MaxImageMB refuses larger images; 0: no limit.
	MaxImageMB int64
	// DiskMBps and DiskIOPS are what each machine may do with its disks, in megabytes
	// and operations a second; 0: no limit.
	DiskMBps, DiskIOPS int64
	// CacheMB is how much of images that nobody uses is kept on the host; 0: every
	// image is fetched anew.
	CacheMB int64
	// Networks are what associations are on the host: network:NAME or bridge:NAME.
	Networks map[string]string
	// Customiser writes files into images; nil: machines here have no file
	// systems (a simulated host), and files are left out.
	Customiser workspace.Customiser

	read readings
	lost atomic.Bool // out of reach, as far as the Watcher knows

	heard chan struct{} // closed when it answers first; nil: nobody waits for that

	mu    sync.Mutex
	met   bool // heard is closed
	alive workspace.Liveness
}

// Reachable reports whether the host answered when it was last asked. Before a
// Watcher runs it is taken to, but for one that Await was called of.
func (n *Node) Reachable() bool { return !n.lost.Load() }

// Took is told how long something took on a host, for a guest's memory or an
// image of that size. It is called from any goroutine, and must be quick.
type Took func(what learn.What, host workspace.HostID, sizeMB int64, took time.Duration)

// Tell calls it, if there is somebody to tell.
func (t Took) Tell(
	what learn.What, host workspace.HostID, sizeMB int64, took time.Duration,
) {
	if t != nil {
		t(what, host, sizeMB, took)
	}
}

// DiskPath returns the file of the i-th disk, without the suffix that tells a
// qcow2 image from a raw one: DIR/KEY-i-ROLE.
func (n *Node) DiskPath(w *workspace.Workspace, i int) string {
	name := w.ID.String() + "-" + strconv.Itoa(i) + "-" + string(w.Spec.Disks[i].Role)
	return filepath.Join(n.Dir, name)
}

// SeedPath returns the file of the disk that tells the workspace's guest who it is,
// beside its disks and with a name of their form: DIR/KEY-999-seed.
func (n *Node) SeedPath(w *workspace.Workspace) string {
	return filepath.Join(n.Dir, w.ID.String()+"-999-seed")
}

// ConsoleDir is where the logs of serial lines are on the host.
func (n *Node) ConsoleDir() string { return filepath.Join(n.Dir, "consoles") }

// MemoryPath returns the file in which the memory of a suspended guest is kept,
// beside its disks: DIR/KEY-memory.HOST. Hosts that share a directory do not
// share the file, so that each removes its own alone.
func (n *Node) MemoryPath(w *workspace.Workspace) string {
	return filepath.Join(n.Dir, w.ID.String()+"-memory."+url.PathEscape(string(n.ID)))
}
