package dispatch_test

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/service/authn"
	"github.com/philoxenia/philoxenia/service/dispatch"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// A hostile request is one that a sane client would not send.
type hostile struct {
	raw    string // the whole request; or else
	method string // POST when empty
	path   string // WorkspaceService when empty
	header string // header lines, each with its line end; that of XML when empty
	body   string
	status int    // expected
	fault  string // expected in the reply, may be empty
	short  bool   // so is a reply of a few kilobytes
}

const xmlType = "Content-Type: text/xml; charset=utf-8\r\n"

// text returns the request as bytes.
func (h hostile) text() string {
	if h.raw != "" {
		return h.raw
	}
	method, path, header := h.method, h.path, h.header
	if method == "" {
		method = "POST"
	}
	if path == "" {
		path = "/wsrf/services/WorkspaceService"
	}
	if header == "" {
		header = xmlType
	}
	return fmt.Sprintf("%s %s HTTP/1.1\r\nHost: x\r\n%sContent-Length: %d\r\n\r\n%s",
		method, path, header, len(h.body), h.body)
}

// TestHostileRequests sends each of them to a served handler: it gets its
// status and fault, nothing changes, nothing panics, and memory stays.
func TestHostileRequests(t *testing.T) {
	m := newCore()
	m.put(ada)
	m.put("/O=Example/CN=Somebody Else")
	h, _ := m.face(t, authn.Fixed(ada))
	address := listen(t, h, dispatch.Limits{})
	if status, reply := send(t, address, hostile{body: goodBody}.text()); status != 200 {
		t.Fatalf("a good request gets %d: %s", status, reply)
	}
	all := make(map[string]hostile)
	for _, table := range []map[string]hostile{
		hostileDocuments, hostileEnvelopes, hostileKeys, hostileQueries, hostileConsumers,
		hostileHTTP,
	} {
		maps.Copy(all, table)
	}
	for name, request := range all {
		t.Run(name, func(t *testing.T) {
			before := allocated()
			status, reply := send(t, address, request.text())
			if status != request.status || !strings.Contains(reply, request.fault) {
				t.Errorf("reply is %d %.1500s, want %d with %q", status, reply, request.status,
					request.fault)
			}
			if grown := allocated() - before; grown > 64<<20 {
				t.Errorf("it took %d MiB of memory", grown>>20)
			}
		})
	}
	if m.calls != 0 || h.Panics() != 0 {
		t.Errorf("%d calls changed something, %d requests panicked", m.calls, h.Panics())
	}
	if len(all) < 40 {
		t.Errorf("only %d cases", len(all))
	}
}

// allocated returns all memory that was ever taken from the heap, in bytes.
func allocated() uint64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.TotalAlloc
}

// send makes the raw request on a connection of its own.
func send(t *testing.T, address, request string) (int, string) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	go func() { _, _ = io.WriteString(conn, request) }() // it may be refused half way
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(body)
}

func TestTooLargeIsRefusedBeforeItIsRead(t *testing.T) {
	m := newCore()
	h, _ := m.face(t, authn.Fixed(ada))
	address := listen(t, h, dispatch.Limits{})
	before := allocated()
	status, reply := send(t, address, hostileHTTP["announced too large"].raw)
	if grown := allocated() - before; status != 413 || grown > 4<<20 {
		t.Errorf("reply is %d %s after %d bytes of memory, want 413 and less than 4 MiB",
			status, reply, grown)
	}
}

// TestFaultsAreShort has an error quote a long text of the caller's: the fault
// holds the beginning of it.
func TestFaultsAreShort(t *testing.T) {
	m := newCore()
	m.put(ada)
	m.fail = workspace.Errorf(workspace.Denied, "destroy", "", "%s", strings.Repeat("é", 100_000))
	h, _ := m.face(t, authn.Fixed(ada))
	status, reply := post(t, listen(t, h, dispatch.Limits{}), "/wsrf/services/WorkspaceService",
		payload(destroy))
	if status != 500 || len(reply) > 4<<10 || !strings.Contains(reply, "éé...") {
		t.Errorf("reply is %d of %d bytes: %.3000s", status, len(reply), reply)
	}
}
