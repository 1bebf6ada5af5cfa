package dispatch_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// A trace is one recorded exchange between the original client and server.
type trace struct {
	name     string // such as 04-deploy-subscribe-running.2
	request  message
	response message
}

// A message is a recorded HTTP message, its chunks joined.
type message struct {
	first  string // request line or status line
	header http.Header
	body   string
}

// readTraces returns the recorded exchanges in the order they were made.
func readTraces(t testing.TB) []trace {
	t.Helper()
	paths, err := filepath.Glob("testdata/traces/*-request.txt")
	if err != nil || len(paths) < 50 {
		t.Fatalf("found %d recorded requests, %v", len(paths), err)
	}
	slices.Sort(paths)
	var all []trace
	for _, p := range paths {
		stem := strings.TrimSuffix(p, "-request.txt")
		all = append(all, trace{
			name:     filepath.Base(stem),
			request:  readMessage(t, p),
			response: readMessage(t, stem+"-response.txt"),
		})
	}
	slices.SortStableFunc(all, func(a, b trace) int {
		return strings.Compare(a.order(), b.order())
	})
	return all
}

// order sorts 04-x before 04-x.2, in which they were made.
func (tr trace) order() string {
	stem, part, split := strings.Cut(tr.name, ".")
	if !split {
		part = "1"
	}
	return stem + "." + part
}

func readMessage(t testing.TB, path string) message {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(bytes.NewReader(raw))
	first, err := r.ReadString('\n')
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	m := message{first: strings.TrimSpace(first), header: http.Header{}}
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatalf("%s: the header does not end: %v", path, err)
		}
		if line = strings.TrimSpace(line); line == "" {
			break
		}
		key, value, _ := strings.Cut(line, ":")
		m.header.Add(key, strings.TrimSpace(value))
	}
	m.body = readBody(t, path, m.header, r)
	return m
}

// readBody joins chunks where there are any.
func readBody(t testing.TB, path string, h http.Header, r *bufio.Reader) string {
	t.Helper()
	body := io.Reader(r)
	if h.Get("Transfer-Encoding") == "chunked" {
		response, err := http.ReadResponse(bufio.NewReader(io.MultiReader(
			strings.NewReader("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), r)), nil)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		body = response.Body
	}
	text, err := io.ReadAll(body)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return string(text)
}

// send makes the request with another body, framed as it was recorded.
func (m message) send(t testing.TB, address, body string) (*http.Response, string) {
	t.Helper()
	conn, err := net.DialTimeout("tcp", address, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	if _, err := conn.Write(m.frame(address, body)); err != nil {
		t.Fatal(err)
	}
	method, _, _ := strings.Cut(m.first, " ")
	response, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(text)
}

// frame writes the request as bytes: the recorded header, with the length of
// the new body or as one chunk.
func (m message) frame(address, body string) []byte {
	var b bytes.Buffer
	b.WriteString(m.first + "\r\n")
	for key, values := range m.header {
		if key != "Host" && key != "Content-Length" && key != "Connection" {
			b.WriteString(key + ": " + strings.Join(values, ", ") + "\r\n")
		}
	}
	b.WriteString("Host: " + address + "\r\nConnection: close\r\n")
	switch {
	case m.header.Get("Transfer-Encoding") == "chunked":
		size := strconv.FormatInt(int64(len(body)), 16)
		b.WriteString("\r\n" + size + "\r\n" + body + "\r\n0\r\n\r\n")
	case body != "":
		b.WriteString("Content-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body)
	default:
		b.WriteString("\r\n")
	}
	return b.Bytes()
}

// parse reads an XML body; nil when it is none.
func parse(t testing.TB, what, body string) *etree.Element {
	t.Helper()
	if !strings.HasPrefix(strings.TrimSpace(body), "<") || strings.HasPrefix(body, "<html") {
		return nil
	}
	doc, err := xmlstrict.Parse([]byte(body), xmlstrict.DefaultLimits())
	if err != nil {
		t.Fatalf("%s is not acceptable XML: %v\n%s", what, err, body)
	}
	return doc.Root
}
