package vmm

import (
	"errors"
	"testing"

	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// TestRefusedHostsAreWaitedFor holds that a host whose keys are not right costs no
// workspace its place, and that all else is told as it is.
func TestRefusedHostsAreWaitedFor(t *testing.T) {
	n := &host.Node{Host: workspace.Host{ID: "node1"}}
	for kind, want := range map[workspace.Kind]workspace.Kind{
		workspace.Denied: workspace.Unavailable, workspace.Conflict: workspace.Conflict,
		workspace.Unavailable: workspace.Unavailable, workspace.Internal: workspace.Internal,
	} {
		cause := workspace.Errorf(kind, "connect", "", "the host key changed")
		got := patient(n, cause)
		if workspace.KindOf(got) != want || !errors.Is(got, cause) {
			t.Errorf("%s became %v (%s)", kind, got, workspace.KindOf(got))
		}
	}
	if err := patient(n, nil); err != nil {
		t.Errorf("nothing became %v", err)
	}
}
