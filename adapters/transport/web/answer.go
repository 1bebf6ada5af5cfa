package web

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// statusKinds says what a server's status means to who asked for an image.
var statusKinds = map[int]workspace.Kind{
	http.StatusUnauthorized:          workspace.Denied,
	http.StatusForbidden:             workspace.Denied,
	http.StatusMethodNotAllowed:      workspace.Denied,
	http.StatusNotFound:              workspace.NotFound,
	http.StatusGone:                  workspace.NotFound,
	http.StatusConflict:              workspace.NotFound, // of a PUT: its collection is missing
	http.StatusPreconditionFailed:    workspace.Transient,
	http.StatusRequestTimeout:        workspace.Transient,
	http.StatusTooManyRequests:       workspace.Transient,
	http.StatusInternalServerError:   workspace.Transient,
	http.StatusRequestEntityTooLarge: workspace.NoResource,
	http.StatusInsufficientStorage:   workspace.NoResource,
	http.StatusBadGateway:            workspace.Unavailable,
	http.StatusServiceUnavailable:    workspace.Unavailable,
	http.StatusGatewayTimeout:        workspace.Unavailable,
	http.StatusBadRequest:            workspace.Invalid,
	http.StatusRequestURITooLong:     workspace.Invalid,
}

// do sends the request. An answer with another status than those wanted is an
// error of the kind that belongs to it.
func (p place) do(r *http.Request, wanted ...int) (*http.Response, error) {
	answer, err := p.client.Do(r)
	if err != nil {
		return nil, lost(r.Context(), err)
	}
	for _, status := range wanted {
		if answer.StatusCode == status {
			return answer, nil
		}
	}
	defer hush(answer)
	kind := statusKinds[answer.StatusCode] // Internal when not there
	return nil, workspace.Refuse(kind, "the server answers %s to %s%s",
		answer.Status, r.Method, reason(answer))
}

// reason returns what the server says in plain text, in brackets.
func reason(answer *http.Response) string {
	const most = 200
	if !strings.HasPrefix(answer.Header.Get("Content-Type"), "text/plain") {
		return ""
	}
	text, _ := io.ReadAll(io.LimitReader(answer.Body, most))
	said := strings.Join(strings.Fields(string(text)), " ")
	if said == "" {
		return ""
	}
	return fmt.Sprintf(" (%q)", said)
}

// hush reads what little is left of an answer, so that its connection can be
// used again, and closes it.
func hush(answer *http.Response) {
	io.CopyN(io.Discard, answer.Body, 4<<10)
	answer.Body.Close()
}

// lost gives what ended a connection its kind.
func lost(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	var known *workspace.Error
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(err, &known):
		return err
	case errors.As(err, &certificate):
		return workspace.Refuse(workspace.Denied, "the server is not to be trusted: %w", err)
	case strings.Contains(err.Error(), "the server redirects"):
		return workspace.Refuse(workspace.Denied, "%w", err)
	}
	return workspace.Refuse(workspace.Unavailable, "the server is out of reach: %w", err)
}
