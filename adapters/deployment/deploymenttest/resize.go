package deploymenttest

import (
	"errors"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// resizing is a machine whose shape is being changed.
type resizing struct {
	*bench
	m workspace.Machine
}

// resizable defines and starts a machine and waits until its guest helps.
func (b *bench) resizable(id workspace.ID) *resizing {
	b.t.Helper()
	r := &resizing{b, b.Machine(id)}
	b.must("define", b.Host.Define(b.ctx(), r.m))
	b.must("start", b.Host.Start(b.ctx(), id, false))
	if b.Awake != nil {
		b.Awake(b.t, id)
	}
	return r
}

// to changes the shape, twice, and checks that the machine then is the one that
// its new shape defines.
func (r *resizing) to(s workspace.Shape) {
	r.t.Helper()
	for range 2 {
		begun := time.Now()
		if err := r.Host.Resize(r.ctx(), r.m.ID, s); err != nil {
			r.t.Fatalf("resize to %+v: %v", s, err)
		}
		r.t.Logf("resize to %+v took %v", s, time.Since(begun).Round(time.Millisecond))
	}
	before := r.m
	s = s.Over(r.m.Shape())
	r.m.MemoryMB, r.m.CPUs, r.m.CPUPercent = s.MemoryMB, s.CPUs, s.CPUPercent
	r.must("define as it has become", r.Host.Define(r.ctx(), r.m))
	if before.Shape() != r.m.Shape() {
		r.isKind("define as it was", r.Host.Define(r.ctx(), before), workspace.Internal)
	}
}

// refused checks that the shape is refused, that the machine stays as it was,
// and returns what could be.
func (r *resizing) refused(s workspace.Shape) *workspace.Limit {
	r.t.Helper()
	err := r.Host.Resize(r.ctx(), r.m.ID, s)
	r.isKind("resize beyond what can be", err, workspace.Conflict)
	var limit *workspace.Limit
	if !errors.As(err, &limit) {
		r.t.Fatalf("%v does not say what could be", err)
	}
	if limit.Least > limit.Most || limit.Reason == "" {
		r.t.Errorf("the limit is %+v", *limit)
	}
	r.must("define as before", r.Host.Define(r.ctx(), r.m))
	return limit
}

func resizeLive(t *testing.T, b *bench) {
	const id = 41
	r := b.resizable(id)
	r.to(workspace.Shape{CPUPercent: 50})
	r.to(workspace.Shape{MemoryMB: r.m.MemoryMB * 3 / 2})
	r.to(workspace.Shape{CPUs: r.m.CPUs + 1, CPUPercent: 100})
	r.to(workspace.Shape{MemoryMB: b.Machine(id).MemoryMB})
	if fewer := (workspace.Shape{CPUs: r.m.CPUs - 1}); b.Keeps {
		r.to(workspace.Shape{CPUs: r.refused(fewer).Least})
	} else {
		r.to(fewer)
	}
	b.is(id, running)
	second := b.Reopen(t)
	b.must("resize by another adapter",
		second.Resize(b.ctx(), id, workspace.Shape{CPUPercent: 70}))
	b.must("close", second.Close())
	r.m.CPUPercent = 70
	b.must("stop", b.Host.Stop(b.ctx(), id, workspace.StopForced))
	b.must("define what is off", b.Host.Define(b.ctx(), r.m))
	b.must("start", b.Host.Start(b.ctx(), id, false))
	b.must("define what runs", b.Host.Define(b.ctx(), r.m))
}

func resizeRefused(t *testing.T, b *bench) {
	const id = 42
	r := b.resizable(id)
	r.to(workspace.Shape{})
	if b.Bounded {
		most := r.refused(workspace.Shape{MemoryMB: r.m.MemoryMB * 1000, CPUPercent: 50})
		r.to(workspace.Shape{MemoryMB: most.Most})
		r.to(workspace.Shape{CPUs: r.refused(workspace.Shape{CPUs: 1000}).Most})
	}
	if b.Uses > 0 {
		r.to(workspace.Shape{MemoryMB: r.refused(workspace.Shape{MemoryMB: b.Uses}).Least})
	}
	b.is(id, running)
}

// resizeWhileOff checks that a machine that is off starts with its new shape.
func resizeWhileOff(_ *testing.T, b *bench) {
	const id = 43
	r := &resizing{b, b.Machine(id)}
	b.must("define", b.Host.Define(b.ctx(), r.m))
	r.to(workspace.Shape{CPUPercent: 50, CPUs: 2, MemoryMB: r.m.MemoryMB + 16})
	b.is(id, off)
	b.must("start", b.Host.Start(b.ctx(), id, false))
	b.must("define", b.Host.Define(b.ctx(), r.m))
}
