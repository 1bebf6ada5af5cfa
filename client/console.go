package client

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/coder/websocket"

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
	pass.Location, err = socketURL(epr.Address, pass.Location)
	return pass, unreadable(op, err)
}

// socketURL makes the address of a WebSocket of a location, relative to the
// service's own address.
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
	return at.String(), nil
}

// Dial uses a pass: what is read and written are the bytes of the serial line, of
// RFB or of the guest's port. ctx bounds the dialling alone.
func (c *Client) Dial(ctx context.Context, pass *report.ConsolePass) (io.ReadWriteCloser, error) {
	// The library takes no client with a timeout, which would end the connection.
	plain := http.Client{Transport: c.options.HTTP.Transport}
	socket, answer, err := websocket.Dial(ctx, pass.Location, &websocket.DialOptions{
		HTTPClient: &plain, Subprotocols: []string{"binary"},
	})
	if err != nil {
		return nil, failed("open the console", said(answer, err))
	}
	socket.SetReadLimit(-1)
	return websocket.NetConn(context.Background(), socket, websocket.MessageBinary), nil
}

// said prefers what the service answered to what the library makes of it.
func said(answer *http.Response, err error) error {
	if answer == nil || answer.Body == nil || answer.StatusCode < http.StatusBadRequest {
		return err
	}
	text, _ := io.ReadAll(io.LimitReader(answer.Body, 4096))
	if line := strings.TrimSpace(string(text)); line != "" {
		return fmt.Errorf("%s", line)
	}
	return err
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
