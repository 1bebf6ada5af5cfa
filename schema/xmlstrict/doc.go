// Package xmlstrict is the one gate through which XML enters and leaves the
// project. Parse reads a document in one pass, refuses whatever a sane peer
// never sends (document types, processing instructions, duplicate attributes,
// undeclared prefixes, absurd sizes) and builds an etree document; Encoder
// appends well-formed, namespace-correct XML to one byte slice.
//
// The readings it takes where the standards leave room:
//
//   - Only XML 1.0 (fifth edition) with Namespaces 1.0, in UTF-8 or US-ASCII.
//     A byte order mark is skipped.
//   - Line ends become one line feed, attribute white space becomes blanks
//     (XML 1.0, 2.11 and 3.3.3). CDATA sections and character references are
//     folded into the surrounding text, so an element's text is one token.
//   - Comments are dropped. A comment that stands inside a run of text, with
//     something other than white space on both sides, is refused: what
//     "admin<!-- -->.evil" means depends on the reader, and identifiers and
//     signatures must not.
//   - A document's strings share the memory of its source text: keep a copy
//     (strings.Clone) of what must outlive the request.
//
// It must not know SOAP, any message, or what a name means.
package xmlstrict
