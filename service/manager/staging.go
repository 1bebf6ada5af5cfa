package manager

import (
	"context"
	"errors"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// admitStaging refuses what cannot be staged: where the site allows it at all, its
// transports must serve both ends, and what is to come must be there. A transfer
// that names another service is left to it where they do not: the original, whose
// clients name one always, left all of them.
func (m *Manager) admitStaging(ctx context.Context, r *workspace.Request) error {
	for path, to := range map[string]**workspace.Transfer{
		atStageIn: &r.Spec.StageIn, atStageOut: &r.Spec.StageOut,
	} {
		if *to == nil {
			continue
		}
		t := **to // the request's own is the caller's
		*to = &t
		if m.policy.NoStaging {
			return refuse(r, complaint{kind: workspace.Denied, path: path,
				cause: errors.New("this site stages no files"),
				hint:  "name the image where it is"})
		}
		t.Left = t.Endpoint != "" && !(m.images.Serves(t.Source) && m.images.Serves(t.Destination))
		if t.Left {
			continue
		}
		if _, err := m.images.CheckStage(ctx, &t, path == atStageIn); err != nil {
			return refuse(r, complaint{kind: workspace.KindOf(err), path: path, cause: err})
		}
	}
	return nil
}
