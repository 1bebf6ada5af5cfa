package manager_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/service/manager"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// shelf is a library of one entry, until it is gone.
type shelf struct {
	entry *workspace.Image
	asked []workspace.ImageNeeds
}

func (s *shelf) Resolve(
	_ context.Context, need workspace.ImageNeeds,
) (*workspace.Image, error) {
	s.asked = append(s.asked, need)
	switch {
	case !strings.HasPrefix(need.Location, "image:"):
		return nil, nil
	case s.entry == nil:
		return nil, workspace.Refuse(workspace.NotFound, "none of 3 images fits")
	}
	return s.entry, nil
}

// entry is one of the image that the rig's repository has.
func entry() *workspace.Image {
	sum := sha256.Sum256(make([]byte, 4096))
	return &workspace.Image{
		ImageKey: workspace.ImageKey{Name: "worker", Version: "2"}, Location: "file://worker",
		VMMs: []string{"Xen"}, SHA256: hex.EncodeToString(sum[:]),
	}
}

func withLibrary(s *shelf) func(*rig) {
	return func(r *rig) { r.library = s }
}

// wanting is a request for what the library has.
func wanting(location string) workspace.Request {
	r := request(1)
	r.Spec.Disks[0].Location = location
	r.Spec.VMM.Type = ""
	return r
}

// TestDeployFromLibrary: the place and the checksum of the entry are recorded, and what
// becomes of the library later changes nothing.
func TestDeployFromLibrary(t *testing.T) {
	s := &shelf{entry: entry()}
	r := newRig(t, t.TempDir(), "", withLibrary(s))
	asked := wanting("image:?arch=x86")
	asked.MessageID, asked.Digest = "uuid:1", "d"
	w := r.create(asked)
	want := workspace.Disk{
		Role: workspace.RootDisk, Location: "file://worker", MountAs: "sda1",
		SHA256: s.entry.SHA256, Image: "worker:2", Asked: "image:?arch=x86",
	}
	if w.Spec.Disks[0] != want || w.Spec.VMM.Type != "Xen" {
		t.Errorf("it is made of %+v on %+v", w.Spec.Disks[0], w.Spec.VMM)
	}
	need := workspace.ImageNeeds{Owner: ada, Location: "image:?arch=x86", Architecture: "x86"}
	if len(s.asked) != 1 || s.asked[0] != need {
		t.Errorf("the library was asked for %+v", s.asked)
	}
	if asked.Spec.Disks[0].Location != "image:?arch=x86" {
		t.Error("the request of the caller was changed")
	}
	s.entry = nil
	again, err := r.manager.Create(t.Context(), asked)
	if err != nil || len(again.Workspaces) != 1 || again.Workspaces[0].ID != w.ID {
		t.Errorf("the repeated request is answered with %+v, %v", again, err)
	}
	if got := r.reach(w.ID, workspace.Running); got.Spec.Disks[0] != want {
		t.Errorf("it runs with %+v", got.Spec.Disks[0])
	}
}

// TestLibraryRefuses: a request for what there is not leaves no trace.
func TestLibraryRefuses(t *testing.T) {
	changed, strange := entry(), entry()
	changed.SHA256 = strings.Repeat("0a", 32)
	changed.Kernel, strange.VMMs = "", []string{"VMware"}
	kernel := entry()
	kernel.Kernel = "file://none"
	for name, tt := range map[string]struct {
		entry *workspace.Image
		kind  workspace.Kind
		says  string
	}{
		"nothing fits": {nil, workspace.NotFound, "none of 3 images fits"},
		"VMM":          {strange, workspace.Denied, `serves VMM type "VMware"`},
		"kernel":       {kernel, workspace.Denied, `kernel "file://none" is asked for`},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, t.TempDir(), "", withLibrary(&shelf{entry: tt.entry}))
			asked := wanting("image:worker")
			asked.MessageID = "uuid:2"
			_, err := r.manager.Create(t.Context(), asked)
			if workspace.KindOf(err) != tt.kind || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("the error is %v", err)
			}
			_, err = r.manager.Plan(t.Context(), asked)
			if workspace.KindOf(err) != tt.kind {
				t.Errorf("the plan's error is %v", err)
			}
			r.conserved()
		})
	}
	r := newRig(t, t.TempDir(), "", withLibrary(&shelf{entry: changed}))
	w := r.create(wanting("image:worker"))
	if got := r.reach(w.ID, workspace.Corrupted); !strings.Contains(got.Fault, changed.SHA256) {
		t.Errorf("another image than the library describes: %q", got.Fault)
	}
}

var _ manager.Library = (*shelf)(nil)
