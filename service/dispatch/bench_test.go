package dispatch_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/service/authn"
	"github.com/philoxenia/philoxenia/service/dispatch"
)

// benchRequests are the polls of each face.
func benchRequests(tb testing.TB) map[string]string {
	return map[string]string{"one": benchRequest(tb), "two": benchRequestTwo()}
}

// BenchmarkGetResourceProperty measures the poll that clients make, over a kept
// connection on loopback, beside a bare net/http handler that returns the same
// bytes. Both sides of the connection are in the figure, the same for both.
func BenchmarkGetResourceProperty(b *testing.B) {
	m := newCore()
	m.put(ada)
	h, _ := m.face(b, authn.Fixed(ada))
	for name, request := range benchRequests(b) {
		reply := []byte(exchange(b, listen(b, h, dispatch.Limits{}), request))
		bare := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header()["Content-Type"] = []string{"text/xml; charset=utf-8"}
			w.Header()["Content-Length"] = []string{fmt.Sprint(len(reply))}
			_, _ = w.Write(reply)
		})
		var plain time.Duration
		b.Run("bare "+name, func(b *testing.B) { plain = measure(b, bare, request) })
		b.Run("face "+name, func(b *testing.B) {
			face := measure(b, h, request)
			b.ReportMetric(float64(face)/float64(plain), "x-bare")
		})
	}
}

// BenchmarkAnswer is the handler alone, without net/http.
func BenchmarkAnswer(b *testing.B) {
	m := newCore()
	m.put(ada)
	h, _ := m.face(b, authn.Fixed(ada))
	for name, text := range benchRequests(b) {
		b.Run("face "+name, func(b *testing.B) {
			r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
			if err != nil {
				b.Fatal(err)
			}
			body, _ := io.ReadAll(r.Body)
			w := discard{http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				r.Body = io.NopCloser(strings.NewReader(string(body)))
				h.ServeHTTP(w, r)
			}
		})
	}
}

// discard is a ResponseWriter that forgets.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) WriteHeader(int)             {}
func (d discard) Write(p []byte) (int, error) { return len(p), nil }

// benchRequest is the recorded poll with a key that the core has, kept alive.
func benchRequest(tb testing.TB) string {
	tb.Helper()
	body := readMessage(tb, "testdata/traces/34-getrp-currentstate-request.txt").body
	body = strings.Replace(body, ">16<", ">1<", 1)
	return "POST /wsrf/services/WorkspaceService HTTP/1.1\r\nHost: x\r\n" +
		"Content-Type: text/xml; charset=utf-8\r\n" +
		"SOAPAction: \"http://docs.oasis-open.org/wsrf/2004/06/" +
		"wsrf-WS-ResourceProperties/GetResourceProperty\"\r\n" +
		fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body)
}

// benchRequestTwo is the same poll on face two, with all that WS-Addressing 1.0
// has for it.
func benchRequestTwo() string {
	body := `<s:Envelope xmlns:s="` + soap12 + `" xmlns:a="` + wsa2005 + `"><s:Header>` +
		block2("MessageID", "urn:uuid:1") + block2("To", "http://x/ws/Workspace") +
		block2("Action", rp2Action) + reference2("ReplyTo", wsa2005+"/anonymous", "") + key +
		`</s:Header><s:Body>` + poll2 + `</s:Body></s:Envelope>`
	return "POST /ws/Workspace HTTP/1.1\r\nHost: x\r\n" +
		"Content-Type: application/soap+xml; charset=utf-8; action=\"" + rp2Action + "\"\r\n" +
		fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body)
}

// exchange makes the request once and returns the reply's body.
func exchange(tb testing.TB, address, request string) string {
	tb.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		tb.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, request)
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || response.StatusCode != http.StatusOK {
		tb.Fatalf("reply is %v, %v", response, err)
	}
	body, _ := io.ReadAll(response.Body)
	return string(body)
}

// measure makes the request over and over on one connection and returns the
// CPU time of the process for one.
func measure(b *testing.B, h http.Handler, request string) time.Duration {
	conn, err := net.Dial("tcp", listen(b, h, dispatch.Limits{}))
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	reader := bufio.NewReaderSize(conn, 8<<10)
	raw := []byte(request)
	before := cpu(b)
	for b.Loop() {
		if _, err := conn.Write(raw); err != nil {
			b.Fatal(err)
		}
		skipReply(b, reader)
	}
	used := (cpu(b) - before) / time.Duration(b.N)
	b.ReportMetric(float64(used.Nanoseconds())/1000, "cpu-µs/op")
	return used
}

// skipReply reads one reply, whose length its header tells.
func skipReply(b *testing.B, r *bufio.Reader) {
	length := 0
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			b.Fatal(err)
		}
		if len(line) <= 2 {
			break
		}
		if text, ok := strings.CutPrefix(string(line), "Content-Length: "); ok {
			_, _ = fmt.Sscan(text, &length)
		}
	}
	if _, err := r.Discard(length); err != nil {
		b.Fatal(err)
	}
}

// cpu returns the CPU time that the process took so far.
func cpu(tb testing.TB) time.Duration {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}
