package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/philoxenia/philoxenia/schema/library"
)

// An imageView is an entry of the library as it is shown. Its JSON keys are a contract
// with scripts: they are only ever added to.
type imageView struct {
	Name         string            `json:"name"`
	Version      string            `json:"version"`
	Shelf        string            `json:"shelf"` // own or site
	Location     string            `json:"location"`
	Comment      string            `json:"comment,omitempty"`
	Architecture string            `json:"architecture"`
	VMMs         []string          `json:"vmms"`
	Kernel       string            `json:"kernel,omitempty"`
	Format       string            `json:"format,omitempty"`
	Size         int64             `json:"size,omitempty"`     // bytes of the disk
	FileSize     int64             `json:"fileSize,omitempty"` // bytes of the file
	SHA256       string            `json:"sha256,omitempty"`
	Software     map[string]string `json:"software"`
	Attributes   map[string]string `json:"attributes"`
	Tags         []string          `json:"tags"`
	By           string            `json:"registeredBy"`
	Registered   time.Time         `json:"registered"`
	Trust        string            `json:"trust"` // verified, "unknown signer", bad or unsigned
	Attestations []attestationView `json:"attestations"`
	Checked      *time.Time        `json:"checked,omitempty"`
	Fault        string            `json:"fault,omitempty"` // why it is not what it is said to be
}

// An attestationView is an attestation as it is shown.
type attestationView struct {
	Status   string       `json:"status"`
	Signer   string       `json:"signer,omitempty"`
	Reason   string       `json:"reason,omitempty"`
	Keys     []string     `json:"keys"`
	Builder  string       `json:"builder,omitempty"`
	Sources  []sourceView `json:"sources"`
	Built    *time.Time   `json:"built,omitempty"`
	Envelope string       `json:"envelope"` // as it was signed
}

// A sourceView is something that an image was made from.
type sourceView struct {
	URI    string `json:"uri"`
	SHA256 string `json:"sha256,omitempty"`
}

// imagesView are entries in one table, imageDetails each in full.
type (
	imagesView   []imageView
	imageDetails []imageView
)

func newImages(all []library.Entry) imagesView {
	view := imagesView{}
	for _, e := range all {
		view = append(view, newImage(e))
	}
	return view
}

func newImage(e library.Entry) imageView {
	v := imageView{
		Name: e.Name, Version: e.Version, Shelf: e.Shelf, Location: e.Location,
		Comment: e.Comment, Architecture: e.Architecture, VMMs: e.VMMs, Kernel: e.Kernel,
		Format: e.Format, Size: e.Size, FileSize: e.FileSize, SHA256: e.SHA256,
		Software: map[string]string{}, Attributes: map[string]string{}, Tags: orEmpty(e.Tags),
		By: e.RegisteredBy, Registered: e.Registered.UTC(), Trust: "unsigned",
		Attestations: []attestationView{},
	}
	for _, s := range e.Software {
		v.Software[s.Name] = s.Version
	}
	for _, a := range e.Attributes {
		v.Attributes[a.Name] = a.Value
	}
	for _, t := range e.Attestations {
		v.Attestations = append(v.Attestations, newAttestation(t))
		v.Trust = better(v.Trust, t.Status)
	}
	if c := e.Check; c != nil {
		at := c.At.UTC()
		v.Checked, v.Fault = &at, c.Fault
	}
	return v
}

// better returns which of two statuses is to be shown: one that holds before one that
// does not.
func better(a, b string) string {
	for _, s := range []string{library.Verified, library.Bad, library.Unknown} {
		if a == s || b == s {
			return s
		}
	}
	return a
}

func newAttestation(t library.Attestation) attestationView {
	v := attestationView{
		Status: t.Status, Signer: t.Signer, Reason: t.Reason, Keys: orEmpty(t.Keys),
		Builder: t.Builder, Sources: []sourceView{}, Envelope: t.Envelope,
	}
	for _, s := range t.Sources {
		v.Sources = append(v.Sources, sourceView(s))
	}
	if !t.Built.IsZero() {
		at := t.Built.UTC()
		v.Built = &at
	}
	return v
}

// key is how the entry is called.
func (v imageView) key() string { return v.Name + ":" + v.Version }

// trust says what is known of the image in a word or two.
func (v imageView) trust() string {
	switch {
	case v.Fault != "":
		return "damaged"
	case v.SHA256 == "":
		return "no checksum"
	}
	return v.Trust
}

func (l imagesView) names() []string {
	var names []string
	for _, v := range l {
		names = append(names, v.key())
	}
	return names
}

// write prints the table.
func (l imagesView) write(w io.Writer, p *printer) error {
	t := table{headers: []string{"IMAGE", "SHELF", "ARCH", "VMM", "SIZE", "TRUST", "TAGS"}}
	if p.wide() {
		t.headers = append(t.headers, "LOCATION")
	}
	for _, v := range l {
		cells := []string{v.key(), v.Shelf, v.Architecture, strings.Join(v.VMMs, ","),
			bytesText(cmp.Or(v.Size, v.FileSize)), v.trust(),
			cmp.Or(strings.Join(v.Tags, ","), "-")}
		if p.wide() {
			cells = append(cells, v.Location)
		}
		t.add(cells...)
	}
	return t.write(w, p.headers)
}

// bytesText writes an amount of bytes for people.
func bytesText(n int64) string {
	switch {
	case n <= 0:
		return "-"
	case n < 10<<10:
		return fmt.Sprintf("%d B", n)
	case n < 10<<20:
		return fmt.Sprintf("%d KB", n>>10)
	case n < 10<<30:
		return fmt.Sprintf("%d MB", n>>20)
	}
	return fmt.Sprintf("%d GB", n>>30)
}

func (d imageDetails) names() []string { return imagesView(d).names() }

// write prints each entry as a block of lines.
func (d imageDetails) write(w io.Writer, _ *printer) error {
	return writeBlocks(w, d)
}

// detail writes one entry.
func (v imageView) detail(b *strings.Builder) {
	fmt.Fprintf(b, "Image %s\n", v.key())
	row(b, "Shelf", v.Shelf)
	row(b, "Comment", v.Comment)
	row(b, "Location", v.Location)
	row(b, "SHA256", cmp.Or(v.SHA256, "not known; `workspace image verify` computes it"))
	row(b, "Size", bytesText(v.Size))
	row(b, "File", bytesText(v.FileSize)+" "+v.Format)
	row(b, "Arch", v.Architecture)
	row(b, "VMM", strings.Join(v.VMMs, ", "))
	row(b, "Kernel", v.Kernel)
	row(b, "Tags", strings.Join(v.Tags, ", "))
	row(b, "Software", pairs(v.Software, " "))
	row(b, "Attributes", pairs(v.Attributes, "="))
	row(b, "Added", moment(&v.Registered)+" by "+v.By)
	if v.Checked != nil {
		row(b, "Checked", moment(v.Checked)+": "+cmp.Or(v.Fault, "as described"))
	}
	if len(v.Attestations) == 0 {
		row(b, "Attested", "by nobody")
	}
	for _, t := range v.Attestations {
		row(b, "Attested", t.String())
	}
}

// pairs lists names and values by name.
func pairs(all map[string]string, between string) string {
	var texts []string
	for _, name := range sortedKeys(all) {
		texts = append(texts, strings.TrimSuffix(name+between+all[name], between))
	}
	return strings.Join(texts, ", ")
}

// String says the attestation in a line.
func (v attestationView) String() string {
	text := v.Status
	if v.Signer != "" {
		text += ": " + v.Signer
	}
	if v.Builder != "" {
		text += ", built by " + v.Builder
	}
	for i, s := range v.Sources {
		text += []string{" from ", ", "}[min(i, 1)] + s.URI
	}
	if v.Built != nil {
		text += " on " + moment(v.Built)
	}
	if v.Reason != "" {
		text += " (" + v.Reason + ")"
	}
	if v.Status == library.Unknown && len(v.Keys) > 0 {
		text += ", key " + v.Keys[0]
	}
	return text
}
