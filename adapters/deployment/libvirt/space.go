package libvirt

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// space is what there is for the disks of a voyage where they come to, in bytes.
type space struct {
	dir  string
	left int64 // that nobody has taken
	free int64 // and what the disks have taken themselves
}

// copied are the disks that are copied along, by their numbers.
func (v *voyage) copied() (all []int) {
	if !v.Copied {
		return nil
	}
	for i, d := range v.As.Disks {
		if !d.ReadOnly && fileOf(v.live.Devices.Disks[i]) != "" {
			all = append(all, i)
		}
	}
	return all
}

// look finds the room that there is now.
func (v *voyage) look(ctx context.Context, disks []int) (r space, err error) {
	access := v.to.o.Access
	for _, i := range disks {
		path := v.As.Disks[i].Path
		r.dir = filepath.Dir(path)
		there, err := access.Stat(ctx, path)
		if absent(err) != nil {
			return r, err
		}
		r.free += there.OnDisk
	}
	r.left, _, err = access.Space(ctx, r.dir)
	r.free += r.left
	return r, err
}

// fits refuses (NoResource) to copy disks to where there is no room for them: they would take
// from others there what is left, and then fail. A disk that cannot be seen takes nobody
// knows what.
func (v *voyage) fits(ctx context.Context) error {
	disks := v.copied()
	if len(disks) == 0 {
		return nil
	}
	for _, i := range disks {
		here, err := v.from.o.Access.Stat(ctx, fileOf(v.live.Devices.Disks[i]))
		if absent(err) != nil {
			return err
		}
		v.need += here.OnDisk
	}
	r, err := v.look(ctx, disks)
	if err != nil {
		return err
	}
	if r.free < v.need {
		return v.lacks(r, nil)
	}
	return nil
}

// short says of an error how much room there is for the disks on the other host, if the want
// of it is why that failed. It is asked before what came there is removed.
func (v *voyage) short(ctx context.Context, err error) error {
	const low = 1 << 20
	disks := v.copied()
	if err == nil || len(disks) == 0 {
		return err
	}
	r, failed := v.look(context.WithoutCancel(ctx), disks)
	if failed != nil || kindOf(err) != workspace.NoResource && r.free >= v.need && r.left >= low {
		return err
	}
	return v.lacks(r, err)
}

// lacks says that there is no room for the disks, and with what that ended.
func (v *voyage) lacks(r space, end error) error {
	why := workspace.Refuse(workspace.NoResource, "host %s has no room for its disks: "+
		"%d bytes are needed at least, %d are free in %s", v.to.o.Host, v.need, r.free, r.dir)
	if end != nil {
		why.Err = fmt.Errorf("%w: %w", why.Err, end)
	}
	return why
}
