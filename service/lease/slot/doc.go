// Package slot is the slot table: for every host of a pool, how much of each
// resource is taken at which time. It answers where and when an amount fits,
// exactly, for one host and for gangs over the whole pool.
//
// A host's use is a step function over time (profile.go). For cells of time the
// table remembers how much each host, and each block of hosts, can have free all
// through them (index.go), so that those that are full are passed over without a
// look at their profiles.
//
// It must not know what a reservation is for, whom it belongs to, nor what
// time it is. It does no input or output and starts no goroutine.
package slot
