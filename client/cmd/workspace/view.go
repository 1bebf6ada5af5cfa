package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A workspaceView is one workspace as it is shown. Its JSON keys are a
// contract with scripts: they are only ever added to.
type workspaceView struct {
	Key             string     `json:"key"`
	Service         string     `json:"service"`
	State           string     `json:"state"`
	Fault           string     `json:"fault,omitempty"`
	Start           *time.Time `json:"start"`
	DurationSeconds int64      `json:"durationSeconds"`
	Shutdown        *time.Time `json:"shutdown"`
	Termination     *time.Time `json:"termination"`
	MemoryMB        int64      `json:"memoryMB"`
	CPUs            int64      `json:"cpus"`
	Architecture    string     `json:"architecture"`
	NICs            []nicView  `json:"nics"`
}

// A nicView is one network interface as it is shown.
type nicView struct {
	Name        string `json:"name"`
	Association string `json:"association"`
	MAC         string `json:"mac"`
	IP          string `json:"ip"`
	Hostname    string `json:"hostname"`
	Netmask     string `json:"netmask"`
	Gateway     string `json:"gateway"`
	Broadcast   string `json:"broadcast"`
}

// duration returns the running time of the lease.
func (v workspaceView) duration() time.Duration {
	return time.Duration(v.DurationSeconds) * time.Second
}

// addresses returns the IP addresses, or "-" when there is none.
func (v workspaceView) addresses() string {
	return join(v.NICs, func(n nicView) string { return n.IP })
}

// hostnames returns the host names, or "-" when there is none.
func (v workspaceView) hostnames() string {
	return join(v.NICs, func(n nicView) string { return n.Hostname })
}

// join strings a property of the NICs together.
func join(nics []nicView, of func(nicView) string) string {
	var parts []string
	for _, n := range nics {
		if text := of(n); text != "" {
			parts = append(parts, text)
		}
	}
	if len(parts) == 0 {
		return "-"
	}
	return strings.Join(parts, ",")
}

// A listView is several workspaces in one table.
type listView []workspaceView

// names returns the keys.
func (l listView) names() []string {
	var names []string
	for _, v := range l {
		names = append(names, v.Key)
	}
	return names
}

// write prints the table.
func (l listView) write(w io.Writer, p *printer) error {
	now := p.present()
	t := table{headers: []string{"KEY", "STATE", "ADDRESS", "HOSTNAME", "LEASE ENDS"}}
	t.paint = func(column int, cell string) string {
		if column == 1 {
			return p.colors.state(cell)
		}
		return cell
	}
	if p.wide() {
		t.headers = append(t.headers, "MEMORY", "CPUS", "ARCH", "DURATION", "STARTED", "TERMINATES")
	}
	for _, v := range l {
		cells := []string{v.Key, v.State, v.addresses(), v.hostnames(), relativeTo(v.Shutdown, now)}
		if p.wide() {
			cells = append(cells, amount(v.MemoryMB, " MB"), amount(v.CPUs, ""), v.Architecture,
				span(v.duration()), moment(v.Start), moment(v.Termination))
		}
		t.add(cells...)
	}
	return t.write(w, p.headers)
}

// amount writes a number, or "-" where the service does not tell it.
func amount(n int64, unit string) string {
	if n == 0 {
		return "-"
	}
	return strconv.FormatInt(n, 10) + unit
}

// moment writes a point in time for people, in local time.
func moment(at *time.Time) string {
	if at == nil || at.IsZero() {
		return "-"
	}
	return at.Local().Format("2006-01-02 15:04:05 MST")
}

// relativeTo writes a point in time as seen from now.
func relativeTo(at *time.Time, now time.Time) string {
	if at == nil {
		return "-"
	}
	return relative(*at, now)
}

// A detailView is several workspaces, each in full.
type detailView []workspaceView

// names returns the keys.
func (d detailView) names() []string { return listView(d).names() }

// write prints each workspace as a block of lines.
func (d detailView) write(w io.Writer, p *printer) error {
	var b strings.Builder
	for i, v := range d {
		if i > 0 {
			b.WriteByte('\n')
		}
		v.detail(&b, p)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// detail writes one workspace.
func (v workspaceView) detail(b *strings.Builder, p *printer) {
	now := p.present()
	fmt.Fprintf(b, "Workspace #%s @ %s\n", v.Key, v.Service)
	row := func(name, format string, args ...any) {
		fmt.Fprintf(b, "%17s: %s\n", name, fmt.Sprintf(format, args...))
	}
	row("State", "%s", p.colors.state(v.State))
	if v.Fault != "" {
		row("Fault", "%s", v.Fault)
	}
	for _, n := range v.NICs {
		n.detail(row)
	}
	row("Memory", "%s", amount(v.MemoryMB, " MB"))
	row("CPUs", "%s", amount(v.CPUs, ""))
	row("Architecture", "%s", v.Architecture)
	v.lease(row, now)
}

// lease writes the times of the lease.
func (v workspaceView) lease(row func(name, format string, args ...any), now time.Time) {
	row("Start time", "%s (%s)", moment(v.Start), relativeTo(v.Start, now))
	row("Duration", "%s", span(v.duration()))
	row("Shutdown time", "%s (%s)", moment(v.Shutdown), relativeTo(v.Shutdown, now))
	row("Termination time", "%s (%s)", moment(v.Termination), relativeTo(v.Termination, now))
}

// detail writes one NIC.
func (n nicView) detail(row func(name, format string, args ...any)) {
	text := n.IP
	if n.Hostname != "" {
		text += " [ " + n.Hostname + " ]"
	}
	row(n.Name, "%s", strings.TrimSpace(text))
	row("Association", "%s", n.Association)
	row("Gateway", "%s", n.Gateway)
	row("MAC", "%s", n.MAC)
}

// sortedKeys returns the keys of a map in order; numbers by their value.
func sortedKeys[V any](m map[string]V) []string {
	var keys []string
	for key := range m {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, compareKeys)
	return keys
}

// compareKeys orders keys: shorter numbers are smaller.
func compareKeys(a, b string) int {
	if isNumber(a) && isNumber(b) && len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}
