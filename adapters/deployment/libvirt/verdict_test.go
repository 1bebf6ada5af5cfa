package libvirt_test

import (
	"bytes"
	"crypto/tls"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/adapters/deployment/libvirt"
	"github.com/philoxenia/philoxenia/adapters/deployment/libvirt/libvirtdtest"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// TestMemoryThatCannotBeLookedAt has a file of memory that libvirtd cannot open: the
// guest is not off for that, and is not started anew. One that holds something else
// is no memory.
func TestMemoryThatCannotBeLookedAt(t *testing.T) {
	f := newFarm(t)
	h := open(t, f.options)
	defer func() { must(t, h.Close()) }()
	m := f.machine(t, 300)
	must(t, h.Define(t.Context(), m))
	must(t, os.Symlink(m.Memory, m.Memory)) // too many levels of symbolic links
	_, err := h.Inspect(t.Context(), 300)
	isKind(t, "inspect", err, workspace.Transient)
	isKind(t, "start", h.Start(t.Context(), 300, true), workspace.Transient)
	must(t, os.Remove(m.Memory))
	is(t, h, 300, workspace.ConditionOff)
	for _, text := range []string{"", "this is none", "LibvirtQemudPart"} {
		write(t, m.Memory, text)
		is(t, h, 300, workspace.ConditionOff)
	}
	must(t, h.Undefine(t.Context(), 300))
	f.nothingRemains(t)
}

// TestLibvirtdEndsAtTheDoor has a libvirtd hang up on us after the handshake: one that
// does so for the last time is out of reach, one that goes on has something against us.
func TestLibvirtdEndsAtTheDoor(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	libvirtdtest.NewCA(t, file("ca.pem")).Issue(file("cert.pem"), file("key.pem"), "host",
		"127.0.0.1")
	own, err := tls.LoadX509KeyPair(file("cert.pem"), file("key.pem"))
	must(t, err)
	for name, ends := range map[string]bool{"and ends": true, "and goes on": false} {
		t.Run(name, func(t *testing.T) {
			raw, err := net.Listen("tcp", "127.0.0.1:0")
			must(t, err)
			door := tls.NewListener(raw, &tls.Config{Certificates: []tls.Certificate{own}})
			served := make(chan struct{})
			go func() {
				defer close(served)
				for {
					conn, err := door.Accept()
					if err != nil {
						return
					}
					if conn.(*tls.Conn).Handshake() == nil && ends {
						door.Close()
					}
					conn.Close()
				}
			}()
			var log bytes.Buffer // of the first attempt, which Open makes
			h := open(t, libvirt.Options{URI: "qemu+tls://" + raw.Addr().String() + "/system",
				Logger: slog.New(slog.NewTextHandler(&log, nil)),
				TLS: libvirt.TLS{CAFile: file("ca.pem"), CertFile: file("cert.pem"),
					KeyFile: file("key.pem")}})
			if denied := strings.Contains(log.String(), "does not let us in"); denied == ends {
				t.Errorf("it was told as %s", log.String())
			}
			door.Close()
			<-served
			_, err = h.List(t.Context())
			isKind(t, "list", err, workspace.Unavailable)
			must(t, h.Close())
		})
	}
}
