package workspace

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Fingerprint is a digest of what the workspace makes of the machine, by which
// adapters tell a repeated definition from another one. Boot is left out: the
// kernel is the site's, and may be replaced under an existing workspace. The
// fields are listed so that a new one does not change old fingerprints.
func (m Machine) Fingerprint() string {
	b := fmt.Appendf(nil, "%d %q %q %q %q %d %d %d\n", m.ID, m.Owner, m.Name,
		m.Architecture, m.VMM, m.MemoryMB, m.CPUs, m.CPUPercent)
	for _, d := range m.Disks {
		if d.Seed {
			continue // how guests are told is the site's, too
		}
		b = fmt.Appendf(b, "disk %q %q %q %t\n", d.Path, d.Format, d.MountAs, d.ReadOnly)
	}
	for _, n := range m.NICs {
		b = fmt.Appendf(b, "nic %q %q %q %q\n", n.Association, n.MAC, n.IP, n.Hostname)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Shape returns the part of the machine that can change while it runs.
func (m Machine) Shape() Shape {
	return Shape{m.MemoryMB, m.CPUs, m.CPUPercent, m.NetInKbps, m.NetOutKbps}
}

// FixedPrint is a digest of what stays as it is for as long as the machine
// exists: the fingerprint of the machine without its shape.
func (m Machine) FixedPrint() string {
	m.MemoryMB, m.CPUs, m.CPUPercent = 0, 0, 0
	return m.Fingerprint()
}
