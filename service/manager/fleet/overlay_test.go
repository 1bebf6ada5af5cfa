package fleet

import (
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/adapters/access/local"
	"github.com/philoxenia/philoxenia/service/manager/host"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// TestOverlayIsLookedAt: an address for private networks has to be the host's own.
func TestOverlayIsLookedAt(t *testing.T) {
	n := &host.Node{Access: local.Access{}}
	if all := overlay(t.Context(), n); all != nil {
		t.Errorf("without an address there is %+v", all)
	}
	for ip, want := range map[string]workspace.Finding{
		"127.0.0.1":    {Verdict: workspace.VerdictOK, Text: "127.0.0.1 is on lo"},
		"192.0.2.77":   {Verdict: workspace.VerdictFail, Text: "no device of the host has"},
		"2001:db8::77": {Verdict: workspace.VerdictFail, Text: "no device of the host has"},
	} {
		n.Overlay = ip
		all := overlay(t.Context(), n)
		if len(all) != 1 || all[0].Verdict != want.Verdict ||
			!strings.Contains(all[0].Text, want.Text) ||
			(all[0].Do == "") != (want.Verdict == workspace.VerdictOK) {
			t.Errorf("%s: %+v", ip, all)
		}
	}
	t.Setenv("PATH", "/nowhere")
	n.Overlay = "127.0.0.1"
	if all := overlay(t.Context(), n); len(all) != 1 || all[0].Verdict != workspace.VerdictFail {
		t.Errorf("without programs: %+v", all)
	}
}

// TestOverlayIsOfOneHost: two hosts of the pool are not reached at one address.
func TestOverlayIsOfOneHost(t *testing.T) {
	pool := host.NewPool()
	pool.Add(&host.Node{Host: workspace.Host{ID: "one", Overlay: "fd00::1"}})
	pool.Add(&host.Node{Host: workspace.Host{ID: "two"}})
	f := New(Options{Pool: pool})
	for ip, want := range map[string]string{"": "", "fd00::2": "", "fd00::1": "host one",
		"FD00:0::1": "host one"} {
		err := f.single(workspace.HostSpec{ID: "three", URI: "qemu:///system", Overlay: ip})
		if (err == nil) != (want == "") {
			t.Errorf("%q: %v", ip, err)
		}
		if err != nil && (workspace.KindOf(err) != workspace.Conflict ||
			!strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v", ip, err)
		}
	}
}
