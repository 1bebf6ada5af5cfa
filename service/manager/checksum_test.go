package manager_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// TestChecksumOfTheRequest asks for an image by its checksum: the one that it has, and
// another one where the repository says nothing, where it knows better, and where the
// library does.
func TestChecksumOfTheRequest(t *testing.T) {
	sum := sha256.Sum256(make([]byte, 4096))
	right, wrong := hex.EncodeToString(sum[:]), strings.Repeat("ab", 32)
	asking := func(location, sum string) workspace.Request {
		q := request(1)
		q.Spec.Disks[0].Location, q.Spec.Disks[0].SHA256 = location, sum
		return q
	}
	r := newRig(t, t.TempDir(), "", withLibrary(&shelf{entry: entry()}))
	for _, location := range []string{"file://worker", "image:worker"} {
		w := r.reach(r.create(asking(location, right)).ID, workspace.Running)
		r.check(r.manager.Destroy(t.Context(), ada, w.ID))
	}
	w := r.reach(r.create(asking("file://worker", wrong)).ID, workspace.Corrupted)
	for _, sum := range []string{right, wrong} {
		if !strings.Contains(w.Fault, sum) {
			t.Errorf("the fault %q does not name %s", w.Fault, sum)
		}
	}
	r.check(r.manager.Destroy(t.Context(), ada, w.ID))
	beside := filepath.Join(r.dir, "images", "worker.sha256")
	r.check(os.WriteFile(beside, []byte(right+"  worker\n"), 0o600))
	for _, location := range []string{"file://worker", "image:worker"} {
		_, err := r.manager.Create(t.Context(), asking(location, wrong))
		if workspace.KindOf(err) != workspace.Conflict || !strings.Contains(err.Error(), right) ||
			!strings.Contains(err.Error(), wrong) {
			t.Errorf("%s with another checksum: %v, want a conflict of both", location, err)
		}
	}
	r.conserved()
}
