// Package strictness holds the decoders of the protocol against the published
// schemas. Its test mutates every sample document and message in thousands of
// ways and asks two judges of each mutant: the decoder that reads it, and
// xmllint with the schemas. Where they differ there is an entry in a table with
// the reason, or the test fails; docs/strictness.md is made of that table.
//
// It must not know how a decoder works.
package strictness
