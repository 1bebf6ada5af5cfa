// Package workload has what a simulation is run on: requests for leases with
// the time at which each arrives and how long it really runs. It reads the
// logs of real machines (Standard Workload Format) and Haizea's workloads, and
// makes workloads of its own from a seed.
//
// It must not know how leases are scheduled, the hour, or a file: text comes
// in, requests go out, and the same text or seed gives the same requests.
package workload
