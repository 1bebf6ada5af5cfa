// Package soaptest is what the tests of the message codecs share: the recorded
// messages of the original client and server, and the way from text to a
// document and from an encoder back to one. Only tests of packages beside soap
// may use it; it must not know what any message means.
package soaptest

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/philoxenia/philoxenia/schema/soap"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// recordings is where the recorded messages are for packages beside soap.
const recordings = "../soap/testdata/gt4"

// Recorded returns a message of the original client or server.
func Recorded(t testing.TB, name string) *soap.Message {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(recordings, name+".xml"))
	if err != nil {
		t.Fatal(err)
	}
	return Message(t, data)
}

// traces is where the recorded HTTP exchanges are, with whatever went wrong in
// them.
const traces = "../../service/dispatch/testdata/"

// All returns the text of every recorded message, and of every message in the
// recorded HTTP exchanges.
func All(t testing.TB) [][]byte {
	t.Helper()
	all := texts(t, recordings+"/*.xml")
	for _, pattern := range []string{"traces/*.txt", "notify/*.txt"} {
		for _, exchange := range texts(t, traces+pattern) {
			if body := Body(exchange); len(body) > 0 {
				all = append(all, body)
			}
		}
	}
	return all
}

// texts returns the texts of the files of a pattern.
func texts(t testing.TB, pattern string) [][]byte {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no recorded messages: %v", err)
	}
	var all [][]byte
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, data)
	}
	return all
}

// Body returns the body of a recorded HTTP request or response, as far as it
// can be read.
func Body(exchange []byte) []byte {
	from := bufio.NewReader(bytes.NewReader(exchange))
	var body io.ReadCloser
	if bytes.HasPrefix(exchange, []byte("HTTP/")) {
		response, err := http.ReadResponse(from, nil)
		if err != nil {
			return nil
		}
		body = response.Body
	} else {
		request, err := http.ReadRequest(from)
		if err != nil {
			return nil
		}
		body = request.Body
	}
	defer body.Close()
	data, _ := io.ReadAll(body)
	return data
}

// Message parses an envelope that must be accepted.
func Message(t testing.TB, data []byte) *soap.Message {
	t.Helper()
	m, err := soap.Parse(data, xmlstrict.Limits{})
	if err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	return m
}

// Parse parses a document that must be well-formed.
func Parse[Text string | []byte](t testing.TB, text Text) *xmlstrict.Document {
	t.Helper()
	doc, err := xmlstrict.Parse([]byte(text), xmlstrict.Limits{})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return doc
}

// Written parses what write writes.
func Written(t testing.TB, write func(*xmlstrict.Encoder)) *xmlstrict.Document {
	t.Helper()
	return Parse(t, encoded(t, write))
}

// encoded returns what write writes.
func encoded(t testing.TB, write func(*xmlstrict.Encoder)) []byte {
	t.Helper()
	enc := xmlstrict.NewEncoder()
	write(enc)
	if err := enc.Err(); err != nil {
		t.Fatal(err)
	}
	return enc.Bytes()
}

// A Reader reads a message and returns what writes it again.
type Reader func(*xmlstrict.Document) (func(*xmlstrict.Encoder), error)

// Stable checks that what is written can be read, and is written the same again.
func Stable(t testing.TB, write func(*xmlstrict.Encoder), read Reader) {
	t.Helper()
	first := encoded(t, write)
	again, err := read(Parse(t, first))
	if err != nil {
		t.Fatalf("wrote %s, and cannot read it: %v", first, err)
	}
	if second := encoded(t, again); string(second) != string(first) {
		t.Fatalf("wrote %s\nthen  %s", first, second)
	}
}

// Placed checks that an error, if there is one, names a place in the document.
func Placed(t testing.TB, err error) {
	t.Helper()
	var content *xmlstrict.ContentError
	if err != nil && !errors.As(err, &content) {
		t.Fatalf("error of another type: %v", err)
	}
}

// samples are the documents and messages of the project as they stand in files.
var samples = []string{
	"examples/*.xml", "schema/testdata/*/*.xml", "schema/report/testdata/*.xml",
	"schema/report/testdata/lease/*.xml", "tests/strictness/testdata/*/*.xml",
}

// Documents returns every sample document, and the content of every recorded
// message, each as a document of its own.
func Documents(t testing.TB) [][]byte {
	t.Helper()
	var all [][]byte
	for _, pattern := range samples {
		all = append(all, texts(t, "../../"+pattern)...)
	}
	for _, envelope := range All(t) {
		all = append(all, contents(envelope)...)
	}
	return all
}

// contents returns what the Body of an envelope holds; nothing of other texts.
func contents(envelope []byte) [][]byte {
	m, err := soap.Parse(envelope, xmlstrict.Limits{})
	if err != nil || m.Body == nil {
		return nil
	}
	enc := xmlstrict.NewEncoder()
	enc.Tree(m.Body)
	return [][]byte{enc.Bytes()}
}
