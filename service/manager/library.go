package manager

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// Library is what the manager asks of the image library before it accepts a request.
type Library interface {
	// Resolve returns the entry that a request means by a location; nil where it is a
	// place, and is taken as it is.
	Resolve(ctx context.Context, need workspace.ImageNeeds) (*workspace.Image, error)
}

// resolve puts places of images where the request has names of the library or what it
// needs, with the checksums that they must have: what becomes of the library later does
// not change the workspace. What the root image needs and the request does not say,
// VMM and kernel, is the image's.
func (m *Manager) resolve(ctx context.Context, r *workspace.Request) error {
	if m.library == nil {
		return nil
	}
	r.Spec.Disks = slices.Clone(r.Spec.Disks)
	partitions := 0
	for n := range r.Spec.Disks {
		d := &r.Spec.Disks[n]
		need := workspace.ImageNeeds{Owner: r.Owner, Location: d.Location}
		path := atRoot
		switch d.Role {
		case workspace.BlankDisk:
			continue
		case workspace.PartitionDisk:
			partitions++
			path = fmt.Sprintf(atPartition, partitions)
		default:
			need.Architecture, need.VMM = r.Spec.Architecture, r.Spec.VMM.Type
		}
		found, err := m.library.Resolve(ctx, need)
		if err != nil {
			return refuse(r, complaint{
				kind: workspace.KindOf(err), path: path, cause: err,
				hint: "`workspace image find` shows what there is",
			})
		}
		if found == nil {
			continue
		}
		if err := agreed(d, found); err != nil {
			return refuse(r, complaint{kind: workspace.Conflict, path: path, cause: err})
		}
		place(d, found)
		if d.Role == workspace.RootDisk {
			take(&r.Spec, found)
		}
	}
	return m.admitPlatform(r)
}

// agreed refuses an entry that has another checksum than the request asks for.
func agreed(d *workspace.Disk, i *workspace.Image) error {
	if d.SHA256 == "" || i.SHA256 == d.SHA256 {
		return nil
	}
	return fmt.Errorf("the checksum of the image %s is %s, the request asks for %s",
		i.ImageKey, i.SHA256, d.SHA256)
}

// place puts the entry's image into the disk.
func place(d *workspace.Disk, i *workspace.Image) {
	if d.Location != i.Location {
		d.Asked = d.Location
	}
	d.Location, d.SHA256, d.Image = i.Location, i.SHA256, i.ImageKey.String()
}

// take takes over what the root image needs.
func take(s *workspace.Spec, i *workspace.Image) {
	s.Kernel.Image = cmp.Or(s.Kernel.Image, i.Kernel)
	if s.VMM.Type == "" && len(i.VMMs) == 1 {
		s.VMM.Type = i.VMMs[0]
	}
}

// unchanged refuses an image that is not the one that the request asks for, or that
// the library has described.
func unchanged(d workspace.Disk, found workspace.ImageInfo) error {
	if d.SHA256 == "" || found.SHA256 == "" || found.SHA256 == d.SHA256 {
		return nil
	}
	if d.Image == "" {
		return workspace.Refuse(workspace.Conflict, "the repository says that the checksum of "+
			"the image is %s, the request asks for %s", found.SHA256, d.SHA256)
	}
	return workspace.Refuse(workspace.Conflict, "the image %s is no longer the one that the "+
		"library describes: its repository says that its checksum is %s, expected %s",
		d.Image, found.SHA256, d.SHA256)
}

// errNew undoes an update that found a request to be new.
var errNew = errors.New("the request is new")

// answered gives the first answer to a request that is repeated, whatever its images
// have come to meanwhile; the error is the one given for a request that is new.
func (m *Manager) answered(
	ctx context.Context, r *workspace.Request, cause error,
) (workspace.Created, error) {
	if r.MessageID == "" || r.Owner == "" {
		return workspace.Created{}, cause
	}
	var created workspace.Created
	err := m.store.Update(ctx, func(tx workspace.Tx) error {
		first, ok := tx.Answered(r.Owner, r.MessageID)
		if !ok || first.Digest != r.Digest {
			return errNew
		}
		var err error
		created, err = answerAgain(tx, first)
		return err
	})
	if errors.Is(err, errNew) {
		return workspace.Created{}, cause
	}
	return created, err
}
