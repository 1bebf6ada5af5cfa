package workspace_test

import (
	"errors"
	"testing"

	"github.com/philoxenia/philoxenia/service/workspace"
)

func TestErrorTexts(t *testing.T) {
	cause := workspace.Refuse(workspace.Conflict, "it is %s", "paused")
	tests := []struct {
		name string
		err  error
		want string
		kind workspace.Kind
	}{
		{"a cause", cause, "it is paused", workspace.Conflict},
		{"a cause with its operation", &workspace.Error{Op: "start the machine", ID: "7",
			Kind: workspace.KindOf(cause), Err: cause},
			`cannot start the machine "7": it is paused`, workspace.Conflict},
		{"an operation alone", &workspace.Error{Op: "start the machine"},
			"cannot start the machine", workspace.Internal},
		{"a place", &workspace.Error{Op: "create the workspace", Kind: workspace.Quota,
			Err: cause, Where: &workspace.Where{Document: "deployment request",
				Path: "/a/b", Line: 3, Expected: "less", Hint: "wait"}},
			"cannot create the workspace: deployment request /a/b (line 3): it is paused, " +
				"expected less; wait", workspace.Quota},
		{"not ours", errors.New("EOF"), "EOF", workspace.Internal},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.err.Error(); got != tt.want {
				t.Errorf("it says %q, want %q", got, tt.want)
			}
			if got := workspace.KindOf(tt.err); got != tt.kind {
				t.Errorf("its kind is %v, want %v", got, tt.kind)
			}
		})
	}
}
