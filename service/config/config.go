// Package config is the daemon's configuration: one TOML document, read
// strictly, with usable zero values. What it says is checked here as far as
// the text alone goes; nothing is opened or contacted.
package config

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
)

// Config is the whole document.
type Config struct {
	// Data is the directory of everything the daemon keeps.
	Data         string       `toml:"data"`
	Listen       Listen       `toml:"listen"`
	Site         Site         `toml:"site"`
	Notify       Notify       `toml:"notify"`
	Scheduler    Scheduler    `toml:"scheduler"`
	FairShare    FairShare    `toml:"fair_share"`
	Quotas       []Quota      `toml:"quota"`
	Hosts        []Host       `toml:"host"`
	Networks     []Network    `toml:"network"`
	Overlay      Overlay      `toml:"overlay"`
	Kernels      []Kernel     `toml:"kernel"`
	Repositories Repositories `toml:"repository"`
	Images       ImageLibrary `toml:"image"`
}

// Listen says where the service is offered.
type Listen struct {
	Address   string `toml:"address"`    // loopback HOST:PORT; default 127.0.0.1:8080
	PublicURL string `toml:"public_url"` // base of the addresses in EPRs; default http://ADDRESS
	Caller    string `toml:"caller"`     // whom everyone who reaches it is taken for: a DN
	// RepliesElsewhere: requests may name addresses for their replies, within [notify].
	RepliesElsewhere bool `toml:"replies_elsewhere"`
}

// Site is the pool's policy.
type Site struct {
	DefaultDuration   Duration            `toml:"default_duration"`   // default 24h
	MaximumDuration   Duration            `toml:"maximum_duration"`   // default 336h
	Grace             Duration            `toml:"grace"`              // default 10m
	MaximumNodes      int                 `toml:"maximum_nodes"`      // of a group; 0: no limit
	DefaultCPUs       int64               `toml:"default_cpus"`       // default 1
	Architectures     []string            `toml:"architectures"`      // default x86, x86_64, x86_32
	AdvertisedVMM     string              `toml:"advertised_vmm"`     // default Xen
	AdvertisedVersion string              `toml:"advertised_version"` // default 3
	Accepts           map[string][]string `toml:"accepts"`            // request's VMM to hosts'
	KernelParameters  bool                `toml:"kernel_parameters"`  // requests may carry them
	ChargeGranularity Duration            `toml:"charge_granularity"` // default 1m
	ShutdownPatience  Duration            `toml:"shutdown_patience"`  // default 1m
	StatusDetails     bool                `toml:"status_details"`     // clients of 2.9 and later
	HideCharge        bool                `toml:"hide_charge"`        // no chargeGranularity
	Concurrency       int                 `toml:"concurrency"`        // tasks at a time; default 64
	// Operators are the DNs that may change hosts and see all of the schedule; default
	// listen.caller.
	Operators []string `toml:"operators"`
	// HostGrace is how long a host may be out of reach before its workspaces are marked
	// and their subscribers told; default 15s.
	HostGrace Duration `toml:"host_grace"`
	// Credentials is the directory in which keys and certificates of hosts are that
	// are added while the service runs; default DATA/credentials.
	Credentials string `toml:"credentials"`
	// HostDir is the directory below which such hosts have their disks whose files are
	// this machine's; default DATA/disks.
	HostDir string   `toml:"host_dir"`
	Warn    Duration `toml:"warn"` // before running time ends, of who names none; 0: no warning
	// RequireAttestation refuses images that no [[image.signer]] has attested.
	RequireAttestation bool `toml:"require_attestation"`
	NoStaging          bool `toml:"no_staging"` // requests may not have files staged in or out
	// Seed is how guests learn their name, addresses and keys: nocloud, by a disk for
	// cloud-init; kernel, by parameters; ext4, by files in the root disk; none; default
	// nocloud for requests with user data, and else none.
	Seed string `toml:"seed"`
	// SpoolMB is how much of the data directory files may take on their way between two
	// other machines; default 32768.
	SpoolMB int64 `toml:"spool_mb"`
	// ForwardPorts are the TCP ports of guests to which owners may be connected through the
	// service; default 22.
	ForwardPorts []int `toml:"forward_ports"`
	// ConsoleLogMB is how much of what a guest says on its serial line is kept on its host:
	// of a log that is longer, the newest half of this; default 16.
	ConsoleLogMB int64 `toml:"console_log_mb"`
}

// Notify is how notifications are delivered.
type Notify struct {
	AllowLoopback bool     `toml:"allow_loopback"` // consumers on this machine
	Allow         []string `toml:"allow"`          // further networks, as CIDR prefixes
	Timeout       Duration `toml:"timeout"`        // of one delivery; default 10s
	PauseAfter    Duration `toml:"pause_after"`    // of failures; default 1h
	GiveUp        Duration `toml:"give_up"`        // drops undelivered messages; default 24h
	PullCapacity  int      `toml:"pull_capacity"`  // messages at a pull point; default 10000
	Subscriptions int      `toml:"subscriptions"`  // of one owner; default 10000
	PullPoints    int      `toml:"pull_points"`    // of one owner; default 100
}

// Host is one VMM node.
type Host struct {
	ID           string            `toml:"id"`           // letters, digits and . _ -
	Adapter      string            `toml:"adapter"`      // libvirt or sim
	VMM          string            `toml:"vmm"`          // KVM or Xen; default KVM
	URI          string            `toml:"uri"`          // libvirt's
	Acceleration string            `toml:"acceleration"` // auto, kvm, tcg; of Xen auto, pv, pvh
	Dir          string            `toml:"dir"`          // of disks; default DATA/disks/ID
	CPUs         int64             `toml:"cpus"`         // 0: ask the host
	MemoryMB     int64             `toml:"memory_mb"`    // 0: ask the host
	DiskMB       int64             `toml:"disk_mb"`      // 0: not counted
	NetInKbps    int64             `toml:"net_in_kbps"`  // of its link; 0: not counted
	NetOutKbps   int64             `toml:"net_out_kbps"` // of its link; 0: not counted
	MaxImageMB   int64             `toml:"max_image_mb"` // refuses larger images; 0: no limit
	Associations []string          `toml:"associations"` // empty: all
	Networks     map[string]string `toml:"networks"`     // to network:NAME or bridge:NAME
	Drained      bool              `toml:"drained"`      // takes no new workspaces
	Count        int               `toml:"count"`        // of a sim: so many, ID-001 and on
	TLS          HostTLS           `toml:"tls"`          // for a uri with +tls
	SSH          *HostSSH          `toml:"ssh"`          // left out: the host is this machine
	// Peer is the URI at which other hosts' libvirtd reach this one's, for migration;
	// default uri, where that is not of a local socket.
	Peer string `toml:"peer"`
	// Overlay is the IP address at which the other hosts reach this one for private networks
	// that span hosts; without one the nodes of such a group are on this host alone.
	Overlay  string   `toml:"overlay"`
	DiskMBps int64    `toml:"disk_mbps"` // of each workspace, megabytes a second; 0: no limit
	DiskIOPS int64    `toml:"disk_iops"` // of each workspace, operations a second; 0: no limit
	Windows  []Window `toml:"window"`
}

// HostTLS are the files by which a host and the daemon know each other, in PEM; left
// out: those of libvirt's own clients below /etc/pki.
type HostTLS struct {
	CAFile   string `toml:"ca_file"`   // the authority that signed the host's certificate
	CertFile string `toml:"cert_file"` // the daemon's own
	KeyFile  string `toml:"key_file"`  // its private key
}

// HostSSH is how the daemon logs in on a host, for its files and programs and for a
// uri with +ssh.
type HostSSH struct {
	Address      string `toml:"address"` // HOST or HOST:PORT
	User         string `toml:"user"`
	KeyFile      string `toml:"key_file"`      // this or password_file
	PasswordFile string `toml:"password_file"` // its first line
	KnownHosts   string `toml:"known_hosts"`   // with the host's key
	Peer         string `toml:"peer"`          // address for other hosts; default: address
}

// Network is an association with its pool of addresses.
type Network struct {
	Name      string `toml:"name"`  // the association of requests
	First     string `toml:"first"` // IPv4
	Last      string `toml:"last"`  // both are leased, and all between
	Netmask   string `toml:"netmask"`
	Gateway   string `toml:"gateway"` // not among the leased
	Broadcast string `toml:"broadcast"`
	DNS       string `toml:"dns"`
	MACPrefix string `toml:"mac_prefix"` // default A2:AA:BB
	Hostname  string `toml:"hostname"`   // pattern with one %d; default NAME-%d
	// First6 is the IPv6 address that goes with first, with the length of its network, such
	// as 2001:db8::20/64; the others follow it one by one.
	First6   string `toml:"first6"`
	Gateway6 string `toml:"gateway6"` // default: as routers advertise
	// Accept and Advisory are the addresses that requests may bring along with the methods
	// AcceptAndConfigure and Advisory: ADDRESS, ADDRESS-ADDRESS or ADDRESS/BITS. They may be
	// of the pool or beside it. Guests with Advisory are not held to an address.
	Accept   []string `toml:"accept"`
	Advisory []string `toml:"advisory"`
	// Guard holds guests to the addresses that they were leased; default true.
	Guard *bool `toml:"guard"`
	// Private gives each group, or workspace alone, a network of its own: a bridge of its
	// host that nothing else is on. The nodes of a group are on one host, or on hosts that
	// have an overlay address.
	Private bool `toml:"private"`
	// Probe asks the wire before a guest gets an address whether somebody has it, where
	// the network is a bridge of the host; default true.
	Probe *bool `toml:"probe"`
}

// Overlay is how private networks span hosts that have an overlay address.
type Overlay struct {
	// OneHost keeps the nodes of a group with a private network on one host all the same.
	OneHost bool `toml:"one_host"`
	Port    int  `toml:"port"` // of UDP, at which hosts hear each other's VXLANs; default 4789
	// MTU is the largest packet of guests there: that of the hosts' own network less 50, or
	// less 70 where their addresses are IPv6; default 1450, or 1430 where any is.
	MTU int `toml:"mtu"`
	// FirstVNI and LastVNI are the numbers of VXLANs that are the service's; default 1 and
	// 16777215.
	FirstVNI int `toml:"first_vni"`
	LastVNI  int `toml:"last_vni"`
}

// Kernel is a kernel that requests may name as file://NAME.
type Kernel struct {
	Name    string `toml:"name"`
	Image   string `toml:"image"`   // a file of the hosts
	Initrd  string `toml:"initrd"`  // another one; may be left out
	Cmdline string `toml:"cmdline"` // before what a request adds
	// Seed is how guests that boot it learn their name, addresses and keys: nocloud,
	// kernel, ext4 or none; default site.seed.
	Seed string `toml:"seed"`
}

// Repositories are where images come from and go to.
type Repositories struct {
	File *FileRepository `toml:"file"`
	SFTP []SSHRepository `toml:"sftp"`
	SCP  []SSHRepository `toml:"scp"`
	Web  []WebRepository `toml:"web"`
	// StallTimeout ends a transfer in which nothing moves; default 30s.
	StallTimeout Duration `toml:"stall_timeout"`
}

// FileRepository is a directory of this machine, for file:// locations.
type FileRepository struct {
	Dir string `toml:"dir"` // default DATA/images
}

// SSHRepository is a server of sftp:// or scp:// locations.
type SSHRepository struct {
	Address      string `toml:"address"` // HOST:PORT as in the locations
	User         string `toml:"user"`
	KeyFile      string `toml:"key_file"`      // this or password_file
	PasswordFile string `toml:"password_file"` // its first line
	KnownHosts   string `toml:"known_hosts"`   // with the server's host key
	Root         string `toml:"root"`          // directory that locations are relative to
}

// WebRepository is a server of https:// and http:// locations.
type WebRepository struct {
	Address      string `toml:"address"`       // HOST:PORT, with the port of the scheme too
	Plain        bool   `toml:"plain"`         // http, without TLS
	Root         string `toml:"root"`          // path below which images are; default: all
	User         string `toml:"user"`          // of Basic authentication, if any
	PasswordFile string `toml:"password_file"` // its first line
	TokenFile    string `toml:"token_file"`    // of a bearer token, instead of user
	CAFile       string `toml:"ca_file"`       // certificates to trust instead of the system's
	Ranges       int    `toml:"ranges"`        // of one image at a time; default 4
}

// Duration is a time.Duration written as "90s", "2h30m".
type Duration time.Duration

// UnmarshalText reads Go's notation.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err == nil && v < 0 {
		err = fmt.Errorf("%s is negative", text)
	}
	*d = Duration(v)
	return err
}

// String writes Go's notation, without what is zero.
func (d Duration) String() string {
	text := time.Duration(d).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// Overrides are what the command line says instead of the document; empty
// fields change nothing.
type Overrides struct {
	Data    string
	Address string // of Listen
}

// Load reads, completes and checks the file. Paths in it that are not absolute
// are relative to its directory.
func Load(path string, o Overrides) (*Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the configuration: %w", err)
	}
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("cannot read the configuration: %w", err)
	}
	c, meta, err := decode(data)
	if c != nil { // all that is wrong is told at once
		said := *c
		c.resolve(dir)
		c.Data = cmp.Or(o.Data, c.Data)
		c.Listen.Address = cmp.Or(o.Address, c.Listen.Address)
		c.complete()
		err = errors.Join(err, checkNoughts(meta, &said, c), c.Check())
	}
	if err != nil {
		return nil, fmt.Errorf("cannot use the configuration %s: %w", path, err)
	}
	return c, nil
}

// decode reads a document. A key that does not exist is an error that names
// the nearest key that does; the rest of the document is returned beside it.
func decode(data []byte) (*Config, *toml.MetaData, error) {
	c := &Config{}
	meta, err := toml.NewDecoder(bytes.NewReader(data)).Decode(c)
	if err != nil && strings.HasSuffix(err.Error(), "destination has type slice") {
		return nil, nil, fmt.Errorf("%w (a table of a list is written [[NAME]])", err)
	}
	if err != nil {
		return nil, nil, err
	}
	var unknown []error
	table := ""
	for _, key := range meta.Undecoded() {
		if name := key.String(); table == "" || !strings.HasPrefix(name, table) {
			unknown = append(unknown, unknownKey(name))
			table = name + "." // what is in an unknown table is not told besides
		}
	}
	return c, &meta, errors.Join(unknown...)
}

func unknownKey(key string) error {
	parts := strings.Split(key, ".")
	last := parts[len(parts)-1]
	if near := nearest(last, keys()); near != "" {
		return fmt.Errorf("unknown key %q, did you mean %q?", key, near)
	}
	return fmt.Errorf("unknown key %q", key)
}
