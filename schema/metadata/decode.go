package metadata

import (
	"regexp"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/document"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// Decode reads the document at e, an element of doc under either of its names.
// The error is a *xmlstrict.ContentError.
func Decode(doc *xmlstrict.Document, e *etree.Element) (*VirtualWorkspace, error) {
	r := newReader(doc, "workspace metadata")
	return document.Decode(r.Reader, e, r.workspace, File, Wire)
}

// DecodeNetworking reads the interfaces of an l:networking element, in which
// allocated addresses may stand.
func DecodeNetworking(doc *xmlstrict.Document, e *etree.Element) ([]NIC, error) {
	r := newReader(doc, "networking")
	var nics []NIC
	if r.Root(e, l("networking")); !r.Failed() {
		r.networking(e, &nics, 0)
	}
	return nics, r.Err()
}

// DecodeVMM reads a d:VMM element.
func DecodeVMM(doc *xmlstrict.Document, e *etree.Element) (*VMM, error) {
	r := newReader(doc, "VMM")
	return document.Decode(r.Reader, e, r.vmm, d("VMM"))
}

// reader reads metadata; it remembers which places in the guest are taken.
type reader struct {
	*document.Reader
	mounts map[string]bool
}

func newReader(doc *xmlstrict.Document, name string) *reader {
	return &reader{Reader: document.NewReader(doc, name)}
}

func (r *reader) workspace(e *etree.Element, v *VirtualWorkspace) {
	r.Sequence(e, []document.Field{
		document.One(m("name"), r.Reference(&v.Name)),
		document.Optional(l("logistics"), func(e *etree.Element) { r.logistics(e, v) }),
		document.One(d("definition"), func(e *etree.Element) { r.definition(e, &v.Definition) }).
			Hint("a definition must be given: architecture and root disk at least"),
	})
}

func (r *reader) logistics(e *etree.Element, v *VirtualWorkspace) {
	r.Sequence(e, []document.Field{
		document.Optional(l("networking"), func(e *etree.Element) {
			r.networking(e, &v.NICs, 1)
			r.requested(e, v.NICs)
		}),
		document.Optional(l("contextualization"), func(e *etree.Element) {
			v.Contextualization = new(Contextualization)
			r.contextualization(e, v.Contextualization)
		}),
	})
}

// maxDevices is how many NICs a workspace may have, and how many disks of one
// kind: twice what a virtual PCI bus has places for. Without a bound one
// request could take all addresses of a site.
const maxDevices = 64

// networking reads at least so many interfaces, whose names must differ.
func (r *reader) networking(e *etree.Element, nics *[]NIC, least int) {
	names := make(map[string]bool)
	r.Sequence(e, []document.Field{
		document.Many(least, l("nic"), func(e *etree.Element) {
			var n NIC
			r.nic(e, &n)
			if names[n.Name] {
				r.Fail(e, "another name", "names of NICs must be unique",
					"there is more than one NIC named %q", n.Name)
			}
			names[n.Name] = true
			*nics = append(*nics, n)
		}).Most(maxDevices),
	})
}

func (r *reader) nic(e *etree.Element, n *NIC) {
	r.Sequence(e, []document.Field{
		document.One(l("name"), r.Word(&n.Name)),
		document.Optional(l("MAC"), r.mac(&n.MAC)),
		document.One(l("ipConfig"), func(e *etree.Element) { r.ipConfig(e, n) }),
		document.Optional(l("association"), r.Word(&n.Association)),
	})
}

// macForm is six octets in hexadecimal with colons: 17 characters.
var macForm = regexp.MustCompile(`^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}$`)

func (r *reader) mac(to *string) func(*etree.Element) {
	return func(e *etree.Element) {
		r.Word(to)(e)
		if !r.Failed() && !macForm.MatchString(*to) {
			r.Fail(e, "17 characters such as A2:AA:BB:9E:78:6D", "",
				"%.40q is not a MAC address", *to)
		}
	}
}

func (r *reader) ipConfig(e *etree.Element, n *NIC) {
	r.Sequence(e, []document.Field{
		document.One(l("acquisitionMethod"), r.OneOf(&n.Method, "acquisition method",
			AllocateAndConfigure, AcceptAndConfigure, Advisory)),
		document.Optional(l("hostname"), r.Word(&n.Hostname)),
		document.Optional(l("ipAddress"), r.Word(&n.IPAddress)),
		document.Optional(l("netmask"), r.Word(&n.Netmask)),
		document.Optional(l("gateway"), r.Word(&n.Gateway)),
		document.Optional(l("broadcast"), r.Word(&n.Broadcast)),
		document.Optional(l("network"), r.Word(&n.Network)),
	})
}

// requested checks what a request may say of addresses (contract, section 4.3).
func (r *reader) requested(e *etree.Element, nics []NIC) {
	if r.Failed() {
		return
	}
	i := 0
	for kid := range xmlstrict.Children(e) {
		n := nics[i]
		i++
		given := n.Hostname + n.IPAddress + n.Netmask + n.Gateway + n.Broadcast + n.Network
		switch {
		case n.Method == AllocateAndConfigure && given != "":
			r.Fail(kid, "no address with "+AllocateAndConfigure,
				"leave the addresses out, or use "+AcceptAndConfigure,
				"NIC %q both asks for an address and gives one", n.Name)
		case n.Method != AllocateAndConfigure &&
			(n.IPAddress == "" || n.Netmask == "" || n.Broadcast == ""):
			r.Fail(kid, "ipAddress, netmask and broadcast with "+n.Method, "",
				"NIC %q does not give its address", n.Name)
		}
	}
}
