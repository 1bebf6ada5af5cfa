package interop

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/tests/daemon"
)

// lies holds the judge against clients that tell what is not so, about a
// workspace that runs.
func lies(t *testing.T, addr string) {
	c := daemon.NewCaller(addr)
	defer c.Close()
	_, reply, err := c.Send(daemon.Create, daemon.Values{})
	keys := daemon.Keys(reply)
	if err != nil || len(keys) != 1 {
		t.Fatalf("cannot create a workspace: %v, %s", err, reply)
	}
	j := newJudge(addr, two12)
	defer j.caller.Close()
	j.key = keys[0]
	if err := j.awaitState("Running"); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, told, want string }{
		{"nothing was read", "factory\tdefault=1\tmaximum=2\tnetworks=none", "to the client"},
		{"nothing was created", "create\tkey=999999\tip=10.9.1.1", "ResourceUnknownFault"},
		{"another address", "create\tkey=" + j.key + "\tip=10.0.0.1", "to the client"},
		{"not paused", "pause\tstate=Paused", "the workspace is Running"},
		{"another state", "state\tstate=Propagated", "state"},
		{"no subscription", "subscribe\tkey=none", "ResourceUnknownFault"},
		{"another workspace", "notification\tstate=Paused\tkey=0", "key"},
		{"another fault", "denied\ttype={urn:x}Fault\tdescription=exceeds the maximum", "type"},
		{"no words", "gone\ttype=" + j.client.gone + "\tdescription=", "says"},
		{"not destroyed", "destroy", "not gone"},
		{"no such step", "reboot", "no step"},
	} {
		// A create that is believed sets the key: each lie has a judge of its own.
		own := *j
		line := fmt.Sprintf("step\t%s\n", tt.told)
		gave, err := follow(&own, bufio.NewScanner(strings.NewReader(line)), io.Discard)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: the judge says %v, %v; want %q", tt.name, gave, err, tt.want)
		}
	}
	if err := complete(stacks[0], nil); err == nil {
		t.Error("a client that does nothing is believed")
	}
}
