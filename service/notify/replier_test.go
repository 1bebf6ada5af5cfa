package notify

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestReplierKeepsToTheGuard posts to a server on loopback: with leave it gets
// the message, and without it nobody dials there, whatever the text says.
func TestReplierKeepsToTheGuard(t *testing.T) {
	got := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		got <- r.Method + " " + r.Header.Get("SOAPAction") + " " + string(text)
		w.WriteHeader(http.StatusAccepted)
	}))
	defer server.Close()
	header := http.Header{"Content-Type": {"text/xml"}, "Soapaction": {`"urn:a"`}}

	closed := NewReplier(Guard{})
	if err := closed.Check(server.URL); err == nil {
		t.Error("a loopback address is let pass")
	}
	err := closed.Post(t.Context(), server.URL, header, []byte("secret"))
	if err == nil || !strings.Contains(err.Error(), "loopback") {
		t.Errorf("posting to loopback gives %v", err)
	}

	open := NewReplier(Guard{Allow: Loopback()})
	if err := open.Check(server.URL); err != nil {
		t.Error(err)
	}
	if err := open.Post(t.Context(), server.URL, header, []byte("<a/>")); err != nil {
		t.Fatal(err)
	}
	if text := <-got; text != `POST "urn:a" <a/>` {
		t.Errorf("the server got %s", text)
	}
}

// TestReplierTriesOnce tells of a message that is not taken, and does not follow
// where the answer points.
func TestReplierTriesOnce(t *testing.T) {
	for _, status := range []int{http.StatusFound, http.StatusInternalServerError} {
		calls := 0
		server := httptest.NewServer(http.HandlerFunc(
			func(w http.ResponseWriter, _ *http.Request) {
				calls++
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(status)
			}))
		r := NewReplier(Guard{Allow: Loopback()})
		if err := r.Post(t.Context(), server.URL, http.Header{}, nil); err == nil || calls != 1 {
			t.Errorf("status %d: %v after %d calls", status, err, calls)
		}
		server.Close()
	}
}

// TestReplierEndsWithItsContext gives up where nobody answers.
func TestReplierEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := NewReplier(Guard{Allow: Loopback()})
	if err := r.Post(ctx, "http://127.0.0.1:1/", http.Header{}, nil); err == nil {
		t.Error("it was sent")
	}
}
