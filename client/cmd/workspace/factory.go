package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"
)

// A factoryCmd is the command factory.
type factoryCmd struct {
	Usage bool `help:"Show also how much running time I used and reserved."`
}

// A factoryView is what the service offers as it is shown.
type factoryView struct {
	Service        string     `json:"service"`
	DefaultSeconds int64      `json:"defaultSeconds"`
	MaximumSeconds int64      `json:"maximumSeconds"`
	Networks       []string   `json:"networks"`
	VMM            string     `json:"vmm"`
	VMMVersions    []string   `json:"vmmVersions"`
	Architectures  []string   `json:"architectures"`
	Usage          *usageView `json:"usage,omitempty"`
}

// A usageView is an account of running time as it is shown.
type usageView struct {
	UsedSeconds        int64 `json:"usedSeconds"`
	ReservedSeconds    int64 `json:"reservedSeconds"`
	GranularitySeconds int64 `json:"granularitySeconds"`
}

// Run shows the properties of the factory.
func (c *factoryCmd) Run(ctx context.Context, a *app) error {
	p, err := a.client.FactoryProperties(ctx)
	if err != nil {
		return err
	}
	a.keep()
	v := factoryView{
		Service:        a.client.Factory().Address,
		DefaultSeconds: int64(p.DefaultRunningTime / time.Second),
		MaximumSeconds: int64(p.MaximumRunningTime / time.Second),
		Networks:       orEmpty(p.Associations), Architectures: orEmpty(p.Architectures),
		VMMVersions: []string{},
	}
	if p.VMM != nil {
		v.VMM, v.VMMVersions = p.VMM.Type, orEmpty(p.VMM.Versions)
	}
	if c.Usage {
		if v.Usage, err = a.usage(ctx); err != nil {
			return err
		}
	}
	return a.print(v)
}

// usage reads the caller's account.
func (a *app) usage(ctx context.Context) (*usageView, error) {
	usage, err := a.client.Usage(ctx)
	if err != nil {
		return nil, err
	}
	a.keep()
	step, err := a.client.ChargeGranularity(ctx)
	if err != nil {
		return nil, err
	}
	a.keep()
	return &usageView{
		UsedSeconds: int64(usage.Used / time.Second), GranularitySeconds: int64(step / time.Second),
		ReservedSeconds: int64(usage.Reserved / time.Second),
	}, nil
}

// orEmpty makes a list that JSON shows as [] rather than null.
func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// names returns the address.
func (v factoryView) names() []string { return []string{v.Service} }

// write prints lines as the original client did.
func (v factoryView) write(w io.Writer, _ *printer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Workspace Factory Service: %s\n", v.Service)
	row(&b, "Default running time", seconds(v.DefaultSeconds))
	row(&b, "Maximum running time", seconds(v.MaximumSeconds))
	row(&b, "Networks", strings.Join(v.Networks, ", "))
	row(&b, "VMM", strings.TrimSpace(v.VMM+" "+strings.Join(v.VMMVersions, ", ")))
	row(&b, "CPU architectures", strings.Join(v.Architectures, ", "))
	if u := v.Usage; u != nil {
		row(&b, "Used running time", seconds(u.UsedSeconds))
		row(&b, "Reserved running time", seconds(u.ReservedSeconds))
		row(&b, "Charged in steps of", seconds(u.GranularitySeconds))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// seconds writes an amount of seconds for people.
func seconds(n int64) string { return span(time.Duration(n) * time.Second) }
