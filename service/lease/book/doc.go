// Package book is the book of leases: who runs on which hosts of a pool, when,
// and what comes next. Leases that begin now, at a given time, whenever there
// is room, or in time for a deadline stand in one slot table, so that what is
// promised to one is never given to another.
//
// The live service, what-if questions and the simulator drive the same Book:
// it is told of requests and of what happened, and says what is to be done.
// Time is an argument. The same calls give the same schedule.
//
// It must not know the hour, a database, a hypervisor or the wire. It does no
// input or output and starts no goroutine. A Book is not safe for concurrent
// use; Snapshot gives another goroutine one of its own.
package book
