package ws

import (
	"context"
	"time"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/schema/deployment"
	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/dispatch"
	"github.com/philoxenia/philoxenia/service/port"
	"github.com/philoxenia/philoxenia/service/port/property"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// writable are the properties whose change renegotiates the lease. The other one
// that can be changed is report.PropertyShape.
var writable = []xmlstrict.Name{
	wsrf.Final.Names().TerminationTime, report.PropertySchedule,
}

// The parts of a schedule that can be changed.
var (
	scheduledDuration = xmlstrict.Name{Space: schema.Types, Local: "Duration"}
	scheduledEnd      = xmlstrict.Name{Space: schema.Types, Local: "ActualTerminationTime"}
	scheduledStart    = xmlstrict.Name{Space: schema.Types, Local: "ActualInstantiationTime"}
)

// change renegotiates the lease: its end, or its duration counted from the
// start; or it gives the workspace another shape. All that the request asks for
// is one change.
func (p portType) change(ctx context.Context, c *dispatch.Call, values property.Values) error {
	shapes := values[report.PropertyShape]
	switch {
	case len(shapes) == 0:
		return p.renegotiate(ctx, c, values)
	case len(values) > 1:
		return unable(c, shapes[0], "the lease and the allocation change one after the other")
	}
	return p.resize(ctx, c, shapes)
}

// resize asks for another shape. What is not named stays.
func (p portType) resize(ctx context.Context, c *dispatch.Call, shapes []*etree.Element) error {
	w, err := p.workspace(ctx, c)
	if err != nil {
		return err
	}
	if len(shapes) > 1 {
		return invalid(c, shapes[1], "one value", "a second %s", shapes[1].Tag)
	}
	wanted, err := report.DecodeShape(c.Document, shapes[0])
	switch {
	case err != nil:
		return &wsrf.FaultError{Fault: wsrf.Final.Names().InvalidModification, Err: err}
	case *wanted == (deployment.Amounts{}):
		return invalid(c, shapes[0], "an amount such as MemoryMB", "nothing is asked for")
	case wanted.DiskMB != 0 && wanted.DiskMB != w.Demand.DiskMB:
		return unable(c, shapes[0], "disks stay as they are")
	}
	_, err = p.manager.Resize(ctx, c.Owner, w.ID, workspace.Resize{Shape: workspace.Shape{
		MemoryMB: wanted.MemoryMB, CPUs: wanted.CPUs, CPUPercent: wanted.CPUPercent,
		NetInKbps: wanted.NetInKbps, NetOutKbps: wanted.NetOutKbps,
	}})
	return err
}

// renegotiate asks for other times.
func (p portType) renegotiate(ctx context.Context, c *dispatch.Call, values property.Values) error {
	w, err := p.workspace(ctx, c)
	if err != nil {
		return err
	}
	t := terms{call: c, lease: w.Lease}
	for _, name := range writable {
		for i, e := range values[name] {
			if i > 0 {
				return t.invalid(e, "one value", "a second %s", e.Tag)
			}
			if err := t.read(e); err != nil {
				return err
			}
		}
	}
	if t.wanted == (workspace.Terms{}) {
		return nil
	}
	_, err = p.manager.Renegotiate(ctx, c.Owner, w.ID, t.wanted)
	return err
}

// terms are what a request asks for, as it is read.
type terms struct {
	call   *dispatch.Call
	lease  workspace.Lease
	wanted workspace.Terms
}

// invalid says that a value makes no sense.
func (t *terms) invalid(at *etree.Element, expected, format string, args ...any) error {
	return invalid(t.call, at, expected, format, args...)
}

func invalid(c *dispatch.Call, at *etree.Element, expected, format string, args ...any) error {
	return &wsrf.FaultError{
		Fault: wsrf.Final.Names().InvalidModification,
		Err:   c.Document.Errorf(at, expected, format, args...),
	}
}

// read takes one property's value.
func (t *terms) read(e *etree.Element) error {
	if !xmlstrict.Is(e, report.PropertySchedule) {
		return t.end(e)
	}
	seen := make(map[xmlstrict.Name]bool)
	for part := range xmlstrict.Children(e) {
		if seen[xmlstrict.NameOf(part)] {
			return t.invalid(part, "one "+part.Tag, "a second %s", part.Tag)
		}
		seen[xmlstrict.NameOf(part)] = true
		var err error
		switch xmlstrict.NameOf(part) {
		case scheduledDuration:
			err = t.duration(part)
		case scheduledEnd:
			err = t.end(part)
		case scheduledStart:
			err = t.start(part)
		default:
			err = t.invalid(part, "a schedule", "%s does not belong here", part.Tag)
		}
		if err != nil {
			return err
		}
	}
	if len(seen) == 0 {
		return t.invalid(e, "Duration or ActualTerminationTime", "the schedule is empty")
	}
	return nil
}

// end takes the time at which the resource is to be gone. Said twice, it must
// be the same.
func (t *terms) end(e *etree.Element) error {
	at, err := wsrf.TimeOrNil(t.call.Document, e)
	switch {
	case err != nil:
		return t.invalid(e, "", "%w", err)
	case at.IsZero():
		return unable(t.call, e, "a lease without end is not given")
	case !t.wanted.End.IsZero() && !t.wanted.End.Equal(at):
		return t.invalid(e, "one termination time", "two different times are asked for")
	case !at.Equal(t.lease.Termination()):
		t.wanted.End = at
	}
	return nil
}

// duration takes the running time, counted from the start.
func (t *terms) duration(e *etree.Element) error {
	d, err := wsrf.ParseDuration(xmlstrict.Text(e))
	switch {
	case err != nil:
		return t.invalid(e, "", "%w", err)
	case d <= 0:
		return t.invalid(e, "a duration above zero", "no running time is asked for")
	case d != t.lease.Duration:
		t.wanted.Duration = d
	}
	return nil
}

// start accepts the start that the lease has, so that a schedule can be read,
// changed in its end and written back.
func (t *terms) start(e *etree.Element) error {
	at, err := wsrf.TimeOrNil(t.call.Document, e)
	switch {
	case err != nil:
		return t.invalid(e, "", "%w", err)
	case !at.Equal(t.lease.Start.Truncate(time.Millisecond)):
		return unable(t.call, e, "the start of a lease stays as it is")
	}
	return nil
}

// unable says that a value cannot be had (WS-ResourceProperties 1.2, 5.7.2).
func unable(c *dispatch.Call, at *etree.Element, reason string) error {
	return &wsrf.FaultError{
		Fault: port.Edition(c.Face).Names().UnableToModifyResourceProperty,
		Err:   c.Document.Errorf(at, "", "%s", reason),
	}
}
