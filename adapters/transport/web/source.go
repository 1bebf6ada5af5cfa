package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/philoxenia/philoxenia/adapters/image/checksum"
	"github.com/philoxenia/philoxenia/adapters/image/format"
	"github.com/philoxenia/philoxenia/adapters/transport/transfer"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// source is an image on a server, as it was when it was first asked for.
type source struct {
	place
	size     int64
	tag      string // its strong entity tag; "": the server gives none
	date     string // Last-Modified as the server writes it
	modified time.Time
	ranges   bool // the server gives parts
}

// look asks for the image's size and marks.
func (p place) look(ctx context.Context) (*source, error) {
	r, err := p.request(ctx, http.MethodHead, p.url)
	if err != nil {
		return nil, err
	}
	answer, err := p.do(r, http.StatusOK)
	if err != nil {
		return nil, err
	}
	answer.Body.Close()
	if answer.ContentLength < 0 || answer.Header.Get("Content-Encoding") != "" {
		return nil, workspace.Refuse(workspace.Invalid, "the server does not tell its size")
	}
	s := &source{place: p, size: answer.ContentLength, date: answer.Header.Get("Last-Modified"),
		ranges: answer.Header.Get("Accept-Ranges") == "bytes"}
	if tag := answer.Header.Get("ETag"); !strings.HasPrefix(tag, "W/") {
		s.tag = tag
	}
	if at, err := http.ParseTime(s.date); err == nil {
		s.modified = at
	}
	return s, nil
}

// marked tells whether the server says anything by which one version of the image is told
// from another of the same size.
func (s *source) marked() bool { return s.tag != "" || s.date != "" }

// mark tells one version of the image from another.
func (s *source) mark() string { return fmt.Sprintf("%d %s %s", s.size, s.tag, s.date) }

// errReplaced says that the image is another one by now.
var errReplaced = &workspace.Error{Op: "read the image", Kind: workspace.Transient,
	Err: errors.New("it was replaced meanwhile; the next try begins anew")}

// unchanged looks again whether the image is the one that it was.
func (s *source) unchanged(ctx context.Context) error {
	now, err := s.look(ctx)
	if err != nil {
		return err
	}
	if now.mark() != s.mark() {
		return errReplaced
	}
	return nil
}

// open asks for the bytes of the image from offset to end.
func (s *source) open(ctx context.Context, offset, end int64) (io.ReadCloser, error) {
	answer, err := s.ask(ctx, offset, end)
	if err != nil {
		return nil, err
	}
	if err := s.differs(answer, offset, end); err != nil {
		hush(answer)
		return nil, err
	}
	return answer.Body, nil
}

// ask asks for them, of this version of the image and no other. What the server answers
// is still to be looked at.
func (s *source) ask(ctx context.Context, offset, end int64) (*http.Response, error) {
	r, err := s.request(ctx, http.MethodGet, s.url)
	if err != nil {
		return nil, err
	}
	if s.partly(offset, end) {
		r.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", offset, end-1))
	}
	if s.tag != "" {
		r.Header.Set("If-Match", s.tag)
	} else if s.date != "" {
		r.Header.Set("If-Unmodified-Since", s.date)
	}
	return s.do(r, http.StatusOK, http.StatusPartialContent, http.StatusPreconditionFailed,
		http.StatusRequestedRangeNotSatisfiable)
}

// partly tells whether these are not all bytes.
func (s *source) partly(offset, end int64) bool { return offset > 0 || end < s.size }

// differs says why an answer is not of these bytes of this image; nil: it is. A server
// that answers something else than it was asked, of an image that is the same, is not
// believed what it sent before either.
func (s *source) differs(answer *http.Response, offset, end int64) error {
	tag, part := answer.Header.Get("ETag"), fmt.Sprintf("bytes %d-%d/%d", offset, end-1, s.size)
	told := answer.Header.Get("Content-Range")
	switch {
	case answer.StatusCode == http.StatusPreconditionFailed,
		answer.StatusCode == http.StatusRequestedRangeNotSatisfiable,
		s.tag != "" && tag != "" && tag != s.tag:
		return errReplaced
	case s.partly(offset, end) != (answer.StatusCode == http.StatusPartialContent):
		return lie("the server answers %s where %s were asked for", answer.Status, part)
	case answer.StatusCode == http.StatusPartialContent && told != part:
		return lie("the server sends %q where %s were asked for", told, part)
	case answer.ContentLength >= 0 && answer.ContentLength != end-offset:
		return lie("the server sends %d bytes where %s were asked for", answer.ContentLength, part)
	}
	return nil
}

// lie is the failure of a server that answers something else than it was asked.
func lie(format string, args ...any) error {
	return &spoilt{workspace.Refuse(workspace.Transient, format, args...)}
}

// inspect looks at the image's header, which a server without ranges gives up
// with the whole of it only.
func (s *source) inspect(ctx context.Context, maxBytes int64) (workspace.ImageInfo, error) {
	length := min(s.size, format.HeadBytes)
	end := length
	if !s.ranges {
		end = s.size
	}
	if s.size == 0 {
		return transfer.Inspect(strings.NewReader(""), 0, maxBytes)
	}
	answer, err := s.ask(ctx, 0, end)
	if err != nil {
		return workspace.ImageInfo{}, err
	}
	defer answer.Body.Close()
	if s.ranges && answer.StatusCode == http.StatusOK { // it gives none, whatever it says
		s.ranges, end = false, s.size
	}
	if err := s.differs(answer, 0, end); err != nil {
		return workspace.ImageInfo{}, err
	}
	head := make([]byte, length)
	if _, err := io.ReadFull(answer.Body, head); err != nil {
		return workspace.ImageInfo{}, lost(ctx, err)
	}
	seen, err := format.InspectHead(head, s.size)
	if err != nil {
		return workspace.ImageInfo{}, err
	}
	return workspace.ImageInfo{Size: s.size, Format: seen.Format}, seen.Admit(maxBytes)
}

// expected returns the checksum beside the image, "" when there is none.
func (p place) expected(ctx context.Context) (string, error) {
	return transfer.Beside(p.name, p.sums(ctx))
}

// sums opens files of checksums, by their names below the root.
func (p place) sums(ctx context.Context) func(name string) (io.ReadCloser, error) {
	return func(name string) (io.ReadCloser, error) {
		r, err := p.request(ctx, http.MethodGet, p.address(name))
		if err != nil {
			return nil, err
		}
		answer, err := p.do(r, http.StatusOK)
		if err != nil {
			return nil, err
		}
		defer hush(answer)
		text, err := io.ReadAll(io.LimitReader(answer.Body, checksum.MaxListBytes+1))
		if err != nil {
			return nil, lost(ctx, err)
		}
		return io.NopCloser(bytes.NewReader(text)), nil
	}
}

// number writes n as headers have it.
func number(n int64) string { return strconv.FormatInt(n, 10) }
