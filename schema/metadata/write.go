package metadata

import (
	"strconv"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// Write writes the document under a name, File or Wire.
func (v *VirtualWorkspace) Write(enc *xmlstrict.Encoder, name xmlstrict.Name) {
	enc.Start(name)
	enc.Declare(schema.Metadata, schema.Logistics, schema.Definition, schema.JSDL)
	enc.Element(m("name"), v.Name)
	if len(v.NICs) > 0 || v.Contextualization != nil {
		enc.Start(l("logistics"))
		if len(v.NICs) > 0 {
			WriteNetworking(enc, v.NICs)
		}
		if v.Contextualization != nil {
			v.Contextualization.write(enc)
		}
		enc.End()
	}
	v.Definition.write(enc)
	enc.End()
}

// WriteNetworking writes interfaces as an l:networking element.
func WriteNetworking(enc *xmlstrict.Encoder, nics []NIC) {
	enc.Start(l("networking"))
	for i := range nics {
		nics[i].write(enc)
	}
	enc.End()
}

func (n *NIC) write(enc *xmlstrict.Encoder) {
	enc.Start(l("nic"))
	enc.Element(l("name"), n.Name)
	optional(enc, l("MAC"), n.MAC)
	enc.Start(l("ipConfig"))
	enc.Element(l("acquisitionMethod"), n.Method)
	optional(enc, l("hostname"), n.Hostname)
	optional(enc, l("ipAddress"), n.IPAddress)
	optional(enc, l("netmask"), n.Netmask)
	optional(enc, l("gateway"), n.Gateway)
	optional(enc, l("broadcast"), n.Broadcast)
	optional(enc, l("network"), n.Network)
	enc.End()
	optional(enc, l("association"), n.Association)
	enc.End()
}

// optional writes an element unless its text is empty.
func optional(enc *xmlstrict.Encoder, name xmlstrict.Name, text string) {
	if text != "" {
		enc.Element(name, text)
	}
}

func (v *Definition) write(enc *xmlstrict.Encoder) {
	enc.Start(d("definition"))
	enc.Start(d("requirements"))
	WriteArchitecture(enc, v.Architecture)
	if v.VMM != nil {
		v.VMM.Write(enc)
	}
	if v.Kernel != nil {
		v.Kernel.write(enc)
	}
	enc.End()
	enc.Start(d("diskCollection"))
	v.Root.write(enc, d("rootVBD"))
	for i := range v.Partitions {
		v.Partitions[i].write(enc, d("partition"))
	}
	for _, b := range v.Blanks {
		enc.Start(d("blankspacePartition"))
		enc.Element(d("partitionName"), b.Name)
		enc.Element(d("mountAs"), b.MountAs)
		enc.End()
	}
	enc.End()
	enc.End()
}

// WriteArchitecture writes a jsdl:CPUArchitecture element, nothing for an
// empty word.
func WriteArchitecture(enc *xmlstrict.Encoder, word string) {
	if word == "" {
		return
	}
	enc.Start(j("CPUArchitecture"))
	enc.Element(j("CPUArchitectureName"), word)
	enc.End()
}

// Write writes a d:VMM element.
func (v *VMM) Write(enc *xmlstrict.Encoder) {
	enc.Start(d("VMM"))
	enc.Element(d("type"), v.Type)
	for _, version := range v.Versions {
		enc.Element(d("version"), version)
	}
	enc.End()
}

func (k *Kernel) write(enc *xmlstrict.Encoder) {
	enc.Start(d("kernel"))
	optional(enc, d("image"), k.Image)
	if k.Version != nil {
		enc.Start(d("version"))
		optional(enc, d("min"), k.Version.Min)
		optional(enc, d("max"), k.Version.Max)
		enc.End()
	}
	optional(enc, d("parameters"), k.Parameters)
	enc.End()
}

func (v *Disk) write(enc *xmlstrict.Encoder, name xmlstrict.Name) {
	permissions := "ReadWrite"
	if v.ReadOnly {
		permissions = "ReadOnly"
	}
	enc.Start(name)
	enc.Element(d("location"), v.Location)
	enc.Element(d("mountAs"), v.MountAs)
	enc.Element(d("permissions"), permissions)
	enc.End()
}

func (c *Contextualization) write(enc *xmlstrict.Encoder) {
	enc.Start(l("contextualization"))
	if c.Provides != nil {
		c.Provides.write(enc)
	}
	if c.Requires != nil {
		c.Requires.write(enc)
	}
	enc.End()
}

func (p *Provides) write(enc *xmlstrict.Encoder) {
	enc.Start(l("provides"))
	for i := range p.Identities {
		p.Identities[i].write(enc)
	}
	for _, role := range p.Roles {
		enc.Start(l("role"))
		if role.Interface != "" {
			enc.Attr(xmlstrict.Name{Local: "interface"}, role.Interface)
		}
		enc.Text(role.Role)
		enc.End()
	}
	enc.End()
}

func (q *Requires) write(enc *xmlstrict.Encoder) {
	enc.Start(l("requires"))
	for i := range q.Identities {
		q.Identities[i].write(enc)
	}
	for _, role := range q.Roles {
		enc.Start(l("role"))
		enc.Attr(xmlstrict.Name{Local: "name"}, role.Name)
		enc.Attr(xmlstrict.Name{Local: "hostname"}, strconv.FormatBool(role.Hostname))
		enc.Attr(xmlstrict.Name{Local: "pubkey"}, strconv.FormatBool(role.Pubkey))
		enc.Text(role.Text)
		enc.End()
	}
	for _, data := range q.Data {
		enc.Start(l("data"))
		enc.Attr(xmlstrict.Name{Local: "name"}, data.Name)
		enc.Text(data.Text)
		enc.End()
	}
	enc.End()
}

func (id *Identity) write(enc *xmlstrict.Encoder) {
	enc.Start(l("identity"))
	for _, f := range []struct {
		local string
		value *string
	}{
		{"interface", id.Interface}, {"ip", id.IP},
		{"hostname", id.Hostname}, {"pubkey", id.Pubkey},
	} {
		if f.value != nil {
			enc.Element(l(f.local), *f.value)
		}
	}
	enc.End()
}
