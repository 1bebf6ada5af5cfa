// Package interop runs clients that others wrote against a live daemon: SOAP
// stacks of several languages, each with a small program that carries out one
// common script on the services' published WSDL. A judge watches every step and
// reads the service by itself, so that a client which only says that it did
// something fails. The table in docs/interop.md is what the run found.
//
// It must not know the service's inside, and takes nothing of our own client:
// it speaks to the daemon over HTTP as its guests do.
package interop
