package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/philoxenia/philoxenia/schema/report"
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
	Images          []diskView `json:"images,omitempty"` // of the library

	Lease *standingView `json:"lease,omitempty"` // where the service tells of it
}

// A diskView is a disk that is made of an image of the library, as it is shown.
type diskView struct {
	MountAs  string `json:"mountAs"`
	Image    string `json:"image"`           // NAME:VERSION
	Asked    string `json:"asked,omitempty"` // what the metadata has
	Location string `json:"location"`
	SHA256   string `json:"sha256"`
}

// newDisks makes the views of disks.
func newDisks(all []report.DiskImage) []diskView {
	var views []diskView
	for _, d := range all {
		views = append(views, diskView{d.MountAs, d.Entry, d.Asked, d.Location, d.SHA256})
	}
	return views
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
	return keys(l, func(v workspaceView) string { return v.Key })
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
			cells = append(cells, amount(v.MemoryMB, " MB"), amount(v.CPUs, ""),
				cmp.Or(v.Architecture, "-"), span(v.duration()), moment(v.Start),
				moment(v.Termination))
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
	row(b, "State", p.colors.state(v.State))
	row(b, "Fault", v.Fault)
	for _, n := range v.NICs {
		n.detail(b)
	}
	row(b, "Memory", amount(v.MemoryMB, " MB"))
	row(b, "CPUs", amount(v.CPUs, ""))
	row(b, "Architecture", v.Architecture)
	for _, d := range v.Images {
		row(b, "Image "+d.MountAs, d.Image+" from "+d.Location)
	}
	v.lease(b, now)
	if v.Lease != nil {
		v.Lease.brief(b)
	}
}

// row writes one named value under another, nothing when there is none.
func row(b *strings.Builder, name, text string) {
	if text != "" {
		fmt.Fprintf(b, "%21s: %s\n", name, text)
	}
}

// lease writes the times of the lease.
func (v workspaceView) lease(b *strings.Builder, now time.Time) {
	row(b, "Start time", bothWays(v.Start, now))
	row(b, "Duration", span(v.duration()))
	row(b, "Shutdown time", bothWays(v.Shutdown, now))
	row(b, "Termination time", bothWays(v.Termination, now))
}

// bothWays writes a point in time and how far it is from now. The lease of a
// best-effort request has no times before it is secured.
func bothWays(at *time.Time, now time.Time) string {
	if at == nil {
		return "will be set after lease is secured"
	}
	return moment(at) + " (" + relative(*at, now) + ")"
}

// detail writes one NIC.
func (n nicView) detail(b *strings.Builder) {
	text := n.IP
	if n.Hostname != "" {
		text += " [ " + n.Hostname + " ]"
	}
	row(b, n.Name, strings.TrimSpace(text))
	row(b, "Association", n.Association)
	row(b, "Gateway", n.Gateway)
	row(b, "MAC", n.MAC)
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
