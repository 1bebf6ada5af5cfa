package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/philoxenia/philoxenia/client"
	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/schema/wsa"
)

// A createdView is what a deployment made, as it is shown.
type createdView struct {
	Group      string          `json:"group,omitempty"`
	Workspaces []workspaceView `json:"workspaces"`
	Files      []string        `json:"files"` // EPR files written

	group wsa.EPR
	eprs  []wsa.EPR // of the workspaces, in their order
}

// newCreated makes the view of the service's answer to a request. How much was
// granted the answer does not say: it is what was asked for.
func newCreated(c *report.Created, r client.Request) createdView {
	view := createdView{Workspaces: []workspaceView{}, Files: []string{}}
	for _, w := range c.Workspaces {
		v := newView(w.EPR, client.State{Name: client.Unstaged}, w.Schedule)
		v.NICs, v.Architecture = newNICs(w.NICs), r.Metadata.Definition.Architecture
		v.MemoryMB, v.CPUs = amounts(r.Deployment.Allocation)
		v.Images = newDisks(w.Images)
		view.Workspaces = append(view.Workspaces, v)
		view.eprs = append(view.eprs, w.EPR)
	}
	if c.Group != nil {
		view.Group, view.group = client.Key(*c.Group), *c.Group
	}
	return view
}

// names returns the keys of the workspaces.
func (v createdView) names() []string { return listView(v.Workspaces).names() }

// title names what was created.
func (v createdView) title() string {
	if v.Group != "" {
		return fmt.Sprintf("Group %q", v.Group)
	}
	return fmt.Sprintf("%q", "Workspace #"+v.Workspaces[0].Key)
}

// write prints lines as the original client did: addresses and the lease.
func (v createdView) write(w io.Writer, p *printer) error {
	var b strings.Builder
	if v.Group != "" {
		fmt.Fprintf(&b, "Group created: %s\n", v.Group)
	}
	for _, one := range v.Workspaces {
		if v.Group == "" {
			fmt.Fprintf(&b, "Workspace created: id %s\n", one.Key)
		}
		for _, n := range one.NICs {
			fmt.Fprintf(&b, "  - %s [ %s ] %s, %s\n", n.IP, n.Hostname, n.Name, n.Association)
		}
	}
	v.Workspaces[0].lease(&b, p.present())
	_, err := io.WriteString(w, b.String())
	return err
}
