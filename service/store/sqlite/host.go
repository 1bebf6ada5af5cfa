package sqlite

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// A site is which hosts there are: those of the configuration, and those of the
// record, each as what is known of it has it.
type site struct {
	configured []workspace.Host
	current    []workspace.Host // as the current update sees them; nil: to be made
	committed  []workspace.Host // as readers see them
}

// hostsNow returns the hosts as the current update sees them.
func (s *state) hostsNow() []workspace.Host {
	if s.site.current == nil {
		s.site.current = merged(s.site.configured, s.records.get, s.records.all)
	}
	return s.site.current
}

// merged returns the hosts of the configuration, in their order, and behind them
// those of the record by rising name.
func merged(
	configured []workspace.Host,
	get func(workspace.HostID) (*workspace.HostRecord, bool),
	all func(func(workspace.HostID, *workspace.HostRecord)),
) []workspace.Host {
	hosts := make([]workspace.Host, 0, len(configured))
	ours := make(map[workspace.HostID]bool, len(configured))
	for _, h := range configured {
		ours[h.ID] = true
		if r, ok := get(h.ID); ok {
			h = known(h, r.Has)
		}
		hosts = append(hosts, h)
	}
	all(func(id workspace.HostID, r *workspace.HostRecord) {
		if r.Spec != nil && !ours[id] {
			hosts = append(hosts, known(workspace.Host{
				ID: id, VMM: cmp.Or(r.Spec.VMM, "KVM"), Capacity: r.Spec.Capacity,
				Associations: r.Spec.Associations, Overlay: r.Spec.Overlay, Active: true,
			}, r.Has))
		}
	})
	slices.SortStableFunc(hosts[len(configured):], func(a, b workspace.Host) int {
		return cmp.Compare(a.ID, b.ID)
	})
	return hosts
}

// known fills in what the host said that it has, where nobody else says it.
func known(h workspace.Host, has workspace.Capacity) workspace.Host {
	h.Capacity.CPUs = cmp.Or(h.Capacity.CPUs, has.CPUs)
	h.Capacity.MemoryMB = cmp.Or(h.Capacity.MemoryMB, has.MemoryMB)
	h.Active = h.Active && h.Capacity.CPUs > 0 && h.Capacity.MemoryMB > 0
	return h
}

// HostRecords implements workspace.BookingReader.
func (s *Store) HostRecords(context.Context) ([]workspace.HostRecord, error) {
	s.mu.RLock()
	all := make([]workspace.HostRecord, 0, len(s.state.records.base))
	for _, r := range s.state.records.base {
		all = append(all, *r)
	}
	s.mu.RUnlock()
	slices.SortFunc(all, byHost)
	return all, nil
}

// HostRecord implements workspace.BookingReader.
func (s *Store) HostRecord(
	_ context.Context, id workspace.HostID,
) (workspace.HostRecord, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if r := s.state.records.base[id]; r != nil {
		return *r, nil
	}
	return workspace.HostRecord{Host: id}, nil
}

func byHost(a, b workspace.HostRecord) int { return cmp.Compare(a.Host, b.Host) }

// HostRecords implements workspace.HostTx.
func (t *tx) HostRecords() []workspace.HostRecord {
	var all []workspace.HostRecord
	t.records.all(func(_ workspace.HostID, r *workspace.HostRecord) { all = append(all, *r) })
	slices.SortFunc(all, byHost)
	return all
}

// HostRecord implements workspace.HostTx.
func (t *tx) HostRecord(id workspace.HostID) workspace.HostRecord {
	if r, ok := t.records.get(id); ok {
		return *r
	}
	return workspace.HostRecord{Host: id}
}

// PutHostRecord implements workspace.HostTx. One that says nothing leaves no row.
func (t *tx) PutHostRecord(r workspace.HostRecord) error {
	if r.Host == "" || (r.Spec != nil && r.Spec.ID != r.Host) {
		return wrong("put the record of a host", string(r.Host), "it names no host, or two")
	}
	t.site.current = nil
	if r.Empty() {
		t.records.remove(r.Host)
		return nil
	}
	r.Left = slices.Clone(r.Left)
	t.records.put(r.Host, &r)
	return nil
}

// A hostRecord is a workspace.HostRecord as it is stored: what it does not say is
// left out.
type hostRecord struct {
	Host    workspace.HostID    `json:"-"`
	Spec    *workspace.HostSpec `json:",omitempty"`
	By      workspace.Owner     `json:",omitzero"`
	Added   time.Time           `json:",omitzero"`
	Has     workspace.Capacity  `json:",omitzero"`
	Lost    time.Time           `json:",omitzero"`
	LostWhy string              `json:",omitzero"`
	Left    []workspace.ID      `json:",omitempty"`
}

func (r *rows) hosts(s *state) error {
	for host, e := range s.records.batch {
		var err error
		if e.there {
			err = r.document(putHost, string(host), (*hostRecord)(e.value))
		} else {
			err = r.run(deleteHost, string(host))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) hosts(ctx context.Context) error {
	err := l.each(ctx, `SELECT host, record FROM host ORDER BY host`, func(s scan) error {
		var host workspace.HostID
		r := new(hostRecord)
		if err := scanDocument(s, &host, r); err != nil {
			return bad("host", host, err)
		}
		r.Host = host
		l.state.records.base[host] = (*workspace.HostRecord)(r)
		return nil
	})
	l.state.site.committed = l.state.hostsNow()
	return err
}
