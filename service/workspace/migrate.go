package workspace

import (
	"context"
	"strings"
	"time"
)

// Course is where a workspace goes while its guest is in memory: the Argument of a
// ChangeMigrate.
type Course struct {
	From, To HostID
	Cold     bool // the guest stands still meanwhile
}

// cold marks a Course whose guest stands still.
const cold = "cold"

// String writes the course as ParseCourse reads it.
func (c Course) String() string {
	text := string(c.From) + " " + string(c.To)
	if c.Cold {
		text += " " + cold
	}
	return text
}

// ParseCourse reads what String wrote. The error has kind Internal: nobody else
// writes it.
func ParseCourse(text string) (Course, error) {
	words := strings.Fields(text)
	if len(words) != 2 && (len(words) != 3 || words[2] != cold) {
		return Course{}, Errorf(Internal, "read the course", text, "it is not FROM TO")
	}
	return Course{HostID(words[0]), HostID(words[1]), len(words) == 3}, nil
}

// Elsewhere returns the end of a course that a workspace on the host is not at, of
// a change that is one; else empty.
func (c *Change) Elsewhere(at HostID) HostID {
	course, err := ParseCourse(c.Argument)
	switch {
	case c.Kind != ChangeMigrate || err != nil:
		return ""
	case course.To == at:
		return course.From
	}
	return course.To
}

// Concerns reports whether the change has something to do on that host, which need not
// be its workspace's: to bring something from there, or to remove what is left there.
func (c *Change) Concerns(id HostID) bool {
	switch c.Kind {
	case ChangeMigrate:
		course, err := ParseCourse(c.Argument)
		return err == nil && (course.From == id || course.To == id)
	case ChangeResume, ChangeEvict, ChangeDestroy:
		return HostID(c.Argument) == id
	}
	return false
}

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
	// CanMigrate says, without asking either host, whether machines that are in memory
	// can go from this one to the target: a Conflict where they never can.
	CanMigrate(target Deployment) error
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
	// Sweep removes what may be left of a machine on a host that does not have it: what
	// Undefine finds by the machine, which are the entries of its NICs in networks and,
	// if files says that nobody else needs it, what its console said. That is so of a
	// migration that is given up before a next Migrate has looked at it, as the
	// hypervisors make and remove machines of their own accord. Nothing is done to a
	// machine that is there.
	Sweep(ctx context.Context, id ID, nics []NIC, files bool) error
}
