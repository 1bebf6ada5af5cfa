package network

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// vxlanPort is where VXLANs listen unless the site has it otherwise (RFC 7348,
// section 5).
const vxlanPort = 4789

// A tunnel is a VXLAN device as a host has it.
type tunnel struct {
	vni, mtu, port int
	local          netip.Addr
	bridge         string // that it is plugged into
	up             bool
	entries        map[string]bool // of its forwarding table: "MAC dst ADDRESS"
}

// overlaid is what a host has of private networks that span hosts.
type overlaid struct {
	bridges []string
	tunnels map[string]*tunnel
	rules   string // that say who may send to them; the digest of overlayRules
}

// reconcile has a host have the segments that the record has it have, and nothing of
// ours besides. It returns all that the record has. Whatever it was killed at before, it
// goes on from there, and where all is well it asks and changes nothing. The order of
// its steps lets no device stand without the rules about who may send to it.
func (ns *Networks) reconcile(
	ctx context.Context, n *host.Node, left place,
) (map[string]*span, error) {
	mine := ns.writer(n.ID)
	mine.Lock()
	defer mine.Unlock()
	spans, err := ns.spans(ctx, left)
	if err != nil {
		return nil, err
	}
	err = ns.follow(ctx, n, spans)
	if err != nil && !away(err) {
		// What was to go may have gone meanwhile, and what was to come may be there: what
		// is so now counts, and not what was said of a line.
		err = ns.follow(ctx, n, spans)
	}
	return spans, err
}

// follow has a host have its segments of the spans, and tries all of it whatever fails.
func (ns *Networks) follow(ctx context.Context, n *host.Node, spans map[string]*span) error {
	now, err := ns.overlaid(ctx, n)
	if err != nil {
		return err
	}
	live := ns.live(n, now, spans)
	local, _ := ns.address(n, n.ID)
	stuck, failed := ns.drop(ctx, n, now, live)
	if away(failed) {
		return failed
	}
	if err := ns.admitPeers(ctx, n, now, ns.overlayRules(live, stuck)); err != nil {
		return errors.Join(failed, err)
	}
	if err := batch(ctx, n, "ip", ns.makes(now, live, local)); err != nil {
		if away(err) {
			return err
		}
		failed = errors.Join(failed, workspace.Errorf(workspace.Conflict, opPrivate, string(n.ID),
			"cannot make a VXLAN: %w; its kernel needs vxlan, and who runs ip CAP_NET_ADMIN", err))
	}
	return errors.Join(failed, batch(ctx, n, "bridge", forwards(now, live)))
}

// live returns the segments that a host is to have a device for: those with other hosts,
// whose bridge is there.
func (ns *Networks) live(
	n *host.Node, now *overlaid, spans map[string]*span,
) map[string]*segment {
	all := ns.wanted(n, spans)
	maps.DeleteFunc(all, func(_ string, s *segment) bool {
		return len(s.peers) == 0 || !slices.Contains(now.bridges, s.bridge)
	})
	return all
}

// drop removes devices that are not wanted, or not like this. Of those that remain all the
// same it returns the VNIs, into which nobody is to send, and their segments do not live.
func (ns *Networks) drop(
	ctx context.Context, n *host.Node, now *overlaid, live map[string]*segment,
) (stuck []int, err error) {
	local, _ := ns.address(n, n.ID)
	refused := batch(ctx, n, "ip", ns.drops(now, live, local))
	if refused == nil || away(refused) {
		return nil, refused
	}
	left, err := ns.overlaid(ctx, n)
	if err != nil {
		return nil, err
	}
	return ns.stuck(left, live, local), refused
}

// stuck returns the VNIs of devices that are there and are not to be, or not like this, and
// takes their segments out of those that live.
func (ns *Networks) stuck(
	now *overlaid, live map[string]*segment, local netip.Addr,
) (vnis []int) {
	for device, t := range now.tunnels {
		if s := live[device]; s == nil || !ns.right(t, s, local) {
			vnis = append(vnis, t.vni)
			delete(live, device)
		}
	}
	slices.Sort(vnis)
	return vnis
}

// whole reports whether a host has the segments of these devices as it is to have them.
func (ns *Networks) whole(
	ctx context.Context, n *host.Node, spans map[string]*span, devices map[string]bool,
) bool {
	now, err := ns.overlaid(ctx, n)
	if err != nil {
		return false
	}
	live := ns.live(n, now, spans)
	local, _ := ns.address(n, n.ID)
	stuck := ns.stuck(now, live, local)
	if digest(ns.overlayRules(live, stuck)) != now.rules {
		return false
	}
	for device := range devices {
		if now.tunnels[device] != nil && live[device] == nil {
			return false // it is one that is stuck
		}
	}
	maps.DeleteFunc(live, func(device string, _ *segment) bool { return !devices[device] })
	return len(ns.makes(now, live, local)) == 0 && len(forwards(now, live)) == 0
}

// batch has ip or bridge run lines of commands, if there are any: all of them, whichever
// fails.
func batch(ctx context.Context, n *host.Node, program string, commands []string) error {
	if len(commands) == 0 {
		return nil
	}
	return n.Access.Run(ctx, workspace.Command{Args: []string{program, "-batch", "-", "-force"},
		Stdin: strings.NewReader(strings.Join(commands, "\n") + "\n")})
}

// right reports whether the tunnel is the segment's, up to what can be changed.
func (ns *Networks) right(t *tunnel, s *segment, local netip.Addr) bool {
	return t.vni == s.vni && t.mtu == s.mtu && t.port == ns.port && t.local == local
}

// drops removes devices that are not wanted, or not like this, and forgets them.
func (ns *Networks) drops(
	now *overlaid, live map[string]*segment, local netip.Addr,
) (commands []string) {
	for _, device := range slices.Sorted(maps.Keys(now.tunnels)) {
		if s := live[device]; s == nil || !ns.right(now.tunnels[device], s, local) {
			commands = append(commands, "link del "+device)
			delete(now.tunnels, device)
		}
	}
	return commands
}

// makes makes devices that are not there, plugs them in and switches them on. The
// host itself says nothing there.
func (ns *Networks) makes(
	now *overlaid, live map[string]*segment, local netip.Addr,
) (commands []string) {
	for _, device := range slices.Sorted(maps.Keys(live)) {
		s, t := live[device], now.tunnels[device]
		if t == nil {
			commands = append(commands, fmt.Sprintf("link add %s mtu %d type vxlan id %d "+
				"local %s dstport %d nolearning", device, s.mtu, s.vni, local, ns.port))
		}
		if t == nil || t.bridge != s.bridge || !t.up {
			commands = append(commands, fmt.Sprintf("link set %s master %s addrgenmode none up",
				device, s.bridge))
		}
	}
	return commands
}

// forwards writes the forwarding tables: who is no more there goes first, for a guest
// has one place at a time.
func forwards(now *overlaid, live map[string]*segment) (commands []string) {
	for _, device := range slices.Sorted(maps.Keys(live)) {
		want, have := live[device].entries(), map[string]bool{}
		if t := now.tunnels[device]; t != nil {
			have = t.entries
		}
		change := func(verb string, entry string) {
			mac, to, _ := strings.Cut(entry, " ")
			commands = append(commands, fmt.Sprintf("fdb %s %s dev %s %s", verb, mac, device, to))
		}
		for _, entry := range slices.Sorted(maps.Keys(have)) {
			if !want[entry] {
				change("del", entry)
			}
		}
		for _, entry := range slices.Sorted(maps.Keys(want)) {
			switch {
			case have[entry]:
			case strings.HasPrefix(entry, flood):
				change("append", entry)
			default:
				change("add", entry)
			}
		}
	}
	return commands
}

// overlayRules are who may send to which segments: of each, its other hosts alone. The
// VNI is at octet 4 after the header of UDP (RFC 7348, section 5). Into what could not be
// removed nobody may. Of others' VNIs they say nothing.
func (ns *Networks) overlayRules(live map[string]*segment, stuck []int) []string {
	var rules []string
	for _, vni := range stuck {
		rules = append(rules, fmt.Sprintf("udp dport %d @th,96,24 %d drop", ns.port, vni))
	}
	for _, device := range slices.Sorted(maps.Keys(live)) {
		s := live[device]
		family := "ip"
		if s.peers[0].Is6() {
			family = "ip6"
		}
		match := fmt.Sprintf("udp dport %d @th,96,24 %d ", ns.port, s.vni)
		rules = append(rules, fmt.Sprintf("%s%s saddr %s accept", match, family, set(s.peers)),
			match+"drop")
	}
	return rules
}

// digest tells rules from others: their number, and what they are.
func digest(rules []string) string {
	if len(rules) == 0 {
		return ""
	}
	return fmt.Sprintf("%d-%x", len(rules), sha256.Sum256([]byte(strings.Join(rules, "\n"))))[:24]
}

// admitPeers writes these rules where they are not as they should be, all at once; the
// last of them carries their digest.
func (ns *Networks) admitPeers(
	ctx context.Context, n *host.Node, now *overlaid, rules []string,
) error {
	if digest(rules) == now.rules {
		return nil
	}
	text := fmt.Sprintf("add table inet %[1]s\ndelete table inet %[1]s\n", ns.table())
	if len(rules) > 0 {
		text += fmt.Sprintf("add table inet %[1]s\nadd chain inet %[1]s overlay "+
			"{ type filter hook input priority -10; policy accept; }\n", ns.table())
	}
	for i, rule := range rules {
		if i == len(rules)-1 {
			rule += fmt.Sprintf(" comment %q", digest(rules))
		}
		text += fmt.Sprintf("add rule inet %s overlay %s\n", ns.table(), rule)
	}
	err := n.Access.Run(ctx, workspace.Command{
		Args: []string{"nft", "-f", "-"}, Stdin: strings.NewReader(text)})
	if workspace.KindOf(err) == workspace.NotFound {
		return workspace.Errorf(workspace.Conflict, opPrivate, string(n.ID), "it has no nft, "+
			"which keeps others out of networks between hosts: install nftables there, or leave "+
			"out its overlay address")
	}
	return err
}

// overlaid asks a host what it has.
func (ns *Networks) overlaid(ctx context.Context, n *host.Node) (*overlaid, error) {
	now := &overlaid{tunnels: map[string]*tunnel{}}
	var err error
	if now.bridges, err = ns.ownBridges(ctx, n); err != nil {
		return nil, err
	}
	said, err := ask(ctx, n, "ip", "-d", "-o", "link", "show", "type", "vxlan")
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(said) {
		name, t := parseTunnel(line)
		if len(name) == bridgeLength && strings.HasPrefix(name, "v"+ns.mark) {
			now.tunnels[name] = t
		}
	}
	if len(now.tunnels) > 0 {
		if said, err = ask(ctx, n, "bridge", "fdb", "show"); err != nil {
			return nil, err
		}
		now.forwards(said)
	}
	said, err = ask(ctx, n, "nft", "list", "chain", "inet", ns.table(), "overlay")
	if err != nil && !absent(err) {
		return nil, err
	}
	now.rules = rulesIn(said)
	return now, nil
}

// ask has a program of the host say something; a host without it has nothing to say.
func ask(ctx context.Context, n *host.Node, args ...string) (string, error) {
	var said bytes.Buffer
	err := n.Access.Run(ctx, workspace.Command{Args: args, Stdout: &said})
	if workspace.KindOf(err) == workspace.NotFound {
		err = nil
	}
	return said.String(), err
}

// parseTunnel reads a line of ip: NUMBER: NAME: <FLAGS> mtu N ... master BRIDGE ...
// vxlan id VNI local ADDRESS ... dstport PORT ...
func parseTunnel(line string) (name string, t *tunnel) {
	t = &tunnel{entries: map[string]bool{}}
	words := strings.Fields(line)
	if len(words) < 3 {
		return "", t
	}
	name = strings.TrimSuffix(words[1], ":")
	t.up = slices.Contains(strings.Split(strings.Trim(words[2], "<>"), ","), "UP")
	for i := 3; i < len(words)-1; i++ {
		number, _ := strconv.Atoi(words[i+1])
		switch words[i] {
		case "mtu":
			t.mtu = number
		case "master":
			t.bridge = words[i+1]
		case "id":
			t.vni = number
		case "dstport":
			t.port = number
		case "local":
			t.local, _ = netip.ParseAddr(words[i+1])
		}
	}
	return name, t
}

// forwards reads the tables of the tunnels: MAC dev NAME dst ADDRESS ...
func (o *overlaid) forwards(said string) {
	for line := range strings.Lines(said) {
		words := strings.Fields(line)
		if len(words) < 5 || words[1] != "dev" || words[3] != "dst" {
			continue
		}
		if t := o.tunnels[words[2]]; t != nil {
			t.entries[words[0]+" dst "+words[4]] = true
		}
	}
}

// rulesIn reads the digest of rules from what nft says of their chain; where some of
// them are missing it is of none.
func rulesIn(said string) string {
	rules, found := 0, ""
	for line := range strings.Lines(said) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "udp ") && !strings.HasPrefix(line, "ip") {
			continue
		}
		rules++
		if _, comment, ok := strings.Cut(line, ` comment "`); ok {
			found = strings.TrimSuffix(comment, `"`)
		}
	}
	if found == "" && rules == 0 {
		return ""
	}
	if !strings.HasPrefix(found, strconv.Itoa(rules)+"-") {
		return "other"
	}
	return found
}
