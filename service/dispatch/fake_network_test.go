package dispatch_test

import (
	"context"

	"github.com/philoxenia/philoxenia/service/workspace"
)

func (m *core) Networks(context.Context, workspace.Owner) ([]workspace.NetworkUse, error) {
	return []workspace.NetworkUse{{Name: "public", First: "10.0.0.1", Last: "10.0.0.9"}}, nil
}

func (m *core) Hold(
	_ context.Context, _ workspace.Owner, h workspace.Hold,
) (workspace.Hold, error) {
	return h, m.change()
}

func (m *core) Release(
	_ context.Context, _ workspace.Owner, association, ip string,
) (workspace.Hold, error) {
	return workspace.Hold{Association: association, First: ip, Last: ip}, m.change()
}
