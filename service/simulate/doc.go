// Package simulate runs a workload through the Book of leases in virtual time
// and measures what came of it: how well the pool was used, how long work
// waited, whether reservations began when they were promised. It is the Book of
// the live service; only the hours and the hosts are made up.
//
// It must not know the real hour, files, the wire or a service. Equal input
// gives equal results.
package simulate
