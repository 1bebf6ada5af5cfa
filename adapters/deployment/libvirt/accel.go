package libvirt

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/digitalocean/go-libvirt"
	"github.com/google/uuid"
	"libvirt.org/go/libvirtxml"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// probeLimit is how long the probe may take to speak. Under a KVM that works
// it does so in a fraction of a second.
const probeLimit = 15 * time.Second

// probeName begins the name of the probe's domain.
const probeName = "philoxenia-probe-"

// probeSaysMost is how much of the serial line of the probe is read, in bytes.
const probeSaysMost = 64 << 10

// probeWord is what the probe's guest says.
const probeWord = "ALIVE"

// accel returns what machines run by: what was configured, or what a probe
// proved. The verdict holds for the life of the process.
func (h *Host) accel(ctx context.Context) (Accel, error) {
	if h.at.driver != "qemu" || h.o.Accel != AccelAuto {
		return h.o.Accel, nil
	}
	select {
	case h.probing <- struct{}{}:
		defer func() { <-h.probing }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if h.verdict != "" {
		return h.verdict, nil
	}
	why := h.tryKVM(ctx)
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if why != nil && kindOf(why) != workspace.Internal {
		return "", why // it says nothing of KVM
	}
	h.verdict = AccelKVM
	if why != nil {
		h.verdict = AccelTCG
	}
	h.log.Info("chose accelerator", "accel", string(h.verdict), "reason", fmt.Sprint(why))
	return h.verdict, nil
}

// tryKVM boots a guest of 512 bytes under KVM and waits for its word on the
// serial line. It returns why KVM is not to be used; nil when it works.
func (h *Host) tryKVM(ctx context.Context) error {
	root, err := h.probeRoot(ctx)
	if err != nil {
		return err
	}
	id := uuid.New()
	disk := filepath.Join(root, "probe-"+id.String()+".img")
	serial := filepath.Join(root, "probe-"+id.String()+".log")
	defer h.removeProbe(disk, serial)
	if err := h.o.Access.Write(ctx, disk, bootSector(probeWord), 0o644); err != nil {
		return err
	}
	text, err := probeDomain(id, disk, serial).Marshal()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	defer h.endProbe(libvirt.Domain{Name: probeName, UUID: libvirt.UUID(id)})
	err = order(ctx, h.link, probeLimit, func(rpc *libvirt.Libvirt) error {
		_, err := rpc.DomainCreateXML(text, libvirt.DomainStartAutodestroy)
		return err
	})
	if err != nil {
		return fmt.Errorf("cannot start a guest under KVM: %w", notCutOff(err))
	}
	return h.waitForWord(ctx, serial)
}

// notCutOff keeps a probe that hung from looking like a host out of reach.
func notCutOff(err error) error {
	if err == context.DeadlineExceeded {
		return fmt.Errorf("it took more than %v", probeLimit)
	}
	return err
}

// probeRoot is a directory of the host that its QEMU can read.
func (h *Host) probeRoot(ctx context.Context) (string, error) {
	if h.o.ConsoleDir != "" {
		return h.o.ConsoleDir, h.makeConsoleDir(ctx)
	}
	return os.TempDir(), nil
}

// removeProbe removes the files of the probe.
func (h *Host) removeProbe(paths ...string) {
	ctx, cancel := context.WithTimeout(context.Background(), callLimit)
	defer cancel()
	if err := h.o.Access.Remove(ctx, paths...); err != nil {
		h.log.Warn("cannot remove the files of the probe", "path", paths[0], "error", err)
	}
}

// probeDomain is the probe's guest.
func probeDomain(id uuid.UUID, disk, serial string) *libvirtxml.Domain {
	return &libvirtxml.Domain{
		Type:   kvmFlavour.kind,
		Name:   probeName + id.String(),
		UUID:   id.String(),
		Memory: &libvirtxml.DomainMemory{Value: 32, Unit: "MiB"},
		VCPU:   &libvirtxml.DomainVCPU{Value: 1},
		CPU:    cpuOf(kvmFlavour),
		OS: &libvirtxml.DomainOS{
			Type:        &libvirtxml.DomainOSType{Arch: "x86_64", Machine: "pc", Type: "hvm"},
			BootDevices: []libvirtxml.DomainBootDevice{{Dev: "hd"}}},
		OnPoweroff: "destroy", OnReboot: "destroy", OnCrash: "destroy",
		Devices: &libvirtxml.DomainDeviceList{
			Controllers: []libvirtxml.DomainController{{Type: "usb", Model: "none"}},
			MemBalloon:  &libvirtxml.DomainMemBalloon{Model: "none"},
			Disks: []libvirtxml.DomainDisk{{
				Device: "disk",
				Driver: &libvirtxml.DomainDiskDriver{Name: "qemu", Type: "raw"},
				Source: &libvirtxml.DomainDiskSource{
					File: &libvirtxml.DomainDiskSourceFile{File: disk}},
				Target: &libvirtxml.DomainDiskTarget{Dev: "hda", Bus: "ide"}}},
			Serials: []libvirtxml.DomainSerial{{Source: &libvirtxml.DomainChardevSource{
				File: &libvirtxml.DomainChardevSourceFile{Path: serial}}}},
		},
	}
}

// endProbe removes the probe's guest, however the probe went.
func (h *Host) endProbe(domain libvirt.Domain) {
	ctx, cancel := context.WithTimeout(context.Background(), callLimit)
	defer cancel()
	if err := h.destroy(ctx, &machine{domain: domain}); err != nil {
		h.log.Warn("cannot remove the probe", "domain", domain.Name, "error", err)
	}
}

// waitForWord waits until the guest has spoken.
func (h *Host) waitForWord(ctx context.Context, serial string) error {
	look := time.NewTicker(lookAgain)
	defer look.Stop()
	for {
		said, err := h.o.Access.Read(ctx, serial, probeSaysMost)
		if err == nil && bytes.Contains(said, []byte(probeWord)) {
			return nil
		}
		switch workspace.KindOf(err) {
		case workspace.Unavailable, workspace.Denied:
			return err
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return fmt.Errorf("a guest under KVM said nothing in %v", probeLimit)
		}
	}
}

// bootSector is a PC boot sector that writes word to the first serial port and halts.
func bootSector(word string) []byte {
	const size = 512
	code := []byte{0xfa, 0xba, 0xf8, 0x03} // cli; mov dx, 0x3f8
	for _, letter := range []byte(word) {
		code = append(code, 0xb0, letter, 0xee) // mov al, letter; out dx, al
	}
	code = append(code, 0xf4, 0xeb, 0xfd) // hlt; jmp to the hlt
	sector := make([]byte, size)
	copy(sector, code)
	sector[size-2], sector[size-1] = 0x55, 0xaa
	return sector
}
