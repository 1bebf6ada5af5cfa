package dispatch

import (
	"net/http"
	"strings"

	"github.com/philoxenia/philoxenia/schema"
	"github.com/philoxenia/philoxenia/wsdl"
)

// publish answers what is not a SOAP request: the services' descriptions.
func (h *Handler) publish(w http.ResponseWriter, r *http.Request) {
	read := r.Method == http.MethodGet || r.Method == http.MethodHead
	e, methods := h.endpoints[r.URL.Path], "GET, HEAD, POST"
	if e == nil {
		e, methods = h.consumers[r.URL.Path], "GET, HEAD"
	}
	if e != nil {
		switch {
		case !read:
			notAllowed(w, methods)
		case strings.EqualFold(strings.TrimSuffix(r.URL.RawQuery, "="), "wsdl"):
			h.describe(w, r, e)
		default:
			notFound(w)
		}
		return
	}
	name, ok := strings.CutPrefix(r.URL.Path, SchemaPath)
	text, known := document(name, h.rootFor(r))
	switch {
	case !ok || !known:
		notFound(w)
	case !read:
		notAllowed(w, "GET, HEAD")
	default:
		writeXML(w, text)
	}
}

// describe writes the flat WSDL of a service.
func (h *Handler) describe(w http.ResponseWriter, r *http.Request, e *endpoint) {
	text, err := h.flat(r, e)
	if err != nil {
		id := newRequestID()
		h.logger.Error("cannot describe a service", "request", id, "service", e.Name, "error", err)
		http.Error(w, "internal error, request "+id, http.StatusInternalServerError)
		return
	}
	writeXML(w, text)
}

// flat returns the flat WSDL of a service at the configured URL or, without
// one, at the address that the connection came in on.
func (h *Handler) flat(r *http.Request, e *endpoint) ([]byte, error) {
	if h.url != "" {
		return e.flat()
	}
	return wsdl.Flat(e.Name, localURL(r)+e.Face.Path())
}

// document returns a published schema or WSDL file by its name, for a server
// with that root.
func document(name, root string) ([]byte, bool) {
	if text, ok := schema.File(name); ok {
		return text, true
	}
	return wsdl.FileAt(name, root)
}

func notAllowed(w http.ResponseWriter, methods string) {
	w.Header().Set("Allow", methods)
	http.Error(w, "method not allowed here", http.StatusMethodNotAllowed)
}

func writeXML(w http.ResponseWriter, text []byte) {
	w.Header()["Content-Type"] = []string{"text/xml; charset=utf-8"}
	w.Header()["Content-Length"] = []string{itoa(len(text))}
	_, _ = w.Write(text)
}
