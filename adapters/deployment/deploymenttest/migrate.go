package deploymenttest

import (
	"context"
	"testing"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// migrating is a pair of hosts between which machines go.
type migrating struct {
	*bench
	second workspace.Deployment
}

// pair opens the second host, if there is one, and sees to it that nothing of ours
// remains there.
func (b *bench) pair(t *testing.T) (*migrating, bool) {
	if b.Second == nil {
		t.Log("machines of this host cannot migrate")
		return nil, false
	}
	p := &migrating{b, b.Second(t)}
	t.Cleanup(func() {
		all, err := p.second.List(b.ctx())
		b.must("list", err)
		for _, o := range all {
			b.must("undefine", p.second.Undefine(b.ctx(), o.ID))
		}
		b.must("close", p.second.Close())
	})
	return p, true
}

// are checks the machine's condition here and on the second host.
func (p *migrating) are(id workspace.ID, here, there workspace.Condition) {
	p.t.Helper()
	p.is(id, here)
	got, err := p.second.Inspect(p.ctx(), id)
	p.must("inspect on the second host", err)
	if got != there {
		p.t.Fatalf("machine %v is %s on the second host, want %s", id, got, there)
	}
}

// there is the move to the second host, and back that to the first.
func (p *migrating) there(id workspace.ID, live bool) (workspace.Passage, error) {
	return p.Host.Migrate(p.ctx(), id, workspace.Migration{Target: p.second,
		As: p.Elsewhere(id), Live: live, Copied: p.Copied})
}

func (p *migrating) back(id workspace.ID, live bool) (workspace.Passage, error) {
	return p.second.Migrate(p.ctx(), id, workspace.Migration{Target: p.Host,
		As: p.Machine(id), Live: live, Copied: p.Copied})
}

// migrateThereAndBack moves a machine as it is, each time twice, as a caller
// does whose answer was lost.
func migrateThereAndBack(t *testing.T, b *bench) {
	p, can := b.pair(t)
	if !can {
		return
	}
	const id = 51
	b.must("define", b.Host.Define(b.ctx(), b.Machine(id)))
	b.must("start", b.Host.Start(b.ctx(), id, false))
	for _, live := range []bool{false, true} {
		for range 2 {
			passage, err := p.there(id, live)
			b.must("migrate", err)
			t.Logf("there: %+v", passage)
			p.are(id, gone, running)
		}
		for _, h := range []workspace.Deployment{b.Host, p.second} {
			b.must("sweep", h.Sweep(b.ctx(), id, p.Elsewhere(id).NICs, false))
		}
		p.are(id, gone, running)
		b.must("define there", p.second.Define(b.ctx(), p.Elsewhere(id)))
		for range 2 {
			passage, err := p.back(id, live)
			b.must("migrate back", err)
			t.Logf("back: %+v", passage)
			p.are(id, running, gone)
		}
		b.must("define", b.Host.Define(b.ctx(), b.Machine(id)))
	}
	b.must("pause", b.Host.Pause(b.ctx(), id))
	_, err := p.there(id, true)
	b.must("migrate what is paused", err)
	p.are(id, gone, paused)
	b.must("resume there", p.second.Resume(b.ctx(), id))
	p.are(id, gone, running)
}

// migrateRefused checks that what cannot move stays, and that nothing of it comes.
func migrateRefused(t *testing.T, b *bench) {
	p, can := b.pair(t)
	if !can {
		return
	}
	const id = 52
	_, err := p.there(id, true)
	b.isKind("migrate what is not there", err, workspace.NotFound)
	b.must("define", b.Host.Define(b.ctx(), b.Machine(id)))
	for _, from := range []workspace.Condition{off, saved} {
		b.reach(id, from)
		_, err := p.there(id, true)
		b.isKind("migrate what is "+string(from), err, workspace.Conflict)
		p.are(id, from, gone)
	}
	b.must("start", b.Host.Start(b.ctx(), id, false))
	_, err = b.Host.Migrate(b.ctx(), id, workspace.Migration{As: p.Elsewhere(id)})
	b.isKind("migrate to nowhere", err, workspace.Conflict)
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = b.Host.Migrate(cancelled, id, workspace.Migration{Target: p.second,
		As: p.Elsewhere(id), Copied: p.Copied})
	b.isKind("migrate without time", err, workspace.Transient)
	p.are(id, running, gone)
}
