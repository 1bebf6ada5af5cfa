package libvirt_test

import (
	"os"
	"testing"

	"github.com/philoxenia/philoxenia/service/workspace"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	must(t, os.WriteFile(path, []byte(text), 0o644))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func isKind(t *testing.T, what string, err error, want workspace.Kind) {
	t.Helper()
	if err == nil || workspace.KindOf(err) != want {
		t.Errorf("%s: got %v (%s), want kind %q", what, err, workspace.KindOf(err), want)
	}
}
