package servicegroup

import (
	"context"
	"slices"

	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/dispatch"
	"github.com/philoxenia/philoxenia/service/port"
	"github.com/philoxenia/philoxenia/service/port/host"
)

// Hosts returns the group of the pool's hosts and the port type of its entries.
func Hosts(m interface {
	host.Manager
	host.Fleet
}) []dispatch.Service {
	content := hostContent()
	k := &kind[*report.HostProperties]{
		group: port.Hosts, entry: port.HostEntry, member: port.Host,
		key: report.HostKey, root: lease("HostsProperties"), content: content,
		list: func(ctx context.Context, c *dispatch.Call) ([]*report.HostProperties, error) {
			return host.All(ctx, m, c.Owner)
		},
		find: func(ctx context.Context, c *dispatch.Call) (*report.HostProperties, error) {
			return host.Find(ctx, m, c.Owner, c.Key)
		},
		keyOf: func(h *report.HostProperties) string { return h.Key },
		write: func(enc *xmlstrict.Encoder, h *report.HostProperties) {
			for _, name := range content {
				h.WriteProperty(enc, name)
			}
		},
	}
	group, entries := k.services()
	host.AddTo(&group, m)
	return []dispatch.Service{group, entries}
}

// hostContent are the properties of a host that its entry tells: all but the
// language of queries.
func hostContent() []xmlstrict.Name {
	return slices.DeleteFunc(new(report.HostProperties).Names(), func(n xmlstrict.Name) bool {
		return n == wsrf.Final.Names().QueryExpressionDialect
	})
}
