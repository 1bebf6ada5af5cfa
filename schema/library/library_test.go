package library

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// full is an entry with every field set.
func full() Entry {
	at := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	return Entry{
		Image: Image{
			Name: "debian", Version: "12", Shelf: Site, Location: "sftp://h/d.qcow2",
			Comment: "a <b>", Architecture: "x86_64", VMMs: []string{"Xen", "KVM"},
			Kernel: "file://k", Format: "qcow2", Size: 1 << 40, FileSize: 7, SHA256: "0a",
			Software:   []Software{{"python", "3.9.2"}, {"g++", ""}},
			Attributes: []Attribute{{"purpose", "h p c"}}, Tags: []string{"stable"},
		},
		RegisteredBy: "/CN=Ada", Registered: at,
		Attestations: []Attestation{
			{Status: Verified, Signer: "alice", Keys: []string{"SHA256:x"}, Builder: "ci",
				Sources: []Source{{"http://d", "0b"}, {"urn:x", ""}}, Built: at,
				Envelope: `{"a":1}`},
			{Status: Bad, Reason: "why", Envelope: "x"},
		},
		Check:   &Check{At: at, SHA256: "0c", Fault: "other"},
		Reading: &Reading{Done: 1, Total: 2, Fault: "down"},
	}
}

// written returns what is written, read into a tree.
func written(t *testing.T, write func(*xmlstrict.Encoder)) *xmlstrict.Document {
	t.Helper()
	enc := xmlstrict.NewEncoder()
	write(enc)
	if err := enc.Err(); err != nil {
		t.Fatal(err)
	}
	return parsed(t, string(bytes.Clone(enc.Bytes())))
}

func parsed(t *testing.T, text string) *xmlstrict.Document {
	t.Helper()
	doc, err := xmlstrict.Parse([]byte(text), xmlstrict.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// same fails where what was read is not what was written.
func same[T any](t *testing.T, want T, got *T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, *got); diff != "" {
		t.Errorf("(-written +read):\n%s", diff)
	}
}

// TestRoundTrip writes each document and reads it back.
func TestRoundTrip(t *testing.T) {
	e := full()
	doc := written(t, func(enc *xmlstrict.Encoder) { e.Write(enc, GetImageResponse) })
	read, err := DecodeEntry(doc, doc.Root)
	same(t, e, read, err)

	doc = written(t, func(enc *xmlstrict.Encoder) { e.Image.Write(enc, File) })
	image, err := Decode(doc, doc.Root)
	same(t, e.Image, image, err)

	add := Addition{Image: e.Image, Envelopes: []string{"{}", "[]"}}
	doc = written(t, add.Write)
	added, err := DecodeAddition(doc, doc.Root)
	same(t, add, added, err)

	change := Change{Reference: "a:1", Tag: []string{"b"}, Untag: []string{"c"}, Envelope: "{}"}
	doc = written(t, change.Write)
	changed, err := DecodeChange(doc, doc.Root)
	same(t, change, changed, err)

	result := Result{Entries: []Entry{e}, Total: 3, Exclusions: []Exclusion{{"arch=x", 2, 1}}}
	doc = written(t, result.Write)
	found, err := DecodeResult(doc, doc.Root)
	same(t, result, found, err)

	doc = written(t, func(enc *xmlstrict.Encoder) { WriteQuery(enc, "arch=x & size<2GB") })
	query, err := DecodeQuery(doc, doc.Root)
	same(t, "arch=x & size<2GB", &query, err)

	doc = written(t, func(enc *xmlstrict.Encoder) { WriteReference(enc, VerifyImage, "a:1") })
	ref, err := DecodeReference(doc, doc.Root, VerifyImage)
	same(t, "a:1", &ref, err)
}

// TestRefused: what is not a description is not read, and says where.
func TestRefused(t *testing.T) {
	e := full()
	enc := xmlstrict.NewEncoder()
	e.Image.Write(enc, File)
	good := string(enc.Bytes())
	for name, tt := range map[string][3]string{
		"shelf":    {">site<", ">mine<", `unknown shelf "mine"`},
		"location": {">sftp://h/d.qcow2<", ">d.qcow2<", "is not an absolute URI"},
		"size":     {">1099511627776<", ">-1<", "out of range"},
		"name":     {">debian<", "><", "Name is empty"},
		"others":   {"Comment>", "Remark>", "Remark is unknown here"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.ReplaceAll(good, tt[0], tt[1])
			if text == good {
				t.Fatalf("nothing was changed in %s", good)
			}
			doc := parsed(t, text)
			_, err := Decode(doc, doc.Root)
			if err == nil || !strings.Contains(err.Error(), tt[2]) {
				t.Errorf("the error is %v, want %q", err, tt[2])
			}
		})
	}
}
