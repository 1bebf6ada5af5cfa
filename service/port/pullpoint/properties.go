package pullpoint

import (
	"context"
	"strconv"
	"time"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/dispatch"
	"github.com/philoxenia/philoxenia/service/port"
	"github.com/philoxenia/philoxenia/service/port/property"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// document is the property document of a pull point.
type document struct {
	*workspace.PullPoint
	now time.Time
}

func (p service) properties(ctx context.Context, c *dispatch.Call) (property.Set, error) {
	point, err := p.manager.PullPoint(ctx, c.Owner, port.PullPointID(c))
	if err != nil {
		return nil, err
	}
	return &document{point, time.Now()}, nil
}

// A row is one property of the document.
type row struct {
	name  xmlstrict.Name
	write func(*document, *xmlstrict.Encoder, xmlstrict.Name)
}

var (
	root    = xmlstrict.Name{Space: schema.Lease, Local: "PullPointProperties"}
	dropped = xmlstrict.Name{Space: schema.Lease, Local: "Dropped"}
)

// rows are the properties, in the order of the schema.
var rows = []row{
	{names.CreationTime, func(d *document, enc *xmlstrict.Encoder, name xmlstrict.Name) {
		enc.Element(name, wsrf.FormatTime(d.Created))
	}},
	{wsrf.Final.Names().CurrentTime, func(d *document, enc *xmlstrict.Encoder, n xmlstrict.Name) {
		enc.Element(n, wsrf.FormatTime(d.now))
	}},
	{wsrf.Final.Names().TerminationTime,
		func(d *document, enc *xmlstrict.Encoder, name xmlstrict.Name) {
			wsrf.WriteTimeOrNil(enc, name, d.Expires)
		}},
	{dropped, func(d *document, enc *xmlstrict.Encoder, name xmlstrict.Name) {
		enc.Element(name, strconv.FormatInt(d.Dropped, 10))
	}},
	{wsrf.Final.Names().QueryExpressionDialect,
		func(_ *document, enc *xmlstrict.Encoder, name xmlstrict.Name) {
			enc.Element(name, wsrf.XPathDialect)
		}},
}

func propertyNames() []xmlstrict.Name {
	all := make([]xmlstrict.Name, len(rows))
	for i, r := range rows {
		all[i] = r.name
	}
	return all
}

// Write writes the whole document.
func (d *document) Write(enc *xmlstrict.Encoder) {
	enc.Start(root)
	for _, r := range rows {
		r.write(d, enc, r.name)
	}
	enc.End()
}

// WriteProperty writes one property; it is false when there is none of the name.
func (d *document) WriteProperty(enc *xmlstrict.Encoder, name xmlstrict.Name) bool {
	for _, r := range rows {
		if r.name == name {
			r.write(d, enc, name)
			return true
		}
	}
	return false
}
