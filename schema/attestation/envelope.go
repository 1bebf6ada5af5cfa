package attestation

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
)

// MaxEnvelope is how long an envelope may be, in bytes.
const MaxEnvelope = 64 << 10

// maxSignatures is how many signatures an envelope may have.
const maxSignatures = 16

// Envelope is a signed statement.
type Envelope struct {
	Statement  Statement
	Signatures []Signature
	payload    []byte
}

// Signature is one of an envelope. KeyID says which key made it, and is not to be
// believed.
type Signature struct {
	KeyID string
	bytes []byte
}

// envelope is DSSE's JSON.
type envelope struct {
	Payload     string      `json:"payload"`
	PayloadType string      `json:"payloadType"`
	Signatures  []signature `json:"signatures"`
}

type signature struct {
	KeyID string `json:"keyid,omitempty"`
	Sig   string `json:"sig"`
}

// Sign returns the statement in an envelope, signed with the key.
func Sign(s Statement, key ed25519.PrivateKey) ([]byte, error) {
	payload, err := s.payload()
	if err != nil {
		return nil, fmt.Errorf("cannot attest the image: %w", err)
	}
	public, _ := key.Public().(ed25519.PublicKey)
	return json.Marshal(envelope{
		Payload: base64.StdEncoding.EncodeToString(payload), PayloadType: payloadType,
		Signatures: []signature{{
			KeyID(public), base64.StdEncoding.EncodeToString(ed25519.Sign(key, signed(payload))),
		}},
	})
}

// signed returns what a signature is of: the type and the payload, each with its
// length (DSSE, PAE).
func signed(payload []byte) []byte {
	return fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(payloadType), payloadType, len(payload),
		payload)
}

// Parse reads an envelope, whatever its signatures are worth.
func Parse(data []byte) (*Envelope, error) {
	e, err := parse(data)
	if err != nil {
		return nil, fmt.Errorf("cannot read the attestation: %w", err)
	}
	return e, nil
}

func parse(data []byte) (*Envelope, error) {
	if len(data) > MaxEnvelope {
		return nil, fmt.Errorf("it has %d bytes, more than %d", len(data), MaxEnvelope)
	}
	var raw envelope
	if err := decodeOne(data, &raw); err != nil {
		return nil, fmt.Errorf("it is not a DSSE envelope in JSON: %w", err)
	}
	switch n := len(raw.Signatures); {
	case raw.PayloadType != payloadType:
		return nil, fmt.Errorf("its payload is of type %.64q, expected %q", raw.PayloadType,
			payloadType)
	case n == 0:
		return nil, errors.New("nobody signed it")
	case n > maxSignatures:
		return nil, fmt.Errorf("it has %d signatures, more than %d", n, maxSignatures)
	}
	payload, err := decode(raw.Payload)
	if err != nil {
		return nil, fmt.Errorf("its payload is not base64: %w", err)
	}
	s, err := readStatement(payload)
	if err != nil {
		return nil, err
	}
	e := &Envelope{Statement: *s, payload: payload}
	for _, one := range raw.Signatures {
		sig, err := decode(one.Sig)
		if err != nil {
			return nil, fmt.Errorf("a signature is not base64: %w", err)
		}
		e.Signatures = append(e.Signatures, Signature{one.KeyID, sig})
	}
	return e, nil
}

// decode reads base64 of either alphabet, as DSSE wants it.
func decode(text string) ([]byte, error) {
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		if other, failed := base64.URLEncoding.DecodeString(text); failed == nil {
			return other, nil
		}
	}
	return data, err
}

// Status is what an attestation is worth.
type Status string

// The statuses.
const (
	Verified Status = "verified" // a trusted key signed it, and it is about this image
	Unknown  Status = "unknown signer"
	Bad      Status = "bad" // it is about another image, or a signature does not hold
)

// Verdict is what came of checking an attestation.
type Verdict struct {
	Status Status
	Signer string // the name of the trusted key, of which it is, or pretends to be
	Reason string // why it is bad
}

// Check holds the envelope against the trusted keys and the checksum of the image that
// it is attached to.
func (e *Envelope) Check(sha256 string, trusted []Key) Verdict {
	v := Verdict{Status: Unknown}
	message := signed(e.payload)
	for _, s := range e.Signatures {
		for _, k := range trusted {
			switch {
			case ed25519.Verify(k.Public, message, s.bytes):
				v = Verdict{Status: Verified, Signer: k.Name}
			case s.KeyID == KeyID(k.Public) && v.Status == Unknown:
				v = Verdict{Bad, k.Name, "the signature is not of what it stands under"}
			}
			if v.Status == Verified {
				break
			}
		}
	}
	if e.Statement.SHA256 != sha256 {
		return Verdict{Bad, v.Signer, "it is about a file with the checksum " + e.Statement.SHA256}
	}
	return v
}
