package manager

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// opCreate begins the text of every refusal of a create request.
const opCreate = "create the workspace"

// Where in a create request things stand, as paths of element names below its
// root. Who knows the document finds the line.
const (
	atDuration     = "resourceRequest/DeploymentTime/minDuration"
	atNodes        = "resourceRequest/NodeNumber"
	atMemory       = "resourceRequest/ResourceAllocation/IndividualPhysicalMemory"
	atCPUs         = "resourceRequest/ResourceAllocation/IndividualCPUCount"
	atTarget       = "resourceRequest/PostShutdown/rootPartitionUnpropagationTarget"
	atArchitecture = "metadata/definition/requirements/CPUArchitecture/CPUArchitectureName"
	atVMM          = "metadata/definition/requirements/VMM/type"
	atKernel       = "metadata/definition/requirements/kernel/image"
	atParameters   = "metadata/definition/requirements/kernel/parameters"
	atRoot         = "metadata/definition/diskCollection/rootVBD/location"
	atPartition    = "metadata/definition/diskCollection/partition[%d]/location"
	atStageIn      = "optionalParameters/stageIn"
	atStageOut     = "optionalParameters/stageOut"
	atNIC          = "metadata/logistics/networking/nic[%d]/%s"
)

// A complaint is what is wrong with a request, where, and what to do about it.
type complaint struct {
	kind     workspace.Kind
	path     string
	expected string
	hint     string
	cause    error
}

// refuse makes the error of a complaint.
func refuse(r *workspace.Request, c complaint) error {
	return &workspace.Error{
		Op: opCreate, Kind: c.kind, ID: r.Spec.Name, Err: c.cause,
		Where: &workspace.Where{Path: c.path, Expected: c.expected, Hint: c.hint},
	}
}

// admit checks a create request against the policy and fills in the site's
// defaults. It touches no record; an unreachable repository is found here.
// It returns what was found of the root image.
func (m *Manager) admit(
	ctx context.Context, r *workspace.Request,
) (workspace.ImageInfo, error) {
	if r.Owner == "" {
		return workspace.ImageInfo{}, workspace.Errorf(workspace.Denied, opCreate, r.Spec.Name,
			"no caller identity")
	}
	checks := []func(*workspace.Request) error{
		m.admitTime, m.admitSize, admitTerms, m.admitPlatform,
		func(r *workspace.Request) error { return m.resolve(ctx, r) },
		m.admitKernel, m.admitNetworks, m.admitTarget,
		func(r *workspace.Request) error { return m.admitStaging(ctx, r) },
	}
	for _, check := range checks {
		if err := check(r); err != nil {
			return workspace.ImageInfo{}, err
		}
	}
	return m.admitImages(ctx, r)
}

func (m *Manager) admitTime(r *workspace.Request) error {
	if r.Duration == 0 {
		r.Duration = m.policy.DefaultDuration
	}
	longest := m.policy.MaximumDuration
	if r.Duration >= time.Second && r.Duration <= longest {
		return nil
	}
	c := complaint{
		kind: workspace.Denied, path: atDuration,
		expected: fmt.Sprintf("PT1S to PT%dS", longest/time.Second),
		cause: fmt.Errorf("request duration (%d seconds) exceeds the maximum allowed (%d seconds)",
			r.Duration/time.Second, longest/time.Second),
	}
	if r.Duration < time.Second {
		c.cause = fmt.Errorf("request duration (%v) is shorter than a second", r.Duration)
	}
	return refuse(r, c)
}

func (m *Manager) admitSize(r *workspace.Request) error {
	if most := m.policy.MaximumNodes; most > 0 && r.Nodes > most {
		return refuse(r, complaint{
			kind: workspace.Denied, path: atNodes, expected: fmt.Sprintf("1 to %d", most),
			cause: fmt.Errorf("%d nodes are more than this site allows in a group", r.Nodes),
		})
	}
	if len(r.Parts) == 0 {
		r.Parts = []workspace.Part{{Nodes: r.Nodes, Demand: r.Demand, Least: r.Least}}
	}
	r.Parts = slices.Clone(r.Parts)
	for i := range r.Parts {
		d := &r.Parts[i].Demand
		if d.CPUs == 0 {
			d.CPUs = max(m.policy.DefaultCPUs, 1, r.Parts[i].Least.CPUs)
		}
		d.Architecture = r.Spec.Architecture
	}
	r.Demand = r.Parts[0].Demand
	return nil
}

func (m *Manager) admitPlatform(r *workspace.Request) error {
	if !slices.Contains(m.policy.Architectures, r.Spec.Architecture) {
		return refuse(r, complaint{
			kind: workspace.Denied, path: atArchitecture,
			expected: "one of " + strings.Join(m.policy.Architectures, ", "),
			cause:    fmt.Errorf("CPU architecture %q is not served here", r.Spec.Architecture),
		})
	}
	if t := r.Spec.VMM.Type; t != "" && len(m.policy.Accepts[t]) == 0 {
		served := slices.Sorted(maps.Keys(m.policy.Accepts))
		return refuse(r, complaint{
			kind: workspace.Denied, path: atVMM,
			expected: "one of " + strings.Join(served, ", "),
			cause:    fmt.Errorf("no host of this site serves VMM type %q", t),
		})
	}
	return nil
}

func (m *Manager) admitKernel(r *workspace.Request) error {
	if r.Spec.Kernel.Parameters != "" && !m.policy.KernelParameters {
		return refuse(r, complaint{
			kind: workspace.Denied, path: atParameters, hint: "leave them out",
			cause: errors.New("this site does not take kernel parameters"),
		})
	}
	if err := m.images.Kernel(r.Spec.Kernel.Image); err != nil {
		return refuse(r, complaint{
			kind: workspace.Denied, path: atKernel,
			hint: "leave it out to get the site's own", cause: err,
		})
	}
	return nil
}

func (m *Manager) admitTarget(r *workspace.Request) error {
	if r.SaveTo == "" {
		return nil
	}
	if err := m.images.CheckTarget(r.SaveTo); err != nil {
		return refuse(r, complaint{kind: workspace.KindOf(err), path: atTarget, cause: err})
	}
	return nil
}

// admitImages asks the repositories whether the images are there and fit to be
// used, so that a request that cannot succeed is refused at once.
func (m *Manager) admitImages(
	ctx context.Context, r *workspace.Request,
) (root workspace.ImageInfo, err error) {
	partitions := 0
	for _, d := range r.Spec.Disks {
		path := atRoot
		switch d.Role {
		case workspace.BlankDisk:
			continue
		case workspace.PartitionDisk:
			partitions++
			path = fmt.Sprintf(atPartition, partitions)
		}
		location := d.Location
		if s := r.Spec.StageIn; s.Due() && s.Destination == location {
			location = s.Source // it is not there yet
		}
		info, err := m.images.Check(ctx, location)
		if err == nil {
			err = unchanged(d, info)
		}
		if err != nil {
			return root, refuse(r, complaint{kind: workspace.KindOf(err), path: path, cause: err})
		}
		if d.Role == workspace.RootDisk {
			root = info
			root.SHA256 = cmp.Or(d.SHA256, info.SHA256)
			if !immediate(r) { // it waits for its image, or comes with it
				m.images.Survey(ctx, d.Location, root)
			}
		}
	}
	return root, nil
}
