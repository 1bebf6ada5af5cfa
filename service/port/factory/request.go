package factory

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/philoxenia/philoxenia/schema/deployment"
	"github.com/philoxenia/philoxenia/schema/metadata"
	"github.com/philoxenia/philoxenia/service/dispatch"
	"github.com/philoxenia/philoxenia/service/workspace"
)

const creating = "create the workspace"

// request translates a create message into a request of the domain. It refuses
// parts that the service does not serve rather than ignore them.
func request(c *dispatch.Call, m *deployment.CreateRequest) (workspace.Request, error) {
	if err := refuseUnserved(m); err != nil {
		return workspace.Request{}, err
	}
	disks, err := disks(m)
	if err != nil {
		return workspace.Request{}, err
	}
	r := workspace.Request{
		Owner: c.Owner, MessageID: strings.Clone(c.MessageID),
		Spec:     spec(m.Metadata),
		Duration: m.Deployment.MinDuration,
		Nodes:    m.Deployment.Nodes,
		Initial:  initialStates[m.Deployment.InitialState],
	}
	if err := addChecksums(disks, m.Deployment.Terms); err != nil {
		return workspace.Request{}, err
	}
	r.Spec.Disks = disks
	r.Mechanism = mechanisms[m.Deployment.Mechanism]
	if p := m.Deployment.PostShutdown; p != nil {
		r.SaveTo = p.Target
	}
	addOptional(&r.Spec, m.Optional)
	addAmounts(&r, m)
	addTerms(&r, m.Deployment.Terms)
	if r.Digest, err = digest(&r, m.Deployment.Terms); err != nil {
		return r, err
	}
	return r, settle(c, &r, m.Deployment.Terms, time.Now())
}

// digest returns a short digest of all that is asked for. Two messages that
// differ in white space or prefixes alone ask for the same. The end is part of
// it as it was written: how long that is from now differs each time.
func digest(r *workspace.Request, t *deployment.LeaseTerms) (string, error) {
	all := struct {
		*workspace.Request
		Until time.Time `json:",omitzero"`
	}{Request: r}
	if t != nil {
		all.Until = t.Until
	}
	text, err := json.Marshal(all)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16]), nil
}

var initialStates = map[string]workspace.State{
	deployment.Unpropagated: workspace.Unpropagated,
	deployment.Propagated:   workspace.Propagated,
	deployment.Running:      workspace.Running,
	deployment.Paused:       workspace.Paused,
}

var mechanisms = map[string]workspace.Mechanism{
	"":                   workspace.MechanismNormal,
	deployment.Serialize: workspace.MechanismSerialize,
	deployment.Trash:     workspace.MechanismTrash,
}

// refuseUnserved refuses what other services of the original would have to
// play a part in.
func refuseUnserved(m *deployment.CreateRequest) error {
	switch {
	case m.PartOfEnsemble || m.Ensemble != nil || m.EnsembleDone:
		return denied("ensembles are not served here")
	case m.Context != nil || m.LockContext || m.Metadata.Contextualization != nil:
		return denied("contextualization is not served here")
	case m.Optional != nil && m.Optional.Credential != nil:
		return denied("credentials are not copied here, drop credentialToCopy")
	}
	return nil
}

func denied(reason string) error {
	return workspace.Errorf(workspace.Denied, creating, "", "%s", reason)
}

// spec translates the workspace metadata, its disks apart.
func spec(v *metadata.VirtualWorkspace) workspace.Spec {
	s := workspace.Spec{Name: v.Name, Architecture: v.Definition.Architecture}
	if vmm := v.Definition.VMM; vmm != nil {
		s.VMM = workspace.VMM{Type: vmm.Type, Versions: vmm.Versions}
	}
	if k := v.Definition.Kernel; k != nil {
		s.Kernel = workspace.Kernel{Image: k.Image, Parameters: k.Parameters}
	}
	for _, n := range v.NICs {
		s.NICs = append(s.NICs, workspace.NIC{
			Name: n.Name, Association: n.Association,
			Method: workspace.Method(n.Method), MAC: n.MAC,
			Address: workspace.Address{
				Hostname: n.Hostname, IP: n.IPAddress, Netmask: n.Netmask,
				Gateway: n.Gateway, Broadcast: n.Broadcast, Network: n.Network,
			},
		})
	}
	return s
}

// disks translates the disks, blank ones with the sizes that the deployment
// request gives them.
func disks(m *deployment.CreateRequest) ([]workspace.Disk, error) {
	d := m.Metadata.Definition
	all := []workspace.Disk{image(workspace.RootDisk, d.Root)}
	for _, p := range d.Partitions {
		all = append(all, image(workspace.PartitionDisk, p))
	}
	sizes := make(map[string]int64)
	for _, s := range m.Deployment.Allocation.Storage {
		sizes[s.Partition], _ = s.Space.Amount()
	}
	for _, b := range d.Blanks {
		size, ok := sizes[b.Name]
		if !ok {
			return nil, noSize(b.Name)
		}
		delete(sizes, b.Name)
		all = append(all, workspace.Disk{
			Role: workspace.BlankDisk, Name: b.Name, MountAs: b.MountAs, SizeMB: size,
		})
	}
	for name := range sizes {
		return nil, workspace.Errorf(workspace.Invalid, creating, "",
			"Storage names the partition %q, which the metadata does not have", name)
	}
	return all, nil
}

// addChecksums puts what the terms say of images to their disks.
func addChecksums(disks []workspace.Disk, t *deployment.LeaseTerms) error {
	if t == nil {
		return nil
	}
	for _, i := range t.Images {
		at := slices.IndexFunc(disks, func(d workspace.Disk) bool {
			return d.MountAs == i.MountAs && d.Role != workspace.BlankDisk
		})
		switch {
		case at < 0:
			return noImage("%q is not the mountAs of a disk that is made of an image", i.MountAs)
		case disks[at].SHA256 != "":
			return noImage("there are two checksums for the disk %q", i.MountAs)
		}
		disks[at].SHA256 = i.SHA256
	}
	return nil
}

// noImage says that a checksum is for no image, or not the only one.
func noImage(format string, args ...any) error {
	err := workspace.Errorf(workspace.Invalid, creating, "", format, args...)
	err.Where = &workspace.Where{
		Document: "deployment request", Path: "LeaseTerms/Image/MountAs",
		Expected: "the mountAs of the root disk or of a partition, each at most once",
	}
	return err
}

func image(role workspace.DiskRole, d metadata.Disk) workspace.Disk {
	return workspace.Disk{
		Role: role, Location: d.Location, MountAs: d.MountAs, ReadOnly: d.ReadOnly,
	}
}

// noSize says that a blank partition of the metadata is given no size.
func noSize(name string) error {
	err := workspace.Errorf(workspace.Invalid, creating, "", "partition %q has no size", name)
	err.Where = &workspace.Where{
		Document: "deployment request", Path: "ResourceAllocation/Storage",
		Expected: "an entry with that partitionName and its IndividualDiskSpace",
	}
	return err
}

// addOptional adds the optional parameters.
func addOptional(s *workspace.Spec, o *deployment.OptionalParameters) {
	if o == nil {
		return
	}
	for _, f := range o.Files {
		s.Files = append(s.Files, workspace.File{Path: f.Path, Content: f.Content})
	}
	if o.UserData != nil {
		s.UserData = *o.UserData
	}
	s.StageIn, s.StageOut = transfer(o.StageIn), transfer(o.StageOut)
}

func transfer(t *deployment.Transfer) *workspace.Transfer {
	if t == nil {
		return nil
	}
	return &workspace.Transfer{
		Endpoint: t.Endpoint, Source: t.Source, Destination: t.Destination,
		Checksum: t.Checksum, ChecksumType: t.ChecksumType,
	}
}
