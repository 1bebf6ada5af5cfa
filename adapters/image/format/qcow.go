package format

import "encoding/binary"

// qcow is the header of a qcow2 file, as QEMU's docs/interop/qcow2.txt lays it out.
type qcow struct {
	version       uint32
	backingOffset uint64
	backingLength uint32
	clusterBits   uint32
	virtualSize   uint64
	encryption    uint32
	l1Entries     uint32
	l1Offset      uint64
	refOffset     uint64
	refClusters   uint32
	snapshots     uint32
	incompatible  uint64
	headerLength  uint32
}

// The incompatible features of version 3. A dirty image is accepted: its
// reference counts are rebuilt by whoever opens it for writing.
const (
	featureDirty       = 1 << 0
	featureCorrupt     = 1 << 1
	featureDataFile    = 1 << 2
	featureCompression = 1 << 3
	featureExtendedL2  = 1 << 4

	featuresKnown = featureDirty | featureCorrupt | featureDataFile |
		featureCompression | featureExtendedL2
)

// Limits of QEMU itself: larger tables would only eat the host's memory.
const (
	maxL1Bytes       = 32 << 20
	maxRefTableBytes = 8 << 20
)

const (
	headerV2       = 72
	headerV3       = 104
	extensionEnd   = 0
	extensionData  = 0x44415441 // external data file's name
	extensionCrypt = 0x0537be77 // full disk encryption
)

func inspectQCOW(head []byte, size int64) (Info, error) {
	if len(head) < headerV2 {
		return Info{}, refuse("its qcow2 header is cut short at %d bytes", len(head))
	}
	q := decodeQCOW(head)
	for _, check := range []func() error{
		func() error { return q.checkVersion(head) },
		q.checkFeatures,
		func() error { return q.checkReferences(head) },
		func() error { return q.checkTables(size) },
		func() error { return q.checkExtensions(head) },
	} {
		if err := check(); err != nil {
			return Info{}, err
		}
	}
	return Info{Format: QCOW2, VirtualSize: int64(q.virtualSize), FileSize: size}, nil
}

func decodeQCOW(head []byte) *qcow {
	be := binary.BigEndian
	q := &qcow{
		version:       be.Uint32(head[4:]),
		backingOffset: be.Uint64(head[8:]),
		backingLength: be.Uint32(head[16:]),
		clusterBits:   be.Uint32(head[20:]),
		virtualSize:   be.Uint64(head[24:]),
		encryption:    be.Uint32(head[32:]),
		l1Entries:     be.Uint32(head[36:]),
		l1Offset:      be.Uint64(head[40:]),
		refOffset:     be.Uint64(head[48:]),
		refClusters:   be.Uint32(head[56:]),
		snapshots:     be.Uint32(head[60:]),
		headerLength:  headerV2,
	}
	if q.version >= 3 && len(head) >= headerV3 {
		q.incompatible = be.Uint64(head[72:])
		q.headerLength = be.Uint32(head[100:])
	}
	return q
}

func (q *qcow) checkVersion(head []byte) error {
	if q.version != 2 && q.version != 3 {
		return refuse("it is qcow version %d, only qcow2 versions 2 and 3 are accepted", q.version)
	}
	if q.version == 3 && len(head) < headerV3 {
		return refuse("its qcow2 header is cut short at %d bytes", len(head))
	}
	if q.clusterBits < 9 || q.clusterBits > 21 {
		return refuse("its cluster size 2^%d is outside 2^9 to 2^21", q.clusterBits)
	}
	tooLong := uint64(q.headerLength) > uint64(len(head)) || q.headerLength > q.cluster()
	if q.version == 3 && (q.headerLength < headerV3 || q.headerLength%8 != 0 || tooLong) {
		return refuse("its header length %d is absurd", q.headerLength)
	}
	return nil
}

func (q *qcow) cluster() uint32 { return 1 << q.clusterBits }

func (q *qcow) checkFeatures() error {
	if q.incompatible&featureDataFile != 0 {
		return refuse("it keeps its data in an external file; flatten it with qemu-img convert")
	}
	if q.incompatible&featureCorrupt != 0 {
		return refuse("it is marked corrupt; repair it with qemu-img check -r all")
	}
	if unknown := q.incompatible &^ featuresKnown; unknown != 0 {
		return refuse("it needs unknown features %#x", unknown)
	}
	if q.encryption != 0 {
		return refuse("it is encrypted (method %d)", q.encryption)
	}
	return nil
}

// checkReferences refuses whatever would lead the host to other files or to
// other states of the disk than the one that was checked.
func (q *qcow) checkReferences(head []byte) error {
	if q.backingOffset != 0 || q.backingLength != 0 {
		return refuse("it stands on a backing file (%q); flatten it with qemu-img convert",
			q.backingName(head))
	}
	if q.snapshots != 0 {
		return refuse("it holds %d internal snapshots; delete them with qemu-img snapshot -d",
			q.snapshots)
	}
	return nil
}

// backingName returns what can be seen of the name, for the message alone.
func (q *qcow) backingName(head []byte) string {
	length := uint64(min(q.backingLength, 200))
	if q.backingOffset > uint64(len(head)) || q.backingOffset+length > uint64(len(head)) {
		return "?"
	}
	return string(head[q.backingOffset : q.backingOffset+length])
}

func (q *qcow) checkTables(size int64) error {
	if q.virtualSize == 0 || q.virtualSize > mostBytes {
		return refuse("its virtual size %d is absurd", q.virtualSize)
	}
	// One L1 entry stands for one table of 8-byte entries, 16-byte ones with
	// extended L2, each of which stands for a cluster.
	entry := uint64(8)
	if q.incompatible&featureExtendedL2 != 0 {
		entry = 16
	}
	perL1 := uint64(q.cluster()) / entry * uint64(q.cluster())
	if need := (q.virtualSize-1)/perL1 + 1; uint64(q.l1Entries) < need {
		return refuse("its L1 table has %d entries where its size needs %d", q.l1Entries, need)
	}
	l1 := table{"L1", q.l1Offset, uint64(q.l1Entries) * 8, maxL1Bytes}
	if err := q.checkTable(l1, size); err != nil {
		return err
	}
	refs := uint64(q.refClusters) << q.clusterBits
	if refs == 0 {
		return refuse("it has no reference count table")
	}
	return q.checkTable(table{"reference count", q.refOffset, refs, maxRefTableBytes}, size)
}

// table is a table in the file, in bytes.
type table struct {
	name                  string
	offset, length, limit uint64
}

func (q *qcow) checkTable(t table, size int64) error {
	if t.length > t.limit {
		return refuse("its %s table of %d bytes is absurd, at most %d", t.name, t.length, t.limit)
	}
	if t.offset == 0 || t.offset%uint64(q.cluster()) != 0 {
		return refuse("its %s table starts at an impossible place, %d", t.name, t.offset)
	}
	if t.offset > uint64(size) || t.length > uint64(size)-t.offset {
		return refuse("it is cut short: its %s table ends at byte %d, the file at %d",
			t.name, t.offset+t.length, size)
	}
	return nil
}

// checkExtensions walks the header extensions, which must lie in the head.
func (q *qcow) checkExtensions(head []byte) error {
	area := head[q.headerLength:min(uint32(len(head)), q.cluster())]
	for len(area) >= 8 {
		kind := binary.BigEndian.Uint32(area)
		length := uint64(binary.BigEndian.Uint32(area[4:]))
		switch kind {
		case extensionEnd:
			return nil
		case extensionData:
			return refuse("it names an external data file; flatten it with qemu-img convert")
		case extensionCrypt:
			return refuse("it is encrypted")
		}
		padded := 8 + (length+7)&^7
		if padded > uint64(len(area)) {
			return refuse("its header extension %#x of %d bytes does not fit", kind, length)
		}
		area = area[padded:]
	}
	return nil
}
