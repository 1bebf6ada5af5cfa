package image_test

import (
	"context"
	"os"
	"testing"

	"github.com/philoxenia/philoxenia/service/manager/image"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// ailing is the way to a host that does not clone, or write into disks, for a reason.
type ailing struct {
	workspace.Access
	why error // nil: it does
	did []string
}

func (a *ailing) Clone(ctx context.Context, from, format, to string) (string, error) {
	if a.why != nil {
		return "", a.why
	}
	a.did = append(a.did, "clone")
	return a.Access.Clone(ctx, from, format, to)
}

func (a *ailing) Copy(ctx context.Context, from, to string, p workspace.Progress) error {
	a.did = append(a.did, "copy")
	return a.Access.Copy(ctx, from, to, p)
}

func (a *ailing) Customise(_ context.Context, _, format string, _ []workspace.File) error {
	if a.why != nil && format == "qcow2" {
		return a.why
	}
	a.did = append(a.did, "into "+format)
	return nil
}

// TestLostHostIsNotOneThatLacksMeans: a host that cannot clone gets a full copy, and one
// that cannot write into qcow2 disks a raw one; one that is lost while it does is asked
// again, and its disks become no others for that.
func TestLostHostIsNotOneThatLacksMeans(t *testing.T) {
	lost := workspace.Refuse(workspace.Unavailable, "the connection was lost")
	lacks := workspace.Lacks("it has no qemu-img")
	for _, c := range []struct {
		name                string
		cloning, customised error
		want                []string
		format              string
	}{
		{"all is there", nil, nil, []string{"clone", "into qcow2"}, "qcow2"},
		{"lost while it clones", lost, nil, []string{"clone", "into qcow2"}, "qcow2"},
		{"lost while it writes", nil, lost, []string{"clone", "into qcow2"}, "qcow2"},
		{"cannot clone", lacks, nil, []string{"copy", "into raw"}, "raw"},
		{"cannot write", nil, lacks, []string{"clone", "into raw"}, "raw"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t, 10)
			n := l.node("a")
			a := &ailing{Access: n.Access, why: c.cloning}
			n.Access, n.Customiser = a, a
			l.put("mem://one", 'x', 1)
			r := on(1, "a", "", "mem://one")
			r.Workspace.Spec.Files = []workspace.File{{Path: "/key", Content: "k"}}
			meet := func(why error, try func() error) {
				t.Helper()
				a.why = why
				err := try()
				if why == lost {
					if workspace.KindOf(err) != workspace.Unavailable || len(a.did) > 1 {
						t.Errorf("of a lost host it says %v, having done %v", err, a.did)
					}
					a.why = nil
					err = try()
				}
				l.must(err)
			}
			meet(c.cloning, func() error { return patiently(t, l.images.Propagate().Do, r) })
			meet(c.customised, func() error { return patiently(t, l.images.Customise().Do, r) })
			if len(a.did) != 2 || a.did[0] != c.want[0] || a.did[1] != c.want[1] {
				t.Errorf("it did %v, want %v", a.did, c.want)
			}
			path, format, err := image.Disk(t.Context(), n, r.Workspace, 0)
			l.must(err)
			if _, err := os.Stat(path); err != nil || format != c.format {
				t.Errorf("the disk is %s, %v; want %s", format, err, c.format)
			}
		})
	}
}
