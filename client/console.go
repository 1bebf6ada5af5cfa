package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/coder/websocket"

	"github.com/philoxenia/philoxenia/schema/line"
	"github.com/philoxenia/philoxenia/schema/report"
	"github.com/philoxenia/philoxenia/schema/wsa"
)

// OpenConsole asks to be connected to a workspace. The pass is good for one
// Dial. Only face two has it; a reference of face one is asked for there.
func (c *Client) OpenConsole(
	ctx context.Context, epr wsa.EPR, ask report.ConsoleRequest,
) (*report.ConsolePass, error) {
	op := "connect to " + Describe(epr)
	epr, err := c.InFaceTwo(epr)
	if err != nil {
		return nil, failed(op, err)
	}
	a, err := c.call(ctx, request{op: op, operation: "OpenConsole", target: epr, body: ask.Write})
	if err != nil {
		return nil, err
	}
	pass, err := report.DecodeConsolePass(a.doc, a.body)
	if err != nil {
		return nil, unreadable(op, err)
	}
	if pass.Location, err = socketURL(epr.Address, pass.Location); err == nil {
		err = checkPassword(pass.Password)
	}
	if err != nil {
		return nil, unreadable(op, err)
	}
	return pass, nil
}

// socketURL makes the address of a WebSocket of a location, relative to the
// service's own address. A location elsewhere is refused: whoever answers for a
// service has no say in whom else this process connects to.
func socketURL(service, location string) (string, error) {
	base, err := url.Parse(service)
	if err != nil {
		return "", err
	}
	at, err := base.Parse(location)
	if err != nil {
		return "", err
	}
	switch at.Scheme {
	case "http":
		at.Scheme = "ws"
	case "https":
		at.Scheme = "wss"
	case "ws", "wss":
	default:
		return "", fmt.Errorf("the location %q is no WebSocket", location)
	}
	secure := base.Scheme == "https"
	if at.Host != base.Host || at.User != nil || secure != (at.Scheme == "wss") {
		return "", fmt.Errorf("the location %q is not at the service, %s://%s", location,
			base.Scheme, base.Host)
	}
	return at.String(), nil
}

// checkPassword refuses what no VNC viewer takes as a password.
func checkPassword(password string) error {
	const most = 8 // RFC 6143, section 7.2.2
	for _, r := range password {
		if r <= ' ' || r > '~' {
			return fmt.Errorf("the password %q has characters that nobody can type", password)
		}
	}
	if len(password) > most {
		return fmt.Errorf("the password is longer than %d characters", most)
	}
	return nil
}

// ErrPass says that a pass is good no longer: it was used, or its time is over. A
// new one may be asked for.
var ErrPass = errors.New("the pass is good no longer")

// Dial uses a pass: what is read and written are the bytes of the serial line, of
// RFB or of the guest's port. ctx bounds the dialling alone. Who takes nothing that
// comes, or does not answer a ping, is cut off. Errors: a *Fault with the kind of
// the refusal, with ErrPass when the pass is not taken; a *TransportError.
func (c *Client) Dial(ctx context.Context, pass *report.ConsolePass) (io.ReadWriteCloser, error) {
	// The library takes no client with a timeout, which would end the connection.
	plain := http.Client{
		Transport: c.options.HTTP.Transport,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}
	socket, answer, err := websocket.Dial(ctx, pass.Location, &websocket.DialOptions{
		HTTPClient: &plain, Subprotocols: []string{line.Protocol},
	})
	if err != nil {
		return nil, refused(pass.Location, answer, err)
	}
	socket.SetReadLimit(-1)
	beat, stop := context.WithCancel(context.Background())
	go func() {
		line.Watch(beat, socket)
		socket.CloseNow() // one that is gone is not waited for
	}()
	return &wire{websocket.NetConn(beat, socket, websocket.MessageBinary), socket, stop}, nil
}

// wire is a connection to a console.
type wire struct {
	net.Conn
	socket *websocket.Conn
	stop   context.CancelFunc
}

// goodbye is how long the other side may take to say that it has had everything: one
// that is gone says nothing.
const goodbye = time.Second

// Close ends the connection.
func (w *wire) Close() error {
	late := time.AfterFunc(goodbye, func() { w.socket.CloseNow() })
	defer late.Stop()
	defer w.stop()
	return w.Conn.Close()
}

// kindsOf are the kinds of refusals at a WebSocket.
var kindsOf = map[int]string{
	http.StatusNotFound: "not found", http.StatusForbidden: "denied",
	http.StatusConflict: "conflict", http.StatusGone: "conflict",
	http.StatusServiceUnavailable: "unavailable", http.StatusBadGateway: "unavailable",
	http.StatusGatewayTimeout: "unavailable",
}

// refused translates why there is no connection. The service's own word goes before
// what the library makes of it.
func refused(location string, answer *http.Response, err error) error {
	const op = "open the console"
	if answer == nil {
		return &TransportError{Op: op, URL: location, Err: err}
	}
	said := ""
	if answer.Body != nil && answer.StatusCode >= http.StatusBadRequest {
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 4096))
		said = harmless(strings.TrimSpace(string(text)))
	}
	f := &Fault{Op: op, Code: answer.Status, Kind: kindsOf[answer.StatusCode], Description: said}
	if said == "" {
		f.Description = harmless(err.Error())
	}
	if answer.StatusCode == http.StatusGone {
		return fmt.Errorf("%w%w", f, quietly{ErrPass})
	}
	return f
}

// quietly is an error that is found in a chain and adds nothing to its text.
type quietly struct{ err error }

func (quietly) Error() string { return "" }

// Unwrap returns the error.
func (q quietly) Unwrap() error { return q.err }

// harmless makes of a text what no terminal obeys: HTTP, unlike XML, carries every
// character.
func harmless(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return unicode.ReplacementChar
		}
		return r
	}, strings.ToValidUTF8(text, string(unicode.ReplacementChar)))
}

// ConsoleText reads a piece of what a workspace's serial line has said, from a byte
// on; a negative offset counts from the end. There is more as long as the piece
// ends before its Size.
func (c *Client) ConsoleText(
	ctx context.Context, epr wsa.EPR, offset int64,
) (*report.ConsoleText, error) {
	op := "read the console of " + Describe(epr)
	epr, err := c.InFaceTwo(epr)
	if err != nil {
		return nil, failed(op, err)
	}
	a, err := c.call(ctx, request{op: op, operation: "ReadConsole", target: epr,
		body: report.ConsoleQuery{Offset: offset}.Write})
	if err != nil {
		return nil, err
	}
	text, err := report.DecodeConsoleText(a.doc, a.body)
	return text, unreadable(op, err)
}
