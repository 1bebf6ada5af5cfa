package notify

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// NewClient returns a client for addresses that strangers gave, be they those
// of consumers or of who wants a reply: it dials only what the guard lets pass,
// judged by the address that a name has at that moment, uses no proxy and
// follows no redirect, as both would take it somewhere else. A request ends
// with the timeout.
func NewClient(g Guard, timeout time.Duration) *http.Client {
	return newClient(g, timeout, nil)
}

// idlePerPlace is how many connections to one host and port are kept for the
// next message.
const idlePerPlace = 16

// newClient is NewClient with a resolver of names; nil: the machine's own.
func newClient(g Guard, timeout time.Duration, names *net.Resolver) *http.Client {
	dialer := net.Dialer{Timeout: timeout, Control: g.Control, Resolver: names}
	return &http.Client{
		Timeout: timeout,
		Transport: &http.Transport{
			DialContext: dialer.DialContext, MaxIdleConns: 256,
			MaxIdleConnsPerHost: idlePerPlace, IdleConnTimeout: 5 * time.Second,
			MaxResponseHeaderBytes: 16 << 10, DisableCompression: true,
			WriteBufferSize: 16 << 10, // header and some messages in one packet
		},
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}
}

// A letter is what is posted to somebody.
type letter struct {
	address string
	header  http.Header
	body    []byte
}

// post posts the letter and returns the status of the answer, in number and
// words. Its body, empty by right, is thrown away.
func post(ctx context.Context, client *http.Client, l letter) (int, string, error) {
	request, err := http.NewRequestWithContext(
		ctx, http.MethodPost, l.address, bytes.NewReader(l.body))
	if err != nil {
		return 0, "", err
	}
	request.Header = l.header
	response, err := client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	_, _ = io.CopyN(io.Discard, response.Body, 64<<10)
	return response.StatusCode, xmlstrict.Clip(response.Status), nil
}
