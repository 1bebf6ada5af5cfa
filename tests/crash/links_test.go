package crash

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/philoxenia/philoxenia/adapters/deployment/libvirt/libvirtdtest"
)

// awaitLinks waits until rules, private bridges and VXLANs of all hosts are those that the
// record wants, and returns what is not: what a daemon that was killed left there is put right
// at the next look at the host, every half a minute.
func awaitLinks(lab *libvirtdtest.Lab, rows map[string]row) (wrong []string) {
	for end := time.Now().Add(patience); ; time.Sleep(time.Second) {
		wrong = nil
		for _, h := range lab.Hosts {
			wrong = append(wrong, linksOf(h).compare(h.Name, rows)...)
		}
		if len(wrong) == 0 || time.Now().After(end) {
			return wrong
		}
	}
}

// links are what the daemon made on a host of its networks.
type links struct {
	ruled           map[string]bool // workspaces whose links have rules
	bridges, vxlans int
}

var (
	ruled  = regexp.MustCompile(`(?m)^\s*chain w[a-z2-7]{4}([0-9a-z]+)-\d+ \{$`)
	bridge = regexp.MustCompile(`(?m)^b[a-z2-7]{14}$`)
	vxlan  = regexp.MustCompile(`(?m)^v[a-z2-7]{14}$`)
)

func linksOf(h *libvirtdtest.LabHost) links {
	l := links{ruled: map[string]bool{}}
	for _, m := range ruled.FindAllStringSubmatch(h.Shell("nft list ruleset"), -1) {
		id, err := strconv.ParseInt(m[1], 36, 64)
		if err != nil {
			id = -1 // nobody's
		}
		l.ruled[strconv.FormatInt(id, 10)] = true
	}
	devices := h.Shell("ls /sys/class/net")
	l.bridges = len(bridge.FindAllString(devices, -1))
	l.vxlans = len(vxlan.FindAllString(devices, -1))
	return l
}

// compare holds them against the record. Who is on the host may have rules and a bridge, and
// who runs there must; groups that are on several hosts have VXLANs.
func (l links) compare(host string, rows map[string]row) (wrong []string) {
	here, running, spread := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for key, r := range rows {
		if r.host != host {
			continue
		}
		if r.private {
			here[r.group] = true
		}
		if r.state != "Running" {
			continue
		}
		if !l.ruled[key] {
			wrong = append(wrong, fmt.Sprintf("workspace %s runs on %s without rules", key, host))
		}
		if r.private {
			running[r.group] = true
		}
	}
	for _, r := range rows {
		if here[r.group] && r.private && r.host != "" && r.host != host {
			spread[r.group] = true
		}
	}
	for key := range l.ruled {
		if r, ok := rows[key]; !ok || r.host != host {
			wrong = append(wrong, fmt.Sprintf("%s has rules for workspace %s, which is on %q", host,
				key, r.host))
		}
	}
	if l.bridges < len(running) || l.bridges > len(here) || l.vxlans > len(spread) {
		wrong = append(wrong, fmt.Sprintf("%s has %d bridges and %d VXLANs: of groups are "+
			"there %s, run %s, and %s are elsewhere too", host, l.bridges, l.vxlans, names(here),
			names(running), names(spread)))
	}
	return wrong
}

func names(set map[string]bool) string {
	return "(" + strings.Join(slices.Sorted(maps.Keys(set)), " ") + ")"
}

// together says which groups with a network of their own are not where that reaches: on one
// host, or on several where these networks span hosts and have a number that is theirs.
func together(rows map[string]row, spanning bool) (wrong []string) {
	hosts, numbers := map[string]map[string]bool{}, map[string]map[int64]bool{}
	at := map[string]string{}
	owner := map[int64]string{}
	for _, key := range slices.Sorted(maps.Keys(rows)) {
		r := rows[key]
		if !r.private || r.released {
			continue
		}
		if hosts[r.group] == nil {
			hosts[r.group], numbers[r.group] = map[string]bool{}, map[int64]bool{}
		}
		if r.host != "" {
			hosts[r.group][r.host] = true
		}
		numbers[r.group][r.vni] = true
		at[r.group] += fmt.Sprintf(" %s is %s on %s,", r.key, r.state, r.host)
		if other := owner[r.vni]; r.vni != 0 && other != "" && other != r.group {
			wrong = append(wrong, fmt.Sprintf("groups %s and %s have the network %d", other,
				r.group, r.vni))
		}
		owner[r.vni] = r.group
	}
	for group, on := range hosts {
		if len(on) > 1 && !spanning || len(numbers[group]) > 1 || numbers[group][0] == spanning {
			wrong = append(wrong, fmt.Sprintf("group %s has networks %v:%s", group,
				slices.Sorted(maps.Keys(numbers[group])), at[group]))
		}
	}
	return wrong
}
