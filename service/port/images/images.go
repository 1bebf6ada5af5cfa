// Package images is the port type of the image library (service Images of face two):
// entries are added, tagged, attested, found, verified and removed there.
//
// It must not know what a query means, who may see what, or how images are reached.
package images

import (
	"context"

	"github.com/philoxenia/philoxenia/schema/library"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
	"github.com/philoxenia/philoxenia/service/dispatch"
	"github.com/philoxenia/philoxenia/service/port"
	"github.com/philoxenia/philoxenia/service/workspace"
	"github.com/philoxenia/philoxenia/wsdl"
)

// Catalog is what the port type asks of the core.
type Catalog interface {
	AddImage(ctx context.Context, owner workspace.Owner, d workspace.ImageDraft) (
		workspace.ImageView, error)
	RemoveImage(ctx context.Context, owner workspace.Owner, reference string) error
	ChangeImage(ctx context.Context, owner workspace.Owner, reference string,
		what workspace.ImageChange) (workspace.ImageView, error)
	FindImages(ctx context.Context, owner workspace.Owner, query string) (
		workspace.ImageResult, error)
	LibraryImage(ctx context.Context, owner workspace.Owner, reference string) (
		workspace.ImageView, error)
	VerifyImage(ctx context.Context, owner workspace.Owner, reference string) (
		workspace.ImageView, error)
}

// portType is the port type.
type portType struct{ catalog Catalog }

// New returns the port type over the catalog.
func New(c Catalog) dispatch.Service {
	p := portType{c}
	return dispatch.Service{
		Face: wsdl.Two, Name: port.Images, Operations: map[string]dispatch.Operation{
			"AddImage":    {Do: p.add},
			"RemoveImage": {Do: p.remove},
			"ChangeImage": {Do: p.change},
			"QueryImages": {Do: p.find},
			"GetImage":    {Do: p.show},
			"VerifyImage": {Do: p.verify},
		},
	}
}

func (p portType) add(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
	m, err := library.DecodeAddition(c.Document, c.Body)
	if err != nil {
		return nil, err
	}
	v, err := p.catalog.AddImage(ctx, c.Owner, draft(m))
	return reply(v, library.AddImageResponse, err)
}

func (p portType) remove(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
	ref, err := library.DecodeReference(c.Document, c.Body, library.RemoveImage)
	if err != nil {
		return nil, err
	}
	if err := p.catalog.RemoveImage(ctx, c.Owner, ref); err != nil {
		return nil, err
	}
	return library.WriteRemoved, nil
}

func (p portType) change(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
	m, err := library.DecodeChange(c.Document, c.Body)
	if err != nil {
		return nil, err
	}
	what := workspace.ImageChange{Tag: m.Tag, Untag: m.Untag}
	if m.Envelope != "" {
		what.Attest = []byte(m.Envelope)
	}
	v, err := p.catalog.ChangeImage(ctx, c.Owner, m.Reference, what)
	return reply(v, library.ChangeImageResponse, err)
}

func (p portType) find(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
	query, err := library.DecodeQuery(c.Document, c.Body)
	if err != nil {
		return nil, err
	}
	found, err := p.catalog.FindImages(ctx, c.Owner, query)
	if err != nil {
		return nil, err
	}
	told := library.Result{Total: int64(found.Total)}
	for _, v := range found.Found {
		told.Entries = append(told.Entries, *entry(v))
	}
	for _, x := range found.Excluded {
		told.Exclusions = append(told.Exclusions, library.Exclusion{
			Condition: x.Condition, Entries: int64(x.Entries), Alone: int64(x.Alone),
		})
	}
	return told.Write, nil
}

func (p portType) show(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
	ref, err := library.DecodeReference(c.Document, c.Body, library.GetImage)
	if err != nil {
		return nil, err
	}
	v, err := p.catalog.LibraryImage(ctx, c.Owner, ref)
	return reply(v, library.GetImageResponse, err)
}

func (p portType) verify(ctx context.Context, c *dispatch.Call) (dispatch.Reply, error) {
	ref, err := library.DecodeReference(c.Document, c.Body, library.VerifyImage)
	if err != nil {
		return nil, err
	}
	v, err := p.catalog.VerifyImage(ctx, c.Owner, ref)
	return reply(v, library.VerifyImageResponse, err)
}

// reply writes an entry as the answer of that name, if there is one.
func reply(
	v workspace.ImageView, as xmlstrict.Name, err error,
) (dispatch.Reply, error) {
	if err != nil {
		return nil, err
	}
	return func(enc *xmlstrict.Encoder) { entry(v).Write(enc, as) }, nil
}

// draft translates a description.
func draft(m *library.Addition) workspace.ImageDraft {
	d := workspace.ImageDraft{Site: m.Shelf == library.Site, Image: workspace.Image{
		ImageKey: workspace.ImageKey{Name: m.Name, Version: m.Version},
		Location: m.Location, Comment: m.Comment, VMMs: m.VMMs, Architecture: m.Architecture,
		Kernel: m.Kernel, Format: m.Format, Size: m.Size, FileSize: m.FileSize,
		SHA256: m.SHA256, Tags: m.Tags,
	}}
	for _, s := range m.Software {
		d.Software = append(d.Software, workspace.Software(s))
	}
	for _, a := range m.Attributes {
		d.Attributes = append(d.Attributes, workspace.Attribute(a))
	}
	for _, e := range m.Envelopes {
		d.Attestations = append(d.Attestations, []byte(e))
	}
	return d
}

// entry translates an entry.
func entry(v workspace.ImageView) *library.Entry {
	e := &library.Entry{
		Image: library.Image{
			Name: v.Name, Version: v.Version, Shelf: library.Own, Location: v.Location,
			Comment: v.Comment, Architecture: v.Architecture, VMMs: v.VMMs, Kernel: v.Kernel,
			Format: v.Format, Size: v.Size, FileSize: v.FileSize, SHA256: v.SHA256, Tags: v.Tags,
		},
		RegisteredBy: string(v.By), Registered: v.Added,
	}
	if v.Owner == "" {
		e.Shelf = library.Site
	}
	for _, s := range v.Software {
		e.Software = append(e.Software, library.Software(s))
	}
	for _, a := range v.Attributes {
		e.Attributes = append(e.Attributes, library.Attribute(a))
	}
	for _, a := range v.Attested {
		e.Attestations = append(e.Attestations, attestation(a))
	}
	if c := v.Check; !c.At.IsZero() {
		e.Check = &library.Check{At: c.At, SHA256: c.SHA256, Fault: c.Fault}
	}
	if r := v.Reading; r != nil {
		e.Reading = &library.Reading{Done: r.Done, Total: r.Total, Fault: r.Fault}
	}
	return e
}

func attestation(a workspace.Attested) library.Attestation {
	told := library.Attestation{
		Status: a.Status, Signer: a.Signer, Reason: a.Reason, Builder: a.Builder,
		Built: a.Built, Envelope: string(a.Envelope),
	}
	for _, k := range a.Keys {
		if k != "" {
			told.Keys = append(told.Keys, k)
		}
	}
	for _, s := range a.Sources {
		told.Sources = append(told.Sources, library.Source(s))
	}
	return told
}
