package lanes

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"testing"

	pkgsftp "github.com/pkg/sftp"

	"github.com/philoxenia/philoxenia/adapters/image/sparse"
	"github.com/philoxenia/philoxenia/adapters/transport/transfer"
)

// A line is what goes over the wire between the client and a server of the library's own.
type line struct {
	net.Conn // the client's end
	server   net.Conn
	answer   func(packet []byte) [][]byte // what the client gets in a packet's place
}

// newLine starts a server; answer nil: the client gets what it says.
func newLine(t *testing.T, answer func(packet []byte) [][]byte) *line {
	t.Helper()
	client, middle := net.Pipe()
	above, below := net.Pipe()
	server, err := pkgsftp.NewServer(below)
	if err != nil {
		t.Fatal(err)
	}
	l := &line{Conn: client, server: below, answer: answer}
	done := make(chan struct{}, 3)
	go func() { _ = server.Serve(); below.Close(); done <- struct{}{} }()
	go func() { _, _ = io.Copy(above, middle); above.Close(); done <- struct{}{} }()
	go func() { l.pass(above, middle); middle.Close(); done <- struct{}{} }()
	t.Cleanup(func() {
		client.Close()
		for range 3 {
			<-done
		}
	})
	return l
}

// pass hands the server's packets on.
func (l *line) pass(from io.Reader, to io.Writer) {
	for {
		packet := make([]byte, 4)
		if _, err := io.ReadFull(from, packet); err != nil {
			return
		}
		packet = append(packet, make([]byte, binary.BigEndian.Uint32(packet))...)
		if _, err := io.ReadFull(from, packet[4:]); err != nil {
			return
		}
		packets := [][]byte{packet}
		if l.answer != nil && packet[4] == packetData {
			packets = l.answer(packet)
		}
		for _, p := range packets {
			if _, err := to.Write(p); err != nil {
				return
			}
		}
	}
}

// download fetches a file of so many bytes, of which the client believes that it has size.
func download(t *testing.T, l *line, data []byte, size int64) ([]byte, error) {
	t.Helper()
	s, err := over(l, l)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Client.Close()
	dir := t.TempDir()
	there := filepath.Join(dir, "there")
	to, err := os.Create(filepath.Join(dir, "here"))
	if err := errors.Join(err, os.WriteFile(there, data, 0o600)); err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	src, err := s.Source(there)
	if err != nil {
		t.Fatal(err)
	}
	d := Download{From: []*Source{src}, To: to, Size: size,
		Extents: []sparse.Extent{{Length: size}}, Touch: func() {},
		Meter: transfer.NewMeter(nil, size), Account: func(int64) error { return nil }}
	err = d.Run(t.Context())
	here, rerr := os.ReadFile(to.Name())
	if rerr != nil {
		t.Fatal(rerr)
	}
	return here, err
}

func random(size int) []byte {
	data := make([]byte, size)
	rand.NewChaCha8([32]byte{}).Read(data)
	return data
}

// dataPacket is a packet of data.
func dataPacket(id []byte, data []byte) []byte {
	p := binary.BigEndian.AppendUint32(nil, uint32(headBytes+len(data)))
	p = append(append(p, packetData), id...)
	return append(binary.BigEndian.AppendUint32(p, uint32(len(data))), data...)
}

// failure is the status FAILURE, the least that a server can say.
func failure(id []byte) []byte {
	return append(append([]byte{0, 0, 0, 17, 101}, id...), 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0)
}

// TestDownloadOfAllServers: servers may answer in pieces, in another order, with a
// failure that does not come again, or in words that only the library understands.
func TestDownloadOfAllServers(t *testing.T) {
	data := random(20*packetBytes + 12345)
	var held []byte
	failures := 0
	tests := map[string]func(packet []byte) [][]byte{
		"plain": nil,
		"in pieces": func(p []byte) [][]byte {
			return [][]byte{dataPacket(p[5:9], p[dataHeadBytes:][:(len(p)-dataHeadBytes+1)/2])}
		},
		"in another order": func(p []byte) [][]byte {
			last := held
			if held = p; last == nil && len(p) == packetBytes+dataHeadBytes {
				return nil
			}
			held = nil
			return [][]byte{p, last}
		},
		"with failures": func(p []byte) [][]byte {
			if failures++; failures%3 == 0 && p[5]&0x80 != 0 {
				return [][]byte{failure(p[5:9])}
			}
			return [][]byte{p}
		},
		"with more behind the data": func(p []byte) [][]byte {
			p = append(p, 0)
			binary.BigEndian.PutUint32(p, uint32(len(p)-4))
			return [][]byte{p}
		},
	}
	for name, answer := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := download(t, newLine(t, answer), data, int64(len(data)))
			if err != nil || !bytes.Equal(got, data) {
				t.Errorf("%d of %d bytes came, others or fewer: %v", len(got), len(data), err)
			}
		})
	}
}

// TestDownloadThatCannotBe: the end of the file means that it has changed, that of the
// connection does not, and a server that makes no sense is not listened to.
func TestDownloadThatCannotBe(t *testing.T) {
	data := random(3 * packetBytes)
	var l *line
	tests := map[string]struct {
		size    int64
		answer  func(p []byte) [][]byte
		changed bool
	}{
		"file ends": {int64(len(data)) + 5, nil, true},
		"line ends": {int64(len(data)), func([]byte) [][]byte {
			l.server.Close()
			return nil
		}, false},
		"line ends within a packet": {int64(len(data)), func(p []byte) [][]byte {
			l.server.Close()
			return [][]byte{p[:1000]}
		}, false},
		"failure again and again": {int64(len(data)), func(p []byte) [][]byte {
			return [][]byte{failure(p[5:9])}
		}, false},
		"absurd length": {int64(len(data)), func(p []byte) [][]byte {
			return [][]byte{append([]byte{255, 255, 255, 255}, p[4:]...)}
		}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			l = newLine(t, test.answer)
			_, err := download(t, l, data, test.size)
			if err == nil || transfer.HasChanged(err) != test.changed {
				t.Errorf("%v, want changed to be %t", err, test.changed)
			}
		})
	}
}
