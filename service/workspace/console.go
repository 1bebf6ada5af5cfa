package workspace

import (
	"context"
	"io"
	"net"
	"time"
)

// Consoles bring people to a machine, under the rules of Hypervisor. A machine
// that is not in memory has neither: Conflict.
type Consoles interface {
	// Console connects to the serial line. It ends (io.EOF) with the machine's
	// power. One can be connected at a time: to a line that is taken it is a
	// Conflict, unless force takes it away.
	Console(ctx context.Context, id ID, force bool) (io.ReadWriteCloser, error)
	// ConsoleLog returns what the line has said from a byte on, at most so many
	// bytes, and how many there are in all: fewer than from after the log was cut.
	// A machine that never said anything has none: no error.
	ConsoleLog(ctx context.Context, id ID, from, most int64) (said []byte, size int64, err error)
	// Screen sets the password of the machine's screen, good for a minute, and
	// connects to it in the RFB protocol (RFC 6143). A machine without a screen is
	// a Conflict.
	Screen(ctx context.Context, id ID, password string) (net.Conn, error)
	// CheckScreen says whether Screen could connect.
	CheckScreen(ctx context.Context, id ID) error
}

// ConsoleKind is what of a machine somebody wants to be connected to.
type ConsoleKind string

// The kinds.
const (
	ConsoleSerial ConsoleKind = "serial"
	ConsoleScreen ConsoleKind = "screen"
	ConsolePort   ConsoleKind = "port" // a TCP port of the guest
)

// ConsoleAsk is what somebody wants to be connected to.
type ConsoleAsk struct {
	Kind  ConsoleKind
	Port  int  // of ConsolePort
	Force bool // take a serial line away from whom has it
}

// A Pass lets its bearer be connected once.
type Pass struct {
	Token    string    // secret
	Password string    // that the screen will ask for; of a screen alone
	Until    time.Time // it is to be used before
}

// ConsoleText is a piece of what a serial line has said.
type ConsoleText struct {
	From int64 // the first byte's place
	Size int64 // of all that was said
	Said []byte
}
