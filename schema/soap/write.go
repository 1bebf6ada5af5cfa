package soap

import "github.com/philoxenia/philoxenia/schema/xmlstrict"

// Write writes an envelope. Header writes the header blocks and may be nil;
// then there is no Header. Body writes the body element and may be nil; then
// the Body is empty.
func Write(enc *xmlstrict.Encoder, v Version, header, body func(*xmlstrict.Encoder)) {
	enc.Start(v.name("Envelope"))
	if header != nil {
		enc.Start(v.name("Header"))
		header(enc)
		enc.End()
	}
	enc.Start(v.name("Body"))
	if body != nil {
		body(enc)
	}
	enc.End()
	enc.End()
}

// NotMandatory marks the header block just started as one that need not be
// understood, the way the original server and client do on every block.
func NotMandatory(enc *xmlstrict.Encoder, v Version) {
	value := "0"
	if v == V12 {
		value = "false"
	}
	enc.Attr(v.name("mustUnderstand"), value)
}
