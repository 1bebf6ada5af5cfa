package main

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/philoxenia/philoxenia/schema/report"
)

// A hostFile is a host as it is described in a file: the table [[host]] of the
// service's configuration, or what is in one.
type hostFile struct {
	ID           string            `toml:"id"`
	Adapter      string            `toml:"adapter"`
	VMM          string            `toml:"vmm"`
	URI          string            `toml:"uri"`
	Acceleration string            `toml:"acceleration"`
	Dir          string            `toml:"dir"`
	CPUs         int               `toml:"cpus"`
	MemoryMB     int               `toml:"memory_mb"`
	DiskMB       int               `toml:"disk_mb"`
	NetInKbps    int               `toml:"net_in_kbps"`
	NetOutKbps   int               `toml:"net_out_kbps"`
	MaxImageMB   int               `toml:"max_image_mb"`
	Associations []string          `toml:"associations"`
	Networks     map[string]string `toml:"networks"`
	Drained      bool              `toml:"drained"`
	Count        int               `toml:"count"`
	Peer         string            `toml:"peer"`
	DiskMBps     int               `toml:"disk_mbps"`
	DiskIOPS     int               `toml:"disk_iops"`
	Overlay      string            `toml:"overlay"`
	TLS          struct {
		CAFile   string `toml:"ca_file"`
		CertFile string `toml:"cert_file"`
		KeyFile  string `toml:"key_file"`
	} `toml:"tls"`
	SSH *struct {
		Address      string `toml:"address"`
		User         string `toml:"user"`
		KeyFile      string `toml:"key_file"`
		PasswordFile string `toml:"password_file"`
		KnownHosts   string `toml:"known_hosts"`
		Peer         string `toml:"peer"`
	} `toml:"ssh"`
	Windows []struct {
		Start    time.Time `toml:"start"`
		End      time.Time `toml:"end"`
		Rule     string    `toml:"rule"`
		CPUs     int       `toml:"cpus"`
		MemoryMB int       `toml:"memory_mb"`
		Comment  string    `toml:"comment"`
	} `toml:"window"`
}

// readHostFile reads the description of one host.
func readHostFile(path string) (report.HostSpec, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return report.HostSpec{}, err
	}
	h, err := decodeHost(data)
	if err != nil {
		return report.HostSpec{}, fmt.Errorf("cannot use the file %q: %w", path, err)
	}
	return h.spec()
}

// decodeHost reads a document that has one [[host]], or is what is in one.
func decodeHost(data []byte) (h hostFile, err error) {
	var all struct {
		Hosts []hostFile `toml:"host"`
	}
	text := func(into any) (toml.MetaData, error) {
		return toml.NewDecoder(bytes.NewReader(data)).Decode(into)
	}
	meta, err := text(&all)
	if err == nil && !meta.IsDefined("host") {
		meta, err = text(&h)
	}
	switch {
	case err != nil:
		return h, err
	case len(meta.Undecoded()) > 0:
		return h, fmt.Errorf("unknown key %q: it describes one host, with the keys of [[host]] "+
			"in the service's configuration", meta.Undecoded()[0])
	case len(all.Hosts) > 1:
		return h, fmt.Errorf("it describes %d hosts: one is added at a time", len(all.Hosts))
	case len(all.Hosts) == 1:
		h = all.Hosts[0]
	}
	if h.Count > 1 {
		return h, errors.New("count is for the service's configuration: hosts are added one by one")
	}
	return h, nil
}

// spec is the host as the service is told of it.
func (h *hostFile) spec() (report.HostSpec, error) {
	v := report.HostSpec{
		Name: h.ID, URI: h.URI, VMM: h.VMM, Acceleration: h.Acceleration, Directory: h.Dir,
		Capacity: report.Capacity{CPUs: h.CPUs, MemoryMB: h.MemoryMB, DiskMB: h.DiskMB,
			NetInKbps: h.NetInKbps, NetOutKbps: h.NetOutKbps},
		MaxImageMB: h.MaxImageMB, Associations: h.Associations,
		Peer: h.Peer, DiskMBps: h.DiskMBps, DiskIOPS: h.DiskIOPS,
		Overlay: h.Overlay,
	}
	if h.Adapter == "sim" && h.URI == "" {
		v.URI = "sim:"
	}
	for _, name := range slices.Sorted(maps.Keys(h.Networks)) {
		v.Networks = append(v.Networks,
			report.HostNetwork{Association: name, Target: h.Networks[name]})
	}
	if s := h.SSH; s != nil {
		v.SSH = &report.HostSSH{Address: s.Address, User: s.User, KeyFile: s.KeyFile,
			PasswordFile: s.PasswordFile, KnownHosts: s.KnownHosts, Peer: s.Peer}
	}
	if tls := report.HostTLS(h.TLS); tls != (report.HostTLS{}) {
		v.TLS = &tls
	}
	if h.Drained || len(h.Windows) > 0 {
		v.Mode = &report.Mode{Drained: h.Drained}
	}
	for i, w := range h.Windows {
		if !w.End.After(w.Start) {
			return v, fmt.Errorf("window %d ends before it begins", i+1)
		}
		v.Mode.Windows = append(v.Mode.Windows, report.Window{Begin: w.Start, End: w.End,
			Rule: w.Rule, Comment: w.Comment,
			Left: report.Capacity{CPUs: w.CPUs, MemoryMB: w.MemoryMB}})
	}
	return v, nil
}

// A specView is how a host is described, as operators are shown it. Its JSON keys
// are a contract with scripts.
type specView struct {
	URI          string            `json:"uri"`
	Acceleration string            `json:"acceleration,omitempty"`
	Dir          string            `json:"dir,omitempty"`
	CPUs         int               `json:"cpus,omitempty"`
	MemoryMB     int               `json:"memoryMB,omitempty"`
	DiskMB       int               `json:"diskMB,omitempty"`
	NetInKbps    int               `json:"netInKbps,omitempty"`
	NetOutKbps   int               `json:"netOutKbps,omitempty"`
	MaxImageMB   int               `json:"maxImageMB,omitempty"`
	Associations []string          `json:"associations,omitempty"`
	Networks     map[string]string `json:"networks,omitempty"`
	Peer         string            `json:"peer,omitempty"`
	DiskMBps     int               `json:"diskMBps,omitempty"`
	DiskIOPS     int               `json:"diskIOPS,omitempty"`
	Overlay      string            `json:"overlay,omitempty"`
	SSH          *sshView          `json:"ssh,omitempty"`
	TLS          *tlsView          `json:"tls,omitempty"`
}

// A sshView is how a host is logged on to.
type sshView struct {
	Address      string `json:"address"`
	User         string `json:"user,omitempty"`
	KeyFile      string `json:"keyFile,omitempty"`
	PasswordFile string `json:"passwordFile,omitempty"`
	KnownHosts   string `json:"knownHosts,omitempty"`
	Peer         string `json:"peer,omitempty"`
}

// A tlsView are the files of a connection by TLS.
type tlsView struct {
	CAFile   string `json:"caFile,omitempty"`
	CertFile string `json:"certFile,omitempty"`
	KeyFile  string `json:"keyFile,omitempty"`
}

// newSpec makes the view, nil where the service tells none.
func newSpec(s *report.HostSpec) *specView {
	if s == nil {
		return nil
	}
	v := &specView{
		URI: s.URI, Acceleration: s.Acceleration, Dir: s.Directory, CPUs: s.Capacity.CPUs,
		MemoryMB: s.Capacity.MemoryMB, DiskMB: s.Capacity.DiskMB,
		NetInKbps: s.Capacity.NetInKbps, NetOutKbps: s.Capacity.NetOutKbps,
		MaxImageMB: s.MaxImageMB, Associations: s.Associations, Peer: s.Peer,
		DiskMBps: s.DiskMBps, DiskIOPS: s.DiskIOPS, Overlay: s.Overlay,
		SSH: (*sshView)(s.SSH), TLS: (*tlsView)(s.TLS),
	}
	for _, n := range s.Networks {
		if v.Networks == nil {
			v.Networks = map[string]string{}
		}
		v.Networks[n.Association] = n.Target
	}
	return v
}

// detail writes what is said of the host; what is not, is not limited or left to the
// service.
func (v *specView) detail(b *strings.Builder) {
	if v == nil {
		return
	}
	amount := func(name string, n int, unit string) {
		if n != 0 {
			row(b, name, fmt.Sprintf("%d %s", n, unit))
		}
	}
	row(b, "URI", v.URI)
	row(b, "Peer", v.Peer)
	row(b, "Acceleration", v.Acceleration)
	row(b, "Directory", v.Dir)
	amount("Disk", v.DiskMB, "MB")
	amount("Link in", v.NetInKbps, "kbit/s")
	amount("Link out", v.NetOutKbps, "kbit/s")
	amount("Largest image", v.MaxImageMB, "MB")
	amount("Disk speed", v.DiskMBps, "MB/s for each workspace")
	amount("Disk operations", v.DiskIOPS, "a second for each workspace")
	row(b, "Overlay", v.Overlay)
	for _, name := range slices.Sorted(maps.Keys(v.Networks)) {
		row(b, "Network "+name, v.Networks[name])
	}
	if s := v.SSH; s != nil {
		row(b, "SSH", s.User+"@"+s.Address)
		row(b, "SSH key", s.KeyFile)
		row(b, "SSH password", s.PasswordFile)
		row(b, "Known hosts", s.KnownHosts)
		row(b, "SSH peer", s.Peer)
	}
	if t := v.TLS; t != nil {
		row(b, "TLS authority", t.CAFile)
		row(b, "TLS certificate", t.CertFile)
		row(b, "TLS key", t.KeyFile)
	}
}
