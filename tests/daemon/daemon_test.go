package daemon

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// echo answers with the request's body, in chunks or with its length.
func echo(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if r.URL.Path == "/chunked" {
		_, _ = w.Write(body[:1])
		w.(http.Flusher).Flush()
		_, _ = w.Write(body[1:])
		return
	}
	w.WriteHeader(http.StatusTeapot)
	_, _ = w.Write(body)
}

func TestCallerReadsBothFramings(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(echo))
	defer server.Close()
	c := NewCaller(strings.TrimPrefix(server.URL, "http://"))
	defer c.Close()
	for _, want := range []struct {
		path   string
		status int
	}{{"/chunked", 200}, {"/length", 418}, {"/chunked", 200}} {
		status, reply, err := c.Call(want.path, "urn:a", []byte("hello"))
		if err != nil || status != want.status || string(reply) != "hello" {
			t.Fatalf("%s: status %d, reply %q, %v", want.path, status, reply, err)
		}
	}
}

// TestCallerLeavesIdleConnections has the server close a connection that nobody has used for
// long, as servers do: the next call does not know of it.
func TestCallerLeavesIdleConnections(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(echo))
	defer server.Close()
	c := NewCaller(strings.TrimPrefix(server.URL, "http://"))
	defer c.Close()
	for range 3 {
		if _, reply, err := c.Call("/length", "urn:a", []byte("hello")); err != nil ||
			string(reply) != "hello" {
			t.Fatalf("reply %q, %v", reply, err)
		}
		server.CloseClientConnections()
		c.used = c.used.Add(-2 * keepLimit)
	}
}

func TestMessagesHaveNoMarksLeft(t *testing.T) {
	v := Values{Key: "17", Time: time.Unix(0, 0), Consumer: "http://127.0.0.1:1/c"}
	for _, m := range []Message{Create, CreateGroup, State, Properties, Begin, Pause, Reboot,
		Shutdown, Save, Extend, Subscribe, SubscribeEnd, Destroy, DestroyGroup, List, Migrate,
		Serialize, Snapshot, Drain, Open, Evacuate, AddHost, RemoveHost, Hold, Release, Networks,
		ReadConsole, AddImage, Images, VerifyImage, TagImage, RemoveImage} {
		if body := string(m.Body(v)); strings.ContainsAny(body, "{}") {
			t.Errorf("%s: a mark is left in %s", m.action, body)
		}
	}
}

func TestReplies(t *testing.T) {
	const reply = `<e:Envelope><e:Header><k:WorkspaceKey>1</k:WorkspaceKey></e:Header><e:Body>` +
		`<WorkspaceKey xmlns="u">8</WorkspaceKey><x:WorkspaceKey>9</x:WorkspaceKey>` +
		`<x:WorkspaceKey>8</x:WorkspaceKey><g:WorkspaceGroupKey>ab-c</g:WorkspaceGroupKey>` +
		`<t:state xmlns:t="u">Running</t:state>` +
		`<NewTerminationTime>2026-11-22T00:52:31.031Z</NewTerminationTime></e:Body></e:Envelope>`
	if got := Keys([]byte(reply)); !slices.Equal(got, []string{"8", "9"}) {
		t.Errorf("keys are %v", got)
	}
	if got := GroupKey([]byte(reply)); got != "ab-c" {
		t.Errorf("group key is %q", got)
	}
	if got := StateOf([]byte(reply)); got != "Running" {
		t.Errorf("state is %q", got)
	}
	want := time.Date(2026, 11, 22, 0, 52, 31, 31e6, time.UTC)
	if got := Termination([]byte(reply)); !got.Equal(want) {
		t.Errorf("termination is %v, want %v", got, want)
	}
}

func TestUsageOfThisProcess(t *testing.T) {
	if _, err := CPU(os.Getpid()); err != nil {
		t.Error(err)
	}
	if rss, err := Resident(os.Getpid()); err != nil || rss < 1<<20 {
		t.Errorf("resident %d bytes, %v", rss, err)
	}
}
