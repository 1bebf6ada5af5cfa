package host

import (
	"context"
	"maps"
	"slices"

	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/dispatch"
	"github.com/philoxenia/philoxenia/service/port"
	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/wsdl"
)

// AddTo lets hosts be added, and such be tested that are not in the pool, through
// the group of hosts.
func AddTo(s *dispatch.Service, m Fleet) {
	s.Operations["AddHost"] = dispatch.Operation{Do: add(m)}
	s.Operations["ProbeHost"] = dispatch.Operation{Do: probeNew(m)}
}

type do = func(context.Context, *dispatch.Call) (dispatch.Reply, error)

// specOf reads the host that a message describes, and how it is to be at first.
func specOf(c *dispatch.Call) (workspace.HostSpec, workspace.HostMode, error) {
	v, err := report.DecodeHostSpec(c.Document, c.Body)
	if err != nil {
		return workspace.HostSpec{}, workspace.HostMode{}, err
	}
	first := workspace.HostMode{Host: workspace.HostID(v.Name)}
	if v.Mode != nil {
		first = mode(first.Host, v.Mode)
	}
	return described(v), first, nil
}

// described is the host in the domain's words.
func described(v *report.HostSpec) workspace.HostSpec {
	s := workspace.HostSpec{
		ID: workspace.HostID(v.Name), URI: v.URI, VMM: v.VMM, Acceleration: v.Acceleration,
		Dir: v.Directory, MaxImageMB: int64(v.MaxImageMB), Associations: v.Associations,
		Capacity: workspace.Capacity{
			CPUs: int64(v.Capacity.CPUs), MemoryMB: int64(v.Capacity.MemoryMB),
			DiskMB:    int64(v.Capacity.DiskMB),
			NetInKbps: int64(v.Capacity.NetInKbps), NetOutKbps: int64(v.Capacity.NetOutKbps),
		},
		Peer: v.Peer, DiskMBps: int64(v.DiskMBps), DiskIOPS: int64(v.DiskIOPS),
		Overlay: v.Overlay,
	}
	for _, n := range v.Networks {
		if s.Networks == nil {
			s.Networks = map[string]string{}
		}
		s.Networks[n.Association] = n.Target
	}
	if v.SSH != nil {
		s.SSH = (*workspace.HostSSH)(v.SSH)
	}
	if v.TLS != nil {
		s.TLS = (*workspace.HostTLS)(v.TLS)
	}
	return s
}

// description is the host in the words of the wire.
func description(s *workspace.HostSpec) *report.HostSpec {
	if s == nil {
		return nil
	}
	v := &report.HostSpec{
		Name: string(s.ID), URI: s.URI, VMM: s.VMM, Acceleration: s.Acceleration,
		Directory: s.Dir, MaxImageMB: int(s.MaxImageMB), Associations: s.Associations,
		Capacity: report.Capacity{
			CPUs: int(s.Capacity.CPUs), MemoryMB: int(s.Capacity.MemoryMB),
			DiskMB:    int(s.Capacity.DiskMB),
			NetInKbps: int(s.Capacity.NetInKbps), NetOutKbps: int(s.Capacity.NetOutKbps),
		},
		SSH: (*report.HostSSH)(s.SSH), TLS: (*report.HostTLS)(s.TLS),
		Peer: s.Peer, DiskMBps: int(s.DiskMBps), DiskIOPS: int(s.DiskIOPS),
		Overlay: s.Overlay,
	}
	for _, association := range slices.Sorted(maps.Keys(s.Networks)) {
		v.Networks = append(v.Networks, report.HostNetwork{Association: association,
			Target: s.Networks[association]})
	}
	return v
}

func add(m Fleet) do {
	return func(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
		spec, first, err := specOf(c)
		if err != nil {
			return nil, err
		}
		if err := m.Add(ctx, c.Owner, spec, first); err != nil {
			return nil, err
		}
		epr := wsa.NewEPR(c.URL(wsdl.Two, port.Host), report.HostKey, string(spec.ID))
		return func(enc *xmlstrict.Encoder) { report.WriteAdded(enc, epr) }, nil
	}
}

func probeNew(m Fleet) do {
	return func(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
		spec, _, err := specOf(c)
		if err != nil {
			return nil, err
		}
		found, err := m.ProbeNew(ctx, c.Owner, spec)
		return findings(report.ProbeHostResponse, found), err
	}
}

func probe(m Fleet) do {
	return func(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
		found, err := m.Probe(ctx, c.Owner, workspace.HostID(c.Key))
		return findings(report.ProbeResponse, found), err
	}
}

// findings writes what a test found.
func findings(name xmlstrict.Name, all []workspace.Finding) dispatch.Reply {
	told := make([]report.Finding, len(all))
	for i, f := range all {
		told[i] = report.Finding{
			Check: f.Check, Verdict: string(f.Verdict), Text: f.Text, Do: f.Do,
		}
	}
	return func(enc *xmlstrict.Encoder) { report.WriteFindings(enc, name, told) }
}

func forget(m Fleet) do {
	return func(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
		given, err := m.Forget(ctx, c.Owner, workspace.HostID(c.Key))
		keys := make([]string, len(given))
		for i, id := range given {
			keys[i] = id.String()
		}
		return func(enc *xmlstrict.Encoder) { report.WriteForgotten(enc, keys) }, err
	}
}

func evacuate(m Keeper) do {
	return func(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
		all, err := m.Evacuate(ctx, c.Owner, workspace.HostID(c.Key))
		told := make([]report.Departure, len(all))
		for i, d := range all {
			told[i] = report.Departure{Workspace: d.Workspace.String(), Fate: string(d.Fate),
				Host: string(d.To), Text: d.Why}
		}
		return func(enc *xmlstrict.Encoder) { report.WriteDepartures(enc, told) }, err
	}
}

// remove takes the host out of the pool (WS-ResourceLifetime 1.2, section 4).
func remove(m Fleet) do {
	return func(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
		return port.Edition(c.Face).WriteDestroyResponse,
			m.Remove(ctx, c.Owner, workspace.HostID(c.Key))
	}
}
