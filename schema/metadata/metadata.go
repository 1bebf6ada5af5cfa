// Package metadata is the workspace metadata document: what the environment
// is, regardless of where and for how long it runs. It reads and writes the
// document as a file (VirtualWorkspace) and as part of a create message.
//
// It checks what the text alone can tell. It must not know policy: which
// associations, hypervisors and images a site has, or who may ask for them.
//
// Where it is more lenient than the original's schema, and why:
//
//	what                                    why
//	kernel with parameters alone            the original client's stubs send it
//	white space around words and addresses  files are indented by people
//	xsi:type, xsi:schemaLocation, xml:*     other stacks and editors add them
//	VMM type KVM                            ours; the original had Xen and VMware
//
// Where it is stricter, as the original service was: definition, architecture
// and every mountAs are required; RAM and swap are refused; with
// AllocateAndConfigure no address may be given, with the other methods IP
// address, netmask and broadcast must be.
package metadata

import (
	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// The names under which the document travels.
var (
	File = xmlstrict.Name{Space: schema.Metadata, Local: "VirtualWorkspace"} // root of a file
	Wire = xmlstrict.Name{Space: schema.Types, Local: "metadata"}            // in a create message
)

// VirtualWorkspace is the document.
type VirtualWorkspace struct {
	Name              string // a URI
	NICs              []NIC
	Contextualization *Contextualization // nil when absent
	Definition        Definition
}

// The acquisition methods: where a NIC's addresses come from.
const (
	AllocateAndConfigure = "AllocateAndConfigure" // the site leases them
	AcceptAndConfigure   = "AcceptAndConfigure"   // the document gives them, the site sets them
	Advisory             = "Advisory"             // the document tells what the guest will use
)

// NIC is a network interface, as asked for or as allocated.
type NIC struct {
	Name        string
	MAC         string // as given; empty when absent
	Method      string
	Hostname    string
	IPAddress   string
	Netmask     string
	Gateway     string
	Broadcast   string
	Network     string
	Association string // empty: the site's default
}

// Definition is what the machine needs and which disks it has.
type Definition struct {
	Architecture string // JSDL word
	VMM          *VMM   // nil: any
	Kernel       *Kernel
	Root         Disk
	Partitions   []Disk
	Blanks       []BlankDisk
}

// VMM is a type of hypervisor (Xen, VMware, KVM) with the versions that do.
type VMM struct {
	Type     string
	Versions []string
}

// Kernel is the kernel to boot. At most one of Image and Version is given.
type Kernel struct {
	Image      string // URI; empty: the site's default
	Version    *KernelVersion
	Parameters string
}

// KernelVersion is a range of kernel versions; either end may be open.
type KernelVersion struct{ Min, Max string }

// Disk is an image and where it appears in the guest.
type Disk struct {
	Location string // URI
	MountAs  string // sda1, sdb, ...
	ReadOnly bool
}

// BlankDisk is a disk made on the host, whose size the deployment request tells.
type BlankDisk struct {
	Name    string
	MountAs string
}

// Contextualization is what a workspace offers to and needs from the others
// of its virtual cluster.
type Contextualization struct {
	Provides *Provides
	Requires *Requires
}

// Provides is the offering side.
type Provides struct {
	Identities []Identity
	Roles      []ProvidedRole
}

// Requires is the needing side.
type Requires struct {
	Identities []Identity // Interface is not used here
	Roles      []RequiredRole
	Data       []RequiredData
}

// Identity says which facts of a node are meant; nil means not mentioned. A
// document asks with empty elements, a broker answers with filled ones.
type Identity struct{ Interface, IP, Hostname, Pubkey *string }

// ProvidedRole is a role that the workspace fills, on one interface or on all.
type ProvidedRole struct{ Interface, Role string }

// RequiredRole is a role that others must fill, and what of them is needed.
type RequiredRole struct {
	Name             string
	Hostname, Pubkey bool
	Text             string
}

// RequiredData is a datum that somebody must hand in.
type RequiredData struct{ Name, Text string }

// l, d, m and j make names in the document's namespaces.
var (
	m = xmlstrict.In(schema.Metadata)
	l = xmlstrict.In(schema.Logistics)
	d = xmlstrict.In(schema.Definition)
	j = xmlstrict.In(schema.JSDL)
)
