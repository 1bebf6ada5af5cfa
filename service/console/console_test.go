package console

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/philoxenia/philoxenia/schema/line"
	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/tests/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// hall is a Desk that is served, and the machine behind it.
type hall struct {
	*Desk
	t      *testing.T
	url    string
	far    chan net.Conn // the machine's end of each connection
	asked  visit
	refuse error
}

func newHall(t *testing.T) *hall {
	h := &hall{t: t, far: make(chan net.Conn, 1)}
	h.Desk = NewDesk(h.connect, slog.New(slog.DiscardHandler))
	server := httptest.NewServer(h.Desk)
	h.url = server.URL
	t.Cleanup(func() {
		if !h.over() {
			h.Stop()
		}
		server.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	return h
}

func (h *hall) connect(_ context.Context, owner workspace.Owner, id workspace.ID,
	ask workspace.ConsoleAsk, password string,
) (io.ReadWriteCloser, error) {
	h.asked = visit{owner: owner, id: id, ask: ask, pass: workspace.Pass{Password: password}}
	if h.refuse != nil {
		return nil, h.refuse
	}
	near, far := net.Pipe()
	h.far <- far
	return near, nil
}

// pass has one issued.
func (h *hall) pass(kind workspace.ConsoleKind) workspace.Pass {
	h.t.Helper()
	p, err := h.Issue("ada", 7, workspace.ConsoleAsk{Kind: kind})
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

// dial uses a token, and returns the answer's status where there is no connection.
func (h *hall) dial(token string) (net.Conn, int) {
	socket, answer, err := websocket.Dial(h.t.Context(), h.url+Path+token,
		&websocket.DialOptions{Subprotocols: []string{line.Protocol}})
	if err != nil {
		return nil, answer.StatusCode
	}
	return websocket.NetConn(h.t.Context(), socket, websocket.MessageBinary), http.StatusOK
}

// TestPassIsGoodOnce carries bytes both ways, and opens no second time.
func TestPassIsGoodOnce(t *testing.T) {
	h := newHall(t)
	p := h.pass(workspace.ConsoleScreen)
	near, status := h.dial(p.Token)
	if near == nil {
		t.Fatalf("refused: %d", status)
	}
	far := <-h.far
	if h.asked.owner != "ada" || h.asked.id != 7 || len(p.Password) != 8 ||
		h.asked.pass.Password != p.Password {
		t.Errorf("asked for %+v with the pass %+v", h.asked, p)
	}
	go func() { _, _ = io.WriteString(near, "to the machine") }()
	expect(t, far, "to the machine")
	go func() { _, _ = io.WriteString(far, "from the machine"); far.Close() }()
	expect(t, near, "from the machine")
	if _, err := near.Read(make([]byte, 1)); err == nil {
		t.Error("the connection outlives the machine's")
	}
	near.Close()
	if _, status := h.dial(p.Token); status != http.StatusGone {
		t.Errorf("a pass that was used gives %d", status)
	}
}

func expect(t *testing.T, from io.Reader, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(from, got); err != nil || string(got) != want {
		t.Errorf("read %q, %v, want %q", got, err, want)
	}
}

// TestPassesEnd forgets passes after their time, and holds owners to a number.
func TestPassesEnd(t *testing.T) {
	h := newHall(t)
	old := h.pass(workspace.ConsoleSerial)
	var err error
	for range ofOne {
		_, err = h.Issue("ada", 7, workspace.ConsoleAsk{})
	}
	if workspace.KindOf(err) != workspace.Quota {
		t.Errorf("after %d passes one more is %v", ofOne, err)
	}
	if _, err := h.Issue("bob", 8, workspace.ConsoleAsk{}); err != nil {
		t.Errorf("another owner is refused: %v", err)
	}
	h.now = func() time.Time { return time.Now().Add(lifetime + time.Second) }
	if _, status := h.dial(old.Token); status != http.StatusGone {
		t.Errorf("a pass that is too old gives %d", status)
	}
	h.pass(workspace.ConsoleSerial)
	if h.sum != 1 || len(h.held) != 1 {
		t.Errorf("%d are counted of %v after all but one have ended", h.sum, h.held)
	}
}

// TestRefusalsAreTold gives the reason why there is no connection, in HTTP.
func TestRefusalsAreTold(t *testing.T) {
	h := newHall(t)
	h.refuse = workspace.Errorf(workspace.Conflict, "connect", "7", "it is Paused")
	p := h.pass(workspace.ConsoleSerial)
	_, answer, err := websocket.Dial(t.Context(), h.url+Path+p.Token, nil)
	if err == nil || answer.StatusCode != http.StatusConflict {
		t.Fatalf("%v with %+v", err, answer)
	}
	if text, _ := io.ReadAll(answer.Body); !strings.Contains(string(text), "it is Paused") {
		t.Errorf("the reason is %q", text)
	}
	plain, err := http.Get(h.url + Path + h.pass(workspace.ConsoleSerial).Token)
	if err != nil || plain.StatusCode != http.StatusUpgradeRequired {
		t.Errorf("a plain request gets %v, %v", plain, err)
	}
	plain.Body.Close()
	if h.sum != 1 { // the plain request used none up
		t.Errorf("%d are counted", h.sum)
	}
}

// TestOwnAffairsAreNotTold: what is wrong with the service stands in its log.
func TestOwnAffairsAreNotTold(t *testing.T) {
	h := newHall(t)
	h.refuse = workspace.Errorf(workspace.Internal, "read", "/var/lib/secret", "it is torn")
	_, answer, err := websocket.Dial(t.Context(), h.url+Path+h.pass(workspace.ConsoleSerial).Token,
		nil)
	if err == nil || answer.StatusCode != http.StatusBadGateway {
		t.Fatalf("%v with %+v", err, answer)
	}
	if text, _ := io.ReadAll(answer.Body); strings.Contains(string(text), "secret") ||
		!strings.Contains(string(text), "log") {
		t.Errorf("the reason is %q", text)
	}
}

// TestStopEndsConnections leaves nothing behind, whoever still holds a connection.
func TestStopEndsConnections(t *testing.T) {
	h := newHall(t)
	near, _ := h.dial(h.pass(workspace.ConsoleSerial).Token)
	far := <-h.far
	h.Stop()
	if _, err := far.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the machine's end: %v", err)
	}
	if _, err := near.Read(make([]byte, 1)); err == nil {
		t.Error("the client's end goes on")
	}
	near.Close()
}
