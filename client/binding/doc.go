// Package binding is what gowsdl makes of the published WSDL of face two: Go
// types for its documents and messages, and an interface for each of the
// services that lease, run and account for workspaces. It is the service as any
// generator sees it, kept here to prove that generators can work with it, and
// for programs that want no more than the messages.
//
// The bindings are generated (see gen), but for the transport, which is the
// package soap below, and for reaching a resource by its reference. They must
// not know anything that the published documents do not tell.
package binding

//go:generate go run ./gen -o lease.go
