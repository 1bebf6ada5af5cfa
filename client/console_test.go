package client

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/philoxenia/philoxenia/schema/report"
)

// TestSocketsAreTheServicesOwn: whoever answers for a service cannot send its
// callers elsewhere.
func TestSocketsAreTheServicesOwn(t *testing.T) {
	const service = "https://a.example/pool/ws/Workspace"
	for location, want := range map[string]string{
		"../consoles/x":               "wss://a.example/pool/consoles/x",
		"/consoles/x":                 "wss://a.example/consoles/x",
		"wss://a.example/consoles/x":  "wss://a.example/consoles/x",
		"wss://b.example/consoles/x":  "",
		"//b.example/consoles/x":      "",
		"ws://a.example/consoles/x":   "", // without the protection that the service has
		"https://a.example:1/x":       "",
		"https://me@a.example/x":      "",
		"file:///etc/passwd":          "",
		"wss://a.example\n.b.example": "",
	} {
		got, err := socketURL(service, location)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("socketURL of %q = %q, %v, want %q", location, got, err, want)
		}
	}
}

func TestPasswordsAreTyped(t *testing.T) {
	for password, good := range map[string]bool{
		"": true, "AB3D5FGH": true, "AB3D5FGHI": false, "a b": false, "\u009b2J": false,
	} {
		if err := checkPassword(password); (err == nil) != good {
			t.Errorf("checkPassword of %q = %v", password, err)
		}
	}
}

// refusing starts a service that answers every WebSocket with a status and a text.
func refusing(t *testing.T, status int, text string) *report.ConsolePass {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "http://127.0.0.1:1/elsewhere")
		http.Error(w, text, status)
	}))
	t.Cleanup(server.Close)
	return &report.ConsolePass{Location: "ws" + strings.TrimPrefix(server.URL, "http") + "/x"}
}

func TestRefusedPassesHaveKinds(t *testing.T) {
	c, err := New("http://127.0.0.1:1/", Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, tt := range []struct {
		status int
		is     error
		kind   string
	}{
		{http.StatusNotFound, ErrUnknown, "not found"},
		{http.StatusForbidden, ErrDenied, "denied"},
		{http.StatusConflict, ErrConflict, "conflict"},
		{http.StatusGone, ErrPass, "conflict"},
		{http.StatusServiceUnavailable, nil, "unavailable"},
		{http.StatusFound, nil, ""}, // and nobody goes there
	} {
		pass := refusing(t, tt.status, "the \x1b[2Jreason\u202e")
		_, err := c.Dial(t.Context(), pass)
		var f *Fault
		if !errors.As(err, &f) || f.Kind != tt.kind || tt.is != nil && !errors.Is(err, tt.is) {
			t.Errorf("status %d is %v (%+v), want the kind %q", tt.status, err, f, tt.kind)
		}
		if strings.ContainsAny(err.Error(), "\x1b\u202e") ||
			tt.is != nil && !strings.Contains(err.Error(), "console: the \ufffd[2Jreason") {
			t.Errorf("status %d says %q", tt.status, err)
		}
	}
	_, err = c.Dial(t.Context(), &report.ConsolePass{Location: "ws://127.0.0.1:1/x"})
	var lost *TransportError
	if !errors.As(err, &lost) {
		t.Errorf("nobody there is %v", err)
	}
}

// TestConsolesEndSoon: one that has gone away without a word holds nobody up.
func TestConsolesEndSoon(t *testing.T) {
	over := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		socket, err := websocket.Accept(w, r,
			&websocket.AcceptOptions{Subprotocols: []string{"binary"}})
		if err != nil {
			return
		}
		_ = socket.Write(r.Context(), websocket.MessageBinary, []byte("hello"))
		<-over // and never reads
	}))
	defer server.Close()
	defer close(over)
	c, err := New(server.URL, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	line, err := c.Dial(t.Context(), &report.ConsolePass{
		Location: "ws" + strings.TrimPrefix(server.URL, "http") + "/x"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(line, make([]byte, 5)); err != nil {
		t.Error(err)
	}
	ended, cancel := context.WithTimeout(t.Context(), 30*time.Second) // of a loaded machine
	defer cancel()
	done := make(chan struct{})
	go func() { line.Close(); close(done) }()
	select {
	case <-done:
	case <-ended.Done():
		t.Error("Close waits for a word that does not come")
	}
}
