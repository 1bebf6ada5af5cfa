package dispatch

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync"

	"github.com/philoxenia/philoxenia/schema/soap"
)

// anyVersion says that the content type fits envelopes of any version.
const anyVersion soap.Version = 255

// A refusal is a request that is turned away with its own HTTP status.
type refusal struct {
	status int
	reason string
}

func (e *refusal) Error() string { return e.reason }

// mediaType checks the request's content type and returns the version of SOAP
// that goes with it. A missing one is tolerated.
func (x *exchange) mediaType() (soap.Version, error) {
	h := x.request.Header
	for _, name := range [...]string{"Content-Type", "Content-Encoding", "Soapaction"} {
		if len(h[name]) > 1 {
			return 0, &refusal{http.StatusBadRequest, "header " + name + " is given twice"}
		}
	}
	if c := h.Get("Content-Encoding"); c != "" && !strings.EqualFold(c, "identity") {
		return 0, &refusal{http.StatusUnsupportedMediaType,
			"content encoding is not accepted, send the envelope as it is"}
	}
	switch text := h.Get("Content-Type"); text {
	case "text/xml; charset=utf-8", "text/xml":
		return soap.V11, nil
	case "":
		return anyVersion, nil
	default:
		return x.parseMediaType(text)
	}
}

func (x *exchange) parseMediaType(text string) (soap.Version, error) {
	kind, parameters, err := mime.ParseMediaType(text)
	if strings.HasPrefix(kind, "multipart/") {
		return 0, &refusal{http.StatusUnsupportedMediaType,
			"attachments (MTOM, SOAP with Attachments) are not accepted, send the data inline"}
	}
	charset := strings.ToLower(parameters["charset"])
	if err != nil || charset != "" && charset != "utf-8" && charset != "us-ascii" {
		return 0, &refusal{http.StatusUnsupportedMediaType,
			"content type is not accepted, expected text/xml or application/soap+xml in utf-8"}
	}
	switch kind {
	case "text/xml", "application/xml":
		return soap.V11, nil
	case "application/soap+xml":
		x.action = parameters["action"]
		return soap.V12, nil
	}
	return 0, &refusal{http.StatusUnsupportedMediaType,
		"content type is not accepted, expected text/xml or application/soap+xml"}
}

// bodies are buffers for requests' bodies; parsing copies what it keeps.
var bodies = sync.Pool{New: func() any { return new([]byte) }}

// maxKept is the largest buffer that goes back to the pool, in bytes.
const maxKept = 64 << 10

// parse reads the envelope, up to the limit.
func (x *exchange) parse() (*soap.Message, error) {
	buffer := bodies.Get().(*[]byte)
	data, err := x.body((*buffer)[:0])
	if cap(data) <= maxKept {
		*buffer = data[:0]
		defer bodies.Put(buffer)
	}
	if err != nil {
		x.hangUp = true
		return nil, err
	}
	x.size = len(data)
	if err := x.hold.enter(x.request, x.size); err != nil {
		return nil, err
	}
	return soap.Parse(data, x.handler.limits.XML)
}

// body appends the request's body to data. One that is announced as too large
// is refused before a byte of it is read.
func (x *exchange) body(data []byte) ([]byte, error) {
	most := x.handler.limits.Body
	length := x.request.ContentLength
	if length > most {
		return data, x.tooLarge()
	}
	if length > 0 && length <= maxKept { // memory for more is taken as it arrives
		if int64(cap(data)) < length {
			data = make([]byte, 0, length)
		}
		n, err := io.ReadFull(x.request.Body, data[:length])
		return data[:n], bodyError(err)
	}
	return x.chunked(data, most)
}

// chunked reads a body of unknown length.
func (x *exchange) chunked(data []byte, most int64) ([]byte, error) {
	for {
		if len(data) > maxKept {
			if err := x.hold.enlarge(x.request); err != nil {
				return data, err
			}
		}
		if len(data) == cap(data) {
			data = append(data, 0)[:len(data)]
		}
		n, err := x.request.Body.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		switch {
		case int64(len(data)) > most:
			return data, x.tooLarge()
		case errors.Is(err, io.EOF):
			return data, nil
		case err != nil:
			return data, bodyError(err)
		}
	}
}

func (x *exchange) tooLarge() error {
	return &refusal{http.StatusRequestEntityTooLarge,
		fmt.Sprintf("request is larger than %d bytes", x.handler.limits.Body)}
}

// bodyError says what went wrong while a body was read.
func bodyError(err error) error {
	switch {
	case err == nil:
		return nil
	case isTimeout(err):
		return &refusal{http.StatusRequestTimeout, "request took too long to arrive"}
	}
	return &refusal{http.StatusBadRequest, "request ended early or was badly framed"}
}
