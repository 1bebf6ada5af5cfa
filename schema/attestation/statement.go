package attestation

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// The types that the standards give to statements.
const (
	statementType = "https://in-toto.io/Statement/v1"
	predicateType = "https://slsa.dev/provenance/v1"
	payloadType   = "application/vnd.in-toto+json"
	// buildType says how parameters of a build are to be read: there are none.
	buildType = "urn:philoxenia:2026:image"
)

// Statement says who built an image, from what and when.
type Statement struct {
	Name    string // of the image, for people
	SHA256  string // of the image's file, in lower-case hexadecimal
	Builder string // who built it: any URI or name
	Sources []Source
	Built   time.Time // in seconds; zero: not told
}

// Source is something that an image was made from.
type Source struct {
	URI    string
	SHA256 string // empty: not told
}

// digest is a set of checksums (in-toto, DigestSet).
type digest map[string]string

// The statement as JSON. What others put in besides is passed over, as the standard
// wants it.
type (
	document struct {
		Type          string    `json:"_type"`
		Subject       []subject `json:"subject"`
		PredicateType string    `json:"predicateType"`
		Predicate     predicate `json:"predicate"`
	}
	subject struct {
		Name   string `json:"name,omitempty"`
		Digest digest `json:"digest"`
	}
	predicate struct {
		Definition definition `json:"buildDefinition"`
		Run        run        `json:"runDetails"`
	}
	definition struct {
		Type         string     `json:"buildType"`
		Parameters   struct{}   `json:"externalParameters"`
		Dependencies []resource `json:"resolvedDependencies,omitempty"`
	}
	resource struct {
		URI    string `json:"uri"`
		Digest digest `json:"digest,omitempty"`
	}
	run struct {
		Builder  builder  `json:"builder"`
		Metadata metadata `json:"metadata,omitzero"`
	}
	builder struct {
		ID string `json:"id"`
	}
	metadata struct {
		Finished time.Time `json:"finishedOn,omitzero"`
	}
)

// payload writes the statement.
func (s *Statement) payload() ([]byte, error) {
	if !IsSHA256(s.SHA256) {
		return nil, fmt.Errorf("%q is not a checksum, expected 64 digits of lower-case hexadecimal",
			s.SHA256)
	}
	if s.Builder == "" {
		return nil, errors.New("it does not say who built the image")
	}
	d := document{
		Type: statementType, PredicateType: predicateType,
		Subject: []subject{{s.Name, digest{"sha256": s.SHA256}}},
	}
	d.Predicate.Definition.Type = buildType
	for _, from := range s.Sources {
		r := resource{URI: from.URI}
		if from.SHA256 != "" {
			r.Digest = digest{"sha256": from.SHA256}
		}
		d.Predicate.Definition.Dependencies = append(d.Predicate.Definition.Dependencies, r)
	}
	d.Predicate.Run = run{builder{s.Builder}, metadata{s.Built.UTC().Truncate(time.Second)}}
	return json.Marshal(d)
}

// readStatement reads the payload of an envelope, which must be about one file.
func readStatement(payload []byte) (*Statement, error) {
	var d document
	if err := decodeOne(payload, &d); err != nil {
		return nil, fmt.Errorf("the statement is not the JSON that it should be: %w", err)
	}
	switch {
	case d.Type != statementType:
		return nil, fmt.Errorf("the statement is of type %.64q, expected %q", d.Type, statementType)
	case d.PredicateType != predicateType:
		return nil, fmt.Errorf("the statement has a predicate of type %.64q, expected %q",
			d.PredicateType, predicateType)
	case len(d.Subject) != 1 || !IsSHA256(d.Subject[0].Digest["sha256"]):
		return nil, errors.New("the statement is not about one file with a sha256 checksum")
	case d.Predicate.Run.Builder.ID == "":
		return nil, errors.New("the statement does not say who built the image")
	}
	s := &Statement{
		Name: d.Subject[0].Name, SHA256: d.Subject[0].Digest["sha256"],
		Builder: d.Predicate.Run.Builder.ID, Built: d.Predicate.Run.Metadata.Finished.UTC(),
	}
	for _, r := range d.Predicate.Definition.Dependencies {
		s.Sources = append(s.Sources, Source{r.URI, r.Digest["sha256"]})
	}
	return s, nil
}

// decodeOne reads one JSON value and nothing behind it.
func decodeOne(data []byte, to any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	if err := dec.Decode(to); err != nil {
		return err
	}
	if dec.More() {
		return errors.New("there is more than one value")
	}
	return nil
}

// IsSHA256 reports whether a text is a checksum: 64 digits of lower-case hexadecimal.
func IsSHA256(text string) bool {
	raw, err := hex.DecodeString(text)
	return err == nil && len(raw) == 32 && hex.EncodeToString(raw) == text
}
