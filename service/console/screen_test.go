package console

import (
	"bytes"
	"crypto/des" //nolint:gosec // RFC 6143, 7.2.2, has no other
	"errors"
	"fmt"
	"io"
	"math/bits"
	"net"
	"net/http"
	"testing"

	"github.com/coder/websocket"

	"github.com/philoxenia/philoxenia/schema/line"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// TestScreenInABrowser shows a screen to what noVNC is: a page of another origin, with a
// WebSocket that offers "binary", as its older versions do, or nothing.
func TestScreenInABrowser(t *testing.T) {
	for name, test := range map[string]struct {
		offer []string
		agree string
	}{
		"binary":         {[]string{"binary"}, "binary"},
		"binary, base64": {[]string{"binary", "base64"}, "binary"},
		"base64, binary": {[]string{"base64", "binary"}, "binary"},
		"nothing":        {nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHall(t)
			p := h.pass(workspace.ConsoleScreen)
			served := make(chan error, 1)
			go func() { served <- show(<-h.far, p.Password) }()
			socket, answer, err := websocket.Dial(t.Context(), h.url+Path+p.Token,
				&websocket.DialOptions{Subprotocols: test.offer,
					HTTPHeader: http.Header{"Origin": {"https://novnc.example.org"}}})
			if err != nil {
				t.Fatal(err)
			}
			defer socket.CloseNow()
			if got := answer.Header.Get("Sec-WebSocket-Protocol"); got != test.agree ||
				socket.Subprotocol() != test.agree {
				t.Errorf("to an offer of %q it answers %q", test.offer, got)
			}
			line := websocket.NetConn(t.Context(), socket, websocket.MessageBinary)
			name, err := look(line, p.Password)
			if err != nil || name != "a guest" {
				t.Errorf("the screen of %q, %v", name, err)
			}
			if err := <-served; err != nil {
				t.Errorf("the screen's side: %v", err)
			}
		})
	}
}

// TestPageWithoutPass gives a page of another origin nothing that it has no pass for,
// whatever it guesses.
func TestPageWithoutPass(t *testing.T) {
	h := newHall(t)
	h.pass(workspace.ConsoleScreen)
	for _, guess := range []string{"", "*", "../consoles/", "AAAAAAAAAAAAAAAAAAAAAAAAAA"} {
		_, answer, err := websocket.Dial(t.Context(), h.url+Path+guess, &websocket.DialOptions{
			Subprotocols: []string{line.Protocol},
			HTTPHeader:   http.Header{"Origin": {"https://elsewhere.example.org"}}})
		if err == nil || answer.StatusCode != http.StatusGone {
			t.Errorf("with the pass %q: %v, %+v", guess, err, answer)
		}
	}
	if len(h.far) > 0 || h.sum != 1 {
		t.Errorf("a machine was connected to, or the pass used up: %d are held", h.sum)
	}
}

// take reads what the other side of RFB must say.
func take(r io.Reader, want string) error {
	got := make([]byte, len(want))
	_, err := io.ReadFull(r, got)
	if err == nil && string(got) != want {
		err = fmt.Errorf("%q came, expected %q", got, want)
	}
	return err
}

// say writes one message of RFB.
func say(w io.Writer, message string) error {
	_, err := io.WriteString(w, message)
	return err
}

const (
	hello     = "RFB 003.008\n"
	challenge = "0123456789abcdef"
	screenful = "\x00\x02\x00\x01" + "0123456789abcdef" // 2 x 1, and a format of pixels
)

// show is a screen with a password, up to ServerInit (RFC 6143, 7.1 to 7.3).
func show(line net.Conn, password string) error {
	defer line.Close()
	proof, err := response(challenge, password)
	for _, step := range []func() error{
		func() error { return err },
		func() error { return say(line, hello) },
		func() error { return take(line, hello) },
		func() error { return say(line, "\x01\x02") }, // one kind: VNC authentication
		func() error { return take(line, "\x02") },
		func() error { return say(line, challenge) },
		func() error { return take(line, proof) },
		func() error { return say(line, "\x00\x00\x00\x00") },
		func() error { return take(line, "\x01") }, // ClientInit: the screen is shared
		func() error { return say(line, screenful+"\x00\x00\x00\x07a guest") },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// look logs in to a screen, and returns its name.
func look(line io.ReadWriter, password string) (string, error) {
	asked := make([]byte, len(challenge))
	first := errors.Join(take(line, hello), say(line, hello), take(line, "\x01\x02"),
		say(line, "\x02"))
	if _, err := io.ReadFull(line, asked); first != nil || err != nil {
		return "", errors.Join(first, err)
	}
	proof, err := response(string(asked), password)
	if err != nil {
		return "", err
	}
	err = errors.Join(say(line, proof), take(line, "\x00\x00\x00\x00"), say(line, "\x01"),
		take(line, screenful), take(line, "\x00\x00\x00\x07"))
	if err != nil {
		return "", err
	}
	name := make([]byte, 7)
	_, err = io.ReadFull(line, name)
	return string(name), err
}

// response encrypts the challenge: the key is the password, each octet mirrored.
func response(challenge, password string) (string, error) {
	key := make([]byte, des.BlockSize)
	copy(key, password)
	for i := range key {
		key[i] = bits.Reverse8(key[i])
	}
	cipher, err := des.NewCipher(key) //nolint:gosec // as above
	if err != nil {
		return "", err
	}
	answer := bytes.Clone([]byte(challenge))
	for at := 0; at < len(answer); at += des.BlockSize {
		cipher.Encrypt(answer[at:], answer[at:])
	}
	return string(answer), nil
}
