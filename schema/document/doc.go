// Package document reads elements strictly, in the order of their schema. A
// decoder names the parts of an xs:sequence and what to do with each; what is
// unknown, out of order, repeated, missing or in the wrong namespace becomes
// an error that tells the document, the element's path, its line, what was
// expected and what to do.
//
// Its readings: white space around words, numbers, times and addresses is
// dropped, text kept for its own sake is not; attributes of XML itself and of
// XML Schema instances (xsi:type, xsi:schemaLocation) are passed over; decoded
// strings are copies, so that a small value never keeps a large request alive.
//
// It must not know any particular document, nor SOAP.
package document
