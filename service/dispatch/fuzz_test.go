package dispatch_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/authn"
)

// scheduling are requests about leases, by the number of the service in
// FuzzRequest.
var scheduling = map[int]string{
	6: `<p:QuerySchedule xmlns:p="urn:philoxenia:2026:workspace"><p:From>2026-11-22T12:00:00Z` +
		`</p:From></p:QuerySchedule>`,
	12: `<r:SetResourceProperties xmlns:r="http://docs.oasis-open.org/wsrf/rp-2" xmlns:p="urn:` +
		`philoxenia:2026:workspace"><r:Update><p:Mode><p:Drained>1</p:Drained></p:Mode></r:Update>` +
		`</r:SetResourceProperties>`,
}

// FuzzRequest sends any body to any of the services. Whatever comes, there is
// no panic, the status is one of those we use, and the reply is XML that our
// own strict parser takes.
func FuzzRequest(f *testing.F) {
	for _, tr := range readTraces(f) {
		f.Add(0, tr.request.body)
	}
	for _, h := range hostileDocuments {
		if len(h.body) < 4096 {
			f.Add(1, h.body)
		}
	}
	for _, h := range hostileTwo(f) {
		if len(h.body) < 4096 {
			f.Add(5, h.body)
		}
	}
	for _, tt := range modifications {
		f.Add(5, strings.Replace(goodBody, poll, tt.body, 1))
	}
	for which, body := range scheduling {
		f.Add(which, strings.Replace(goodBody, poll, body, 1))
	}
	m := newCore()
	m.put(ada)
	h, _ := m.face(f, authn.Fixed(ada))
	paths := []string{factoryPath, workspacePath, groupPath, statusPath, subscriptionPath,
		workspaceTwo, "/ws/WorkspaceFactory", "/ws/Group", "/ws/Status", "/ws/Workspaces",
		"/ws/WorkspaceEntry", "/ws/Hosts", "/ws/Host", "/ws/Nothing"}
	f.Fuzz(func(t *testing.T, which int, body string) {
		path := paths[uint(which)%uint(len(paths))]
		r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		switch w.Code {
		case http.StatusOK, http.StatusInternalServerError, http.StatusBadRequest,
			http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType:
		default:
			t.Errorf("status is %d", w.Code)
		}
		reply, _ := io.ReadAll(w.Body)
		if _, err := xmlstrict.Parse(reply, xmlstrict.Limits{Bytes: 64 << 20}); err != nil {
			t.Errorf("the reply is no acceptable XML: %v\n%s", err, reply)
		}
		if h.Panics() > 0 {
			t.Error("it panicked")
		}
	})
}
