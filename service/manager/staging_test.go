package manager_test

import (
	"crypto/md5"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// staged is a request whose image comes to the repository first, and goes
// elsewhere when it is saved.
func staged() workspace.Request {
	req := request(1)
	sum := md5.Sum(make([]byte, 4096))
	req.Spec.Disks[0].Location = "file://brought"
	req.Spec.StageIn = &workspace.Transfer{Source: "file://worker", Destination: "file://brought",
		Checksum: strings.ToUpper(hex.EncodeToString(sum[:])), ChecksumType: "MD5"}
	req.Spec.StageOut = &workspace.Transfer{
		Source: "file://saved", Destination: "file://results"}
	return req
}

func TestStaging(t *testing.T) {
	r := newRig(t, t.TempDir(), "")
	w := r.create(staged())
	r.reach(w.ID, workspace.Running)
	r.check(r.manager.Shutdown(t.Context(), ada, w.ID, workspace.ShutdownReadyForTransport,
		"file://saved"))
	r.reach(w.ID, workspace.TransportReady)
	for _, name := range []string{"brought", "saved", "results"} {
		if info, err := os.Stat(filepath.Join(r.dir, "images", name)); err != nil ||
			info.Size() != 4096 {
			t.Errorf("%s in the repository: %v, %v", name, info, err)
		}
	}
	r.check(r.manager.Destroy(t.Context(), ada, w.ID))
	r.settle()
	if left, err := os.ReadDir(filepath.Join(r.dir, "spool")); err != nil || len(left) != 0 {
		t.Errorf("left in the spool: %v, %v", left, err)
	}
}

// TestStagingOfAnotherService names one for both transfers: what the site's own
// transports can do is done, the rest is left to it.
func TestStagingOfAnotherService(t *testing.T) {
	r := newRig(t, t.TempDir(), "")
	req := staged()
	req.Spec.StageIn.Endpoint = "https://stage.example.org/"
	req.Spec.StageOut = &workspace.Transfer{Endpoint: "https://stage.example.org/",
		Source: "gsiftp://store/saved", Destination: "file://results"}
	w := r.create(req)
	r.reach(w.ID, workspace.Running)
	if w.Spec.StageIn.Left || !w.Spec.StageOut.Left {
		t.Errorf("left to the other service: in %t, out %t, want the latter alone",
			w.Spec.StageIn.Left, w.Spec.StageOut.Left)
	}
	if req.Spec.StageOut.Left {
		t.Error("the caller's own request was changed")
	}
	r.check(r.manager.Shutdown(t.Context(), ada, w.ID, workspace.ShutdownReadyForTransport,
		"file://saved"))
	r.reach(w.ID, workspace.TransportReady)
	if _, err := os.Stat(filepath.Join(r.dir, "images", "results")); !os.IsNotExist(err) {
		t.Errorf("what is left to another service came: %v", err)
	}
}

// TestStagedImageIsVerified has another file come than the checksum is of.
func TestStagedImageIsVerified(t *testing.T) {
	r := newRig(t, t.TempDir(), "")
	req := staged()
	req.Spec.StageIn.Checksum = strings.Repeat("0", 32)
	w := r.reach(r.create(req).ID, workspace.Corrupted)
	sum := md5.Sum(make([]byte, 4096))
	for _, want := range []string{"stage in", req.Spec.StageIn.Checksum,
		hex.EncodeToString(sum[:])} {
		if !strings.Contains(w.Fault, want) {
			t.Errorf("the fault %q does not name %q", w.Fault, want)
		}
	}
	if _, err := os.Stat(filepath.Join(r.dir, "images", "brought")); !os.IsNotExist(err) {
		t.Errorf("what was not verified is in the repository: %v", err)
	}
	r.check(r.manager.Destroy(t.Context(), ada, w.ID))
	r.conserved()
}

func TestStagingIsRefused(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*rig, *workspace.Request)
		kind   workspace.Kind
		path   string
	}{
		{"by the site", func(r *rig, _ *workspace.Request) { r.policy.NoStaging = true },
			workspace.Denied, ""},
		{"not there, by another service", func(_ *rig, q *workspace.Request) {
			q.Spec.StageIn.Endpoint = "https://stage.example.org/"
			q.Spec.StageIn.Source = "file://nothing"
		}, workspace.NotFound, "optionalParameters/stageIn"},
		{"image that another service is to bring", func(_ *rig, q *workspace.Request) {
			q.Spec.StageIn.Endpoint = "https://stage.example.org/"
			q.Spec.StageIn.Source = "gsiftp://a/b"
		}, workspace.NotFound, "rootVBD"},
		{"unknown scheme", func(_ *rig, q *workspace.Request) {
			q.Spec.StageOut.Destination = "gsiftp://a/b"
		}, workspace.Denied, "optionalParameters/stageOut"},
		{"climbing", func(_ *rig, q *workspace.Request) {
			q.Spec.StageIn.Destination = "file://../brought"
		}, workspace.Invalid, "optionalParameters/stageIn"},
		{"not there", func(_ *rig, q *workspace.Request) {
			q.Spec.StageIn.Source = "file://nothing"
		}, workspace.NotFound, "optionalParameters/stageIn"},
		{"unknown type of checksum", func(_ *rig, q *workspace.Request) {
			q.Spec.StageIn.ChecksumType = "crc32"
		}, workspace.Invalid, "optionalParameters/stageIn"},
		{"short checksum", func(_ *rig, q *workspace.Request) {
			q.Spec.StageIn.Checksum = "abc"
		}, workspace.Invalid, "optionalParameters/stageIn"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req := staged()
			r := newRig(t, t.TempDir(), "", func(r *rig) { tt.change(r, &req) })
			_, err := r.manager.Create(t.Context(), req)
			if workspace.KindOf(err) != tt.kind || err == nil ||
				!strings.Contains(err.Error(), tt.path) {
				t.Errorf("got %v, want %s at %s", err, tt.kind, tt.path)
			}
			r.conserved()
		})
	}
}
