// Package crash kills the built workspaced with SIGKILL at random moments
// under load, starts it again, and checks the books: what was acknowledged
// must hold, what was half done must be finished or undone, nothing may run
// twice, and hosts, addresses, files, machines and notifications must add up. So
// must what is promised: leases whose time is still to come.
//
// It must not share code with the service beyond the state machine's table
// and the simulated pool's journal: it judges by what clients were told, what
// consumers heard, and what lies on the disk.
package crash
