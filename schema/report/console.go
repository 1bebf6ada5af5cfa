package report

import (
	"encoding/base64"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/document"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// What is asked about consoles, and the answers.
var (
	OpenConsole         = p("OpenConsole")
	OpenConsoleResponse = p("OpenConsoleResponse")
	ReadConsole         = p("ReadConsole")
	ReadConsoleResponse = p("ReadConsoleResponse")
)

// The kinds of console.
const (
	ConsoleSerial = "serial"
	ConsoleScreen = "screen"
	ConsolePort   = "port"
)

// The parts of messages about consoles.
var (
	console  = p("Console")
	port     = p("Port")
	force    = p("Force")
	location = p("Location")
	password = p("Password")
	offset   = p("Offset")
	size     = p("Size")
	said     = p("Said")
)

// mostPort is the highest TCP port.
const mostPort = 1<<16 - 1

// ConsoleRequest asks to be connected to a workspace.
type ConsoleRequest struct {
	Kind  string // ConsoleSerial and its like
	Port  int    // of ConsolePort alone
	Force bool   // take the serial line from whom has it
}

// Write writes the request as an OpenConsole element.
func (v ConsoleRequest) Write(enc *xmlstrict.Encoder) {
	enc.Start(OpenConsole)
	enc.Element(console, v.Kind)
	if v.Port != 0 {
		enc.Element(port, strconv.Itoa(v.Port))
	}
	if v.Force {
		enc.Element(force, "true")
	}
	enc.End()
}

// DecodeConsoleRequest reads an OpenConsole element.
func DecodeConsoleRequest(doc *xmlstrict.Document, e *etree.Element) (*ConsoleRequest, error) {
	return decode(doc, e, func(r *reader, e *etree.Element, v *ConsoleRequest) {
		r.Sequence(e, []document.Field{
			document.One(console, r.OneOf(&v.Kind, "kind of console",
				ConsoleSerial, ConsoleScreen, ConsolePort)),
			document.Optional(port, r.Int(&v.Port, 1, mostPort)),
			document.Optional(force, r.Bool(&v.Force)),
		})
	}, OpenConsole)
}

// ConsolePass is good for one connection to a workspace.
type ConsolePass struct {
	Location string // of the WebSocket; without a scheme relative to the service's root
	Password string // that the screen asks for
	Until    time.Time
}

// Write writes the pass as an OpenConsoleResponse element.
func (v *ConsolePass) Write(enc *xmlstrict.Encoder) {
	enc.Start(OpenConsoleResponse)
	enc.Element(location, v.Location)
	if v.Password != "" {
		enc.Element(password, v.Password)
	}
	enc.Element(until, wsrf.FormatTime(v.Until))
	enc.End()
}

// DecodeConsolePass reads an OpenConsoleResponse element.
func DecodeConsolePass(doc *xmlstrict.Document, e *etree.Element) (*ConsolePass, error) {
	return decode(doc, e, func(r *reader, e *etree.Element, v *ConsolePass) {
		r.Sequence(e, []document.Field{
			document.One(location, r.URI(&v.Location)),
			document.Optional(password, r.Text(&v.Password)),
			document.One(until, r.Time(&v.Until)),
		})
	}, OpenConsoleResponse)
}

// ConsoleQuery asks for what a serial line has said, from a byte on; a negative
// offset counts from the end.
type ConsoleQuery struct{ Offset int64 }

// Write writes the question as a ReadConsole element.
func (v ConsoleQuery) Write(enc *xmlstrict.Encoder) {
	enc.Start(ReadConsole)
	if v.Offset != 0 {
		enc.Element(offset, strconv.FormatInt(v.Offset, 10))
	}
	enc.End()
}

// DecodeConsoleQuery reads a ReadConsole element.
func DecodeConsoleQuery(doc *xmlstrict.Document, e *etree.Element) (*ConsoleQuery, error) {
	return decode(doc, e, func(r *reader, e *etree.Element, v *ConsoleQuery) {
		r.Sequence(e, []document.Field{document.Optional(offset, r.wide(&v.Offset))})
	}, ReadConsole)
}

// ConsoleText is a piece of what a serial line has said.
type ConsoleText struct {
	Offset int64 // of its first byte
	Size   int64 // of all that was said
	Said   []byte
}

// Write writes the piece as a ReadConsoleResponse element.
func (v *ConsoleText) Write(enc *xmlstrict.Encoder) {
	enc.Start(ReadConsoleResponse)
	enc.Element(offset, strconv.FormatInt(v.Offset, 10))
	enc.Element(size, strconv.FormatInt(v.Size, 10))
	enc.Element(said, base64.StdEncoding.EncodeToString(v.Said))
	enc.End()
}

// DecodeConsoleText reads a ReadConsoleResponse element.
func DecodeConsoleText(doc *xmlstrict.Document, e *etree.Element) (*ConsoleText, error) {
	return decode(doc, e, func(r *reader, e *etree.Element, v *ConsoleText) {
		r.Sequence(e, []document.Field{
			document.One(offset, r.wide(&v.Offset)),
			document.One(size, r.wide(&v.Size)),
			document.One(said, r.bytes(&v.Said)),
		})
	}, ReadConsoleResponse)
}

// wide reads a number of 64 bits.
func (r *reader) wide(to *int64) func(*etree.Element) {
	return func(e *etree.Element) {
		var n int
		r.Int(&n, math.MinInt, math.MaxInt)(e)
		*to = int64(n)
	}
}

// bytes reads base64 (RFC 4648, section 4; XML Schema part 2, 3.2.16), in which
// white space means nothing.
func (r *reader) bytes(to *[]byte) func(*etree.Element) {
	return func(e *etree.Element) {
		var text string
		r.Text(&text)(e)
		if r.Failed() {
			return
		}
		data, err := base64.StdEncoding.Strict().DecodeString(
			strings.Join(strings.Fields(text), ""))
		if err != nil {
			r.Fail(e, "base64", "", "it is not: %v", err)
			return
		}
		*to = data
	}
}
