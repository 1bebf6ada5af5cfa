package libvirt

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"

	"github.com/digitalocean/go-libvirt"
	"github.com/digitalocean/go-libvirt/socket"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// Of libvirt's protocol (src/rpc/virnetprotocol.x, src/remote/remote_protocol.x).
const (
	remoteProgram = 0x20008086
	openConsole   = 201 // REMOTE_PROC_DOMAIN_OPEN_CONSOLE
	headerSize    = 28  // length, program, version, procedure, type, serial, status
	mostInPacket  = 64 << 10
)

// Console connects to the serial line by a connection of its own to libvirtd:
// a stream would hold up the calls on the other one when nobody reads it.
func (h *Host) Console(
	ctx context.Context, id workspace.ID, force bool,
) (line io.ReadWriteCloser, err error) {
	err = h.onMachine(ctx, "connect to the console of", id, func(m *machine) error {
		if !m.inMemory() {
			return m.forbidden()
		}
		line, err = h.openLine(ctx, m, force)
		return err
	})
	return line, err
}

// openLine asks for the stream and hands it on once it flows.
func (h *Host) openLine(ctx context.Context, m *machine, force bool) (*line, error) {
	conn, err := h.link.dial(ctx)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	watched := &watched{Conn: conn, opened: make(chan struct{})}
	l := &line{conn: watched, rpc: libvirt.NewWithDialer(dialled{watched})}
	l.said, l.says.out = io.Pipe()
	if err := l.rpc.ConnectToURI(libvirt.ConnectURI(h.at.uri)); err != nil {
		conn.Close()
		return nil, errors.Join(ctx.Err(), err)
	}
	flags := h.consoleFlags(force)
	ended := make(chan error, 1)
	l.both.Go(func() {
		err := l.rpc.DomainOpenConsole(m.domain, nil, &l.says, uint32(flags))
		l.says.out.CloseWithError(err) // nil becomes io.EOF
		ended <- err
	})
	select {
	case err = <-ended:
	case <-watched.opened:
	}
	if err != nil {
		l.Close()
		return nil, errors.Join(ctx.Err(), taken(err))
	}
	return l, nil
}

// consoleFlags say whether the line is taken from whoever has it.
func (h *Host) consoleFlags(force bool) libvirt.DomainConsoleFlags {
	switch {
	case force:
		return libvirt.DomainConsoleForce
	case h.onXen():
		return 0 // libxl knows no other flag: it never gives a line to two
	}
	return libvirt.DomainConsoleSafe
}

// taken makes a Conflict of libvirt's refusal of a line that another one has.
func taken(err error) error {
	if isCode(err, libvirt.ErrOperationFailed) {
		return workspace.Refuse(workspace.Conflict,
			"its console is taken: ask by force to take it over (%w)", err)
	}
	return err
}

// line is a serial line that is connected.
type line struct {
	conn *watched
	rpc  *libvirt.Libvirt
	said *io.PipeReader
	says spout
	both sync.WaitGroup
	once sync.Once
}

// spout takes what comes, and throws it away once nobody reads: were it to fail,
// the library would no longer read its connection.
type spout struct{ out *io.PipeWriter }

// Write never fails.
func (s *spout) Write(p []byte) (int, error) {
	s.out.Write(p)
	return len(p), nil
}

// Read reads what the guest says.
func (l *line) Read(p []byte) (int, error) { return l.said.Read(p) }

// Write says something to the guest: as packets of the stream, which the library
// sends for reads from a stream alone.
func (l *line) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		some := p[:min(len(p), mostInPacket)]
		packet := make([]byte, headerSize, headerSize+len(some))
		for i, word := range []uint32{
			uint32(headerSize + len(some)), remoteProgram, 1, openConsole,
			socket.Stream, l.conn.serial.Load(), socket.StatusContinue,
		} {
			binary.BigEndian.PutUint32(packet[4*i:], word)
		}
		if _, err := l.conn.Conn.Write(append(packet, some...)); err != nil {
			return n, err
		}
		n, p = n+len(some), p[len(some):]
	}
	return n, nil
}

// Close ends the connection, and with it the guest's line.
func (l *line) Close() error {
	l.once.Do(func() {
		l.said.Close()
		l.conn.Close()
		l.both.Wait()
	})
	return nil
}

// watched is a connection that learns under which number a stream was asked for,
// and when it was granted: the library tells neither.
type watched struct {
	net.Conn
	serial atomic.Uint32
	opened chan struct{} // closed when the stream is open
	header []byte        // of the packet that is coming in, as far as it is there
	skip   int           // how much of that packet is still to come
}

// Write sends packets. Each of the library's calls is written as a whole.
func (w *watched) Write(p []byte) (int, error) {
	if len(p) >= headerSize && binary.BigEndian.Uint32(p[12:]) == openConsole {
		w.serial.Store(binary.BigEndian.Uint32(p[20:]))
	}
	return w.Conn.Write(p)
}

// Read receives packets, in pieces of any size.
func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	for came := p[:n]; len(came) > 0; {
		some := min(w.skip, len(came))
		w.skip, came = w.skip-some, came[some:]
		if w.skip > 0 || len(came) == 0 {
			break
		}
		some = min(headerSize-len(w.header), len(came))
		w.header, came = append(w.header, came[:some]...), came[some:]
		if len(w.header) == headerSize {
			w.look()
		}
	}
	return n, err
}

// look looks at a packet's header.
func (w *watched) look() {
	word := func(i int) uint32 { return binary.BigEndian.Uint32(w.header[4*i:]) }
	w.skip = max(int(word(0))-headerSize, 0)
	if word(3) == openConsole && word(4) == socket.Reply && word(6) == socket.StatusOK &&
		word(5) == w.serial.Load() {
		close(w.opened)
	}
	w.header = w.header[:0]
}

// ConsoleLog reads the file that the serial line is written to.
func (h *Host) ConsoleLog(
	ctx context.Context, id workspace.ID, from, most int64,
) (said []byte, size int64, err error) {
	path := h.consolePath(id)
	if path == "" || !h.sees() {
		return nil, 0, nil
	}
	stat, err := h.o.Access.Stat(ctx, path)
	if workspace.KindOf(err) == workspace.NotFound {
		return nil, 0, nil
	}
	if most = min(most, stat.Size-from); err == nil && most > 0 {
		said, err = h.piece(ctx, path, from, most)
	}
	return said, stat.Size, h.fault("read the console of the machine", id, err)
}

// piece reads a part of a file of the host.
func (h *Host) piece(ctx context.Context, path string, from, most int64) ([]byte, error) {
	if a := h.o.Access; !a.Local() {
		var said bytes.Buffer
		err := a.Run(ctx, workspace.Command{Stdout: &said, Args: []string{"dd", "if=" + path,
			"bs=64K", "iflag=skip_bytes,count_bytes", fmt.Sprint("skip=", from),
			fmt.Sprint("count=", most)}})
		return said.Bytes(), err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.NewSectionReader(f, from, most))
}
