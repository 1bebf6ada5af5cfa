package library

import (
	"strconv"

	"github.com/philoxenia/philoxenia/schema/wsrf"
	"github.com/philoxenia/philoxenia/schema/xmlstrict"
)

// text writes an element that has something to say.
func text(enc *xmlstrict.Encoder, name xmlstrict.Name, s string) {
	if s != "" {
		enc.Element(name, s)
	}
}

// texts writes an element for each.
func texts(enc *xmlstrict.Encoder, name xmlstrict.Name, all []string) {
	for _, s := range all {
		enc.Element(name, s)
	}
}

func long(enc *xmlstrict.Encoder, name xmlstrict.Name, n int64) {
	enc.Element(name, strconv.FormatInt(n, 10))
}

// Write writes the description as a File element, or under another name.
func (v *Image) Write(enc *xmlstrict.Encoder, as xmlstrict.Name) {
	enc.Start(as)
	enc.Element(name, v.Name)
	enc.Element(version, v.Version)
	enc.Element(shelf, v.Shelf)
	enc.Element(location, v.Location)
	text(enc, comment, v.Comment)
	enc.Element(architecture, v.Architecture)
	texts(enc, vmm, v.VMMs)
	text(enc, kernel, v.Kernel)
	text(enc, format, v.Format)
	if v.Size > 0 {
		long(enc, size, v.Size)
	}
	if v.FileSize > 0 {
		long(enc, fileSize, v.FileSize)
	}
	text(enc, sum, v.SHA256)
	for _, s := range v.Software {
		enc.Start(software)
		enc.Element(name, s.Name)
		text(enc, version, s.Version)
		enc.End()
	}
	for _, a := range v.Attributes {
		enc.Start(attribute)
		enc.Element(name, a.Name)
		enc.Element(value, a.Value)
		enc.End()
	}
	texts(enc, tag, v.Tags)
	enc.End()
}

func (v *Entry) write(enc *xmlstrict.Encoder) {
	enc.Start(entry)
	v.Image.Write(enc, File)
	enc.Element(registeredBy, v.RegisteredBy)
	enc.Element(registered, wsrf.FormatTime(v.Registered))
	for i := range v.Attestations {
		v.Attestations[i].write(enc)
	}
	if c := v.Check; c != nil {
		enc.Start(check)
		enc.Element(at, wsrf.FormatTime(c.At))
		text(enc, sum, c.SHA256)
		text(enc, fault, c.Fault)
		enc.End()
	}
	if r := v.Reading; r != nil {
		enc.Start(reading)
		long(enc, done, r.Done)
		long(enc, total, r.Total)
		text(enc, fault, r.Fault)
		enc.End()
	}
	enc.End()
}

func (v *Attestation) write(enc *xmlstrict.Encoder) {
	enc.Start(attested)
	enc.Element(status, v.Status)
	text(enc, signer, v.Signer)
	text(enc, reason, v.Reason)
	texts(enc, keyID, v.Keys)
	text(enc, builder, v.Builder)
	for _, s := range v.Sources {
		enc.Start(source)
		enc.Element(uri, s.URI)
		text(enc, sum, s.SHA256)
		enc.End()
	}
	if !v.Built.IsZero() {
		enc.Element(built, wsrf.FormatTime(v.Built))
	}
	enc.Element(envelope, v.Envelope)
	enc.End()
}

// Write writes the entry in an element of the name, which is that of an answer.
func (v *Entry) Write(enc *xmlstrict.Encoder, as xmlstrict.Name) {
	enc.Start(as)
	v.write(enc)
	enc.End()
}

// Write writes the message.
func (v *Addition) Write(enc *xmlstrict.Encoder) {
	enc.Start(AddImage)
	v.Image.Write(enc, File)
	texts(enc, envelope, v.Envelopes)
	enc.End()
}

// Write writes the message.
func (v *Change) Write(enc *xmlstrict.Encoder) {
	enc.Start(ChangeImage)
	enc.Element(reference, v.Reference)
	texts(enc, tag, v.Tag)
	texts(enc, untag, v.Untag)
	text(enc, envelope, v.Envelope)
	enc.End()
}

// WriteReference writes a message that says no more than which entry is meant.
func WriteReference(enc *xmlstrict.Encoder, as xmlstrict.Name, ref string) {
	enc.Start(as)
	enc.Element(reference, ref)
	enc.End()
}

// WriteQuery writes a QueryImages message.
func WriteQuery(enc *xmlstrict.Encoder, q string) {
	enc.Start(QueryImages)
	text(enc, query, q)
	enc.End()
}

// Write writes the message.
func (v *Result) Write(enc *xmlstrict.Encoder) {
	enc.Start(QueryImagesResponse)
	for i := range v.Entries {
		v.Entries[i].write(enc)
	}
	long(enc, total, v.Total)
	for _, x := range v.Exclusions {
		enc.Start(exclusion)
		enc.Element(condition, x.Condition)
		long(enc, entries, x.Entries)
		long(enc, alone, x.Alone)
		enc.End()
	}
	enc.End()
}

// WriteRemoved writes the answer to RemoveImage.
func WriteRemoved(enc *xmlstrict.Encoder) {
	enc.Start(RemoveImageResponse)
	enc.End()
}
