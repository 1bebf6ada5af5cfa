// Package attestation writes, signs, reads and checks statements of who built an
// image, from what, and when. A statement is one of in-toto (Statement v1,
// https://in-toto.io/Statement/v1) with the predicate of SLSA's provenance
// (https://slsa.dev/provenance/v1) in a DSSE envelope (Dead Simple Signing Envelope
// v1.0, https://github.com/secure-systems-lab/dsse), which signs the very bytes that
// it carries: no form has to be agreed upon for what is the same. Keys are of
// Ed25519 (RFC 8032), in the formats of OpenSSH and PEM.
//
// It must not know who trusts whom: keys are handed in.
package attestation
