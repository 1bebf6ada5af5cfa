package client

import (
	"context"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/schema/wsa"
	"github.com/philoxenia/philoxenia/schema/wssg"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// Host is a host of the pool as the service tells of it.
type Host struct {
	EPR wsa.EPR
	report.HostProperties
}

// Hosts lists the hosts of the pool, the members of AllHosts. Only face two has
// it.
func (c *Client) Hosts(ctx context.Context) ([]Host, error) {
	var all []Host
	err := c.members(ctx, c.AllHosts(), func(a answer, m member) error {
		p, err := report.DecodeHostProperties(a.doc, m.content)
		if err == nil {
			all = append(all, Host{m.epr, *p})
		}
		return err
	})
	return all, err
}

// currentTwo lists the caller's workspaces, the members of AllWorkspaces.
func (c *Client) currentTwo(ctx context.Context) (report.CurrentWorkspaces, error) {
	all := report.CurrentWorkspaces{}
	err := c.members(ctx, c.AllWorkspaces(), func(a answer, m member) error {
		w, err := report.DecodeEntry(a.doc, m.content)
		if err == nil {
			w.EPR = m.epr
			all = append(all, *w)
		}
		return err
	})
	return all, err
}

// A member is one of a service group, with what the group tells of it.
type member struct {
	epr     wsa.EPR
	content *etree.Element
}

// members reads the entries of a service group (WS-ServiceGroup 1.2, 2.2.2)
// and hands each that has content to take.
func (c *Client) members(
	ctx context.Context, group wsa.EPR, take func(answer, member) error,
) error {
	a, err := c.property(ctx, group, []xmlstrict.Name{wssg.EntryElement})
	if err != nil {
		return err
	}
	for _, e := range a.elements() {
		entry, err := wssg.ParseEntry(a.doc, e)
		content := xmlstrict.Child(e, wssg.Content)
		if err == nil && content != nil && entry.Member != nil {
			err = take(a, member{*entry.Member, content})
		}
		if err != nil {
			return unreadable("read the members of "+Describe(group), err)
		}
	}
	return nil
}
