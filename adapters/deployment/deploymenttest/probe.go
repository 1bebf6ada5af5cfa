package deploymenttest

import (
	"testing"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// probe: a host that works says what it is, passes its own test, and is as before.
func probe(t *testing.T, b *bench) {
	const id = 31
	b.must("define", b.Host.Define(b.ctx(), b.Machine(id)))
	b.must("start", b.Host.Start(b.ctx(), id, false))
	version, err := b.Host.Version(b.ctx())
	b.must("version", err)
	if version == "" {
		t.Error("it does not say what it is")
	}
	found := b.Host.Probe(b.ctx())
	if len(found) < 2 || found[0].Check != "connection" {
		t.Errorf("it found %+v", found)
	}
	for _, f := range found {
		if f.Verdict == workspace.VerdictFail || f.Text == "" {
			t.Errorf("the host works, and %s is %q: %s", f.Check, f.Verdict, f.Text)
		}
	}
	b.is(id, running)
	all, err := b.Host.List(b.ctx())
	b.must("list", err)
	if len(all) != 1 {
		t.Errorf("after the test the host has %+v", all)
	}
}
