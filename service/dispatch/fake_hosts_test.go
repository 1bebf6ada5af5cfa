package dispatch_test

import (
	"context"
	"time"

	"github.com/philoxenia/philoxenia/service/workspace"
)

func (m *core) Standing(
	context.Context, workspace.Owner, workspace.HostID,
) (workspace.Liveness, time.Time, error) {
	return workspace.Liveness{Answers: true, Version: "QEMU 9"}, time.Time{}, nil
}

func (m *core) Described(workspace.Owner, workspace.HostID) *workspace.HostSpec { return nil }

func (m *core) Add(
	_ context.Context, _ workspace.Owner, spec workspace.HostSpec, _ workspace.HostMode,
) error {
	if spec.URI == "sim:" {
		return m.change()
	}
	return workspace.Errorf(workspace.Unavailable, "add host", string(spec.ID), "no answer")
}

func (m *core) ProbeNew(
	context.Context, workspace.Owner, workspace.HostSpec,
) ([]workspace.Finding, error) {
	return []workspace.Finding{
		{Check: "connection", Verdict: "fail", Text: "no", Do: "mend it"},
	}, nil
}

func (m *core) Probe(
	context.Context, workspace.Owner, workspace.HostID,
) ([]workspace.Finding, error) {
	return []workspace.Finding{{Check: "connection", Verdict: "ok", Text: "QEMU 9"}}, nil
}

func (m *core) Remove(context.Context, workspace.Owner, workspace.HostID) error {
	return m.change()
}

func (m *core) Forget(
	context.Context, workspace.Owner, workspace.HostID,
) ([]workspace.ID, error) {
	return []workspace.ID{7}, m.change()
}
