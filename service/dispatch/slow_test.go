package dispatch_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/authn"
	"github.com/philoxenia/philoxenia/service/dispatch"
)

// TestSlowSendersAreCutOff holds a connection open in each of the ways that
// cost a server something; it ends when its limit is up. The other limits are not:
// what is sent in time may be so on a busy machine alone after a while.
func TestSlowSendersAreCutOff(t *testing.T) {
	const soon = 50 * time.Millisecond
	header := dispatch.Limits{HeaderTimeout: soon}
	body := dispatch.Limits{HeaderTimeout: time.Minute, BodyTimeout: soon}
	between := dispatch.Limits{HeaderTimeout: time.Minute, IdleTimeout: soon}
	tests := map[string]struct {
		limits dispatch.Limits
		sent   string
		status int // 0: closed without a word
	}{
		"nothing": {header, "", 0},
		"half a header": {header,
			"POST /wsrf/services/WorkspaceService HTTP/1.1\r\nHost: x\r\nX: ", 0},
		"half a body": {body, postStart + "Content-Length: 1000\r\n\r\n<a>",
			http.StatusRequestTimeout},
		"half a chunk": {body, postStart + "Transfer-Encoding: chunked\r\n\r\n100\r\n<a>",
			http.StatusRequestTimeout},
		"no second request": {between, "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
			http.StatusNotFound},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			m := newCore()
			m.put(ada)
			h, _ := m.face(t, authn.Fixed(ada))
			conn, err := net.Dial("tcp", listen(t, h, tt.limits))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(time.Minute))
			_, _ = io.WriteString(conn, tt.sent)
			if status := statusThenEnd(t, conn); status != tt.status {
				t.Errorf("status is %d, want %d", status, tt.status)
			}
		})
	}
}

// statusThenEnd returns the status of the one reply that comes before the
// server closes the connection, 0 for none.
func statusThenEnd(t *testing.T, conn net.Conn) int {
	t.Helper()
	status := 0
	r := bufio.NewReader(conn)
	for {
		response, err := http.ReadResponse(r, nil)
		if err != nil {
			var timeout net.Error
			if errors.As(err, &timeout) && timeout.Timeout() {
				t.Fatal("the connection is still open")
			}
			return status
		}
		_, _ = io.Copy(io.Discard, response.Body)
		status = response.StatusCode
	}
}

func TestDefaultLimits(t *testing.T) {
	want := dispatch.DefaultLimits()
	server := dispatch.NewServer(nil, dispatch.Limits{})
	if server.ReadHeaderTimeout != want.HeaderTimeout || server.ReadTimeout != want.BodyTimeout ||
		server.IdleTimeout != want.IdleTimeout || server.WriteTimeout != want.WriteTimeout ||
		server.MaxHeaderBytes != want.HeaderBytes {
		t.Errorf("server does not have the limits %+v", want)
	}
	if want.Body != 1<<20 || want.HeaderTimeout != 10*time.Second || want.XML.Depth == 0 {
		t.Errorf("defaults are %+v", want)
	}
}

// TestRequestsWaitForASlot sends more requests at once than may be carried out:
// they take turns, the large ones more room, and none is lost.
func TestRequestsWaitForASlot(t *testing.T) {
	body := payload(`<startWorkspaces xmlns="` + spaceW + `/group"/>`)
	large := body + strings.Repeat(" ", 100<<10)
	tests := map[string]struct {
		parallel int
		bodies   []string // sent in turn
		most     int64    // carried out at once
	}{
		"small":              {2, []string{body}, 2},
		"large":              {8, []string{large}, 2},
		"larger than it all": {2, []string{large}, 1},
		"mixed":              {4, []string{body, large, body}, 4},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			address, most := crowded(t, tt.parallel)
			var group sync.WaitGroup
			for i := range 8 {
				group.Go(func() {
					for k := range 10 {
						body := tt.bodies[(i+k)%len(tt.bodies)]
						status, reply := post(t, address, groupPath, body)
						if status != http.StatusOK {
							t.Errorf("reply is %d %s", status, reply)
						}
					}
				})
			}
			group.Wait()
			if most.Load() > tt.most {
				t.Errorf("%d were carried out at once, want at most %d", most.Load(), tt.most)
			}
		})
	}
}

// crowded serves a group service whose start takes its time, and counts how
// many of it there are at once.
func crowded(t *testing.T, parallel int) (address string, most *atomic.Int64) {
	t.Helper()
	most = new(atomic.Int64)
	var running atomic.Int64
	s := echo()
	s.Operations["start"] = dispatch.Operation{
		Do: func(context.Context, *dispatch.Call) (dispatch.Reply, error) {
			now := running.Add(1)
			defer running.Add(-1)
			for range 1000 { // give others every chance to get in too
				most.Store(max(most.Load(), now, running.Load()))
				runtime.Gosched()
			}
			return dispatch.Empty(xmlstrict.Name{Local: "ok"}), nil
		},
	}
	h, err := dispatch.New(dispatch.Options{
		Services: []dispatch.Service{s}, Authenticator: authn.Fixed(ada),
		Limits: dispatch.Limits{Parallel: parallel},
	})
	if err != nil {
		t.Fatal(err)
	}
	return listen(t, h, dispatch.Limits{}), most
}
