package library

import (
	"math"

	"github.com/beevik/etree"

	"github.com/philoxenia/philoxenia/schema/document"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// The bounds of what is read; the service may allow less.
const (
	maxSoftware = 8192
	maxOthers   = 1024
)

// reader reads the documents.
type reader struct{ *document.Reader }

func decode[T any](
	doc *xmlstrict.Document, e *etree.Element, what string,
	read func(*reader, *etree.Element, *T), names ...xmlstrict.Name,
) (*T, error) {
	r := &reader{document.NewReader(doc, what)}
	return document.Decode(r.Reader, e,
		func(e *etree.Element, v *T) { read(r, e, v) }, names...)
}

// Decode reads the description at e, a File element.
func Decode(doc *xmlstrict.Document, e *etree.Element) (*Image, error) {
	return decode(doc, e, "image description", (*reader).image, File)
}

// bytes reads an amount of bytes.
func (r *reader) bytes(to *int64) func(*etree.Element) {
	return func(e *etree.Element) {
		var n int
		r.Int(&n, 0, math.MaxInt64)(e)
		*to = int64(n)
	}
}

func (r *reader) image(e *etree.Element, v *Image) {
	r.Sequence(e, []document.Field{
		document.One(name, r.Word(&v.Name)),
		document.One(version, r.Word(&v.Version)),
		document.One(shelf, r.OneOf(&v.Shelf, "shelf", Own, Site)),
		document.One(location, r.URI(&v.Location)),
		document.Optional(comment, r.Text(&v.Comment)),
		document.One(architecture, r.Word(&v.Architecture)),
		document.Many(1, vmm, r.Words(&v.VMMs)).Most(maxOthers),
		document.Optional(kernel, r.Word(&v.Kernel)),
		document.Optional(format, r.Word(&v.Format)),
		document.Optional(size, r.bytes(&v.Size)),
		document.Optional(fileSize, r.bytes(&v.FileSize)),
		document.Optional(sum, r.Word(&v.SHA256)),
		document.Many(0, software, func(e *etree.Element) {
			var s Software
			r.Sequence(e, []document.Field{
				document.One(name, r.Word(&s.Name)),
				document.Optional(version, r.Word(&s.Version)),
			})
			v.Software = append(v.Software, s)
		}).Most(maxSoftware),
		document.Many(0, attribute, func(e *etree.Element) {
			var a Attribute
			r.Sequence(e, []document.Field{
				document.One(name, r.Word(&a.Name)), document.One(value, r.Word(&a.Value)),
			})
			v.Attributes = append(v.Attributes, a)
		}).Most(maxOthers),
		document.Many(0, tag, r.Words(&v.Tags)).Most(maxOthers),
	})
}

func (r *reader) entry(e *etree.Element, v *Entry) {
	r.Sequence(e, []document.Field{
		document.One(File, func(e *etree.Element) { r.image(e, &v.Image) }),
		document.One(registeredBy, r.Word(&v.RegisteredBy)),
		document.One(registered, r.Time(&v.Registered)),
		document.Many(0, attested, document.Each(r.attestation, &v.Attestations)).Most(maxOthers),
		document.Optional(check, func(e *etree.Element) {
			v.Check = new(Check)
			r.Sequence(e, []document.Field{
				document.One(at, r.Time(&v.Check.At)),
				document.Optional(sum, r.Word(&v.Check.SHA256)),
				document.Optional(fault, r.Text(&v.Check.Fault)),
			})
		}),
		document.Optional(reading, func(e *etree.Element) {
			v.Reading = new(Reading)
			r.Sequence(e, []document.Field{
				document.One(done, r.bytes(&v.Reading.Done)),
				document.One(total, r.bytes(&v.Reading.Total)),
				document.Optional(fault, r.Text(&v.Reading.Fault)),
			})
		}),
	})
}

func (r *reader) attestation(e *etree.Element, v *Attestation) {
	r.Sequence(e, []document.Field{
		document.One(status, r.OneOf(&v.Status, "status", Verified, Unknown, Bad)),
		document.Optional(signer, r.Word(&v.Signer)),
		document.Optional(reason, r.Text(&v.Reason)),
		document.Many(0, keyID, r.Words(&v.Keys)).Most(maxOthers),
		document.Optional(builder, r.Text(&v.Builder)),
		document.Many(0, source, func(e *etree.Element) {
			var s Source
			r.Sequence(e, []document.Field{
				document.One(uri, r.Text(&s.URI)), document.Optional(sum, r.Word(&s.SHA256)),
			})
			v.Sources = append(v.Sources, s)
		}).Most(maxOthers),
		document.Optional(built, r.Time(&v.Built)),
		document.One(envelope, r.Text(&v.Envelope)),
	})
}

// DecodeAddition reads an AddImage message.
func DecodeAddition(doc *xmlstrict.Document, e *etree.Element) (*Addition, error) {
	return decode(doc, e, "message", func(r *reader, e *etree.Element, v *Addition) {
		r.Sequence(e, []document.Field{
			document.One(File, func(e *etree.Element) { r.image(e, &v.Image) }),
			document.Many(0, envelope, func(e *etree.Element) {
				var text string
				r.Text(&text)(e)
				v.Envelopes = append(v.Envelopes, text)
			}).Most(maxOthers),
		})
	}, AddImage)
}

// DecodeChange reads a ChangeImage message.
func DecodeChange(doc *xmlstrict.Document, e *etree.Element) (*Change, error) {
	return decode(doc, e, "message", func(r *reader, e *etree.Element, v *Change) {
		r.Sequence(e, []document.Field{
			document.One(reference, r.Word(&v.Reference)),
			document.Many(0, tag, r.Words(&v.Tag)).Most(maxOthers),
			document.Many(0, untag, r.Words(&v.Untag)).Most(maxOthers),
			document.Optional(envelope, r.Text(&v.Envelope)),
		})
	}, ChangeImage)
}

// DecodeReference reads a message that says no more than which entry is meant.
func DecodeReference(
	doc *xmlstrict.Document, e *etree.Element, as xmlstrict.Name,
) (string, error) {
	ref, err := decode(doc, e, "message", func(r *reader, e *etree.Element, v *string) {
		r.Sequence(e, []document.Field{document.One(reference, r.Word(v))})
	}, as)
	if err != nil {
		return "", err
	}
	return *ref, nil
}

// DecodeQuery reads a QueryImages message.
func DecodeQuery(doc *xmlstrict.Document, e *etree.Element) (string, error) {
	q, err := decode(doc, e, "message", func(r *reader, e *etree.Element, v *string) {
		r.Sequence(e, []document.Field{document.Optional(query, r.Text(v))})
	}, QueryImages)
	if err != nil {
		return "", err
	}
	return *q, nil
}

// DecodeEntry reads an answer that holds an entry.
func DecodeEntry(doc *xmlstrict.Document, e *etree.Element) (*Entry, error) {
	return decode(doc, e, "answer", func(r *reader, e *etree.Element, v *Entry) {
		r.Sequence(e, []document.Field{
			document.One(entry, func(e *etree.Element) { r.entry(e, v) }),
		})
	}, AddImageResponse, ChangeImageResponse, GetImageResponse, VerifyImageResponse)
}

// DecodeResult reads a QueryImagesResponse message.
func DecodeResult(doc *xmlstrict.Document, e *etree.Element) (*Result, error) {
	return decode(doc, e, "answer", func(r *reader, e *etree.Element, v *Result) {
		r.Sequence(e, []document.Field{
			document.Many(0, entry, document.Each(r.entry, &v.Entries)),
			document.One(total, r.bytes(&v.Total)),
			document.Many(0, exclusion, func(e *etree.Element) {
				var x Exclusion
				r.Sequence(e, []document.Field{
					document.One(condition, r.Text(&x.Condition)),
					document.One(entries, r.bytes(&x.Entries)),
					document.One(alone, r.bytes(&x.Alone)),
				})
				v.Exclusions = append(v.Exclusions, x)
			}),
		})
	}, QueryImagesResponse)
}
