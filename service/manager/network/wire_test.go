package network

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// A lab is a host of its own network namespace: a bridge, and on it a
// neighbour's link from which the test hears what the bridge passes on.
type lab struct {
	t    *testing.T
	name string
	node *host.Node
}

func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{t: t, name: "phx" + strings.ToLower(rand.Text())} // packages' tests run at once
	run(t, "ip", "netns", "add", l.name)
	t.Cleanup(func() { run(t, "ip", "netns", "del", l.name) })
	l.ip("link", "add", "br0", "type", "bridge", "forward_delay", "0")
	l.ip("link", "set", "br0", "up")
	l.node = &host.Node{Host: workspace.Host{ID: "host1"}, Access: shell{ns: l.name}}
	return l
}

func run(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
	return string(out)
}

func (l *lab) ip(args ...string) string {
	l.t.Helper()
	return l.run(append([]string{"ip"}, args...)...)
}

// run runs a program on the host.
func (l *lab) run(args ...string) string {
	l.t.Helper()
	return run(l.t, append([]string{"nsenter", "--net=/run/netns/" + l.name}, args...)...)
}

// guest plugs a link into the bridge and returns the guest's end of it.
func (l *lab) guest(device, end string) *wire {
	l.t.Helper()
	l.ip("link", "add", device, "type", "veth", "peer", "name", end)
	for _, d := range []string{device, end} { // the kernel itself says nothing
		run(l.t, "nsenter", "--net=/run/netns/"+l.name, "sh", "-c",
			"echo 1 >/proc/sys/net/ipv6/conf/"+d+"/disable_ipv6")
		l.ip("link", "set", d, "up")
	}
	l.plug(device, "br0")
	return l.open(end)
}

// plug plugs a link into a bridge and waits until frames pass there: the kernel hears
// that both ends of a link are up some time after they are.
func (l *lab) plug(device, bridge string) {
	l.t.Helper()
	l.ip("link", "set", device, "master", bridge)
	l.await(device+" forwards", func() bool {
		return strings.Contains(l.run("bridge", "link", "show", "dev", device), "state forwarding")
	})
}

// await waits until something is so.
func (l *lab) await(what string, so func() bool) {
	l.t.Helper()
	for end := time.Now().Add(hang); !so(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			l.t.Fatalf("it never is so that %s", what)
		}
	}
}

// hang is how long nothing takes, however slow the machine.
const hang = 2 * time.Minute

// neighbour is another host, with a MAC, on the wire of this one.
func (l *lab) neighbour(mac string) *lab {
	l.t.Helper()
	other := newLab(l.t)
	l.ip("link", "add", "s0", "type", "veth", "peer", "s1", "netns", other.name)
	l.ip("link", "set", "s0", "up")
	other.ip("link", "set", "s1", "address", mac, "up")
	l.plug("s0", "br0")
	return other
}

// shell is a host's Access as far as Run goes.
type shell struct {
	workspace.Access
	ns string
}

func (s shell) Run(ctx context.Context, c workspace.Command) error {
	cmd := exec.CommandContext(ctx, "nsenter",
		append([]string{"--net=/run/netns/" + s.ns}, c.Args...)...)
	var said bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = c.Stdin, c.Stdout, &said
	if err := cmd.Run(); err != nil {
		return workspace.Errorf(workspace.Internal, "run", c.Args[0], "%w: %s", err, said.String())
	}
	return nil
}

// A wire sends and hears frames at a device.
type wire struct {
	t  *testing.T
	fd int
}

// open opens a raw socket at a device of the namespace.
func (l *lab) open(device string) *wire {
	l.t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	home, err := os.Open("/proc/thread-self/ns/net")
	must(l.t, err)
	defer home.Close()
	there, err := os.Open("/run/netns/" + l.name)
	must(l.t, err)
	defer there.Close()
	must(l.t, unix.Setns(int(there.Fd()), unix.CLONE_NEWNET))
	defer func() { must(l.t, unix.Setns(int(home.Fd()), unix.CLONE_NEWNET)) }()
	card, err := net.InterfaceByName(device)
	must(l.t, err)
	all := int(binary.BigEndian.Uint16(binary.NativeEndian.AppendUint16(nil, unix.ETH_P_ALL)))
	fd, err := syscall.Socket(unix.AF_PACKET, unix.SOCK_RAW, all)
	must(l.t, err)
	must(l.t, syscall.Bind(fd, &syscall.SockaddrLinklayer{
		Protocol: uint16(all), Ifindex: card.Index}))
	limit := syscall.NsecToTimeval(int64(hang))
	must(l.t, syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &limit))
	l.t.Cleanup(func() { must(l.t, syscall.Close(fd)) })
	return &wire{l.t, fd}
}

// send writes a frame, from the same CPU always: each has a queue of its own for what
// comes out of a link's other end, and of two queues neither waits for the other.
func (w *wire) send(frame []byte) {
	w.t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var all, one unix.CPUSet
	must(w.t, unix.SchedGetaffinity(0, &all))
	for cpu := 0; one.Count() == 0; cpu++ {
		if all.IsSet(cpu) {
			one.Set(cpu)
		}
	}
	must(w.t, unix.SchedSetaffinity(0, &one))
	defer func() { must(w.t, unix.SchedSetaffinity(0, &all)) }()
	_, err := syscall.Write(w.fd, frame)
	must(w.t, err)
}

// hears returns whether the frame came before the mark did.
func (w *wire) hears(frame, mark []byte) bool {
	w.t.Helper()
	heard := false
	buffer := make([]byte, 2048)
	for {
		n, err := syscall.Read(w.fd, buffer)
		must(w.t, err)
		switch {
		case bytes.Equal(buffer[:n], mark):
			return heard
		case bytes.Equal(buffer[:n], frame):
			heard = true
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// The parts of frames.

var everybody = net.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

func mac(text string) net.HardwareAddr {
	m, err := net.ParseMAC(text)
	if err != nil {
		panic(err)
	}
	return m
}

func ether(from net.HardwareAddr, kind uint16, payload []byte) []byte {
	f := append(append([]byte{}, everybody...), from...)
	return append(binary.BigEndian.AppendUint16(f, kind), payload...)
}

// arp says that a sender has an IP address; op 1 asks for the target, 2 answers.
func arp(op uint16, sender net.HardwareAddr, ip, target string) []byte {
	b := []byte{0, 1, 8, 0, 6, 4}
	b = append(binary.BigEndian.AppendUint16(b, op), sender...)
	b = append(b, netip.MustParseAddr(ip).AsSlice()...)
	b = append(b, make([]byte, 6)...)
	return append(b, netip.MustParseAddr(target).AsSlice()...)
}

func udp(from, to uint16) []byte {
	b := binary.BigEndian.AppendUint16(nil, from)
	b = binary.BigEndian.AppendUint16(b, to)
	return append(b, 0, 12, 0, 0, 'd', 'a', 't', 'a')
}

func ip4(from net.HardwareAddr, source string, payload []byte) []byte {
	b := []byte{0x45, 0, 0, byte(20 + len(payload)), 0, 1, 0, 0, 64, unix.IPPROTO_UDP, 0, 0}
	b = append(b, netip.MustParseAddr(source).AsSlice()...)
	b = append(b, 255, 255, 255, 255)
	binary.BigEndian.PutUint16(b[10:], checksum(b)) // bridges may look at it
	return ether(from, 0x0800, append(b, payload...))
}

func ip6(from net.HardwareAddr, source string, next byte, payload []byte) []byte {
	b := []byte{0x60, 0, 0, 0, 0, byte(len(payload)), next, 255}
	b = append(b, netip.MustParseAddr(source).AsSlice()...)
	b = append(b, netip.MustParseAddr("ff02::1").AsSlice()...)
	return ether(from, 0x86dd, append(b, payload...))
}

// icmp6 is a message of the kind about a target, with an option.
func icmp6(kind byte, target string, option []byte) []byte {
	b := append([]byte{kind, 0, 0, 0, 0, 0, 0, 0}, netip.MustParseAddr(target).AsSlice()...)
	return append(b, option...)
}

// checksum is that of an IPv4 header (RFC 1071).
func checksum(header []byte) uint16 {
	sum := uint32(0)
	for i := 0; i < len(header); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(header[i:]))
	}
	return ^uint16(sum + sum>>16)
}
