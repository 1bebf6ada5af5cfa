package lanes

import (
	"encoding/binary"
	"fmt"
)

// More packets of SFTP, which the library takes apart.
const (
	packetVersion = 2
	packetStatus  = 101
	packetName    = 104
	packetAttrs   = 105
)

// Flags of what a packet tells of a file.
const (
	attrSize     = 0x1
	attrOwner    = 0x2
	attrMode     = 0x4
	attrTimes    = 0x8
	attrExtended = 0x80000000
)

// sound refuses what the library believes although it cannot be: it cuts strings out of
// a packet, and makes room for lists, without a look at how long the packet is, which
// would end this process. The packet has its head.
func sound(packet []byte) error {
	kind, r := packet[4], rest{b: packet[headBytes:]}
	switch kind {
	case packetStatus:
		r.skip(4)
	case packetHandle:
		r.text()
	case packetData:
		// Without a byte the library would ask again without end.
		if r.text() == 0 {
			r.short = true
		}
	case packetName:
		count := r.number()
		for i := uint32(0); i < count && !r.short; i++ {
			r.text()
			r.text()
			r.attrs()
		}
	case packetAttrs:
		r.attrs()
	}
	if r.short {
		return unsound(packet, "does not hold what it announces")
	}
	return nil
}

// tells reports whether a request wants to be told something: to have done it is no
// answer, which the library would take for one, with nothing in it.
func tells(kind byte) bool {
	switch kind {
	case packetOpen, packetRead, 7, 8, 11, 12, 16, 17, 19: // stat and names of all kinds
		return true
	}
	return false
}

// silent reports whether the packet says that something is done, and no more.
func silent(packet []byte) bool {
	return packet[4] == packetStatus && binary.BigEndian.Uint32(packet[headBytes:]) == 0
}

// unsoundError says what is wrong with a packet.
type unsoundError struct{ text string }

func (e *unsoundError) Error() string {
	return "the server breaks the rules of SFTP: " + e.text
}

func unsound(packet []byte, what string) error {
	return &unsoundError{fmt.Sprintf("a packet of type %d %s", packet[4], what)}
}

// rest is what is left of a packet.
type rest struct {
	b     []byte
	short bool // more was announced than there is
}

func (r *rest) skip(n uint32) {
	if uint64(n) > uint64(len(r.b)) {
		r.b, r.short = nil, true
		return
	}
	r.b = r.b[n:]
}

func (r *rest) number() (n uint32) {
	if len(r.b) >= 4 {
		n = binary.BigEndian.Uint32(r.b)
	}
	r.skip(4)
	return n
}

// text passes over a string and returns its length.
func (r *rest) text() uint32 {
	n := r.number()
	r.skip(n)
	return n
}

// attrs passes over what is told of a file.
func (r *rest) attrs() {
	flags := r.number()
	for flag, size := range map[uint32]uint32{
		attrSize: 8, attrOwner: 8, attrMode: 4, attrTimes: 8} {
		if flags&flag != 0 {
			r.skip(size)
		}
	}
	if flags&attrExtended == 0 {
		return
	}
	for count := r.number(); count > 0 && !r.short; count-- {
		r.text()
		r.text()
	}
}
