package format

// signature is a text at a place by which a hypervisor would know a format.
type signature struct {
	at   int
	text string
	name string
}

// signatures are those that QEMU, Xen's blktap and VMware look for. LUKS is not
// among them: a guest may encrypt its own raw disk.
var signatures = []signature{
	{0, "KDMV", "VMDK"},
	{0, "COWD", "VMDK"},
	{0, "# Disk DescriptorFile", "VMDK descriptor"},
	{0x40, "\x7f\x10\xda\xbe", "VDI"},
	{0, "conectix", "VHD"},
	{0, "vhdxfile", "VHDX"},
	{0, "QED\x00", "QED"},
	{0, "OOOM", "COW"},
	{0, "WithoutFreeSpace", "Parallels"},
	{0, "WithouFreSpacExt", "Parallels"},
	{0, "Bochs Virtual HD Image", "Bochs"},
	{0, "#!/bin/sh\n#V2.0 Format\nmodprobe cloop", "cloop"},
	{0, "tapdisk\x00", "tapdisk qcow"},
	{0, "QEVM", "saved machine state"},
	{0, "LibvirtQemudSave", "libvirt saved machine"},
}

// foreign names the format that head shows, "" when there is none. VDI keeps
// its mark little-endian, so both byte orders are looked for.
func foreign(head []byte) string {
	for _, s := range signatures {
		if hasAt(head, s.at, s.text) {
			return s.name
		}
	}
	if hasAt(head, 0x40, "\xbe\xda\x10\x7f") {
		return "VDI"
	}
	return ""
}

func hasAt(head []byte, at int, text string) bool {
	return len(head) >= at+len(text) && string(head[at:at+len(text)]) == text
}
