package workspace

import (
	"fmt"
	"time"
)

// HostSpec is what an operator says of a host: how it is reached, and what of it
// may be given. Files are files of the daemon's machine.
type HostSpec struct {
	ID           HostID
	URI          string // libvirt's, or sim: for a simulated host
	VMM          string // KVM or Xen; empty: KVM
	Acceleration string // auto, kvm, tcg; of Xen auto, pv, pvh; empty: auto
	Dir          string // of disks, on the host; empty: the site's own choice
	Capacity     Capacity
	MaxImageMB   int64             // refuses larger images; 0: no limit
	Associations []string          // networks that reach it; empty: all
	Networks     map[string]string // each association's network:NAME or bridge:NAME
	SSH          *HostSSH          // nil: its files are this machine's own
	TLS          *HostTLS          // nil: libvirt's own places
	// Peer is the URI at which other hosts' libvirtd reach it; empty: URI. DiskMBps and
	// DiskIOPS are of each machine, a second; 0: no limit. Overlay is the address for
	// private networks of several hosts; empty: none.
	Peer     string `json:",omitzero"`
	DiskMBps int64  `json:",omitzero"`
	DiskIOPS int64  `json:",omitzero"`
	Overlay  string `json:",omitzero"`
}

// HostSSH is how a host is logged on to.
type HostSSH struct {
	Address      string // HOST:PORT
	User         string
	KeyFile      string // this or PasswordFile
	PasswordFile string // its first line
	KnownHosts   string // with the host's key
	Peer         string `json:",omitzero"` // address for other hosts; empty: Address
}

// At is where the host is logged on to; empty: nowhere.
func (s *HostSpec) At() string {
	if s.SSH == nil {
		return ""
	}
	return s.SSH.Address
}

// HostTLS are the files of qemu+tls:// and xen+tls://.
type HostTLS struct{ CAFile, CertFile, KeyFile string }

// HostRecord is what the record keeps of a host beside its mode.
type HostRecord struct {
	Host    HostID
	Spec    *HostSpec // of one that was added while the service ran; nil: configured, or gone
	By      Owner     // who added it
	Added   time.Time
	Has     Capacity  // what it said last that it has in all; zero: it never said
	Lost    time.Time // since when it is out of reach, which its workspaces are marked for
	LostWhy string
	// Left are workspaces that were given up while the host was out of reach: what
	// is found of them there is removed before the host is used again.
	Left []ID
}

// Empty reports whether it says nothing.
func (r *HostRecord) Empty() bool {
	return r.Spec == nil && r.Has == (Capacity{}) && r.Lost.IsZero() && len(r.Left) == 0
}

// Trouble says what is wrong with workspaces on the host; empty: nothing.
func (r *HostRecord) Trouble() string {
	if r.Lost.IsZero() {
		return ""
	}
	return fmt.Sprintf("its host %s has not answered since %s; it may run all the same",
		r.Host, r.Lost.UTC().Format(time.RFC3339))
}

// Verdict is what a check of a host came to.
type Verdict string

// The verdicts.
const (
	VerdictOK   Verdict = "ok"
	VerdictWarn Verdict = "warn" // it works, and somebody should look
	VerdictFail Verdict = "fail" // workspaces cannot be run there
)

// Finding is what one check of a host found.
type Finding struct {
	Check   string // what was looked at, in a word or two
	Verdict Verdict
	Text    string // what was found
	Do      string // what would help; empty: nothing needs to be done
}

// Liveness is what is known of a host's answers.
type Liveness struct {
	Answers bool
	Since   time.Time // that it does, or does not; zero: nothing is known yet
	Version string    // of its hypervisor, as it said last
	Error   string    // why it did not answer last; kept while it answers again
}
