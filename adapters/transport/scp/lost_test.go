package scp_test

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/philoxenia/philoxenia/adapters/transport/login"
	"github.com/philoxenia/philoxenia/adapters/transport/login/sshdtest"
	"github.com/philoxenia/philoxenia/adapters/transport/scp"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// dying is an SSH server that serves one file after the other by scp, as its script
// has it, and dies in the middle.
type dying struct {
	script func(command string, channel ssh.Channel) (dies bool)
	server login.Server
}

// startDying starts the server.
func startDying(t *testing.T, script func(string, ssh.Channel) bool) *dying {
	t.Helper()
	dir := t.TempDir()
	public := sshdtest.WriteKey(t, filepath.Join(dir, "host"))
	sshdtest.WriteKey(t, filepath.Join(dir, "id"))
	text, err := os.ReadFile(filepath.Join(dir, "host"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.ParsePrivateKey(text)
	if err != nil {
		t.Fatal(err)
	}
	config := &ssh.ServerConfig{NoClientAuth: true}
	config.AddHostKey(key)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	address := listener.Addr().String()
	known := filepath.Join(dir, "known")
	line := knownhosts.Line([]string{knownhosts.Normalize(address)}, public)
	if err := os.WriteFile(known, []byte(line+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := &dying{script, login.Server{Address: address, User: "root", Root: "/srv",
		KeyFile: filepath.Join(dir, "id"), KnownHostsFile: known}}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go d.serve(conn, config)
		}
	}()
	return d
}

// serve answers commands until one of them is the last.
func (d *dying) serve(conn net.Conn, config *ssh.ServerConfig) {
	defer conn.Close()
	_, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	for asked := range channels {
		channel, requests, err := asked.Accept()
		if err != nil {
			return
		}
		for r := range requests {
			r.Reply(r.Type == "exec", nil)
			if r.Type != "exec" {
				continue
			}
			if d.script(string(r.Payload[4:]), channel) {
				return
			}
			channel.Close()
		}
	}
}

// sends plays scp with a file of so many bytes, of which some come.
func sends(channel ssh.Channel, size string, some string) {
	answer := make([]byte, 1)
	for _, said := range []string{
		"T1700000000 0 1700000000 0\n", "C0644 " + size + " file\n", some,
	} {
		io.ReadFull(channel, answer)
		io.WriteString(channel, said)
	}
}

// settings is what bash says where a locale is missing.
const settings = "bash: warning: setlocale: LC_ALL: cannot change locale (xx_YY): " +
	"No such file or directory\n"

// TestServerThatDies has a server die where half of what it said could be taken for a
// verdict on the image: it is out of reach, and nothing else is known.
func TestServerThatDies(t *testing.T) {
	other := strings.Repeat("ab", 32) + "  another\n"
	for name, script := range map[string]func(string, ssh.Channel) bool{
		"with its shell's complaint before": func(_ string, c ssh.Channel) bool {
			io.WriteString(c.Stderr(), settings)
			return true
		},
		"in a line of the checksum": func(command string, c ssh.Channel) bool {
			if strings.Contains(command, ".sha256") {
				sends(c, "72", other[:20])
				return true
			}
			sends(c, "4096", strings.Repeat("x", 4096)+"\x00")
			return false
		},
		"between two lines of the checksums": func(command string, c ssh.Channel) bool {
			if strings.Contains(command, ".sha256") {
				sends(c, "146", other)
				return true
			}
			sends(c, "4096", strings.Repeat("x", 4096)+"\x00")
			return false
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := startDying(t, script)
			transport := open(t, scp.Options{Servers: []login.Server{d.server}})
			host := t.TempDir()
			_, err := transport.Fetch(t.Context(), workspace.Fetch{
				Location: "scp://" + d.server.Address + "/image",
				Path:     filepath.Join(host, "disk")})
			kind := workspace.KindOf(err)
			if err == nil || kind != workspace.Unavailable && kind != workspace.Transient {
				t.Errorf("got %v (%s), want it to be tried again", err, kind)
			}
			if left, _ := os.ReadDir(host); len(left) > 0 {
				t.Errorf("there remain %v", left)
			}
		})
	}
}

// TestShellThatComplains has a server whose shell complains of its settings before its
// scp says what is wrong.
func TestShellThatComplains(t *testing.T) {
	d := startDying(t, func(_ string, c ssh.Channel) bool {
		io.WriteString(c.Stderr(), settings+"scp: the moon is in the way\n")
		c.SendRequest("exit-status", false, []byte{0, 0, 0, 1})
		return false
	})
	transport := open(t, scp.Options{Servers: []login.Server{d.server}})
	_, err := transport.Check(t.Context(), "scp://"+d.server.Address+"/image")
	if err == nil || workspace.KindOf(err) != workspace.Transient ||
		!strings.Contains(err.Error(), "moon") {
		t.Errorf("got %v (%s)", err, workspace.KindOf(err))
	}
}
