package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/philoxenia/philoxenia/client"
	"github.com/philoxenia/philoxenia/schema/deployment"
)

// A resizeCmd is the command resize.
type resizeCmd struct {
	targetsArg
	Memory     string `placeholder:"SIZE" help:"Memory, such as 512M or 2G."`
	CPUs       string `name:"cpus" placeholder:"N" help:"Number of CPUs."`
	CPUPercent string `name:"cpu-percent" placeholder:"N" help:"How much of a processor each CPU gets at most, in percent; 100 for no limit."`
	NetIn      string `placeholder:"RATE" help:"Bandwidth in, in bits a second, such as 100M."`
	NetOut     string `placeholder:"RATE" help:"Bandwidth out."`
}

// A shapeView is what of a workspace can change while it runs, as it is shown.
type shapeView struct {
	Key        string `json:"key"`
	MemoryMB   int64  `json:"memoryMB"`
	CPUs       int64  `json:"cpus"`
	CPUPercent int64  `json:"cpuPercent"`
	NetInKbps  int64  `json:"netInKbps"`
	NetOutKbps int64  `json:"netOutKbps"`
}

// shapesView are several of them.
type shapesView []shapeView

// names returns the keys.
func (l shapesView) names() []string {
	return keys(l, func(v shapeView) string { return v.Key })
}

// write prints a line for each.
func (l shapesView) write(w io.Writer, _ *printer) error {
	for _, v := range l {
		o := offerView{
			MemoryMB: v.MemoryMB, CPUs: v.CPUs, CPUPercent: v.CPUPercent, NetInKbps: v.NetInKbps,
			NetOutKbps: v.NetOutKbps,
		}
		_, err := fmt.Fprintf(w, "Workspace #%s has %s now.\n", v.Key,
			strings.Join(o.amounts(), ", "))
		if err != nil {
			return err
		}
	}
	return nil
}

// shape reads the options.
func (c *resizeCmd) shape() (shape deployment.Amounts, err error) {
	for _, one := range []struct {
		option, text string
		parse        func(string) (int64, error)
		to           *int64
	}{
		{"--memory", c.Memory, parseMemory, &shape.MemoryMB},
		{"--cpus", c.CPUs, parseCount, &shape.CPUs},
		{"--cpu-percent", c.CPUPercent, parsePercent, &shape.CPUPercent},
		{"--net-in", c.NetIn, parseRate, &shape.NetInKbps},
		{"--net-out", c.NetOut, parseRate, &shape.NetOutKbps},
	} {
		if one.text == "" {
			continue
		}
		if *one.to, err = one.parse(one.text); err != nil {
			return shape, usagef("", "cannot resize: %s: %w", one.option, err)
		}
	}
	if shape == (deployment.Amounts{}) {
		return shape, usagef("say how much with --memory, --cpus, --cpu-percent, --net-in or "+
			"--net-out", "cannot resize: nothing is to change")
	}
	return shape, nil
}

// Run gives each workspace the shape.
func (c *resizeCmd) Run(ctx context.Context, a *app) error {
	shape, err := c.shape()
	if err != nil {
		return err
	}
	targets, err := a.workspaces(c.Targets)
	if err != nil {
		return err
	}
	return showEach[shapesView](a, targets, func(t target) (v shapeView, err error) {
		if err := a.client.Resize(ctx, t.epr, shape); err != nil {
			return v, refused(err, offerView.resizeOptions)
		}
		p, err := a.client.Standing(ctx, t.epr)
		if err != nil {
			return v, err
		}
		s := p.Shape
		return shapeView{client.Key(t.epr), s.MemoryMB, s.CPUs, s.CPUPercent, s.NetInKbps,
			s.NetOutKbps}, nil
	})
}

// resizeOptions asks for the offer with the options of resize: what is offered
// for later is to be asked for then.
func (o offerView) resizeOptions() string {
	if o.Change == "later" {
		return ""
	}
	return o.sizeOptions()
}
