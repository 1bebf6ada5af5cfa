package libvirt

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// namespace is that of our element in a domain's metadata.
const namespace = "urn:philoxenia:libvirt:1"

// prefix begins the name of each of our domains.
const prefix = "workspace-"

// uuidSpace is the root of our domains' UUIDs, drawn once at random.
var uuidSpace = uuid.MustParse("5d3c5a0e-5c53-4b0e-9f1c-2b7f1f6f2f0a")

// identity is our element in the metadata of a domain: whose it is, and for
// the operator's eyes what it is. The namespace is an attribute here because
// libvirt gives the element back without it.
type identity struct {
	XMLName   xml.Name `xml:"workspace"`
	Namespace string   `xml:"xmlns,attr"`
	Pool      string   `xml:"pool,attr"`
	ID        string   `xml:"id,attr"`
	Spec      string   `xml:"spec,attr"` // digest of what stays as it is; see is
	Boot      string   `xml:"boot,attr"` // digest of its kernel
	// Shape is what can change while it runs. Domains of earlier releases have
	// none, and in Spec the fingerprint of all.
	Shape string `xml:"shape,attr,omitempty"`
	// DiskLimit is what its disks are held to; none: nothing.
	DiskLimit string `xml:"disk,attr,omitempty"`
	// Memory is the file for its memory; none: libvirt keeps that where it likes.
	Memory string `xml:"memory,attr,omitempty"`
	// Links are the names of its links on the host, where they are not left to
	// libvirt, and "seed" when it has a disk that tells it who it is.
	Links string `xml:"links,attr,omitempty"`
	// Restoring marks a domain whose memory has come from its file, from before it
	// runs until the file is gone. Only what is in memory is ever marked.
	Restoring string `xml:"restoring,attr,omitempty"`
	// Restarting marks a domain that is ended only to be started again.
	Restarting string `xml:"restarting,attr,omitempty"`
	// Going marks a domain in memory that is on its way to another host, Coming one
	// that is on its way here, both until the move is known to be over.
	Going  string `xml:"going,attr,omitempty"`
	Coming string `xml:"coming,attr,omitempty"`
	// Reverting is the snapshot of which the disks are being put back.
	Reverting string `xml:"reverting,attr,omitempty"`
	Owner     string `xml:"owner"`
	Name      string `xml:"name"`
	Snapshots []kept `xml:"snapshot"`
}

// carry takes over from an earlier element of the same machine what its
// definition does not say.
func (i *identity) carry(from identity) {
	i.Restoring, i.Going, i.Coming = from.Restoring, from.Going, from.Coming
	i.Reverting, i.Snapshots = from.Reverting, from.Snapshots
}

// identify makes the element for a machine.
func (h *Host) identify(m workspace.Machine) identity {
	boot := sha256.Sum256(fmt.Appendf(nil, "%q", m.Boot))
	return identity{Namespace: namespace, Pool: h.o.Pool, ID: m.ID.String(),
		Spec: m.FixedPrint(), Boot: hex.EncodeToString(boot[:]),
		Shape: shapeText(m.Shape()), Memory: m.Memory, Links: linksOf(m),
		DiskLimit: diskLimit(m),
		Owner:     string(m.Owner), Name: m.Name}
}

// linksOf lists the names of the machine's links, and whether it has a seed.
func linksOf(m workspace.Machine) string {
	var names []string
	for _, n := range m.NICs {
		if n.Device != "" {
			names = append(names, n.Device)
		}
	}
	for _, d := range m.Disks {
		if d.Seed {
			names = append(names, "seed")
		}
	}
	return strings.Join(names, " ")
}

// is reports whether the domain is the one that the machine makes.
func (i identity) is(m workspace.Machine) bool {
	if i.Shape == "" {
		return i.Spec == m.Fingerprint()
	}
	return i.Spec == m.FixedPrint() && i.Shape == shapeText(m.Shape())
}

// shapeForm is how a shape stands in our element.
const shapeForm = "%d MB %d CPUs %d %% in %d out %d"

func shapeText(s workspace.Shape) string {
	return fmt.Sprintf(shapeForm, s.MemoryMB, s.CPUs, s.CPUPercent, s.NetInKbps, s.NetOutKbps)
}

// shape reads the shape; false when there is none.
func (i identity) shape() (s workspace.Shape, ok bool) {
	_, err := fmt.Sscanf(i.Shape, shapeForm,
		&s.MemoryMB, &s.CPUs, &s.CPUPercent, &s.NetInKbps, &s.NetOutKbps)
	return s, err == nil
}

// domainName is the name of a workspace's domain.
func domainName(id workspace.ID) string { return prefix + id.String() }

// uuidOf derives the UUID of a workspace's domain.
func (h *Host) uuidOf(id workspace.ID) uuid.UUID {
	pool := uuid.NewSHA1(uuidSpace, []byte(h.o.Pool))
	return uuid.NewSHA1(pool, []byte(id.String()))
}

// keyOf returns the workspace that a domain's name and UUID belong to; false
// when they are not ours.
func (h *Host) keyOf(name string, id uuid.UUID) (workspace.ID, bool) {
	text, ok := strings.CutPrefix(name, prefix)
	if !ok {
		return 0, false
	}
	key, err := workspace.ParseID(text)
	if err != nil || h.uuidOf(key) != id {
		return 0, false
	}
	return key, true
}

// like reports whether the definition need not be written again: it is of the
// same kernel, and has all that this release writes.
func (i identity) like(other identity) bool {
	return i.Boot == other.Boot && i.Shape == other.Shape && i.Memory == other.Memory &&
		i.Links == other.Links && i.DiskLimit == other.DiskLimit
}
