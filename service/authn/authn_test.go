package authn

import (
	"net/http/httptest"
	"testing"

	"github.com/philoxenia/philoxenia/service/workspace"
)

func TestFixed(t *testing.T) {
	tests := map[string]struct {
		caller Fixed
		want   workspace.Owner
	}{
		"a caller": {"/O=Example/CN=Ada", "/O=Example/CN=Ada"},
		"nobody":   {"", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var a Authenticator = tt.caller
			got, err := a.Caller(httptest.NewRequest("POST", "/", nil))
			if err != nil || got != tt.want {
				t.Errorf("Caller() = %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}
