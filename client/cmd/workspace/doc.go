// Command workspace is the command line of the service: it deploys virtual
// machines from two XML documents, follows them and ends their leases.
//
// The package holds what people see: arguments, tables, exit codes, advice.
// What goes over the wire belongs to the package client and the schema
// packages, and nothing here may know of the daemon's insides.
package main
