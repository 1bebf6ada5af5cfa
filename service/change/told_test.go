package change

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// TestTroubleIsToldOnce tries a task often on a host that is lost, while the
// disk refuses now and then: the log says each thing once.
func TestTroubleIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		tries := 0
		l := newLab(t, func(l *lab) []Plan {
			lost := l.task("lost")
			lost.Retries = -1
			lost.Do = func(context.Context, *Run) (Commit, error) {
				if tries++; tries < 10 {
					return nil, workspace.Errorf(workspace.Unavailable, "reach host", "h", "gone")
				}
				return nil, nil
			}
			return l.deploy(lost)
		})
		l.engine.log = slog.New(slog.NewTextHandler(&log, nil))
		l.store.fail = func(n int) error {
			if n <= 5 {
				return errLost
			}
			return nil
		}
		l.run()
		l.queue(l.workspace(), workspace.ChangeDeploy)
		l.settle()
		l.stop()
		for _, text := range []string{"task will be tried again", "change cannot be recorded"} {
			if n := strings.Count(log.String(), text); n != 1 {
				t.Errorf("%q was logged %d times:\n%s", text, n, log.String())
			}
		}
	})
}
