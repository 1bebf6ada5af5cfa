// Package dispatch is the HTTP and SOAP side of both faces: it holds requests to
// limits, parses them strictly, finds out who calls, finds the operation by the
// name of the body's element, and writes the reply or the fault.
//
// It must not know what an operation means: port types hand in their
// operations and get a Call with everything read. How errors look on the wire
// is told in faults.go and nowhere else.
package dispatch
