// Package workspace is the domain of Philoxenia: what a workspace is, which
// states it may take, what a lease promises, and the ports that the rest of
// the system implements (store, deployment and transport adapters).
//
// It must not know how any of that is done: it imports the standard library
// alone, speaks no XML, no SQL and no hypervisor, and starts no goroutine.
// The words are those of the Globus GT4 Virtual Workspace Service; where a
// word also stands on the wire the doc comment names it.
package workspace
