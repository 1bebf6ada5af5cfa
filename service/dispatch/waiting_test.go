package dispatch_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/authn"
	"github.com/philoxenia/philoxenia/service/dispatch"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// named believes what requests say of who calls.
type named struct{ authn.Authenticator }

func (named) Caller(r *http.Request) (workspace.Owner, error) {
	return workspace.Owner(r.URL.Query().Get("as")), nil
}

// TestWaitingIsBounded has callers wait in as many requests as may wait, of one
// caller and in all: one more is told so, and nothing else is held up.
func TestWaitingIsBounded(t *testing.T) {
	entered, over := make(chan struct{}), make(chan struct{})
	s := echo()
	s.Operations["start"] = dispatch.Operation{
		Waits: true,
		Do: func(context.Context, *dispatch.Call) (dispatch.Reply, error) {
			entered <- struct{}{}
			<-over
			return dispatch.Empty(xmlstrict.Name{Local: "ok"}), nil
		},
	}
	h, err := dispatch.New(dispatch.Options{
		Services: []dispatch.Service{s}, Authenticator: named{},
		Limits: dispatch.Limits{Waiting: 3, OwnerWaiting: 2, Parallel: 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	address := listen(t, h, dispatch.Limits{})
	body := payload(`<startWorkspaces xmlns="` + spaceW + `/group"/>`)
	ask := func(who, body string) (int, string) {
		return post(t, address, groupPath+"?as="+who, body)
	}
	statuses := make(chan int)
	for _, who := range []string{"ada", "ada", "eve"} {
		go func() {
			status, _ := ask(who, body)
			statuses <- status
		}()
		<-entered
	}
	for _, who := range []string{"ada", "bob"} {
		if _, reply := ask(who, body); !strings.Contains(reply, "too many requests wait") {
			t.Errorf("%s's request too many gets %s", who, reply)
		}
	}
	status, reply := ask("bob", body+strings.Repeat(" ", 20<<10))
	if status != http.StatusRequestEntityTooLarge {
		t.Errorf("a large request gets %d %s", status, reply)
	}
	close(over)
	for range 3 {
		if status := <-statuses; status != http.StatusOK {
			t.Errorf("who waited gets %d", status)
		}
	}
	go func() { <-entered }()
	if status, reply := ask("ada", body); status != http.StatusOK {
		t.Errorf("after that one gets %d %s", status, reply)
	}
}
