// Package storetest is the conformance suite of workspace.Store: what every
// implementation must do, whichever database is beneath.
//
// It must not know any implementation: it sees the port alone.
package storetest
