package workspace

import (
	"context"
	"time"
)

// Reading is what a machine has used since it last came into memory, as its host
// counts it. What the host cannot tell is 0.
type Reading struct {
	ID      ID
	CPUTime time.Duration // of all its processors together
	// Memory is what the guest has, in bytes; Unused what of it the guest has no use
	// for; Resident what the host spends on the machine.
	Memory   int64
	Unused   int64
	Resident int64
	Disks    []DiskReading // in the order of Machine.Disks
	NICs     []NICReading  // in the order of Machine.NICs
}

// DiskReading is the traffic of a disk.
type DiskReading struct {
	ReadBytes, WrittenBytes           int64
	ReadOperations, WrittenOperations int64
}

// NICReading is the traffic of a network card, as its guest sees it.
type NICReading struct {
	InBytes, OutBytes     int64
	InPackets, OutPackets int64
}

// Meter reads what the machines of one host use.
type Meter interface {
	// Measure returns a reading of each of our machines that is in memory, in no
	// order, with one question to the host where that can answer so much at once. One
	// that is busy starting or moving may be left out.
	Measure(ctx context.Context) ([]Reading, error)
}
