// Package soap reads and writes SOAP 1.1 and 1.2 envelopes and faults. It
// finds the header blocks and the one body element of a message, checks which
// blocks must be understood, and writes envelopes around what others encode.
//
// Messages are document/literal (WS-I Basic Profile 1.1, 4.7): one body
// element, no encoding, no attachments. It must not know addressing, HTTP or
// any message's content.
package soap
