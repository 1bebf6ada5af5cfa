package libvirt

import (
	"encoding/xml"
	"path/filepath"
	"strings"

	"libvirt.org/go/libvirtxml"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// flavour is what differs between the hypervisors.
type flavour struct {
	kind    string // of the domain
	machine string
	os      string
	disk    string // prefix of disk names
	bus     string
	drivers map[string]string // of disks, by format
	console string            // the guest's name for its serial console
	boots   string            // name of a first disk that the firmware finds, if another
}

// Disk drivers. Xen must be told one for qcow2, or it takes the image for raw.
var (
	qemuDrivers = map[string]string{"raw": "qemu", "qcow2": "qemu"}
	xenDrivers  = map[string]string{"raw": "file", "qcow2": "qemu"}
)

// The flavours. The test driver takes what QEMU takes.
var (
	qemuFlavour = flavour{"qemu", "pc", "hvm", "vd", "virtio", qemuDrivers, "ttyS0", ""}
	kvmFlavour  = flavour{"kvm", "pc", "hvm", "vd", "virtio", qemuDrivers, "ttyS0", ""}
	testFlavour = flavour{"test", "", "hvm", "vd", "virtio", qemuDrivers, "ttyS0", ""}
	xenFlavour  = flavour{"xen", "xenpv", "linux", "xvd", "xen", xenDrivers, "hvc0", ""}
	pvhFlavour  = flavour{"xen", "xenpvh", "xenpvh", "xvd", "xen", xenDrivers, "hvc0", ""}
	hvmFlavour  = flavour{"xen", "xenfv", "hvm", "xvd", "xen", xenDrivers, "ttyS0", "hda"}
)

// flavourOf chooses by the host's driver, what its processor can do, and what the
// machine boots from. A disk that boots itself needs what Xen calls HVM, a whole PC;
// a kernel runs on any Xen as PV, and as PVH where the site says that it can.
func (h *Host) flavourOf(m workspace.Machine, accel Accel) flavour {
	switch {
	case h.onXen() && m.Boot.Kernel == "":
		return hvmFlavour
	case h.onXen() && accel == AccelPVH:
		return pvhFlavour
	case h.onXen():
		return xenFlavour
	case h.at.driver == "test":
		return testFlavour
	case accel == AccelKVM:
		return kvmFlavour
	}
	return qemuFlavour
}

// domainOf is the machine as a domain, but for its shape. All text goes through typed fields; the
// metadata, which libvirtxml takes as markup, is marshalled from a type too.
func (h *Host) domainOf(
	m workspace.Machine, who identity, accel Accel,
) (*libvirtxml.Domain, error) {
	f := h.flavourOf(m, accel)
	arch, err := archOf(m.Architecture)
	if err != nil {
		return nil, err
	}
	devices, err := h.devicesOf(m, f)
	if err != nil {
		return nil, err
	}
	d := &libvirtxml.Domain{
		Type:       f.kind,
		Name:       domainName(m.ID),
		UUID:       h.uuidOf(m.ID).String(),
		OS:         osOf(m, f, arch),
		OnPoweroff: "destroy",
		OnReboot:   "restart",
		OnCrash:    "destroy",
		Devices:    devices,
	}
	if f.os == "hvm" {
		d.Features = &libvirtxml.DomainFeatureList{
			ACPI: &libvirtxml.DomainFeature{}, APIC: &libvirtxml.DomainFeatureAPIC{}}
	}
	if f.kind != xenFlavour.kind {
		d.CPU = cpuOf(f)
	}
	return d, tell(d, who)
}

// tell writes our element into the domain.
func tell(d *libvirtxml.Domain, who identity) error {
	text, err := xml.Marshal(who)
	if err != nil {
		return err
	}
	d.Metadata = &libvirtxml.DomainMetadata{XML: string(text)}
	return nil
}

// archOf translates a JSDL architecture. A 32-bit guest runs on a 64-bit PC.
func archOf(word string) (string, error) {
	switch word {
	case "", "x86", "x86_32", "x86_64", "other":
		return "x86_64", nil
	}
	return "", workspace.Refuse(workspace.Internal,
		"the host has no processor of architecture %q", word)
}

// cpuOf is the processor that the guest sees: the host's own under KVM, one that
// today's distributions still accept under emulation.
func cpuOf(f flavour) *libvirtxml.DomainCPU {
	if f.kind == kvmFlavour.kind {
		return &libvirtxml.DomainCPU{Mode: "host-model"}
	}
	return &libvirtxml.DomainCPU{Mode: "custom", Match: "exact", Check: "none",
		Model: &libvirtxml.DomainCPUModel{Fallback: "allow", Value: "Nehalem"}}
}

// osOf says what is started: the kernel, or the first disk.
func osOf(m workspace.Machine, f flavour, arch string) *libvirtxml.DomainOS {
	os := &libvirtxml.DomainOS{
		Type: &libvirtxml.DomainOSType{Arch: arch, Machine: f.machine, Type: f.os}}
	if m.Boot.Kernel == "" {
		os.BootDevices = []libvirtxml.DomainBootDevice{{Dev: "hd"}}
		return os
	}
	os.Kernel, os.Initrd = m.Boot.Kernel, m.Boot.Initrd
	os.Cmdline = cmdlineOf(m, f)
	return os
}

// cmdlineOf adds to the kernel's parameters what only the host knows: the names
// that its root disk and its console will have.
func cmdlineOf(m workspace.Machine, f flavour) string {
	words := strings.Fields(m.Boot.Cmdline)
	line := m.Boot.Cmdline
	if !hasParameter(words, "root=") && len(m.Disks) > 0 {
		line += " root=/dev/" + f.disk + "a"
	}
	if !hasParameter(words, "console=") {
		line += " console=" + f.console
	}
	return strings.TrimPrefix(line, " ")
}

func hasParameter(words []string, name string) bool {
	for _, w := range words {
		if strings.HasPrefix(w, name) {
			return true
		}
	}
	return false
}

// devicesOf lists the machine's devices.
func (h *Host) devicesOf(m workspace.Machine, f flavour) (*libvirtxml.DomainDeviceList, error) {
	disks, err := disksOf(m.Disks, f, throttleOf(m, f))
	if err != nil {
		return nil, err
	}
	nics, err := h.nicsOf(m.NICs, f)
	if err != nil {
		return nil, err
	}
	list := &libvirtxml.DomainDeviceList{Disks: disks, Interfaces: nics}
	if f.kind == xenFlavour.kind && f.os != hvmFlavour.os {
		// Xen's own daemon keeps the consoles, and writes them where it likes.
		list.Consoles = []libvirtxml.DomainConsole{{
			Source: &libvirtxml.DomainChardevSource{Pty: &libvirtxml.DomainChardevSourcePty{}},
			Target: &libvirtxml.DomainConsoleTarget{Type: "xen", Port: new(uint)}}}
		return list, nil
	}
	list.Serials = []libvirtxml.DomainSerial{h.consoleOf(m.ID)}
	list.Videos = []libvirtxml.DomainVideo{{Model: libvirtxml.DomainVideoModel{Type: "cirrus"}}}
	if f.kind == xenFlavour.kind {
		list.Serials[0].Source = &libvirtxml.DomainChardevSource{
			Pty: &libvirtxml.DomainChardevSourcePty{}}
		list.Serials[0].Target = &libvirtxml.DomainSerialTarget{Port: new(uint)}
		return list, nil // no screen: see vncOf
	}
	list.Graphics = []libvirtxml.DomainGraphic{screenOf()}
	list.MemBalloon = &libvirtxml.DomainMemBalloon{Model: "virtio",
		Stats: &libvirtxml.DomainMemBalloonStats{Period: tellsUse}}
	list.RNGs = []libvirtxml.DomainRNG{{Model: "virtio", Backend: &libvirtxml.DomainRNGBackend{
		Random: &libvirtxml.DomainRNGBackendRandom{Device: "/dev/urandom"}}}}
	list.Controllers = []libvirtxml.DomainController{{Type: "usb", Model: "none"}}
	if f.kind != testFlavour.kind { // by it a guest's kernel tells that it panicked
		list.Panics = []libvirtxml.DomainPanic{{Model: "isa"}}
	}
	return list, nil
}

// disksOf gives the disks the hypervisor's names in their order, the first one
// being the root: a virtio guest has no partition without its disk, so sda1 and
// sda2 of the metadata become two disks.
func disksOf(
	disks []workspace.MachineDisk, f flavour, limit *libvirtxml.DomainDiskIOTune,
) ([]libvirtxml.DomainDisk, error) {
	const letters = "abcdefghijklmnopqrstuvwxyz"
	if len(disks) > len(letters) {
		return nil, workspace.Refuse(workspace.Internal, "%d disks are too many", len(disks))
	}
	var list []libvirtxml.DomainDisk
	for i, d := range disks {
		driver, known := f.drivers[d.Format]
		if !known || !filepath.IsAbs(d.Path) {
			return nil, workspace.Refuse(workspace.Internal,
				"disk %q: neither raw nor qcow2 (%q), or not an absolute path", d.Path, d.Format)
		}
		disk := libvirtxml.DomainDisk{
			Device: "disk",
			Driver: &libvirtxml.DomainDiskDriver{Name: driver, Type: d.Format},
			Source: &libvirtxml.DomainDiskSource{
				File: &libvirtxml.DomainDiskSourceFile{File: d.Path}},
			Target: &libvirtxml.DomainDiskTarget{Dev: f.disk + letters[i:i+1], Bus: f.bus},
			IOTune: limit,
		}
		if i == 0 && f.boots != "" {
			disk.Target = &libvirtxml.DomainDiskTarget{Dev: f.boots, Bus: "ide"}
		}
		if d.ReadOnly {
			disk.ReadOnly = &libvirtxml.DomainDiskReadOnly{}
		}
		list = append(list, disk)
	}
	return list, nil
}

// nicsOf connects the NICs to what their associations are on this host.
func (h *Host) nicsOf(nics []workspace.NIC, f flavour) ([]libvirtxml.DomainInterface, error) {
	var list []libvirtxml.DomainInterface
	for _, n := range nics {
		net, ok := h.o.Networks[n.Association]
		if n.Bridge != "" {
			net, ok = Network{NetworkBridge, n.Bridge}, true
		}
		if !ok {
			return nil, workspace.Refuse(workspace.Internal,
				"the host has no network for association %q", n.Association)
		}
		nic := libvirtxml.DomainInterface{
			MAC:    &libvirtxml.DomainInterfaceMAC{Address: strings.ToLower(n.MAC)},
			Source: sourceOf(net),
		}
		if n.Device != "" {
			nic.Target = &libvirtxml.DomainInterfaceTarget{Dev: n.Device}
		}
		switch {
		case f.kind != xenFlavour.kind:
			nic.Model = &libvirtxml.DomainInterfaceModel{Type: "virtio"}
			if n.MTU > 0 { // the card tells its driver
				nic.MTU = &libvirtxml.DomainInterfaceMTU{Size: uint(n.MTU)}
			}
		case net.Kind == NetworkBridge:
			nic.Script = &libvirtxml.DomainInterfaceScript{Path: "vif-bridge"}
		}
		list = append(list, nic)
	}
	return list, nil
}

func sourceOf(n Network) *libvirtxml.DomainInterfaceSource {
	if n.Kind == NetworkBridge {
		return &libvirtxml.DomainInterfaceSource{
			Bridge: &libvirtxml.DomainInterfaceSourceBridge{Bridge: n.Name}}
	}
	return &libvirtxml.DomainInterfaceSource{
		Network: &libvirtxml.DomainInterfaceSourceNetwork{Network: n.Name}}
}

// consoleOf is the serial line: a terminal that people connect to, and a file
// that keeps what all boots said.
func (h *Host) consoleOf(id workspace.ID) libvirtxml.DomainSerial {
	line := libvirtxml.DomainSerial{
		Source: &libvirtxml.DomainChardevSource{Pty: &libvirtxml.DomainChardevSourcePty{}},
		Target: &libvirtxml.DomainSerialTarget{Type: "isa-serial", Port: new(uint)}}
	if path := h.consolePath(id); path != "" && !h.onXen() {
		line.Log = &libvirtxml.DomainChardevLog{File: path, Append: "on"}
	}
	return line
}

// screenOf is the screen: on the host's loopback, and closed but for the minute in
// which somebody connects.
func screenOf() libvirtxml.DomainGraphic {
	return libvirtxml.DomainGraphic{VNC: &libvirtxml.DomainGraphicVNC{
		Port: -1, AutoPort: "yes", Listen: "127.0.0.1",
		Passwd: "closed", PasswdValidTo: "1970-01-01T00:00:01"}}
}
