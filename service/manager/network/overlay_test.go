package network

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// A site is hosts of their own namespaces which reach each other over one wire.
type site struct {
	*record
	t     *testing.T
	hosts []*lab
	ns    *Networks
}

func newSite(t *testing.T, hosts int, address func(i int) string) *site {
	t.Helper()
	s := &site{t: t, record: &record{}}
	under, pool := newLab(t), host.NewPool()
	for i := range hosts {
		l, port := newLab(t), fmt.Sprint("p", i)
		under.ip("link", "add", port, "type", "veth", "peer", "u0", "netns", l.name)
		under.ip("link", "set", port, "up")
		l.ip("link", "set", "u0", "up")
		under.plug(port, "br0")
		l.ip("link", "set", "lo", "up")
		bits := "24"
		if strings.Contains(address(i), ":") {
			bits = "64"
		}
		l.ip("address", "add", address(i)+"/"+bits, "dev", "u0", "nodad")
		l.node.ID, l.node.Overlay = workspace.HostID(fmt.Sprint("host", i+1)), address(i)
		pool.Add(l.node)
		s.hosts = append(s.hosts, l)
	}
	s.ns = New(Options{Installation: "test", Store: s, Pool: pool,
		Rules: map[string]Rule{"own": {Private: true, Guard: true}}})
	return s
}

func four(i int) string { return fmt.Sprint("10.98.0.", i+1) }

func six(i int) string { return fmt.Sprint("fd00:98::", i+1) }

// node records a node of a group on a host: its address is its number.
func (s *site) node(id workspace.ID, group workspace.GroupID, vni, on int) *workspace.Workspace {
	w := &workspace.Workspace{ID: id, Group: group, Host: s.hosts[on].node.ID,
		NICs: []workspace.NIC{{Association: "own", VNI: vni, MTU: 1400,
			Method:  workspace.AllocateAndConfigure,
			MAC:     fmt.Sprintf("A2:AA:BB:00:00:%02X", int64(id)),
			Address: workspace.Address{IP: fmt.Sprint("10.9.0.", id)}}}}
	s.workspaces = append(s.workspaces, w)
	return w
}

// start connects a node and plugs its guest in.
func (s *site) start(w *workspace.Workspace, on int) *wire {
	s.t.Helper()
	l := s.hosts[on]
	must(s.t, s.ns.Connect(s.t.Context(), l.node, w))
	nic := s.ns.NICs(l.node, w)[0]
	end := l.guest(nic.Device, fmt.Sprint("g", w.ID))
	l.plug(nic.Device, nic.Bridge)
	return end
}

// end removes a node's guest and disconnects it, then forgets it.
func (s *site) end(w *workspace.Workspace, on int) {
	s.t.Helper()
	l := s.hosts[on]
	l.ip("link", "del", s.ns.NICs(l.node, w)[0].Device)
	must(s.t, s.ns.Disconnect(s.t.Context(), l.node, w))
	s.forget(w)
}

func (s *site) forget(w *workspace.Workspace) {
	s.workspaces = slices.DeleteFunc(s.workspaces, func(other *workspace.Workspace) bool {
		return other == w
	})
}

func (s *site) mend(on int) {
	s.t.Helper()
	must(s.t, s.ns.Mend(s.t.Context(), s.hosts[on].node, s, nil))
}

// has returns all that a host has of private networks: devices with what they are
// plugged into, forwarding tables, and rules about who may send.
func (l *lab) has() string {
	l.t.Helper()
	return l.run("sh", "-c", "ip -d -o link show type vxlan | sed 's/^[0-9]*: //; "+
		"s/bridge_slave.*//; s/link.ether [^ ]* //'; ip -o link show type bridge | "+
		"sed -n 's/^[0-9]*: \\(b[a-z0-9]*\\):.*/\\1/p' | sed /br0/d; "+
		"bridge fdb show | grep dst | sort; nft list tables | grep inet; "+
		"nft list table inet $(nft list tables | sed -n 's/table inet //p') 2>/dev/null || true")
}

// A talk is a group of two with the ends of their guests.
type talk struct {
	a, b       *workspace.Workspace
	atA, atB   *wire
	said, mark []byte
}

func (s *site) talk(first workspace.ID, vni int) *talk {
	group := workspace.GroupID(fmt.Sprint("group", vni))
	k := &talk{a: s.node(first, group, vni, 0), b: s.node(first+1, group, vni, 1)}
	k.atA, k.atB = s.start(k.a, 0), s.start(k.b, 1)
	k.say(nil)
	return k
}

// say writes what the first guest says, to a MAC or to everybody, and a mark.
func (k *talk) say(to []byte) {
	m, ip := mac(k.a.NICs[0].MAC), k.a.NICs[0].IP
	k.said, k.mark = ip4(m, ip, udp(1, 1)), ip4(m, ip, udp(2, 2))
	copy(k.said, to)
}

// heard reports whether the second guest hears what the first says.
func (k *talk) heard() bool {
	k.atA.send(k.said)
	k.atA.send(k.mark)
	return k.atB.hears(k.said, k.mark)
}

// TestPrivateNetworkSpansHosts: the guests of a group hear each other from host to host,
// other groups do not, and nobody else may send to them. It ends without a trace.
func TestPrivateNetworkSpansHosts(t *testing.T) {
	for name, address := range map[string]func(int) string{"four": four, "six": six} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, 3, address)
			one, two := s.talk(1, 4097), s.talk(3, 4098)
			if !one.heard() || !two.heard() {
				t.Error("a group does not hear itself")
			}
			to := mac(one.b.NICs[0].MAC)
			if one.say(to); !one.heard() {
				t.Error("what is for one guest alone does not come")
			}
			one.say(nil)
			one.heard()            // it has passed
			two.atA.send(two.mark) // and this comes after it
			if two.atB.hears(one.said, two.mark) {
				t.Error("another group hears it")
			}
			s.strangersAreNotHeard(one)
			before := s.hosts[0].has()
			s.mend(0)
			if now := s.hosts[0].has(); now != before {
				t.Errorf("where all is well Mend changed\n%sto\n%s", before, now)
			}
			s.end(one.a, 0)
			if now := s.hosts[1].has(); strings.Contains(now, deviceOf(s.ns.bridge(one.a, "own"))) {
				t.Errorf("the other host has of who has left\n%s", now)
			}
			s.end(one.b, 1)
			s.end(two.b, 1)
			s.end(two.a, 0)
			for _, l := range s.hosts {
				if left := l.has(); left != "" {
					t.Errorf("%s has left\n%s", l.node.ID, left)
				}
			}
		})
	}
}

// strangersAreNotHeard has a host that the group is not on send into its network.
func (s *site) strangersAreNotHeard(k *talk) {
	s.t.Helper()
	l, to := s.hosts[2], s.hosts[1].node
	l.ip("link", "add", "x0", "type", "vxlan", "id", fmt.Sprint(k.a.NICs[0].VNI), "local",
		l.node.Overlay, "dstport", "4789", "nolearning")
	l.run("bridge", "fdb", "append", flood, "dev", "x0", "dst", to.Overlay)
	l.ip("link", "set", "x0", "up")
	l.plug("x0", "br0")
	stranger := l.guest("y0", "y1")
	comes := func() bool {
		stranger.send(k.said)
		l.run("busybox", "ping", "-c", "1", "-W", "60", to.Overlay) // goes the same way
		k.atA.send(k.mark)
		return k.atB.hears(k.said, k.mark)
	}
	if comes() {
		s.t.Error("a host that is not of the group is heard")
	}
	s.hosts[1].run("nft", "flush", "ruleset")
	if !comes() {
		s.t.Error("without rules a stranger is not heard: the test cannot fail")
	}
	s.mend(1)
	if comes() {
		s.t.Error("the rules did not come back")
	}
	l.ip("link", "del", "x0")
	l.ip("link", "del", "y0")
}

// TestPeersFollowTheRecord: while a node migrates both its hosts hear what is for
// everybody, and what is for it; afterwards the new one alone.
func TestPeersFollowTheRecord(t *testing.T) {
	s := newSite(t, 3, four)
	k := s.talk(1, 4097)
	device := deviceOf(s.ns.bridge(k.a, "own"))
	table := func(on int, want ...string) {
		t.Helper()
		said := s.hosts[on].run("sh", "-c", "bridge fdb show dev "+device+
			" 2>/dev/null | sed -n 's/ self permanent//p' | grep dst || true")
		got := strings.Split(strings.TrimSpace(said), "\n")
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("host%d has %q, want %q", on+1, got, want)
		}
	}
	a, b := strings.ToLower(k.a.NICs[0].MAC), strings.ToLower(k.b.NICs[0].MAC)
	table(0, flood+" dst "+four(1), b+" dst "+four(1))
	table(1, flood+" dst "+four(0), a+" dst "+four(0))

	s.changes = []*workspace.Change{{Workspace: k.b.ID, Kind: workspace.ChangeMigrate,
		Argument: workspace.Course{From: "host2", To: "host3"}.String()}}
	must(t, s.ns.Connect(t.Context(), s.hosts[2].node, k.b))
	table(0, flood+" dst "+four(1), flood+" dst "+four(2))
	table(1, flood+" dst "+four(0), flood+" dst "+four(2), a+" dst "+four(0))
	table(2, flood+" dst "+four(0), flood+" dst "+four(1), a+" dst "+four(0))

	moved := *k.b
	moved.Host = "host3"
	s.workspaces[1] = &moved
	s.hosts[1].ip("link", "del", s.ns.NICs(s.hosts[1].node, k.b)[0].Device)
	must(t, s.ns.Disconnect(t.Context(), s.hosts[1].node, &moved)) // VMM.Depart
	s.changes = nil
	s.mend(0)
	table(0, flood+" dst "+four(2), b+" dst "+four(2))
	table(1, "")
	table(2, flood+" dst "+four(0), a+" dst "+four(0))
	if left := s.hosts[1].has(); left != "" {
		t.Errorf("the host that it left has\n%s", left)
	}
}

// dying is the way to a host of a daemon that is killed after so many commands; of the
// last one, where it is several, the first half happened.
type dying struct {
	shell
	left *int
}

func (d dying) Run(ctx context.Context, c workspace.Command) error {
	*d.left--
	dead := workspace.Errorf(workspace.Unavailable, "run", c.Args[0], "the daemon is killed")
	if *d.left < 0 {
		return dead
	}
	if *d.left > 0 {
		return d.shell.Run(ctx, c)
	}
	if c.Stdin != nil && c.Args[1] == "-batch" {
		all, err := io.ReadAll(c.Stdin)
		if err != nil {
			return err
		}
		lines := strings.SplitAfter(string(all), "\n")
		c.Stdin = strings.NewReader(strings.Join(lines[:len(lines)/2], ""))
		if err := d.shell.Run(ctx, c); err != nil {
			return err
		}
	}
	return dead
}

// TestKilledBetweenSteps kills the daemon after each command of a start, and of an end:
// the one after it comes to what a start that was not disturbed comes to, and to nothing.
func TestKilledBetweenSteps(t *testing.T) {
	s := newSite(t, 2, four)
	b := s.node(1, "one", 4097, 1)
	must(t, s.ns.Connect(t.Context(), s.hosts[1].node, b))
	l := s.hosts[0]
	whole := l.node.Access.(shell)
	killed := func(after int, do func(context.Context, *host.Node, *workspace.Workspace) error,
		w *workspace.Workspace) bool {
		left := after
		l.node.Access = dying{whole, &left}
		defer func() { l.node.Access = whole }()
		err := do(t.Context(), l.node, w)
		if left <= 0 && err != nil && workspace.KindOf(err) != workspace.Unavailable {
			t.Errorf("a host that is away after %d commands is a verdict: %v", after, err)
		}
		return err != nil && left <= 0
	}
	empty := func(what string, after int) {
		t.Helper()
		s.mend(0)
		if left := l.has(); left != "" {
			t.Fatalf("%s that was killed after %d commands left\n%s", what, after, left)
		}
	}
	a := s.node(2, "one", 4097, 0)
	must(t, s.ns.Connect(t.Context(), l.node, a))
	want, other := l.has(), s.hosts[1].has()
	must(t, s.ns.Disconnect(t.Context(), l.node, a))
	starts, ends := 0, 0
	for ; killed(starts, s.ns.Connect, a); starts++ {
		s.forget(a) // and it is not tried again
		empty("a start", starts)
		a = s.node(2, "one", 4097, 0)
		killed(starts, s.ns.Connect, a)
		must(t, s.ns.Connect(t.Context(), l.node, a)) // and it is
		if now := l.has(); now != want {
			t.Errorf("killed after %d commands a start comes to\n%swant\n%s", starts, now, want)
		}
		must(t, s.ns.Disconnect(t.Context(), l.node, a))
	}
	if now := s.hosts[1].has(); now != other {
		t.Errorf("then the other host has\n%swant\n%s", now, other)
	}
	for ; killed(ends, s.ns.Disconnect, a); ends++ {
		s.forget(a)
		empty("an end", ends)
		a = s.node(2, "one", 4097, 0)
		must(t, s.ns.Connect(t.Context(), l.node, a))
	}
	if starts < 8 || ends < 8 {
		t.Errorf("a start is %d commands, an end %d", starts, ends)
	}
	s.forget(a)
	must(t, s.ns.Disconnect(t.Context(), s.hosts[1].node, b))
	if left := s.hosts[1].has(); left != "" {
		t.Errorf("in the end the other host has\n%s", left)
	}
}

// TestOneLineFails: what a host refuses of one group is neither taken for done nor keeps the
// others from theirs; and when it can be, it is.
func TestOneLineFails(t *testing.T) {
	s := newSite(t, 2, four)
	bad, good := s.node(1, "bad", 4097, 0), s.node(3, "good", 4098, 0)
	for _, other := range []*workspace.Workspace{s.node(2, "bad", 4097, 1),
		s.node(4, "good", 4098, 1)} {
		must(t, s.ns.Connect(t.Context(), s.hosts[1].node, other))
	}
	device := deviceOf(s.ns.bridge(bad, "own"))
	s.hosts[0].ip("link", "add", device, "type", "bridge") // in the way
	err := s.ns.Connect(t.Context(), s.hosts[0].node, bad)
	if workspace.KindOf(err) != workspace.Conflict {
		t.Errorf("what cannot be made is %v", err)
	}
	must(t, s.ns.Connect(t.Context(), s.hosts[0].node, good))
	if now := s.hosts[0].has(); !strings.Contains(now, " id 4098 ") ||
		strings.Contains(now, " id 4097 ") {
		t.Errorf("beside a group that fails another has\n%s", now)
	}
	s.hosts[0].ip("link", "del", device)
	s.mend(0)
	if now := s.hosts[0].has(); !strings.Contains(now, " id 4097 ") {
		t.Errorf("it is not put right:\n%s", now)
	}
}

// denied is a way to a host on which a command that contains the words fails for a reason
// that says nothing of what is there.
type denied struct {
	shell
	words string
}

func (d denied) Run(ctx context.Context, c workspace.Command) error {
	if strings.Contains(strings.Join(c.Args, " "), d.words) {
		return workspace.Errorf(workspace.Internal, "run", c.Args[0], "exit status 2: "+
			"Cannot open netlink socket: Operation not permitted")
	}
	return d.shell.Run(ctx, c)
}

// TestNotToldIsNotGone: that a host does not say whether a bridge is there, or does not
// remove it, is no end of it; it is tried again.
func TestNotToldIsNotGone(t *testing.T) {
	l := newLab(t)
	ns := New(Options{Installation: "test", Rules: map[string]Rule{"public": {Private: true}}})
	w := leased(workspace.AllocateAndConfigure)
	must(t, ns.Connect(t.Context(), l.node, w))
	whole := l.node.Access.(shell)
	for _, words := range []string{"link show dev", "link show master", "link del"} {
		l.node.Access = denied{whole, words}
		if err := ns.Disconnect(t.Context(), l.node, w); workspace.KindOf(err) !=
			workspace.Transient {
			t.Errorf("without %q it ends with %v", words, err)
		}
		bridges := []string{ns.bridge(w, "public")}
		if err := ns.dropBridges(t.Context(), l.node, bridges); err == nil {
			t.Errorf("without %q a bridge is taken for gone", words)
		}
	}
	l.node.Access = denied{whole, "link show dev"}
	if err := ns.Connect(t.Context(), l.node, w); err == nil {
		t.Error("a bridge is taken for there")
	}
	l.node.Access = whole
	must(t, ns.Disconnect(t.Context(), l.node, w))
	must(t, ns.Disconnect(t.Context(), l.node, w))
	if left := l.has(); left != "" {
		t.Errorf("there is left\n%s", left)
	}
}

// TestHostThatWasAway: of a group that ended meanwhile nothing remains on a host that
// comes back, and no host listens to it before.
func TestHostThatWasAway(t *testing.T) {
	s := newSite(t, 2, four)
	k := s.talk(1, 4097)
	away := s.hosts[1].node.Access
	gone := 0
	s.hosts[1].node.Access = dying{away.(shell), &gone}
	s.hosts[0].ip("link", "del", s.ns.NICs(s.hosts[0].node, k.a)[0].Device)
	must(t, s.ns.Disconnect(t.Context(), s.hosts[0].node, k.a))
	s.forget(k.a)
	s.forget(k.b)
	if left := s.hosts[0].has(); left != "" {
		t.Errorf("who is there has\n%s", left)
	}
	s.hosts[1].node.Access = away
	if s.hosts[1].has() == "" {
		t.Error("who was away has nothing: the test cannot fail")
	}
	s.hosts[1].ip("link", "del", s.ns.NICs(s.hosts[1].node, k.b)[0].Device)
	s.mend(1)
	if left := s.hosts[1].has(); left != "" {
		t.Errorf("who was away has\n%s", left)
	}
}
