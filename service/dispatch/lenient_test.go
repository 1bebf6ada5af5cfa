package dispatch_test

import (
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/service/authn"
	"github.com/philoxenia/philoxenia/service/dispatch"
)

// TestClientsThatKeepTheAddressAlone has what clients of ONVIF's event service
// do: they send no reference parameters, and name the body's element as the
// action of the content type.
func TestClientsThatKeepTheAddressAlone(t *testing.T) {
	m := prepared(t)
	h, _ := m.face(t, authn.Fixed(ada))
	address := listen(t, h, dispatch.Limits{})
	ask := hostile{
		path: workspacePath + "?key=1",
		header: "Content-Type: application/soap+xml;charset=utf-8;action=\"" + spaceRL +
			"/Destroy\"\r\n",
		body: strings.NewReplacer(soap11, soap12, key, "").Replace(payload(destroy)),
	}
	status, reply := send(t, address, ask.text())
	if status != 200 || !strings.Contains(reply, "DestroyResponse") {
		t.Fatalf("status %d, %s", status, reply)
	}
	if _, left := m.workspaces[1]; left {
		t.Error("workspace 1 is still there")
	}
}
