package seed

import (
	"encoding/binary"
	"time"
	"unicode/utf16"
)

// sector is the unit of an ISO 9660 volume.
const sector = 2048

// A file is one of a volume, all in its root.
type file struct {
	name string // as Joliet has it
	data []byte
}

// The places of a volume: the system's area, then two descriptions of the same
// files, one with short names (ECMA-119) and one with their own (Joliet).
const (
	firstDescriptor = 16
	tables          = 19 // four path tables
	shortRoot       = 23
	longRoot        = 24
	firstFile       = 25
)

// volume makes an ISO 9660 volume with Joliet names: what every system reads
// without being told how.
func volume(label string, files []file, at time.Time) []byte {
	size := firstFile
	places := make([]int, len(files))
	for i, f := range files {
		places[i] = size
		size += (len(f.data) + sector - 1) / sector
	}
	v := make([]byte, size*sector)
	shape := descriptor{label: label, sectors: size, at: at}
	shape.write(v[firstDescriptor*sector:], 1, shortRoot)
	shape.write(v[(firstDescriptor+1)*sector:], 2, longRoot)
	copy(v[(firstDescriptor+2)*sector:], "\xffCD001\x01")
	for i, root := range []uint32{shortRoot, longRoot} {
		little, big := v[(tables+2*i)*sector:], v[(tables+2*i+1)*sector:]
		little[0], big[0] = 1, 1
		binary.LittleEndian.PutUint32(little[2:], root)
		binary.BigEndian.PutUint32(big[2:], root)
		binary.LittleEndian.PutUint16(little[6:], 1)
		binary.BigEndian.PutUint16(big[6:], 1)
		d := v[int(root)*sector:]
		d = d[record(d, entry{"\x00", int(root), sector, true, at}):]
		d = d[record(d, entry{"\x01", int(root), sector, true, at}):]
		for j, f := range files {
			name := long(f.name)
			if root == shortRoot {
				name = short(j)
			}
			d = d[record(d, entry{name, places[j], len(f.data), false, at}):]
		}
	}
	for i, f := range files {
		copy(v[places[i]*sector:], f.data)
	}
	return v
}

// short is the name of the i-th file for who knows no longer ones.
func short(i int) string { return "FILE" + string(rune('A'+i)) + ".;1" }

// long is a name in UCS-2, as Joliet has it.
func long(name string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(name)) {
		b = binary.BigEndian.AppendUint16(b, u)
	}
	return string(b)
}

// A descriptor describes the volume (ECMA-119, sections 8.4 and 8.5).
type descriptor struct {
	label   string
	sectors int
	at      time.Time
}

func (d *descriptor) write(b []byte, kind byte, root int) {
	b[0] = kind
	copy(b[1:], "CD001\x01")
	text := func(from, to int, s string) {
		blank := []byte(" ")
		if kind == 2 {
			s, blank = long(s), []byte("\x00 ")
		}
		for i := from; i < to; i++ {
			b[i] = blank[(i-from)%len(blank)]
		}
		copy(b[from:to], s)
	}
	text(8, 40, "")
	text(40, 72, d.label)
	if kind == 2 {
		copy(b[88:], "%/E") // UCS-2 level 3
	}
	both32(b[80:], d.sectors)
	both16(b[120:], 1)
	both16(b[124:], 1)
	both16(b[128:], sector)
	both32(b[132:], 10) // of the path table
	table := uint32(tables + 2*(int(kind)-1))
	binary.LittleEndian.PutUint32(b[140:], table)
	binary.BigEndian.PutUint32(b[148:], table+1)
	record(b[156:], entry{"\x00", root, sector, true, d.at})
	text(190, 813, "")
	for i := 813; i < 881; i += 17 { // made, changed, expires, effective
		stamp := "0000000000000000"
		if i < 847 {
			stamp = d.at.UTC().Format("20060102150405") + "00"
		}
		copy(b[i:], stamp)
	}
	b[881] = 1
}

// An entry is a file or directory of a directory.
type entry struct {
	name   string
	sector int
	size   int
	dir    bool
	at     time.Time
}

// record writes an entry (ECMA-119, section 9.1) and returns its length.
func record(b []byte, e entry) int {
	const fixed = 33
	n := fixed + len(e.name)
	n += n % 2
	b[0] = byte(n)
	both32(b[2:], e.sector)
	both32(b[10:], e.size)
	at := e.at.UTC()
	copy(b[18:], []byte{byte(at.Year() - 1900), byte(at.Month()), byte(at.Day()),
		byte(at.Hour()), byte(at.Minute()), byte(at.Second()), 0})
	if e.dir {
		b[25] = 2
	}
	both16(b[28:], 1)
	b[32] = byte(len(e.name))
	copy(b[fixed:], e.name)
	return n
}

// both32 and both16 write a number in both orders.
func both32(b []byte, n int) {
	binary.LittleEndian.PutUint32(b, uint32(n))
	binary.BigEndian.PutUint32(b[4:], uint32(n))
}

func both16(b []byte, n int) {
	binary.LittleEndian.PutUint16(b, uint16(n))
	binary.BigEndian.PutUint16(b[2:], uint16(n))
}
